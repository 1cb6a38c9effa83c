#include "caffe/layers/split_layer.hpp"

#include <vector>

namespace caffe {

template <typename Dtype>
void SplitLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                const vector<Blob<Dtype>*>& top) {
  for (size_t i = 0; i < top.size(); ++i) {
    CHECK(top[i] != bottom[0]) << "cannot work in place, but top[" << i << "] is the bottom";
    top[i]->ReshapeLike(*bottom[0]);
  }
}

template <typename Dtype>
void SplitLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  for (Blob<Dtype>* blob : top) blob->ShareData(*bottom[0]);
}

template <typename Dtype>
void SplitLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                     const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const int count = bottom[0]->count();
  Dtype* gradient = bottom[0]->mutable_cpu_diff();
  if (top.size() == 1) {
    caffe_copy(count, top[0]->cpu_diff(), gradient);
    return;
  }
  caffe_add(count, top[0]->cpu_diff(), top[1]->cpu_diff(), gradient);
  for (size_t i = 2; i < top.size(); ++i) caffe_axpy(count, Dtype(1), top[i]->cpu_diff(), gradient);
}

INSTANTIATE_CLASS(SplitLayer);
REGISTER_LAYER_CLASS(Split);

}  // namespace caffe
