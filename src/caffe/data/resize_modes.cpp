#include "caffe/data/resize_modes.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace caffe {

namespace {

constexpr unsigned kLargestSize = 100000;

int OpenCvInterpolation(int mode) {
  switch (mode) {
    case ResizeParameter::AREA:
      return cv::INTER_AREA;
    case ResizeParameter::NEAREST:
      return cv::INTER_NEAREST;
    case ResizeParameter::CUBIC:
      return cv::INTER_CUBIC;
    case ResizeParameter::LANCZOS4:
      return cv::INTER_LANCZOS4;
    default:
      return cv::INTER_LINEAR;
  }
}

int OpenCvBorder(ResizeParameter::Pad_mode mode) {
  switch (mode) {
    case ResizeParameter::MIRRORED:
      return cv::BORDER_REFLECT_101;
    case ResizeParameter::REPEAT_NEAREST:
      return cv::BORDER_REPLICATE;
    default:
      return cv::BORDER_CONSTANT;
  }
}

float Aspect(const cv::Size& size) {
  return static_cast<float>(size.width) / static_cast<float>(size.height);
}

cv::Size Target(const ResizeParameter& param) {
  return cv::Size(static_cast<int>(param.width()), static_cast<int>(param.height()));
}

/** Rounded down, within what an image may have. */
int ToLength(float length) {
  CHECK(length <= static_cast<float>(kLargestSize))
      << "an image of an extreme aspect ratio cannot be resized: a side of " << length;
  return std::max(static_cast<int>(std::floor(length)), 1);
}

/** Whether the width is kept at the target's and the height follows. */
bool WidthRules(const ResizeParameter& param, const cv::Size& image) {
  const bool wider = Aspect(image) > Aspect(Target(param));
  const bool narrower = Aspect(image) < Aspect(Target(param));
  return param.resize_mode() == ResizeParameter::FIT_SMALL_SIZE ? narrower : wider;
}

/** The image's size in fractional pixels; not for WARP. */
cv::Size2f FittedSize(const ResizeParameter& param, const cv::Size& image) {
  const float width = static_cast<float>(param.width());
  const float height = static_cast<float>(param.height());
  if (WidthRules(param, image)) return cv::Size2f(width, width / Aspect(image));
  return cv::Size2f(height * Aspect(image), height);
}

cv::Scalar PadColor(const ResizeParameter& param, int channels) {
  const int count = param.pad_value_size();
  CHECK(count <= 1 || count == channels)
      << "resize_param has " << count << " pad_value for an image of " << channels
      << " channel(s); expected one for all, or one for each";
  cv::Scalar color;
  for (int c = 0; c < 4 && count > 0; ++c) color[c] = param.pad_value(c < count ? c : 0);
  return color;
}

cv::Mat Pad(const ResizeParameter& param, const cv::Mat& image) {
  const int rows = static_cast<int>(param.height()) - image.rows;
  const int columns = static_cast<int>(param.width()) - image.cols;
  cv::Mat padded;
  cv::copyMakeBorder(image, padded, rows / 2, rows - rows / 2, columns / 2, columns - columns / 2,
                     OpenCvBorder(param.pad_mode()), PadColor(param, image.channels()));
  return padded;
}

}  // namespace

void CheckResize(const ResizeParameter& param) {
  const auto is_size = [](unsigned size) { return size >= 1 && size <= kLargestSize; };
  CHECK(is_size(param.height()) && is_size(param.width()))
      << "resize_param: expected height and width from 1 to " << kLargestSize << ", got "
      << param.height() << " and " << param.width();
  CHECK((param.height_scale() > 0) == (param.width_scale() > 0))
      << "resize_param: expected both of height_scale and width_scale, or none; got "
      << param.height_scale() << " and " << param.width_scale();
}

int DrawInterpolation(const ResizeParameter& param, std::mt19937* random) {
  const int count = param.interp_mode_size();
  if (count == 0) return cv::INTER_LINEAR;
  const unsigned drawn = count > 1 ? (*random)() % static_cast<unsigned>(count) : 0;
  return OpenCvInterpolation(param.interp_mode(static_cast<int>(drawn)));
}

cv::Mat Resize(const ResizeParameter& param, const cv::Mat& image, int interpolation) {
  cv::Size size = Target(param);
  if (param.resize_mode() != ResizeParameter::WARP) {
    const cv::Size2f fitted = FittedSize(param, image.size());
    size = cv::Size(ToLength(fitted.width), ToLength(fitted.height));
  }
  cv::Mat resized;
  cv::resize(image, resized, size, 0, 0, interpolation);
  return param.resize_mode() == ResizeParameter::FIT_LARGE_SIZE_AND_PAD ? Pad(param, resized)
                                                                        : resized;
}

void ResizeBoxes(const ResizeParameter& param, const cv::Size& image, vector<AnnotatedBox>* boxes) {
  if (param.resize_mode() != ResizeParameter::FIT_LARGE_SIZE_AND_PAD) return;
  const cv::Size2f fitted = FittedSize(param, image);
  const float width = fitted.width / static_cast<float>(param.width());
  const float height = fitted.height / static_cast<float>(param.height());
  for (AnnotatedBox& object : *boxes) {
    Box<float>& box = object.box;
    box = {(1 - width) / 2 + box.xmin * width, (1 - height) / 2 + box.ymin * height,
           (1 - width) / 2 + box.xmax * width, (1 - height) / 2 + box.ymax * height};
  }
}

void ScaleBoxes(const ResizeParameter& param, const cv::Size& image, const Box<float>& window,
                vector<AnnotatedBox>* boxes) {
  if (param.resize_mode() != ResizeParameter::FIT_SMALL_SIZE || param.width_scale() == 0) return;
  const cv::Size2f fitted = FittedSize(param, image);
  const float width = fitted.width * Width(window);
  const float height = fitted.height * Height(window);
  // Rounded: a window of exactly so many pixels may come out a millionth smaller.
  CHECK(std::lround(width) >= static_cast<long>(param.width_scale()) &&
        std::lround(height) >= static_cast<long>(param.height_scale()))
      << "resize_param: height_scale " << param.height_scale() << " and width_scale "
      << param.width_scale() << " are larger than the image, " << height << " x " << width;
  const float across = width / static_cast<float>(param.width_scale());
  const float down = height / static_cast<float>(param.height_scale());
  for (AnnotatedBox& object : *boxes) {
    Box<float>& box = object.box;
    box = {box.xmin * across, box.ymin * down, box.xmax * across, box.ymax * down};
  }
}

}  // namespace caffe
