#include <omp.h>

#include <algorithm>
#include <memory>
#include <tuple>

#include "caffe/backend/onednn_max_pool.hpp"
#include "caffe/backend/onednn_relu_layer.hpp"
#include "caffe/layers/pooling_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/** A pooling of a bottom in this layout: all that its primitives depend on. */
struct PoolKey {
  Layout bottom;
  Dims top;
  PoolWindows windows;
  dnnl::algorithm algorithm;
  int threads;

  bool operator==(const PoolKey& other) const {
    return bottom == other.bottom && top == other.top && algorithm == other.algorithm &&
           threads == other.threads && kernel() == other.kernel() && strides() == other.strides() &&
           before() == other.before();
  }
  Dims kernel() const { return {windows.kernel_h, windows.kernel_w}; }
  Dims strides() const { return {windows.stride_h, windows.stride_w}; }
  Dims before() const { return {windows.pad_h, windows.pad_w}; }
  /** What the last windows reach beyond the image: with rounding up, more than the pad. */
  Dims after() const {
    const PoolWindows& w = windows;
    return {std::max(0, (w.pooled_height - 1) * w.stride_h + w.kernel_h - w.height - w.pad_h),
            std::max(0, (w.pooled_width - 1) * w.stride_w + w.kernel_w - w.width - w.pad_w)};
  }
};

/** The primitives of one pooling, and what its Backward must know of its Forward. */
class PoolPlan {
 public:
  explicit PoolPlan(const PoolKey& key) : key_(key) {
    const Dims undilated = {0, 0};
    const Layout any_top = AnyLayout(key.top, TypeOf(key.bottom));
    const auto forward = Checked([&] {
      return Describe<PoolingForward>(dnnl::prop_kind::forward_training, key.algorithm, key.bottom,
                                      any_top, key.strides(), key.kernel(), undilated, key.before(),
                                      key.after());
    });
    top_ = forward.dst_desc();
    forward_ = {PoolingForward(forward), forward.scratchpad_desc()};
    const auto backward = Checked([&] {
      return DescribeBackward<PoolingBackward>(forward, key.algorithm, key.bottom, top_,
                                               key.strides(), key.kernel(), undilated, key.before(),
                                               key.after());
    });
    backward_ = {PoolingBackward(backward), backward.scratchpad_desc()};
    if (key.algorithm == dnnl::algorithm::pooling_max) {
      workspace_ = dnnl::memory(forward.workspace_desc(), Engine());
    }
  }
  const PoolKey& key() const { return key_; }

  void Forward(const dnnl::memory& bottom, SyncedMemory* top) const {
    Output output(top, top_);
    Arguments arguments = {{DNNL_ARG_SRC, bottom}, {DNNL_ARG_DST, output.memory()}};
    if (workspace_) arguments.emplace(DNNL_ARG_WORKSPACE, workspace_);
    forward_(arguments);
    output.Commit();
  }
  void Backward(SyncedMemory* top_diff, SyncedMemory* bottom_diff) {
    Output output(bottom_diff, key_.bottom);
    Arguments arguments = {{DNNL_ARG_DIFF_DST, top_diff_.Read(top_diff, top_)},
                           {DNNL_ARG_DIFF_SRC, output.memory()}};
    if (workspace_) arguments.emplace(DNNL_ARG_WORKSPACE, workspace_);
    backward_(arguments);
    output.Commit();
  }

 private:
  PoolKey key_;
  Layout top_;
  Step forward_, backward_;
  dnnl::memory workspace_;  // MAX: where the largest values were
  Input top_diff_;
};

/**
 * Pooling of values in the backend's layout and type, in that layout.
 *
 * MAX of blocks of channels (MaxPool) is as the plain implementation, and does the gradient of a
 * ReLU in place on its bottom along with its own. What oneDNN computes of MAX passes over a NaN
 * where the window has another value, and where several of a large window are the largest any of
 * them may get the gradient.
 */
class OnednnPoolingLayer : public PoolingLayer<float> {
 public:
  explicit OnednnPoolingLayer(const LayerParameter& param) : PoolingLayer<float>(param) {}

