#ifndef CAFFE_BACKEND_ONEDNN_SCALE_LAYER_HPP_
#define CAFFE_BACKEND_ONEDNN_SCALE_LAYER_HPP_

#include <vector>

#include "caffe/backend/onednn_channels.hpp"
#include "caffe/backend/onednn_in_place.hpp"
#include "caffe/backend/onednn_watch.hpp"
#include "caffe/layers/scale_layer.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief Scale with a learned number for each channel, of values in the backend's layout, in that
 * layout.
 *
 * The gradient of the numbers needs the input, which is kept when working in place.
 */
class OnednnScaleLayer : public ScaleLayer<float> {
 public:
  explicit OnednnScaleLayer(const LayerParameter& param) : ScaleLayer<float>(param) {}
  /** @brief Whether a bottom of these axes has one number for each channel. */
  bool IsPerChannel(const vector<Blob<float>*>& bottom) const;
  /** @brief The learned bias, or null. */
  const float* bias() const { return blobs_.size() > 1 ? blobs_[1]->cpu_data() : nullptr; }
  /**
   * @brief Another layer has done this one's Forward: its input was (x − center[c]) · factor[c],
   * all of which lives until the next Forward.
   */
  void TakeForward(const Layout& layout, const dnnl::memory& x, const float* center,
                   const float* factor);
  /**
   * @brief After TakeForward: the sums over this bottom's gradient g and the other layer's x,
   * Σ g and Σ g · (x − center[c]), if the last Backward has them and g is still as it left it.
   */
  bool TakeSums(const shared_ptr<SyncedMemory>& gradient, ChannelSums* sums);

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override;
  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override;

 private:
  void AddParameterGradients(const dnnl::memory& dy, const vector<Blob<float>*>& bottom,
                             const vector<Blob<float>*>& top);
  void SumWithInput(const dnnl::memory& dy, const vector<Blob<float>*>& bottom,
                    const vector<Blob<float>*>& top);

  bool on_backend_ = false;  // the last Forward was the backend's
  Layout layout_;
  ChannelSums sums_;
  KeptInput input_;
  Input bottom_, top_diff_;
  // Where another layer did the last Forward, its input is made of these; else null.
  const float *center_ = nullptr, *factor_ = nullptr;
  dnnl::memory before_;
  bool has_sums_ = false;  // sums_ are those of the last Backward
  Watch gradient_;         // that it wrote
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_SCALE_LAYER_HPP_
