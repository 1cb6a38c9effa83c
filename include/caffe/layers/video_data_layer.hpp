#ifndef CAFFE_VIDEO_DATA_LAYER_HPP_
#define CAFFE_VIDEO_DATA_LAYER_HPP_

#include <memory>
#include <random>
#include <vector>

#include "caffe/data/annotated_transform.hpp"
#include "caffe/data/frame_source.hpp"
#include "caffe/layers/base_data_layer.hpp"

namespace caffe {

/**
 * @brief The frames of a video file, or of a camera, as video_data_param says.
 *
 * Tops: N × 3 × H × W, frames in their order, resized, cropped, mirrored and
 * less the mean as transform_param says, with its noise (distort_param,
 * expand_param and what is about boxes are not used); and N zeros, if there is a second one.
 * Batches are made ahead by one thread (data_param: batch_size, prefetch).
 *
 * A file ends: its last frame fills up the last batch, and the Forward after
 * that is an error that says so. (Caffe-SSD interrupts its own process then,
 * before the batches that were made ahead are used.)
 * @throws Error naming the file or camera.
 */
template <typename Dtype>
class VideoDataLayer : public BasePrefetchingDataLayer<Dtype> {
 public:
  explicit VideoDataLayer(const LayerParameter& param) : BasePrefetchingDataLayer<Dtype>(param) {}
  ~VideoDataLayer() override { this->StopInternalThread(); }
  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "VideoData"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }

 protected:
  void load_batch(Batch<Dtype>* batch) override;

 private:
  vector<int> ShapeOf(const AugmentedImage& image) const;

  AugmentSpec spec_;
  std::unique_ptr<FrameSource> frames_;
  std::mt19937 random_;
  int batch_size_ = 0;
  cv::Mat frame_;           ///< the newest
  bool has_frame_ = false;  ///< which was not used yet
};

}  // namespace caffe

#endif  // CAFFE_VIDEO_DATA_LAYER_HPP_
