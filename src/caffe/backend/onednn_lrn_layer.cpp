#include <omp.h>

#include "caffe/backend/onednn_channels.hpp"
#include "caffe/layers/lrn_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

using Tag = dnnl::memory::format_tag;

/** A normalization across channels: all that its primitives depend on. */
struct LrnKey {
  Layout layout;
  int size;
  float alpha, beta, k;
  int threads;

  bool operator==(const LrnKey& other) const {
    return layout == other.layout && size == other.size && alpha == other.alpha &&
           beta == other.beta && k == other.k && threads == other.threads;
  }
};

dnnl::lrn_forward::primitive_desc DescribeForward(const LrnKey& key) {
  const auto kind = dnnl::prop_kind::forward_training;
  const auto across = dnnl::algorithm::lrn_across_channels;
  return Checked([&] {
#if DNNL_VERSION_MAJOR >= 3
    return Describe<dnnl::lrn_forward>(kind, across, key.layout, key.layout,
                                       dnnl::memory::dim{key.size}, key.alpha, key.beta, key.k);
#else
    return Describe<dnnl::lrn_forward>(kind, across, key.layout, dnnl::memory::dim{key.size},
                                       key.alpha, key.beta, key.k);
#endif
  });
}

dnnl::lrn_backward::primitive_desc DescribeBackwardOf(
    const LrnKey& key, const dnnl::lrn_forward::primitive_desc& forward) {
  const auto across = dnnl::algorithm::lrn_across_channels;
  return Checked([&] {
#if DNNL_VERSION_MAJOR >= 3
    return DescribeBackward<dnnl::lrn_backward>(forward, across, key.layout, key.layout, key.layout,
                                                dnnl::memory::dim{key.size}, key.alpha, key.beta,
                                                key.k);
#else
    return DescribeBackward<dnnl::lrn_backward>(forward, across, key.layout, key.layout,
                                                dnnl::memory::dim{key.size}, key.alpha, key.beta,
                                                key.k);
#endif
  });
}

class LrnPlan {
 public:
  explicit LrnPlan(const LrnKey& key) : key_(key) {
    const auto forward = DescribeForward(key);
    const auto backward = DescribeBackwardOf(key, forward);
    forward_ = {dnnl::lrn_forward(forward), forward.scratchpad_desc()};
    backward_ = {dnnl::lrn_backward(backward), backward.scratchpad_desc()};
    if (forward.workspace_desc().get_size() > 0) {
      workspace_ = dnnl::memory(forward.workspace_desc(), Engine());
    }
  }
  const LrnKey& key() const { return key_; }
  void Forward(const dnnl::memory& x, const dnnl::memory& y) const {
    Run(forward_, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
  }
  void Backward(const dnnl::memory& x, const dnnl::memory& dy, const dnnl::memory& dx) const {
    Run(backward_, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_SRC, dx}});
  }

 private:
  void Run(const Step& step, Arguments arguments) const {
    if (workspace_) arguments.emplace(DNNL_ARG_WORKSPACE, workspace_);
    step(std::move(arguments));
  }

  LrnKey key_;
  Step forward_, backward_;
  dnnl::memory workspace_;  // what Backward must know of Forward
};

/**
 * LRN across channels of values in the backend's layout, in that layout; not in place. It computes
 * with floats: oneDNN's gradient of bf16 is wrong where there are several blocks of channels.
 */
class OnednnLRNLayer : public LRNLayer<float> {
 public:
  explicit OnednnLRNLayer(const LayerParameter& param) : LRNLayer<float>(param) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    SyncedMemory* values = bottom[0]->data().get();
    const OnednnMemory* x = BackendCopy(*values, DimsOf(bottom[0]->shape()));
    const Tag tag = x == nullptr ? Tag::undef : TagOf(x->layout());
    plan_ = nullptr;
    if (tag == Tag::undef || top[0] == bottom[0]) {
      LRNLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    kept_ = x->layout();
    const Layout floats(DimsOf(kept_), ElementType::f32, tag);
    plan_ = &plans_.For(LrnKey{floats, size_, alpha_, beta_, k_, omp_get_max_threads()});
    Output output(top[0]->data().get(), floats, kept_, kTop);
    plan_->Forward(bottom_.Read(values, floats), output.memory());
    output.Commit();
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (plan_ == nullptr || !propagate_down[0]) {
      LRNLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const Layout& floats = plan_->key().layout;
    const dnnl::memory x = bottom_.Read(bottom[0]->data().get(), floats);
    const dnnl::memory dy = top_diff_.Read(top[0]->diff().get(), floats);
    Output output(bottom[0]->diff().get(), floats, kept_, kGradient);
    plan_->Backward(x, dy, output.memory());
    output.Commit();
  }

 private:
  Plans<LrnPlan> plans_;
  LrnPlan* plan_ = nullptr;  // of the last Forward, if it was the backend's
  Layout kept_;              // of the bottom then
  Input bottom_{kBottom}, top_diff_{kTop};
};

// With AVX-512 and oneDNN 2.6 gradients over more than 5 channels fail the test against doubles.
constexpr unsigned kMostChannels = 5;

const OverrideRegisterer g_lrn("LRN", [](const LayerParameter& param) {
  const bool fits = param.lrn_param().norm_region() == LRNParameter_NormRegion_ACROSS_CHANNELS &&
                    param.lrn_param().local_size() <= kMostChannels;
  return fits ? shared_ptr<Layer<float>>(new OnednnLRNLayer(param)) : nullptr;
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
