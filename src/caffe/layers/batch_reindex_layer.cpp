#include "caffe/layers/batch_reindex_layer.hpp"

#include <cmath>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

template <typename Dtype>
void BatchReindexLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) {
  CHECK(top[0] != bottom[0]) << "cannot work in place, but the top is bottom[0]";
  CHECK(bottom[0]->num_axes() > 0) << "bottom[0] has no axis of samples";
  CHECK(bottom[1]->num_axes() == 1)
      << "bottom[1] must be a vector of indices, got the shape " << bottom[1]->shape_string();
  vector<int> shape = bottom[0]->shape();
  shape[0] = bottom[1]->shape(0);
  top[0]->Reshape(shape);
  samples_.resize(shape[0]);
}

template <typename Dtype>
void BatchReindexLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                           const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0);
  const int dim = bottom[0]->count(1);
  const Dtype* index = bottom[1]->cpu_data();
  const Dtype* from = bottom[0]->cpu_data();
  Dtype* to = top[0]->mutable_cpu_data();
  for (int i = 0; i < bottom[1]->count(); ++i) {
    CHECK(index[i] == std::floor(index[i]) && index[i] >= 0 && index[i] < num)
        << "index[" << i << "] is " << index[i] << "; expected an integer from 0 to " << num - 1;
    samples_[i] = static_cast<int>(index[i]);
    caffe_copy(dim, from + samples_[i] * dim, to + i * dim);
  }
}

template <typename Dtype>
void BatchReindexLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                            const vector<bool>& propagate_down,
                                            const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "indices");
  if (!propagate_down[0]) return;
  const int dim = bottom[0]->count(1);
  const Dtype* top_diff = top[0]->cpu_diff();
  Dtype* gradient = bottom[0]->mutable_cpu_diff();
  caffe_set(bottom[0]->count(), Dtype(0), gradient);
  for (size_t i = 0; i < samples_.size(); ++i) {
    caffe_axpy(dim, Dtype(1), top_diff + i * dim, gradient + samples_[i] * dim);
  }
}

INSTANTIATE_CLASS(BatchReindexLayer);
REGISTER_LAYER_CLASS(BatchReindex);

}  // namespace caffe
