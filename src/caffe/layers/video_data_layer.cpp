#include "caffe/layers/video_data_layer.hpp"

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
vector<int> VideoDataLayer<Dtype>::ShapeOf(const AugmentedImage& image) const {
  return {batch_size_, image.image.channels(), image.crop.height, image.crop.width};
}

template <typename Dtype>
void VideoDataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                           const vector<Blob<Dtype>*>& top) {
  const unsigned batch_size = this->layer_param_.data_param().batch_size();
  CHECK(batch_size >= 1 && batch_size <= 1000000U)
      << "data_param batch_size must be at least 1, got " << batch_size;
  batch_size_ = static_cast<int>(batch_size);
  TransformationParameter param = this->transform_param_;
  param.clear_distort_param();
  param.clear_expand_param();
  spec_ = MakeAugmentSpec(this->data_transformer_->spec(), param, {});
  random_.seed(caffe_rng_rand());
  this->StopInternalThread();
  frames_ = std::make_unique<FrameSource>(this->layer_param_.video_data_param());
  has_frame_ = frames_->Read(&frame_);
  CHECK(has_frame_) << frames_->name() << ": has no frames";
  std::mt19937 unused(1);
  const vector<int> shape = ShapeOf(Augment(spec_, frame_, {}, &unused));
  top[0]->Reshape(shape);
  if (this->output_labels_) top[1]->Reshape({batch_size_});
  for (const auto& batch : this->prefetch_) {
    batch->data_.Reshape(shape);
    batch->label_.Reshape({batch_size_});
  }
}

template <typename Dtype>
void VideoDataLayer<Dtype>::load_batch(Batch<Dtype>* batch) {
  std::fill_n(batch->label_.mutable_cpu_data(), batch_size_, Dtype(0));
  Dtype* values = batch->data_.mutable_cpu_data();
  for (int i = 0; i < batch_size_; ++i) {
    if (!has_frame_ && !frames_->Read(&frame_)) {
      CHECK(i > 0) << frames_->name() << ": has ended after " << frames_->count() << " frames";
      LOG(INFO) << this->Who() << ": " << frames_->name() << " has ended; its last frame fills "
                << batch_size_ - i << " of the last " << batch_size_;
      for (; i < batch_size_; ++i) {
        values = std::copy_n(values - batch->data_.count(1), batch->data_.count(1), values);
      }
      return;
    }
    has_frame_ = false;
    const AugmentedImage image = Augment(spec_, frame_, {}, &random_);
    CHECK(ShapeOf(image) == batch->data_.shape())
        << frames_->name() << ": frame " << frames_->count() << " has the size " << frame_.rows
        << " x " << frame_.cols << ", unlike the first; resize or crop them";
    WriteTransformed(spec_.transform, image.crop, ImageView<uint8_t>(image.image), values);
    values += batch->data_.count(1);
  }
}

INSTANTIATE_CLASS(VideoDataLayer);
REGISTER_LAYER_CLASS(VideoData);

}  // namespace caffe
