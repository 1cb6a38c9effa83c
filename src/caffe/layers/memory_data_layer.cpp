#include "caffe/layers/memory_data_layer.hpp"

namespace caffe {

template <typename Dtype>
void MemoryDataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                            const vector<Blob<Dtype>*>& top) {
  const MemoryDataParameter& param = this->layer_param_.memory_data_param();
  batch_size_ = static_cast<int>(param.batch_size());
  channels_ = static_cast<int>(param.channels());
  height_ = static_cast<int>(param.height());
  width_ = static_cast<int>(param.width());
  CHECK(batch_size_ > 0 && channels_ > 0 && height_ > 0 && width_ > 0)
      << "memory_data_param must have batch_size, channels, height and width, all positive; got "
      << param.batch_size() << ", " << param.channels() << ", " << param.height() << " and "
      << param.width();
  top[0]->Reshape({batch_size_, channels_, height_, width_});
  top[1]->Reshape({batch_size_});
  size_ = top[0]->count(1);
  data_ = labels_ = nullptr;
  has_new_data_ = false;
  view_.reset();
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::PrepareToAdd(size_t count) {
  CHECK(!has_new_data_) << "images were added before and have not all been used";
  CHECK(count > 0 && count <= static_cast<size_t>(INT_MAX) && count % batch_size_ == 0)
      << "expected a positive multiple of the batch size " << batch_size_ << ", got " << count
      << " images";
  added_data_.Reshape({static_cast<int>(count), channels_, height_, width_});
  added_label_.Reshape({static_cast<int>(count)});
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::ShowAdded() {
  data_ = added_data_.mutable_cpu_data();
  labels_ = added_label_.mutable_cpu_data();
  n_ = added_data_.num();
  pos_ = 0;
  has_new_data_ = true;
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::AddDatumVector(const vector<Datum>& datum_vector) {
  PrepareToAdd(datum_vector.size());
  this->data_transformer_->Transform(datum_vector, &added_data_);
  for (size_t i = 0; i < datum_vector.size(); ++i) {
    added_label_.mutable_cpu_data()[i] = static_cast<Dtype>(datum_vector[i].label());
  }
  ShowAdded();
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::AddMatVector(const vector<cv::Mat>& mat_vector,
                                          const vector<int>& labels) {
  CHECK(mat_vector.size() == labels.size())
      << "expected a label for each image, got " << labels.size() << " labels for "
      << mat_vector.size() << " images";
  PrepareToAdd(mat_vector.size());
  this->data_transformer_->Transform(mat_vector, &added_data_);
  for (size_t i = 0; i < labels.size(); ++i) {
    added_label_.mutable_cpu_data()[i] = static_cast<Dtype>(labels[i]);
  }
  ShowAdded();
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::Reset(Dtype* data, Dtype* label, int n) {
  CHECK(data != nullptr && label != nullptr) << "expected arrays of data and of labels";
  CHECK(n > 0 && n % batch_size_ == 0)
      << "expected a positive multiple of the batch size " << batch_size_ << ", got " << n;
  LOG_IF(WARNING, this->layer_param_.has_transform_param())
      << this->Who() << ": arrays are taken as they are, without transform_param";
  data_ = data;
  labels_ = label;
  n_ = n;
  pos_ = 0;
  has_new_data_ = false;
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::set_batch_size(int new_size) {
  CHECK(!has_new_data_) << "images were added and have not all been used";
  CHECK(new_size > 0) << "expected a positive batch size, got " << new_size;
  CHECK(data_ == nullptr || n_ % new_size == 0)
      << "expected a divisor of the " << n_ << " items at hand, got " << new_size;
  batch_size_ = new_size;
  pos_ = 0;
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& /*bottom*/,
                                         const vector<Blob<Dtype>*>& top) {
  CHECK(data_ != nullptr) << "there are no data: call Reset, AddDatumVector or AddMatVector first";
  // The view is made for the batch size, so that its memory is just as long as the batch.
  if (!view_ || view_->data_.num() != batch_size_) {
    view_.reset(new Batch<Dtype>);
    view_->data_.Reshape({batch_size_, channels_, height_, width_});
    view_->label_.Reshape({batch_size_});
  }
  view_->data_.set_cpu_data(data_ + static_cast<size_t>(pos_) * size_);
  view_->label_.set_cpu_data(labels_ + pos_);
  this->GiveBatch(*view_, top);
  pos_ = (pos_ + batch_size_) % n_;
  if (pos_ == 0) has_new_data_ = false;
}

INSTANTIATE_CLASS(MemoryDataLayer);
REGISTER_LAYER_CLASS(MemoryData);

}  // namespace caffe
