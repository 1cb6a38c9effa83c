#include "caffe/backend/onednn_scale_layer.hpp"

namespace caffe {
namespace onednn {

bool OnednnScaleLayer::IsPerChannel(const vector<Blob<float>*>& bottom) const {
  return bottom.size() == 1 && bottom[0]->count() > 0 && blobs_[0]->num_axes() == 1 &&
         bottom[0]->CanonicalAxisIndex(layer_param_.scale_param().axis()) == 1;
}

void OnednnScaleLayer::TakeForward(const Layout& layout, const dnnl::memory& x, const float* center,
                                   const float* factor) {
  on_backend_ = true;
  layout_ = layout;
  before_ = x;
  has_sums_ = false;
  center_ = center;
  factor_ = factor;
}

void OnednnScaleLayer::Forward_cpu(const vector<Blob<float>*>& bottom,
                                   const vector<Blob<float>*>& top) {
  SyncedMemory* values = bottom[0]->data().get();
  const OnednnMemory* x = BackendCopy(*values, DimsOf(bottom[0]->shape()));
  before_ = dnnl::memory();
  factor_ = nullptr;
  has_sums_ = false;
  on_backend_ = x != nullptr && IsPerChannel(bottom) && BlocksOf(x->layout()).block > 0;
  if (!on_backend_) {
    ScaleLayer<float>::Forward_cpu(bottom, top);
    return;
  }
  layout_ = x->layout();
  const ChannelMap map = {blobs_[0]->cpu_data(), nullptr, bias()};
  if (top[0] == bottom[0]) {
    input_.Keep(values);
    MapChannels(layout_, map, input_.kept(), input_.output());
    input_.Commit(values);
    return;
  }
  Output output(top[0]->data().get(), layout_);
  MapChannels(layout_, map, x->memory(), output.memory());
  output.Commit();
}

void OnednnScaleLayer::Backward_cpu(const vector<Blob<float>*>& top,
                                    const vector<bool>& propagate_down,
                                    const vector<Blob<float>*>& bottom) {
  if (!on_backend_) {
    ScaleLayer<float>::Backward_cpu(top, propagate_down, bottom);
    return;
  }
  const dnnl::memory dy = top_diff_.Read(top[0]->diff().get(), layout_);
  AddParameterGradients(dy, bottom, top);
  if (!propagate_down[0]) return;
  Output output(bottom[0]->diff().get(), layout_);
  MapChannels(layout_, {blobs_[0]->cpu_data(), nullptr, nullptr}, dy, output.memory());
  output.Commit();
  has_sums_ = factor_ != nullptr && param_propagate_down_[0];
  if (has_sums_) gradient_.Changed(bottom[0]->diff());
}

bool OnednnScaleLayer::TakeSums(const shared_ptr<SyncedMemory>& gradient, ChannelSums* sums) {
  if (!has_sums_ || gradient_.Changed(gradient)) return false;
  has_sums_ = false;
  *sums = sums_;  // of the top's gradient
  const float* scale = blobs_[0]->cpu_data();
  for (size_t c = 0; c < sums_.first.size(); ++c) {
    sums->first[c] *= scale[c];
    sums->second[c] *= scale[c] / factor_[c];
  }
  return true;
}

namespace {

void Add(const vector<double>& sums, Blob<float>* parameter) {
  float* diff = parameter->mutable_cpu_diff();
  for (size_t c = 0; c < sums.size(); ++c) diff[c] += static_cast<float>(sums[c]);
}

}  // namespace

void OnednnScaleLayer::SumWithInput(const dnnl::memory& dy, const vector<Blob<float>*>& bottom,
                                    const vector<Blob<float>*>& top) {
  if (factor_ != nullptr) {
    SumChannels(layout_, dy, &before_, center_, &sums_);
    for (size_t c = 0; c < sums_.second.size(); ++c) sums_.second[c] *= factor_[c];
    return;
  }
  const dnnl::memory x =
      top[0] == bottom[0] ? input_.kept() : bottom_.Read(bottom[0]->data().get(), layout_);
  SumChannels(layout_, dy, &x, nullptr, &sums_);
}

void OnednnScaleLayer::AddParameterGradients(const dnnl::memory& dy,
                                             const vector<Blob<float>*>& bottom,
                                             const vector<Blob<float>*>& top) {
  const bool needs_bias = bias() != nullptr && param_propagate_down_[1];
  if (param_propagate_down_[0]) {
    SumWithInput(dy, bottom, top);
    Add(sums_.second, blobs_[0].get());
  } else if (needs_bias) {
    SumChannels(layout_, dy, nullptr, nullptr, &sums_);
  }
  if (needs_bias) Add(sums_.first, blobs_[1].get());
}

namespace {

const OverrideRegisterer g_scale("Scale", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnScaleLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
