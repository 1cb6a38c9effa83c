#ifndef CAFFE_DATA_FRAME_SOURCE_HPP_
#define CAFFE_DATA_FRAME_SOURCE_HPP_

#include <memory>
#include <opencv2/core.hpp>
#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace cv {
class VideoCapture;
}

namespace caffe {

/** @brief The frames of a video file or of a camera, in color, one after the other. */
class FrameSource {
 public:
  /** @throws Error if the file is missing or no video, or there is no such camera. */
  explicit FrameSource(const VideoDataParameter& param);
  ~FrameSource();

  /**
   * @brief The next frame that is used; skip_frames are left out before the one after it.
   * @return false where the file has ended.
   * @throws Error if the camera gives nothing.
   */
  bool Read(cv::Mat* frame);
  /** @brief What errors call it: "video FILE", "camera 0". */
  const string& name() const { return name_; }
  /** @brief Frames that Read gave. */
  int64_t count() const { return count_; }

 private:
  bool is_file_;
  unsigned skip_frames_;
  string name_;
  std::unique_ptr<cv::VideoCapture> capture_;
  int64_t count_ = 0;
};

}  // namespace caffe

#endif  // CAFFE_DATA_FRAME_SOURCE_HPP_
