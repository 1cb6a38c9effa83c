#include "caffe/data/frame_source.hpp"

#include <opencv2/videoio.hpp>
#include <opencv2/videoio/registry.hpp>

namespace caffe {

namespace {

/** FFmpeg where OpenCV has it: others (GStreamer) search the machine's devices first, and leak. */
int FileReader() {
  for (const cv::VideoCaptureAPIs reader : cv::videoio_registry::getStreamBackends()) {
    if (reader == cv::CAP_FFMPEG) return reader;
  }
  return cv::CAP_ANY;
}

}  // namespace

FrameSource::FrameSource(const VideoDataParameter& param)
    : is_file_(param.video_type() == VideoDataParameter::VIDEO),
      skip_frames_(param.skip_frames()),
      capture_(new cv::VideoCapture) {
  if (is_file_) {
    CHECK(!param.video_file().empty()) << "video_data_param: video_type VIDEO needs a video_file";
    name_ = "video " + param.video_file();
    CHECK(std::ifstream(param.video_file()).good()) << name_ << ": cannot be read";
    CHECK(capture_->open(param.video_file(), FileReader()))
        << name_ << ": is not a video that OpenCV can read";
    return;
  }
  CHECK(param.device_id() >= 0) << "video_data_param: device_id must be at least 0, got "
                                << param.device_id();
  name_ = "camera " + std::to_string(param.device_id());
  CHECK(capture_->open(param.device_id())) << name_ << ": cannot be opened";
}

FrameSource::~FrameSource() = default;

bool FrameSource::Read(cv::Mat* frame) {
  for (unsigned i = 0; i < skip_frames_ && count_ > 0; ++i) {
    if (!capture_->grab()) break;
  }
  cv::Mat shared;
  if (!capture_->read(shared) || shared.empty()) {
    CHECK(is_file_) << name_ << ": gave no picture after " << count_ << " frames";
    return false;
  }
  // Some of OpenCV's readers hand out their own memory.
  *frame = shared.clone();
  ++count_;
  return true;
}

}  // namespace caffe
