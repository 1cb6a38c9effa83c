#include "caffe/backend/onednn_relu_layer.hpp"

#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/layers/relu_layer.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

bool IsFusableReLU(const Layer<float>& layer) {
  const ReLUParameter& param = layer.layer_param().relu_param();
  return string(layer.type()) == "ReLU" && param.engine() != ReLUParameter_Engine_CAFFE &&
         param.negative_slope() >= 0;
}

namespace {

/**
 * With bf16 all that a slope of 0 needs is in the bits: negative numbers, and no other, are from
 * 0x8001 to 0xFF80 (minus infinity; NaNs are above), positive ones from 1 to 0x7F80.
 */
bool IsNegative(uint16_t x) { return static_cast<uint16_t>(x - 0x8001U) <= 0xFF80U - 0x8001U; }
bool IsPositive(uint16_t x) { return static_cast<uint16_t>(x - 1U) < 0x7F80U; }
bool IsFinite(uint16_t x) { return (x & 0x7F80U) != 0x7F80U; }

/**
 * ReLU of values in the backend's layout, in that layout, floats or bf16.
 * oneDNN's own would make zeros of NaNs, which hide where a net went wrong.
 */
class OnednnReLULayer : public ReLULayer<float> {
 public:
  explicit OnednnReLULayer(const LayerParameter& param)
      : ReLULayer<float>(param), slope_(param.relu_param().negative_slope()) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    const OnednnMemory* x = InBackend(*bottom[0]);
    if (x == nullptr) {
      ReLULayer<float>::Forward_cpu(bottom, top);
      return;
    }
    Output output(top[0]->data().get(), x->layout());
    const dnnl::memory& y = output.memory();
    const int count = NumStored(x->layout());
    if (OnlyBits(*x)) {
      MapElements(count, Stored<uint16_t>(x->memory()), Stored<uint16_t>(y),
                  [](uint16_t x) { return IsNegative(x) ? uint16_t{0} : x; });
    } else {
      WithElements(x->layout(), [&, slope = slope_](auto element) {
        using Element = decltype(element);
        MapElements(count, Stored<Element>(x->memory()), Stored<Element>(y),
                    [slope](Element x) -> Element { return ReLU<float>(x, slope); });
      });
    }
    output.Commit();
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    const OnednnMemory* x = InBackend(*bottom[0]);
    if (!propagate_down[0] || x == nullptr) {
      ReLULayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const dnnl::memory dy = top_diff_.Read(top[0]->diff().get(), x->layout());
    Output output(bottom[0]->diff().get(), x->layout());
    const dnnl::memory& dx = output.memory();
    const int count = NumStored(x->layout());
    if (OnlyBits(*x)) {
      // 0 · dy of a dy that is not finite must not become 0: it would hide it.
      MapElements(count, Stored<uint16_t>(x->memory()), Stored<uint16_t>(dy), Stored<uint16_t>(dx),
                  [](uint16_t x, uint16_t dy) {
                    return IsPositive(x) || !IsFinite(dy) ? dy : uint16_t{0};
                  });
    } else {
      WithElements(x->layout(), [&, slope = slope_](auto element) {
        using Element = decltype(element);
        MapElements(count, Stored<Element>(x->memory()), Stored<Element>(dy), Stored<Element>(dx),
                    [slope](Element x, Element dy) -> Element {
                      return ReLUGradient<float>(x, dy, slope);
                    });
      });
    }
    output.Commit();
  }

 private:
  static const OnednnMemory* InBackend(const Blob<float>& blob) {
    return BackendCopy(*blob.data(), DimsOf(blob.shape()));
  }
  bool OnlyBits(const OnednnMemory& x) const {
    return slope_ == 0 && TypeOf(x.layout()) == ElementType::bf16;
  }

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
