#include "caffe/layers/scale_layer.hpp"

#include "caffe/util/parameters.hpp"

namespace caffe {

template <typename Dtype>
Blob<Dtype>* ScaleLayer<Dtype>::Scale(const vector<Blob<Dtype>*>& bottom) const {
  return bottom.size() > 1 ? bottom[1] : this->blobs_[0].get();
}

template <typename Dtype>
void ScaleLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& /*top*/) {
  const ScaleParameter& param = this->layer_param_.scale_param();
  if (bottom.size() == 1) {
    SetUpParameter("scale", 0, BroadcastShape(*bottom[0], param.axis(), param.num_axes()),
                   param.has_filler() ? param.filler() : ConstantFillerParameter(1), &this->blobs_);
  }
  bias_param_id_ = -1;
  if (param.bias_term()) {
    bias_param_id_ = bottom.size() == 1 ? 1 : 0;
    SetUpParameter("bias", bias_param_id_, Scale(bottom)->shape(), param.bias_filler(),
                   &this->blobs_);
  }
  this->param_propagate_down_.resize(this->blobs_.size(), true);
}

template <typename Dtype>
void ScaleLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& scale = *Scale(bottom);
  broadcast_ = BroadcastAt(*bottom[0], this->layer_param_.scale_param().axis(), scale);
  CHECK(bias_param_id_ < 0 || this->blobs_[bias_param_id_]->shape() == scale.shape())
      << "the scale has the shape " << scale.shape_string() << ", the bias "
      << this->blobs_[bias_param_id_]->shape_string();
  CHECK(bottom.size() == 1 || top[0] != bottom[1])
      << "the top may be the first bottom, but not the second";
  if (top[0] != bottom[0]) top[0]->ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void ScaleLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  if (top[0] == bottom[0]) kept_input_.CopyFrom(*bottom[0], false, true);
  const Dtype* s = Scale(bottom)->cpu_data();
  const Dtype* b = bias_param_id_ < 0 ? nullptr : this->blobs_[bias_param_id_]->cpu_data();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  if (b == nullptr) {
    ForEachBroadcast(broadcast_, [=](int i, int d) { y[i] = x[i] * s[d]; });
  } else {
    ForEachBroadcast(broadcast_, [=](int i, int d) { y[i] = x[i] * s[d] + b[d]; });
  }
}

template <typename Dtype>
void ScaleLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                     const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  const bool learned = bottom.size() == 1;
  const Dtype* dy = top[0]->cpu_diff();
  // The bottom's gradient last, since in place it overwrites the top's.
  if (bias_param_id_ >= 0 && this->param_propagate_down_[bias_param_id_]) {
    SumBroadcast(broadcast_, true, this->blobs_[bias_param_id_]->mutable_cpu_diff(),
                 [=](int i) { return dy[i]; });
  }
  if (learned ? this->param_propagate_down_[0] : propagate_down[1]) {
    const Dtype* x = top[0] == bottom[0] ? kept_input_.cpu_data() : bottom[0]->cpu_data();
    SumBroadcast(broadcast_, learned, Scale(bottom)->mutable_cpu_diff(),
                 [=](int i) { return dy[i] * x[i]; });
  }
  if (!propagate_down[0]) return;
  const Dtype* s = Scale(bottom)->cpu_data();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  ForEachBroadcast(broadcast_, [=](int i, int d) { dx[i] = dy[i] * s[d]; });
}

INSTANTIATE_CLASS(ScaleLayer);
REGISTER_LAYER_CLASS(Scale);

}  // namespace caffe
