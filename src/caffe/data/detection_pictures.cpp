#include "caffe/data/detection_pictures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "caffe/util/atomic_file.hpp"

namespace caffe {

bool DetectionPictures::AreAskedFor(const DetectionOutputParameter& param) {
  if (!param.visualize()) return false;
  LOG_IF(WARNING, param.save_file().empty())
      << "visualize draws into files, but save_file is not given: nothing is drawn";
  return !param.save_file().empty();
}

DetectionPictures::DetectionPictures(const DetectionOutputParameter& param,
                                     const TransformationParameter& transform)
    : transform_(MakeTransformSpec(transform, TEST)), threshold_(param.visualize_threshold()) {
  const std::filesystem::path file(param.save_file());
  suffix_ = file.extension().string();
  stem_ = param.save_file().substr(0, param.save_file().size() - suffix_.size());
  CHECK(suffix_ == ".png" || suffix_ == ".jpg" || suffix_ == ".jpeg" || suffix_ == ".bmp")
      << "save_file is \"" << param.save_file()
      << "\", expected the name of pictures: a .png, .jpg, .jpeg or .bmp";
  const string& map = param.save_output_param().label_map_file();
  if (!map.empty()) names_ = ReadLabelMap(map);
}

/** The image as it was before the data layer took the mean off and scaled: BGR, of bytes. */
template <typename Dtype>
cv::Mat DetectionPictures::Restored(const Blob<Dtype>& images, int index) const {
  const int channels = images.shape(1), height = images.shape(2), width = images.shape(3);
  const size_t plane = static_cast<size_t>(height) * width;
  const bool fits = transform_.mean.size() == plane * channels;
  cv::Mat picture(height, width, CV_8UC3);
  for (int out = 0; out < 3; ++out) {
    const int c = channels == 3 ? out : 0;
    const Dtype* values = images.cpu_data() + images.offset({index, c});
    const vector<float>& means = transform_.mean_values;
    const float mean = means.empty() ? 0 : means[means.size() > 1 ? c % means.size() : 0];
    for (size_t i = 0; i < plane; ++i) {
      float value = static_cast<float>(values[i]) / transform_.scale + mean;
      if (fits) value += transform_.mean[c * plane + i];
      // A NaN is drawn black.
      picture.data[3 * i + out] =
          static_cast<uchar>(value > 0 ? std::lround(std::min(value, 255.F)) : 0);
    }
  }
  return picture;
}

namespace {

/** Far hues for near labels. */
cv::Scalar ColorOf(int label) {
  const double kGoldenRatio = 0.61803398875;
  const double turn = std::fmod(label * kGoldenRatio, 1.0) * 6;
  const auto part = [turn](double offset) {
    const double distance = std::fabs(std::fmod(turn + offset, 6.0) - 3);
    return 255 * std::min(1.0, std::max(0.0, distance - 1));
  };
  return cv::Scalar(part(2), part(4), part(0));
}

}  // namespace

void DetectionPictures::DrawBox(const Detection<float>& detection, cv::Mat* picture) const {
  const Box<float> box = Clip(detection.box);  // so that the pixels are in an integer's range
  const cv::Point from(static_cast<int>(box.xmin * static_cast<float>(picture->cols)),
                       static_cast<int>(box.ymin * static_cast<float>(picture->rows)));
  const cv::Point to(static_cast<int>(box.xmax * static_cast<float>(picture->cols)),
                     static_cast<int>(box.ymax * static_cast<float>(picture->rows)));
  const auto name = names_.find(detection.label);
  char score[32];
  std::snprintf(score, sizeof score, ": %.2f", static_cast<double>(detection.score));
  const string text =
      (name == names_.end() ? std::to_string(detection.label) : name->second.display_name) + score;
  const cv::Scalar color = ColorOf(detection.label);
  cv::rectangle(*picture, from, to, color, 2);
  const double kScale = 0.4;
  int below = 0;
  const cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, kScale, 1, &below);
  const cv::Point corner(from.x, std::max(from.y, size.height + below));
  cv::rectangle(*picture, corner, corner + cv::Point(size.width, -size.height - below), color,
                cv::FILLED);
  cv::putText(*picture, text, corner - cv::Point(0, below), cv::FONT_HERSHEY_SIMPLEX, kScale,
              cv::Scalar(), 1, cv::LINE_AA);
}

string DetectionPictures::NextFile() {
  char number[16];
  std::snprintf(number, sizeof number, "_%06d", num_drawn_++);
  return stem_ + number + suffix_;
}

template <typename Dtype>
void DetectionPictures::Draw(const Blob<Dtype>& images, int index,
                             const vector<Detection<float>>& detections) {
  CHECK(images.num_axes() == 4 && (images.shape(1) == 1 || images.shape(1) == 3))
      << "visualize draws on images of 1 or 3 channels, got the shape " << images.shape_string();
  cv::Mat picture = Restored(images, index);
  for (const Detection<float>& detection : detections) {
    if (detection.score >= threshold_) DrawBox(detection, &picture);
  }
  std::vector<uchar> bytes;
  CHECK(cv::imencode(suffix_, picture, bytes)) << "cannot encode a picture as " << suffix_;
  WriteFileAtomically(NextFile(), string(bytes.begin(), bytes.end()));
}

template void DetectionPictures::Draw(const Blob<float>&, int, const vector<Detection<float>>&);
template void DetectionPictures::Draw(const Blob<double>&, int, const vector<Detection<float>>&);

}  // namespace caffe
