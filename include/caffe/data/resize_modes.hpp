#ifndef CAFFE_DATA_RESIZE_MODES_HPP_
#define CAFFE_DATA_RESIZE_MODES_HPP_

#include <opencv2/core.hpp>
#include <random>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/data/annotation.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Checks the parameter. Its prob is not looked at, as in Caffe-SSD: a batch has one size.
 * @throws Error for a height or width of 0 (or above 100,000), and for one of height_scale and
 * width_scale without the other.
 */
void CheckResize(const ResizeParameter& param);

/** @brief One of OpenCV's interpolations, drawn from interp_mode; linear if there is none. */
int DrawInterpolation(const ResizeParameter& param, std::mt19937* random);

/**
 * @brief The image at the size that the mode says.
 *
 * WARP: width × height. FIT_SMALL_SIZE: the smallest size of the image's aspect
 * ratio that covers width × height. FIT_LARGE_SIZE_AND_PAD: the largest that
 * fits in, in the middle of a border; pad_mode CONSTANT (pad_value), MIRRORED
 * (without the outermost pixel) or REPEAT_NEAREST. Sizes are rounded down, as
 * in Caffe-SSD, but not to 0.
 * @throws Error unless pad_value has one value, or one for each channel, or none.
 */
cv::Mat Resize(const ResizeParameter& param, const cv::Mat& image, int interpolation);

/**
 * @brief The boxes after Resize of an image of this size: other fractions only where it pads.
 *
 * The border is taken as the unrounded one, as in Caffe-SSD: up to half a
 * pixel beside the pixels' own.
 */
void ResizeBoxes(const ResizeParameter& param, const cv::Size& image, vector<AnnotatedBox>* boxes);

/**
 * @brief FIT_SMALL_SIZE with height_scale and width_scale: boxes in fractions of those pixels, in
 * place of the part of the resized image (`window`, in fractions of it) that was cut out.
 * @throws Error if that part is smaller.
 */
void ScaleBoxes(const ResizeParameter& param, const cv::Size& image, const Box<float>& window,
                vector<AnnotatedBox>* boxes);

}  // namespace caffe

#endif  // CAFFE_DATA_RESIZE_MODES_HPP_
