#include "caffe/backend/onednn_channels.hpp"
#include "caffe/backend/onednn_in_place.hpp"
#include "caffe/backend/onednn_relu_layer.hpp"
#include "caffe/backend/onednn_scale_layer.hpp"
#include "caffe/layers/batch_norm_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * BatchNorm of values in the backend's layout, in that layout. The gradient with the batch's
 * statistics needs the input, which is kept when working in place. Absorbs a Scale, and a ReLU:
 * one pass writes what the last of them would.
 */
class OnednnBatchNormLayer : public BatchNormLayer<float> {
 public:
  explicit OnednnBatchNormLayer(const LayerParameter& param) : BatchNormLayer<float>(param) {}

  bool Absorb(Layer<float>* next) override {
    // Forward may run twice in a TEST net, which must not count a batch twice.
    if (absorbs_relu_ || (phase_ == TEST && !use_global_stats_)) return false;
    if (auto* scale = dynamic_cast<OnednnScaleLayer*>(next)) {
      if (scale_ != nullptr) return false;
      scale_ = scale;
      return true;
    }
    absorbs_relu_ = IsFusableReLU(*next);
    if (absorbs_relu_) slope_ = next->layer_param().relu_param().negative_slope();
    return absorbs_relu_;
  }

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    if (ReadInput(*bottom[0])) {
      Normalize(bottom[0], top[0], {factor_.data(), mean_.cpu_data(), nullptr}, !use_global_stats_);
    } else {
      BatchNormLayer<float>::Forward_cpu(bottom, top);
    }
  }

  bool Forward_fused(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    if ((scale_ != nullptr && !scale_->IsPerChannel(bottom)) || !ReadInput(*bottom[0])) {
      return false;
    }
    ChannelMap map = {factor_.data(), mean_.cpu_data(), nullptr};
    if (scale_ != nullptr) {
      product_.resize(channels_);
      const float* scale = scale_->blobs()[0]->cpu_data();
      for (int c = 0; c < channels_; ++c) product_[c] = factor_[c] * scale[c];
      map.scale = product_.data();
      map.shift = scale_->bias();
    }
    if (absorbs_relu_) map.slope = slope_;
    Normalize(bottom[0], top[0], map, true);
    if (scale_ == nullptr) return true;
    const dnnl::memory x = top[0] == bottom[0]
                               ? input_.kept()
                               : BackendCopy(*bottom[0]->data(), DimsOf(layout_))->memory();
    scale_->TakeForward(layout_, x, mean_.cpu_data(), factor_.data());
    return true;
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (!on_backend_ || !propagate_down[0]) {
      BatchNormLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const dnnl::memory dy = top_diff_.Read(top[0]->diff().get(), layout_);
    Output output(bottom[0]->diff().get(), layout_);
    if (use_global_stats_) {
      MapChannels(layout_, {factor_.data(), nullptr, nullptr}, dy, output.memory());
    } else {
      const dnnl::memory x =
          top[0] == bottom[0] ? input_.kept() : bottom_.Read(bottom[0]->data().get(), layout_);
      if (scale_ == nullptr || !scale_->TakeSums(top[0]->diff(), &sums_)) {
        SumChannels(layout_, dy, &x, mean_.cpu_data(), &sums_);
      }
      BackwardBatch(dy, x, output.memory());
    }
    output.Commit();
  }

 private:
  /** The layout, statistics and factors of what the backend has of the bottom; false without it. */
  bool ReadInput(const Blob<float>& bottom) {
    const OnednnMemory* x = BackendCopy(*bottom.data(), DimsOf(bottom.shape()));
    on_backend_ = x != nullptr && BlocksOf(x->layout()).block > 0;
    if (!on_backend_) return false;
    layout_ = x->layout();
    elements_ = bottom.count() / channels_;
    if (use_global_stats_) {
      StoredStatistics();
    } else {
      BatchStatistics(x->memory());
      UpdateStoredStatistics(elements_);
    }
    factor_.resize(channels_);
    for (int c = 0; c < channels_; ++c) {
      factor_[c] = 1 / std::sqrt(variance_.cpu_data()[c] + eps_);
    }
    return true;
  }

  /** top = map(bottom); `keeps` the bottom, if it works in place. */
  void Normalize(Blob<float>* bottom, Blob<float>* top, const ChannelMap& map, bool keeps) {
    SyncedMemory* values = bottom->data().get();
    if (top == bottom && keeps) {
      input_.Keep(values);
      MapChannels(layout_, map, input_.kept(), input_.output());
      input_.Commit(values);
      return;
    }
    Output output(top->data().get(), layout_);
    MapChannels(layout_, map, BackendCopy(*values, DimsOf(layout_))->memory(), output.memory());
    output.Commit();
  }

  void BatchStatistics(const dnnl::memory& x) {
    float* mean = mean_.mutable_cpu_data();
    float* variance = variance_.mutable_cpu_data();
    SumChannels(layout_, x, nullptr, nullptr, &sums_);
    for (int c = 0; c < channels_; ++c) mean[c] = static_cast<float>(sums_.first[c] / elements_);
    // Two passes: a variance from sums of squares cancels where the mean is large.
    SumSquares(layout_, x, mean, &sums_);
    for (int c = 0; c < channels_; ++c) {
      variance[c] = static_cast<float>(sums_.first[c] / elements_);
    }
  }

  /** With the sums of dy and x: dx = factor (dy − Σ dy / m − (x − mean) factor² Σ dy (x − mean) /
   * m). */
  void BackwardBatch(const dnnl::memory& dy, const dnnl::memory& x, const dnnl::memory& dx) {
    of_x_.resize(channels_);
    shift_.resize(channels_);
    for (int c = 0; c < channels_; ++c) {
      const double factor = factor_[c];
      shift_[c] = static_cast<float>(-factor * sums_.first[c] / elements_);
      of_x_[c] = static_cast<float>(-factor * factor * factor * sums_.second[c] / elements_);
    }
    const ChannelMap map = {factor_.data(), mean_.cpu_data(), shift_.data()};
    MapChannels(layout_, map, dy, of_x_.data(), x, dx);
  }

  bool on_backend_ = false;  // the last Forward was the backend's
  Layout layout_;
  int elements_ = 0;  // of a channel
  ChannelSums sums_;
  vector<float> factor_, product_, shift_, of_x_;
  OnednnScaleLayer* scale_ = nullptr;
  bool absorbs_relu_ = false;
  float slope_ = 0;
  KeptInput input_;
  Input bottom_, top_diff_;
};

const OverrideRegisterer g_batch_norm("BatchNorm", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnBatchNormLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
