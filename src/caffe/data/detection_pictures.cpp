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
    : transform_(MakeTransformSpec(transform, TEST)),
      threshold_(param.visualize_threshold()),
      file_(param.save_file()) {
  suffix_ = std::filesystem::path(file_).extension().string();
  stem_ = file_.substr(0, file_.size() - suffix_.size());
  const bool is_picture =
      suffix_ == ".png" || suffix_ == ".jpg" || suffix_ == ".jpeg" || suffix_ == ".bmp";
  is_video_ = suffix_ == ".avi" || suffix_ == ".mp4" || suffix_ == ".mkv";
  CHECK(is_picture || is_video_)
      << "save_file is \"" << file_
      << "\", expected pictures (.png, .jpg, .jpeg, .bmp) or a video (.avi, .mp4, .mkv)";
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

void DetectionPictures::AppendToVideo(const cv::Mat& picture) {
  if (!video_.isOpened()) {
    const bool is_avi = suffix_ == ".avi";
    // OpenCV's own writer, which is always there.
    const int writer = is_avi ? cv::CAP_OPENCV_MJPEG : cv::CAP_ANY;
    const int codec = is_avi ? cv::VideoWriter::fourcc('M', 'J', 'P', 'G')
                             : cv::VideoWriter::fourcc('m', 'p', '4', 'v');
    video_size_ = picture.size();
    CHECK(video_.open(file_, writer, codec, 30, video_size_))
        << "save_file " << file_ << ": cannot be written, or OpenCV has no encoder for it";
  }
  CHECK(picture.size() == video_size_)
      << "save_file " << file_ << ": a video's pictures have one size, " << video_size_.height
      << " x " << video_size_.width << "; got " << picture.rows << " x " << picture.cols;
  video_.write(picture);
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
  if (is_video_) {
    AppendToVideo(picture);
    return;
  }
  std::vector<uchar> bytes;
  CHECK(cv::imencode(suffix_, picture, bytes)) << "cannot encode a picture as " << suffix_;
  WriteFileAtomically(NextFile(), string(bytes.begin(), bytes.end()));
}

template void DetectionPictures::Draw(const Blob<float>&, int, const vector<Detection<float>>&);
template void DetectionPictures::Draw(const Blob<double>&, int, const vector<Detection<float>>&);

}  // namespace caffe
