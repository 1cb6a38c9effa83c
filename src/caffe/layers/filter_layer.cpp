#include "caffe/layers/filter_layer.hpp"

#include <cmath>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

template <typename Dtype>
void FilterLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  CHECK(top.size() == bottom.size() - 1)
      << bottom.size() << " bottoms, the last of them the selector, need " << bottom.size() - 1
      << " tops, got " << top.size();
  is_first_reshape_ = true;
}

template <typename Dtype>
void FilterLayer<Dtype>::Select(const Blob<Dtype>& selector) {
  const Dtype* value = selector.cpu_data();
  samples_.clear();
  for (int i = 0; i < selector.count(); ++i) {
    // A NaN passes here, to be refused by Forward, which has data for certain.
    if (is_first_reshape_ || value[i] != 0) samples_.push_back(i);
  }
}

template <typename Dtype>
void FilterLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                 const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& selector = *bottom.back();
  CHECK(selector.num_axes() > 0 && selector.count() == selector.shape(0))
      << "the selector must have one value a sample, got the shape " << selector.shape_string();
  for (size_t i = 0; i < top.size(); ++i) {
    CHECK(top[i] != bottom[i]) << "cannot work in place, but top[" << i << "] is a bottom";
    CHECK(bottom[i]->num_axes() > 0 && bottom[i]->shape(0) == selector.shape(0))
        << "bottom[" << i << "] of shape " << bottom[i]->shape_string() << " does not have the "
        << selector.shape(0) << " samples of the selector";
  }
  Select(selector);
  is_first_reshape_ = false;
  for (size_t i = 0; i < top.size(); ++i) {
    vector<int> shape = bottom[i]->shape();
    shape[0] = static_cast<int>(samples_.size());
    top[i]->Reshape(shape);
  }
}

template <typename Dtype>
void FilterLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& top) {
  const Dtype* value = bottom.back()->cpu_data();
  for (const int sample : samples_) {
    CHECK(!std::isnan(value[sample])) << "selector[" << sample << "] is NaN; expected 0 to drop "
                                      << "the sample, any other number to keep it";
  }
  for (size_t i = 0; i < top.size(); ++i) {
    const int dim = bottom[i]->count(1);
    const Dtype* from = bottom[i]->cpu_data();
    Dtype* to = top[i]->mutable_cpu_data();
    for (size_t n = 0; n < samples_.size(); ++n) {
      caffe_copy(dim, from + samples_[n] * dim, to + n * dim);
    }
  }
}

template <typename Dtype>
void FilterLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                      const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, static_cast<int>(bottom.size()) - 1,
                  "selectors");
  for (size_t i = 0; i < top.size(); ++i) {
    if (!propagate_down[i]) continue;
    const int dim = bottom[i]->count(1);
    const Dtype* from = top[i]->cpu_diff();
    Dtype* gradient = bottom[i]->mutable_cpu_diff();
    caffe_set(bottom[i]->count(), Dtype(0), gradient);
    for (size_t n = 0; n < samples_.size(); ++n) {
      caffe_copy(dim, from + n * dim, gradient + samples_[n] * dim);
    }
  }
}

INSTANTIATE_CLASS(FilterLayer);
REGISTER_LAYER_CLASS(Filter);

}  // namespace caffe
