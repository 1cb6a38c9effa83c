#ifndef CAFFE_DATA_ANNOTATED_TRANSFORM_HPP_
#define CAFFE_DATA_ANNOTATED_TRANSFORM_HPP_

#include <opencv2/core.hpp>
#include <random>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/data/annotation.hpp"
#include "caffe/data/image_transform.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief What is the same for all images of an AnnotatedData layer. */
struct AugmentSpec {
  TransformSpec transform;
  TransformationParameter param;
  vector<BatchSampler> samplers;
  cv::Scalar fill;  ///< of the canvas that an image is expanded on: the mean
};

/** @throws Error for parameters without sense; see the Check functions of the steps. */
AugmentSpec MakeAugmentSpec(const TransformSpec& transform, const TransformationParameter& param,
                            const google::protobuf::RepeatedPtrField<BatchSampler>& samplers);

/** @brief An image of 8 bits ready to be cropped, mirrored and written, and its boxes then. */
struct AugmentedImage {
  cv::Mat image;
  CropMirror crop;
  vector<AnnotatedBox> boxes;
};

/**
 * @brief Distorts, expands, samples a crop, resizes, adds noise, crops and mirrors, as far as the
 * parameters have each; boxes follow, and stay where emit_constraint lets them.
 *
 * Steps and their order are Caffe-SSD's. Between them it stores the image as
 * JPEG and reads it back; here the pixels stay as they are. The pixels of the
 * image given may be changed.
 * @throws Error where the crop is larger than the image.
 */
AugmentedImage Augment(const AugmentSpec& spec, const cv::Mat& image,
                       const vector<AnnotatedBox>& boxes, std::mt19937* random);

}  // namespace caffe

#endif  // CAFFE_DATA_ANNOTATED_TRANSFORM_HPP_