  bool AbsorbBackward(Layer<float>* before) override {
    if (!IsMax() || !IsFusableReLU(*before)) return false;
    slope_ = before->layer_param().relu_param().negative_slope();
    return true;
  }
  bool BackwardFusedReadsBottoms() const override { return false; }
  bool CanBackwardFused(const vector<Blob<float>*>& bottom) const override {
    const shared_ptr<SyncedMemory>& values = bottom[0]->data();
    if (max_ == nullptr || pooled_.lock() != values) return false;
    // Nobody can have changed what was given back.
    return values->given_back() || (!values->pinned() && values->version() == version_);
  }

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    const shared_ptr<SyncedMemory>& values = bottom[0]->data();
    const OnednnMemory* input = BackendCopy(*values, DimsOf(bottom[0]->shape()));
    plan_ = nullptr;
    max_ = nullptr;
    if (input == nullptr || top.size() > 1 || !DefinedAlike()) {
      PoolingLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    const MaxPoolKey key = {input->layout(), windows()};
    if (IsMax() && MaxPool::Fits(key)) {
      max_ = &max_plans_.For(key);
      Output output(top[0]->data().get(), max_->top());
      max_->Forward(input->memory(), output.memory());
      output.Commit();
      pooled_ = values;
      version_ = values->version();
      return;
    }
    plan_ = &plans_.For(PoolKey{input->layout(), DimsOf(top[0]->shape()), windows(), Algorithm(),
                                omp_get_max_threads()});
    plan_->Forward(input->memory(), top[0]->data().get());
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (!propagate_down[0] || (max_ == nullptr && plan_ == nullptr)) {
      PoolingLayer<float>::Backward_cpu(top, propagate_down, bottom);
    } else if (max_ != nullptr) {
      BackwardMax(top, 1, bottom);
    } else {
      plan_->Backward(top[0]->diff().get(), bottom[0]->diff().get());
    }
  }

  void Backward_fused(const vector<Blob<float>*>& top,
                      const vector<Blob<float>*>& bottom) override {
    BackwardMax(top, slope_, bottom);
  }

 private:
  void BackwardMax(const vector<Blob<float>*>& top, float slope,
                   const vector<Blob<float>*>& bottom) {
    const dnnl::memory top_diff = top_diff_.Read(top[0]->diff().get(), max_->top());
    Output output(bottom[0]->diff().get(), max_->key().bottom);
    max_->Backward(top_diff, slope, output.memory());
    output.Commit();
  }
  bool IsMax() const {
    return layer_param_.pooling_param().pool() == PoolingParameter_PoolMethod_MAX;
  }
  dnnl::algorithm Algorithm() const {
    if (IsMax()) return dnnl::algorithm::pooling_max;
    return pad_h_ == 0 && pad_w_ == 0 ? dnnl::algorithm::pooling_avg_exclude_padding
                                      : dnnl::algorithm::pooling_avg_include_padding;
  }
  /**
   * Whether oneDNN's average is Caffe's, which divides by what the window covers of image and
   * padding: oneDNN counts all of the window or the image alone.
   */
  bool DefinedAlike() const {
    if (IsMax() || (pad_h_ == 0 && pad_w_ == 0)) return true;
    return (pooled_height_ - 1) * stride_h_ + kernel_h_ <= height_ + 2 * pad_h_ &&
           (pooled_width_ - 1) * stride_w_ + kernel_w_ <= width_ + 2 * pad_w_;
  }

  Plans<PoolPlan> plans_;
  Plans<MaxPool> max_plans_;
  PoolPlan* plan_ = nullptr;  // of the last Forward, if it was oneDNN's
  MaxPool* max_ = nullptr;    // of the last Forward, if it was this one's
  Input top_diff_;
  float slope_ = 0;  // of the ReLU whose gradient comes along
  std::weak_ptr<SyncedMemory> pooled_;
  uint64_t version_ = 0;  // of what was pooled last
};

const OverrideRegisterer g_pooling("Pooling", [](const LayerParameter& param) {
  const bool fits = param.pooling_param().pool() != PoolingParameter_PoolMethod_STOCHASTIC;
  return fits ? shared_ptr<Layer<float>>(new OnednnPoolingLayer(param)) : nullptr;
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
