#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/layers/split_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/** Nobody has written this gradient (a PriorBox has none to give), or only said that it is 0. */
bool IsZero(const SyncedMemory& gradient) {
  return gradient.head() == SyncedMemory::UNINITIALIZED && !gradient.given_back();
}

/** Split, whose gradients are added in the backend's layout if one of them lies there. */
class OnednnSplitLayer : public SplitLayer<float> {
 public:
  explicit OnednnSplitLayer(const LayerParameter& param) : SplitLayer<float>(param) {}

 protected:
  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    diffs_.clear();
    for (const Blob<float>* blob : top) {
      if (!IsZero(*blob->diff())) diffs_.push_back(blob->diff().get());
    }
    const OnednnMemory* first = FirstOnBackend(diffs_, DimsOf(bottom[0]->shape()));
    if (!propagate_down[0] || first == nullptr) {
      SplitLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const Layout layout = first->layout();
    inputs_.resize(diffs_.size());
    terms_.clear();
    for (size_t i = 0; i < diffs_.size(); ++i) {
      terms_.push_back(inputs_[i].Read(diffs_[i], layout));
    }
    ones_.assign(diffs_.size(), 1.0F);
    Output output(bottom[0]->diff().get(), layout);
    WeightedSum(layout, terms_, ones_, output.memory());
    output.Commit();
  }

 private:
  vector<SyncedMemory*> diffs_;
  vector<Input> inputs_;
  vector<dnnl::memory> terms_;
  vector<float> ones_;
};

const OverrideRegisterer g_split("Split", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnSplitLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
