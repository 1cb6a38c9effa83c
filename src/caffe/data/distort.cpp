#include "caffe/data/distort.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "caffe/data/uniform.hpp"
#include "caffe/util/rng.hpp"

namespace caffe {

namespace {

void CheckRange(const char* what, float lower, float upper) {
  CHECK(lower >= 0 && lower <= upper)
      << "distort_param: " << what << "_lower must be at least 0 and at most " << what
      << "_upper, got " << lower << " and " << upper;
}

void CheckDelta(const char* what, float delta) {
  CHECK(delta >= 0) << "distort_param: " << what << "_delta must be at least 0, got " << delta;
}

LevelTable Identity() {
  LevelTable table{};
  for (int i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i);
  return table;
}

/** The table followed by level · factor + delta. */
void Append(float factor, float delta, LevelTable* table) {
  for (uint8_t& level : *table) {
    level = cv::saturate_cast<uint8_t>(static_cast<float>(level) * factor + delta);
  }
}

cv::Mat AsMat(const LevelTable& table) {
  return cv::Mat(1, 256, CV_8U, const_cast<uint8_t*>(table.data()));
}

void ApplyHsv(const Distortion& distortion, cv::Mat* image) {
  cv::Mat hsv;
  cv::cvtColor(*image, hsv, cv::COLOR_BGR2HSV);
  for (int h = 0; h < hsv.rows; ++h) {
    uint8_t* row = hsv.ptr<uint8_t>(h);
    for (int w = 0; w < hsv.cols; ++w, row += 3) {
      row[0] = distortion.hue[row[0]];
      row[1] = distortion.saturation[row[1]];
    }
  }
  cv::cvtColor(hsv, *image, cv::COLOR_HSV2BGR);
}

void Reorder(const std::array<int, 3>& order, cv::Mat* image) {
  for (int h = 0; h < image->rows; ++h) {
    uint8_t* row = image->ptr<uint8_t>(h);
    for (int w = 0; w < image->cols; ++w, row += 3) {
      const uint8_t pixel[3] = {row[0], row[1], row[2]};
      for (int c = 0; c < 3; ++c) row[c] = pixel[order[c]];
    }
  }
}

}  // namespace

void CheckDistortion(const DistortionParameter& param) {
  CheckDelta("brightness", param.brightness_delta());
  CheckDelta("hue", param.hue_delta());
  if (param.contrast_prob() > 0) {
    CheckRange("contrast", param.contrast_lower(), param.contrast_upper());
  }
  if (param.saturation_prob() > 0) {
    CheckRange("saturation", param.saturation_lower(), param.saturation_upper());
  }
}

Distortion DrawDistortion(const DistortionParameter& param, std::mt19937* random) {
  Distortion drawn;
  drawn.first = drawn.hue = drawn.saturation = drawn.last = Identity();
  const bool contrast_first = DrawChance(0.5F, random);
  if (DrawChance(param.brightness_prob(), random)) {
    const float delta = param.brightness_delta();
    Append(1, DrawUniform(-delta, delta, random), &drawn.first);
    drawn.has_first = true;
  }
  if (DrawChance(param.contrast_prob(), random)) {
    Append(DrawUniform(param.contrast_lower(), param.contrast_upper(), random), 0,
           contrast_first ? &drawn.first : &drawn.last);
    (contrast_first ? drawn.has_first : drawn.has_last) = true;
  }
  if (DrawChance(param.saturation_prob(), random)) {
    Append(DrawUniform(param.saturation_lower(), param.saturation_upper(), random), 0,
           &drawn.saturation);
    drawn.has_hsv = true;
  }
  if (DrawChance(param.hue_prob(), random)) {
    const float delta = param.hue_delta();
    Append(1, DrawUniform(-delta, delta, random), &drawn.hue);
    drawn.has_hsv = true;
  }
  if (DrawChance(param.random_order_prob(), random)) {
    shuffle(drawn.order.begin(), drawn.order.end(), random);
    drawn.reorders = true;
  }
  return drawn;
}

void Distort(const Distortion& distortion, cv::Mat* image) {
  CHECK(image->type() == CV_8UC1 || image->type() == CV_8UC3)
      << "distort_param needs an image of 8 bits and 1 or 3 channels, got " << image->channels()
      << " channels of OpenCV's depth " << image->depth();
  const bool has_color = image->channels() == 3;
  if (distortion.has_first) cv::LUT(*image, AsMat(distortion.first), *image);
  if (distortion.has_hsv && has_color) ApplyHsv(distortion, image);
  if (distortion.has_last) cv::LUT(*image, AsMat(distortion.last), *image);
  if (distortion.reorders && has_color) Reorder(distortion.order, image);
}

}  // namespace caffe
