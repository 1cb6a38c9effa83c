#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/layers/relu_layer.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * ReLU of values in the backend's layout, in that layout. oneDNN's own would
 * make zeros of NaNs, which hide where a net went wrong.
 */
class OnednnReLULayer : public ReLULayer<float> {
 public:
  explicit OnednnReLULayer(const LayerParameter& param)
      : ReLULayer<float>(param), slope_(param.relu_param().negative_slope()) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    const OnednnMemory* x = BackendCopy(*bottom[0]->data(), DimsOf(bottom[0]->shape()));
    if (x == nullptr) {
      ReLULayer<float>::Forward_cpu(bottom, top);
      return;
    }
    const float slope = slope_;
    Output output(top[0]->data().get(), x->layout());
    MapElements(NumStored(x->layout()), x->stored(), Stored(output.memory()),
                [slope](float x) { return x < 0 ? (slope == 0 ? 0.0F : slope * x) : x; });
    output.Commit();
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    const OnednnMemory* x = BackendCopy(*bottom[0]->data(), DimsOf(bottom[0]->shape()));
    if (!propagate_down[0] || x == nullptr) {
      ReLULayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const float slope = slope_;
    const dnnl::memory top_diff = top_diff_.Read(top[0]->diff().get(), x->layout());
    Output output(bottom[0]->diff().get(), x->layout());
    MapElements(NumStored(x->layout()), x->stored(), Stored(top_diff), Stored(output.memory()),
                [slope](float x, float dy) { return x > 0 ? dy : slope * dy; });
    output.Commit();
  }

 private:
  float slope_;
  onednn::Input top_diff_;
};

// With a negative slope below 0 the gradient needs the input, which the plain layer keeps.
const OverrideRegisterer g_relu("ReLU", [](const LayerParameter& param) {
  const bool fits = param.relu_param().negative_slope() >= 0;
  return fits ? shared_ptr<Layer<float>>(new OnednnReLULayer(param)) : nullptr;
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
