#include "caffe/data/annotated_transform.hpp"

#include <algorithm>
#include <numeric>

#include "caffe/data/batch_sampler.hpp"
#include "caffe/data/distort.hpp"
#include "caffe/data/expand.hpp"
#include "caffe/data/noise.hpp"
#include "caffe/data/resize_modes.hpp"

namespace caffe {

namespace {

cv::Scalar MeanColor(const TransformSpec& spec) {
  cv::Scalar color;
  const size_t values = spec.mean_values.size();
  for (size_t c = 0; c < 4 && values > 0; ++c) color[c] = spec.mean_values[c < values ? c : 0];
  if (spec.mean.empty()) return color;
  const size_t plane = static_cast<size_t>(spec.mean_height) * spec.mean_width;
  for (int c = 0; c < std::min(spec.mean_channels, 4); ++c) {
    const auto begin = spec.mean.begin() + static_cast<ptrdiff_t>(c * plane);
    color[c] = std::accumulate(begin, begin + static_cast<ptrdiff_t>(plane), 0.0) /
               static_cast<double>(plane);
  }
  return color;
}

const EmitConstraint* ConstraintOf(const AugmentSpec& spec) {
  return spec.param.has_emit_constraint() ? &spec.param.emit_constraint() : nullptr;
}

/** A crop of the samplers' finding, or the whole; the boxes become its. */
cv::Rect SampleCrop(const AugmentSpec& spec, const cv::Size& size, vector<AnnotatedBox>* boxes,
                    std::mt19937* random) {
  const cv::Rect whole(cv::Point(0, 0), size);
  if (spec.samplers.empty()) return whole;
  vector<Box<float>> objects;
  objects.reserve(boxes->size());
  for (const AnnotatedBox& object : *boxes) objects.push_back(object.box);
  const vector<Box<float>> crops = SampleCrops(spec.samplers, objects, random);
  if (crops.empty()) return whole;
  const Box<float>& crop = crops[(*random)() % crops.size()];
  *boxes = ProjectBoxes(*boxes, crop, ConstraintOf(spec));
  return PixelsOf(crop, size);
}

Box<float> WindowOf(const CropMirror& crop, const cv::Mat& image) {
  const float width = static_cast<float>(image.cols);
  const float height = static_cast<float>(image.rows);
  return {static_cast<float>(crop.left) / width, static_cast<float>(crop.top) / height,
          static_cast<float>(crop.left + crop.width) / width,
          static_cast<float>(crop.top + crop.height) / height};
}

}  // namespace

AugmentSpec MakeAugmentSpec(const TransformSpec& transform, const TransformationParameter& param,
                            const google::protobuf::RepeatedPtrField<BatchSampler>& samplers) {
  if (param.has_distort_param()) CheckDistortion(param.distort_param());
  if (param.has_expand_param()) CheckExpansion(param.expand_param());
  if (param.has_resize_param()) CheckResize(param.resize_param());
  if (param.has_noise_param()) CheckNoise(param.noise_param());
  for (int i = 0; i < samplers.size(); ++i) CheckBatchSampler(samplers.Get(i), i);
  AugmentSpec spec;
  spec.transform = transform;
  spec.param = param;
  spec.samplers.assign(samplers.begin(), samplers.end());
  spec.fill = MeanColor(transform);
  return spec;
}

AugmentedImage Augment(const AugmentSpec& spec, const cv::Mat& image,
                       const vector<AnnotatedBox>& boxes, std::mt19937* random) {
  const TransformationParameter& param = spec.param;
  AugmentedImage result;
  result.boxes = boxes;
  Distortion distortion;
  if (param.has_distort_param()) distortion = DrawDistortion(param.distort_param(), random);
  Canvas canvas = CanvasOf(image.size());
  if (param.has_expand_param()) {
    canvas = DrawExpansion(param.expand_param(), image.size(), random);
    result.boxes = ProjectBoxes(boxes, WindowOf(canvas), ConstraintOf(spec));
  }
  const cv::Rect part = SampleCrop(spec, canvas.size, &result.boxes, random);
  // Only the pixels that are seen need their colours distorted.
  const cv::Rect seen = (part & canvas.image) - canvas.image.tl();
  if (param.has_distort_param() && !seen.empty()) {
    cv::Mat pixels = image(seen);
    Distort(distortion, &pixels);
  }
  result.image = CutFromCanvas(image, canvas, part, spec.fill);
  const cv::Size cut_size = part.size();
  if (param.has_resize_param()) {
    const int interpolation = DrawInterpolation(param.resize_param(), random);
    result.image = Resize(param.resize_param(), result.image, interpolation);
    ResizeBoxes(param.resize_param(), cut_size, &result.boxes);
  }
  if (param.has_noise_param()) result.image = AddNoise(param.noise_param(), result.image, random);
  result.crop =
      DrawCropMirror(spec.transform, result.image.rows, result.image.cols, RandomIntegerOf(random));
  const Box<float> window = WindowOf(result.crop, result.image);
  result.boxes = ProjectBoxes(result.boxes, window, ConstraintOf(spec));
  if (result.crop.mirror) MirrorBoxes(&result.boxes);
  if (param.has_resize_param()) {
    ScaleBoxes(param.resize_param(), cut_size, window, &result.boxes);
  }
  return result;
}

}  // namespace caffe
