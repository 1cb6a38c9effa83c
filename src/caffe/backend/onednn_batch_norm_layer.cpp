#include "caffe/backend/onednn_channels.hpp"
#include "caffe/backend/onednn_in_place.hpp"
#include "caffe/layers/batch_norm_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * BatchNorm of values in the backend's layout, in that layout. The gradient with the batch's
 * statistics needs the input, which is kept when working in place.
 */
class OnednnBatchNormLayer : public BatchNormLayer<float> {
 public:
  explicit OnednnBatchNormLayer(const LayerParameter& param) : BatchNormLayer<float>(param) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    SyncedMemory* values = bottom[0]->data().get();
    const OnednnMemory* x = BackendCopy(*values, DimsOf(bottom[0]->shape()));
    on_backend_ = x != nullptr && BlocksOf(x->layout()).block > 0;
    if (!on_backend_) {
      BatchNormLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    layout_ = x->layout();
    elements_ = bottom[0]->count() / channels_;
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
    const ChannelMap normalize = {factor_.data(), mean_.cpu_data(), nullptr};
    if (top[0] == bottom[0] && !use_global_stats_) {
      input_.Keep(values);
      MapChannels(layout_, normalize, input_.kept(), input_.output());
      input_.Commit(values);
      return;
    }
    Output output(top[0]->data().get(), layout_);
    MapChannels(layout_, normalize, x->memory(), output.memory());
    output.Commit();
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
      BackwardBatch(dy, x, output.memory());
    }
    output.Commit();
  }

 private:
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

  /** dx = factor (dy − Σ dy / m − (x − mean) factor² Σ dy (x − mean) / m). */
  void BackwardBatch(const dnnl::memory& dy, const dnnl::memory& x, const dnnl::memory& dx) {
    SumChannels(layout_, dy, &x, mean_.cpu_data(), &sums_);
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
  vector<float> factor_, shift_, of_x_;
  KeptInput input_;
  Input bottom_, top_diff_;
};

const OverrideRegisterer g_batch_norm("BatchNorm", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnBatchNormLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
