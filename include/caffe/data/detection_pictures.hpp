#ifndef CAFFE_DATA_DETECTION_PICTURES_HPP_
#define CAFFE_DATA_DETECTION_PICTURES_HPP_

#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/data/image_transform.hpp"
#include "caffe/detection/detector.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/label_map.hpp"

namespace caffe {

/**
 * @brief Pictures of the images of a batch with the boxes, names and scores of
 * their detections.
 *
 * save_file names them: "seen.png" gives seen_000000.png, seen_000001.png, …,
 * each of them whole or not there; "seen.avi" a video of 30 pictures a second
 * (Motion JPEG; .mp4 and .mkv where OpenCV has an encoder for MPEG-4). Only
 * files are made: no window is opened, so no display is needed (Caffe-SSD opens
 * one).
 */
class DetectionPictures {
 public:
  /**
   * @brief Reads the label map, where save_output_param names one, and the mean.
   * @param transform what the data layer did to the images' values; it is undone.
   * @throws Error for a save_file of another ending, and for a label map or mean
   * that cannot be read.
   */
  DetectionPictures(const DetectionOutputParameter& param,
                    const TransformationParameter& transform);

  /** @brief Whether the parameter asks for pictures; warns if it says no save_file. */
  static bool AreAskedFor(const DetectionOutputParameter& param);

  /**
   * @brief Writes the next picture: image `index` of an N × C × H × W blob, with
   * the detections of at least visualize_threshold.
   * @throws Error for another number of channels than 1 or 3, and for a file
   * that cannot be written.
   */
  template <typename Dtype>
  void Draw(const Blob<Dtype>& images, int index, const vector<Detection<float>>& detections);

 private:
  template <typename Dtype>
  cv::Mat Restored(const Blob<Dtype>& images, int index) const;
  void DrawBox(const Detection<float>& detection, cv::Mat* picture) const;
  string NextFile();
  void AppendToVideo(const cv::Mat& picture);

  TransformSpec transform_;
  ClassNames names_;
  float threshold_;
  string file_, stem_, suffix_;
  bool is_video_;
  cv::VideoWriter video_;
  cv::Size video_size_;
  int num_drawn_ = 0;
};

}  // namespace caffe

#endif  // CAFFE_DATA_DETECTION_PICTURES_HPP_
