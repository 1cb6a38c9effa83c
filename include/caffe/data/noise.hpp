#ifndef CAFFE_DATA_NOISE_HPP_
#define CAFFE_DATA_NOISE_HPP_

#include <opencv2/core.hpp>
#include <random>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @throws Error for a jpeg quality above 100, and a fraction outside 0…1. */
void CheckNoise(const NoiseParameter& param);

/**
 * @brief The image with all kinds of noise that are switched on, one on the other, in this order:
 * decolorize, gauss_blur (7 × 7, σ 1.5), hist_eq and clahe (of the luminance),
 * jpeg (coded and decoded), erode (3 × 3), posterize (to four levels), inverse,
 * saltpepper, convert_to_hsv, convert_to_lab (as OpenCV keeps it in 8 bits).
 *
 * Where `prob` is given it is the probability that anything happens;
 * where it is not, noise is always added (Caffe-SSD never looks at it).
 * What is about colour leaves an image of one channel as it is.
 * @throws Error unless saltpepper has one value for all channels, or one for each.
 */
cv::Mat AddNoise(const NoiseParameter& param, const cv::Mat& image, std::mt19937* random);

}  // namespace caffe

#endif  // CAFFE_DATA_NOISE_HPP_
