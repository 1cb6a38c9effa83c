#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/layers/split_layer.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

namespace {

/** Split, whose gradients are added in the backend's layout if one of them lies there. */
class OnednnSplitLayer : public SplitLayer<float> {
 public:
  explicit OnednnSplitLayer(const LayerParameter& param) : SplitLayer<float>(param) {}

 protected:
  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    diffs_.clear();
    for (const Blob<float>* blob : top) diffs_.push_back(blob->diff().get());
    const OnednnMemory* first = FirstOnBackend(diffs_, DimsOf(bottom[0]->shape()));
    if (!propagate_down[0] || first == nullptr) {
      SplitLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const Layout layout = first->layout();
    Output output(bottom[0]->diff().get(), layout);
    float* sum = Stored(output.memory());
    const int count = NumStored(layout);
    inputs_.resize(diffs_.size());
    const float* before = Stored(inputs_[0].Read(diffs_[0], layout));
    if (diffs_.size() == 1) caffe_copy(count, before, sum);
    for (size_t i = 1; i < diffs_.size(); ++i) {
      MapElements(count, before, Stored(inputs_[i].Read(diffs_[i], layout)), sum,
                  [](float a, float b) { return a + b; });
      before = sum;
    }
    output.Commit();
  }

 private:
  vector<SyncedMemory*> diffs_;
  vector<Input> inputs_;
};

const OverrideRegisterer g_split("Split", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnSplitLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
