#include "caffe/backend/onednn_channels.hpp"
#include "caffe/backend/onednn_in_place.hpp"
#include "caffe/layers/scale_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * Scale with a learned number for each channel, of values in the backend's layout, in that layout.
 * The gradient of the numbers needs the input, which is kept when working in place.
 */
class OnednnScaleLayer : public ScaleLayer<float> {
 public:
  explicit OnednnScaleLayer(const LayerParameter& param) : ScaleLayer<float>(param) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    SyncedMemory* values = bottom[0]->data().get();
    const OnednnMemory* x = BackendCopy(*values, DimsOf(bottom[0]->shape()));
    on_backend_ = x != nullptr && IsPerChannel(bottom) && BlocksOf(x->layout()).block > 0;
    if (!on_backend_) {
      ScaleLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    layout_ = x->layout();
    const float* bias = has_bias() ? blobs_[1]->cpu_data() : nullptr;
    const ChannelMap map = {blobs_[0]->cpu_data(), nullptr, bias};
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

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
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
  }

 private:
  bool has_bias() const { return blobs_.size() > 1; }
  bool IsPerChannel(const vector<Blob<float>*>& bottom) const {
    return bottom.size() == 1 && bottom[0]->count() > 0 && blobs_[0]->num_axes() == 1 &&
           bottom[0]->CanonicalAxisIndex(layer_param_.scale_param().axis()) == 1;
  }

  void AddParameterGradients(const dnnl::memory& dy, const vector<Blob<float>*>& bottom,
                             const vector<Blob<float>*>& top) {
    const bool needs_bias = has_bias() && param_propagate_down_[1];
    if (!param_propagate_down_[0] && !needs_bias) return;
    if (param_propagate_down_[0]) {
      const dnnl::memory x =
          top[0] == bottom[0] ? input_.kept() : bottom_.Read(bottom[0]->data().get(), layout_);
      SumChannels(layout_, dy, &x, nullptr, &sums_);
      Add(sums_.second, blobs_[0].get());
    } else {
      SumChannels(layout_, dy, nullptr, nullptr, &sums_);
    }
    if (needs_bias) Add(sums_.first, blobs_[1].get());
  }

  static void Add(const vector<double>& sums, Blob<float>* parameter) {
    float* diff = parameter->mutable_cpu_diff();
    for (size_t c = 0; c < sums.size(); ++c) diff[c] += static_cast<float>(sums[c]);
  }

  bool on_backend_ = false;  // the last Forward was the backend's
  Layout layout_;
  ChannelSums sums_;
  KeptInput input_;
  Input bottom_, top_diff_;
};

const OverrideRegisterer g_scale("Scale", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnScaleLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
