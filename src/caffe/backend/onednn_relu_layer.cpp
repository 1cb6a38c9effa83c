#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/layers/relu_layer.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * With bf16 all that a slope of 0 needs is in the bits: negative numbers, and no other, are from
 * 0x8001 to 0xFF80 (minus infinity; NaNs are above), positive ones from 1 to 0x7F80.
 */
bool IsNegative(uint16_t x) { return static_cast<uint16_t>(x - 0x8001U) <= 0xFF80U - 0x8001U; }
bool IsPositive(uint16_t x) { return static_cast<uint16_t>(x - 1U) < 0x7F80U; }
bool IsFinite(uint16_t x) { return (x & 0x7F80U) != 0x7F80U; }

uint16_t* StoredBits(const dnnl::memory& memory) {
  return static_cast<uint16_t*>(memory.get_data_handle());
}

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
    const float slope = slope_;
    Output output(top[0]->data().get(), x->layout());
    if (IsBf16(*x)) {
      MapElements(NumBf16(*x), StoredBits(x->memory()), StoredBits(output.memory()),
                  [](uint16_t x) { return IsNegative(x) ? uint16_t{0} : x; });
    } else {
      MapElements(NumStored(x->layout()), x->stored(), Stored(output.memory()),
                  [slope](float x) { return ReLU(x, slope); });
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
    const float slope = slope_;
    const dnnl::memory top_diff = top_diff_.Read(top[0]->diff().get(), x->layout());
    Output output(bottom[0]->diff().get(), x->layout());
    if (IsBf16(*x)) {
      // 0 · dy of a dy that is not finite must not become 0: it would hide it.
      MapElements(NumBf16(*x), StoredBits(x->memory()), StoredBits(top_diff),
                  StoredBits(output.memory()), [](uint16_t x, uint16_t dy) {
                    return IsPositive(x) || !IsFinite(dy) ? dy : uint16_t{0};
                  });
    } else {
      MapElements(NumStored(x->layout()), x->stored(), Stored(top_diff), Stored(output.memory()),
                  [slope](float x, float dy) { return ReLUGradient(x, dy, slope); });
    }
    output.Commit();
  }

 private:
  static bool IsBf16(const OnednnMemory& x) { return TypeOf(x.layout()) == ElementType::bf16; }
  static int NumBf16(const OnednnMemory& x) {
    return static_cast<int>(x.layout().get_size() / sizeof(uint16_t));
  }
  /** The backend's copy if it can be worked on: a slope of bf16 would have to be rounded. */
  const OnednnMemory* InBackend(const Blob<float>& blob) const {
    const OnednnMemory* copy = BackendCopy(*blob.data(), DimsOf(blob.shape()));
    return copy == nullptr || (IsBf16(*copy) && slope_ != 0) ? nullptr : copy;
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
