#ifndef CAFFE_DATA_ANNOTATED_IMAGE_HPP_
#define CAFFE_DATA_ANNOTATED_IMAGE_HPP_

#include <opencv2/core.hpp>
#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/image_io.hpp"

namespace caffe {

/** @throws BrokenRecord if the bytes are no AnnotatedDatum, or one without an image. */
AnnotatedDatum ParseAnnotatedDatum(const string& bytes);

/**
 * @brief The image of a record, of 8 bits: encoded or as planes.
 *
 * kColor gives three channels and kGray one, of planes too.
 * @throws BrokenRecord if it cannot be decoded, or is a JPEG without an end; Error for planes of
 * floats, or of another number of channels than 1, 3 and 4 where those must be converted.
 */
cv::Mat DecodeAnnotated(const AnnotatedDatum& datum, ImageColor color);

}  // namespace caffe

#endif  // CAFFE_DATA_ANNOTATED_IMAGE_HPP_
