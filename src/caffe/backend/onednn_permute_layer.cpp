#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/layers/permute_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * Permute of values in the backend's layout: one pass from there to the plain top, which is seen
 * as the bottom in another layout; and back.
 */
class OnednnPermuteLayer : public PermuteLayer<float> {
 public:
  explicit OnednnPermuteLayer(const LayerParameter& param) : PermuteLayer<float>(param) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    const Dims dims = DimsOf(bottom[0]->shape());
    const OnednnMemory* x = BackendCopy(*bottom[0]->data(), dims);
    on_backend_ = x != nullptr;
    if (x == nullptr) {
      PermuteLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    layout_ = x->layout();
    to_top_.Run(x->memory(), AsBottom(dims, *top[0], top[0]->mutable_cpu_data()));
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (!on_backend_ || !propagate_down[0]) {
      PermuteLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    Output output(bottom[0]->diff().get(), layout_);
    to_bottom_.Run(AsBottom(DimsOf(bottom[0]->shape()), *top[0], top[0]->cpu_diff()),
                   output.memory());
    output.Commit();
  }

 private:
  /** The top's floats, with the axes of the bottom. */
  dnnl::memory AsBottom(const Dims& dims, const Blob<float>& top, const float* values) const {
    Dims strides(dims.size());
    for (size_t i = 0; i < order_.size(); ++i) {
      strides[order_[i]] = top.count(static_cast<int>(i) + 1);
    }
    return dnnl::memory(Layout(dims, ElementType::f32, strides), Engine(),
                        const_cast<float*>(values));
  }

  bool on_backend_ = false;  // the last Forward was the backend's
  Layout layout_;            // of the bottom then
  Reorder to_top_, to_bottom_;
};

const OverrideRegisterer g_permute("Permute", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnPermuteLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
