#ifndef CAFFE_BACKEND_ONEDNN_CONV_LAYER_HPP_
#define CAFFE_BACKEND_ONEDNN_CONV_LAYER_HPP_

#include <memory>
#include <vector>

#include "caffe/backend/onednn_conv.hpp"
#include "caffe/backend/onednn_fold.hpp"
#include "caffe/backend/onednn_memory.hpp"
#include "caffe/backend/onednn_watch.hpp"
#include "caffe/layers/conv_layer.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief A layer's weights in the layouts that its primitives want.
 *
 * In TEST they are converted when they change. In TRAIN, where they change in
 * each iteration and each layout is used once, they are converted into scratch
 * memory: a net's copies would be as large as its weights, for each pass.
 */
class PackedWeights {
 public:
  /** @brief `weights`, whose host copy has the layout `plain`, as a pass wants them. */
  dnnl::memory Get(Phase phase, const shared_ptr<SyncedMemory>& weights, const Layout& plain,
                   const ConvPrimitive& pass);

 private:
  struct Copy {
    Layout layout;
    std::optional<TileWeights> tiles;
    std::unique_ptr<OnednnMemory> memory;  // TEST
    Watch source;
    Reorder reorder;  // TRAIN
  };
  vector<Copy> copies_;
};

/**
 * @brief Convolution by oneDNN, where the bottoms have two spatial axes, and `axis` is 1.
 *
 * Bottoms, tops and their gradients stay in the backend's layout; weights are
 * converted once after each change, and their gradients are added to those of
 * the host, in the plain layout. Elsewhere, and for an empty batch, the
 * plain implementation does the work.
 *
 * Absorbs a ReLU (of a slope not below 0), and in TEST nets before it any
 * number of layers that FoldedParameters takes. oneDNN's ReLU would make 0 of
 * NaN, so it serves only where the parameters, and a bottom that lies on the
 * host, are finite; a NaN that arises on the way, where infinities cancel, is
 * not seen.
 */
class OnednnConvolutionLayer : public ConvolutionLayer<float> {
 public:
  explicit OnednnConvolutionLayer(const LayerParameter& param) : ConvolutionLayer<float>(param) {}
  void Reshape(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override;
  bool Absorb(Layer<float>* next) override;
  /** @brief Takes the gradient of a ReLU of slope 0 along, where a pass can (ConvPrimitive::masks).
   */
  bool AbsorbBackward(Layer<float>* before) override;
  bool CanBackwardFused(const vector<Blob<float>*>& bottom) const override;
  /** @brief The primitives in use, or null where the plain implementation works. */
  ConvPlan* plan() { return plan_; }

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override;
  bool Forward_fused(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override;
  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override;
  void Backward_fused(const vector<Blob<float>*>& top, const vector<Blob<float>*>& bottom) override;

 private:
  ConvShape ShapeOf(const Blob<float>& bottom) const;
  bool IsFinite(const Blob<float>& bottom);
  void Convolve(const ConvPrimitive& pass, Arguments arguments, Blob<float>* bottom,
                Blob<float>* top);
  void BackwardWeights(Blob<float>* bottom, Blob<float>* top);
  void BackwardBias(Blob<float>* top);
  void BackwardParameters(Blob<float>* bottom, Blob<float>* top);
  void BackwardData(Blob<float>* top, Blob<float>* bottom, bool through_relu);

  ConvPlan* plan_ = nullptr;
  Plans<ConvPlan> plans_;
  PackedWeights packed_;
  Input bottom_{kBottom}, top_diff_{kTop};
  GradientSum weights_sum_;
  vector<float> bias_diff_;

  std::weak_ptr<SyncedMemory> bottom_read_;  // by the last Forward
  uint64_t bottom_version_ = 0;
  FoldedParameters folded_;
  Layer<float>* relu_ = nullptr;
  float slope_ = 0;
  FiniteCheck finite_weights_, finite_bias_, finite_bottom_;
  vector<float> no_bias_;  // zeros: folded primitives have a bias even where the layer has none
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_CONV_LAYER_HPP_
