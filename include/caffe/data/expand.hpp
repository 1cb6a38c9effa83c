#ifndef CAFFE_DATA_EXPAND_HPP_
#define CAFFE_DATA_EXPAND_HPP_

#include <opencv2/core.hpp>
#include <random>

#include "caffe/common.hpp"
#include "caffe/detection/box.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief A canvas, in pixels, and where on it the image lies. */
struct Canvas {
  cv::Size size;
  cv::Rect image;
};

/** @brief The image itself. */
Canvas CanvasOf(const cv::Size& image);

/** @brief The canvas in fractions of the image: it reaches below 0 and above 1. */
Box<float> WindowOf(const Canvas& canvas);

/** @throws Error for a max_expand_ratio below 1 or without sense (above 100). */
void CheckExpansion(const ExpansionParameter& param);

/**
 * @brief With probability `prob`, a canvas larger by a ratio uniform in [1, max_expand_ratio],
 * with the image at a random place; otherwise the image itself (Liu et al. 2016, section 3.6).
 */
Canvas DrawExpansion(const ExpansionParameter& param, const cv::Size& image, std::mt19937* random);

/**
 * @brief A part of the canvas, in whole pixels: at least one, and none outside.
 *
 * Its edges are rounded to the nearest pixel. (Caffe-SSD rounds the first pixel
 * and the size down, so that boxes and pixels are up to two pixels apart.)
 */
cv::Rect PixelsOf(const Box<float>& part, const cv::Size& canvas);

/**
 * @brief The pixels of a part of the canvas, without making the canvas.
 *
 * Where the part lies inside the image they are the image's own, not a copy;
 * `fill` is the colour around the image.
 */
cv::Mat CutFromCanvas(const cv::Mat& image, const Canvas& canvas, const cv::Rect& part,
                      const cv::Scalar& fill);

}  // namespace caffe

#endif  // CAFFE_DATA_EXPAND_HPP_
