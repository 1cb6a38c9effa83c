#include "caffe/data/expand.hpp"

#include <algorithm>
#include <cmath>

#include "caffe/data/uniform.hpp"

namespace caffe {

Canvas CanvasOf(const cv::Size& image) { return {image, cv::Rect(cv::Point(0, 0), image)}; }

Box<float> WindowOf(const Canvas& canvas) {
  const float width = static_cast<float>(canvas.image.width);
  const float height = static_cast<float>(canvas.image.height);
  const float left = static_cast<float>(canvas.image.x);
  const float top = static_cast<float>(canvas.image.y);
  return {-left / width, -top / height, (static_cast<float>(canvas.size.width) - left) / width,
          (static_cast<float>(canvas.size.height) - top) / height};
}

void CheckExpansion(const ExpansionParameter& param) {
  CHECK(param.max_expand_ratio() >= 1 && param.max_expand_ratio() <= 100)
      << "expand_param: max_expand_ratio must be from 1 to 100, got " << param.max_expand_ratio();
}

Canvas DrawExpansion(const ExpansionParameter& param, const cv::Size& image, std::mt19937* random) {
  if (!DrawChance(param.prob(), random)) return CanvasOf(image);
  const float ratio = DrawUniform(1, param.max_expand_ratio(), random);
  Canvas canvas;
  canvas.size.width = static_cast<int>(static_cast<float>(image.width) * ratio);
  canvas.size.height = static_cast<int>(static_cast<float>(image.height) * ratio);
  const int left = canvas.size.width - image.width;
  const int top = canvas.size.height - image.height;
  canvas.image = cv::Rect(static_cast<int>(DrawUniform(0, static_cast<float>(left), random)),
                          static_cast<int>(DrawUniform(0, static_cast<float>(top), random)),
                          image.width, image.height);
  return canvas;
}

namespace {

/** The first pixel and the number of pixels of [low, high) · length. */
void ToPixels(float low, float high, int length, int* first, int* count) {
  const float size = static_cast<float>(length);
  *first = std::min(std::max(static_cast<int>(std::lround(low * size)), 0), length - 1);
  const int end = std::min(static_cast<int>(std::lround(high * size)), length);
  *count = std::max(end - *first, 1);
}

}  // namespace

cv::Rect PixelsOf(const Box<float>& part, const cv::Size& canvas) {
  cv::Rect pixels;
  ToPixels(part.xmin, part.xmax, canvas.width, &pixels.x, &pixels.width);
  ToPixels(part.ymin, part.ymax, canvas.height, &pixels.y, &pixels.height);
  return pixels;
}

cv::Mat CutFromCanvas(const cv::Mat& image, const Canvas& canvas, const cv::Rect& part,
                      const cv::Scalar& fill) {
  const cv::Rect common = part & canvas.image;
  if (common.empty()) return cv::Mat(part.size(), image.type(), fill);
  cv::Mat source = image(common - canvas.image.tl());
  if (common == part) return source;
  cv::Mat cut;
  // The pixels of the image around the source are not meant: isolated.
  cv::copyMakeBorder(source, cut, common.y - part.y, part.br().y - common.br().y, common.x - part.x,
                     part.br().x - common.br().x, cv::BORDER_CONSTANT | cv::BORDER_ISOLATED, fill);
  return cut;
}

}  // namespace caffe
