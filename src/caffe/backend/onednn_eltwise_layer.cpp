#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/layers/eltwise_layer.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

namespace {

/** Eltwise in the layout in which the first of the bottoms that is in the backend lies there. */
class OnednnEltwiseLayer : public EltwiseLayer<float> {
 public:
  explicit OnednnEltwiseLayer(const LayerParameter& param) : EltwiseLayer<float>(param) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    values_.clear();
    for (const Blob<float>* blob : bottom) values_.push_back(blob->data().get());
    const OnednnMemory* first = FirstOnBackend(values_, DimsOf(top[0]->shape()));
    on_backend_ = first != nullptr;
    if (!on_backend_) {
      EltwiseLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    layout_ = first->layout();
    ReadBottoms(bottom);
    Output output(top[0]->data().get(), layout_);
    if (op_ == EltwiseParameter_EltwiseOp_SUM) {
      WeightedSum(layout_, terms_, coeffs_, output.memory());
    } else {
      WithElements(layout_, [&](auto element) {
        auto* y = Stored<decltype(element)>(output.memory());
        if (op_ == EltwiseParameter_EltwiseOp_PROD) {
          Multiply(y);
        } else {
          Compare(y);
        }
      });
    }
    output.Commit();
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (!on_backend_) {
      EltwiseLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const dnnl::memory top_diff = top_diff_.Read(top[0]->diff().get(), layout_);
    if (op_ == EltwiseParameter_EltwiseOp_PROD) ReadBottoms(bottom);
    for (size_t i = 0; i < bottom.size(); ++i) {
      if (!propagate_down[i]) continue;
      Output output(bottom[i]->diff().get(), layout_);
      WithElements(layout_, [&](auto element) {
        typedef decltype(element) Element;
        BackwardOne(i, Stored<Element>(top_diff), Stored<Element>(output.memory()));
      });
      output.Commit();
    }
  }

 private:
  void ReadBottoms(const vector<Blob<float>*>& bottom) {
    inputs_.resize(bottom.size());
    terms_.clear();
    for (size_t i = 0; i < bottom.size(); ++i) {
      terms_.push_back(inputs_[i].Read(bottom[i]->data().get(), layout_));
    }
  }

  template <typename Element>
  void Multiply(Element* y) const {
    const int count = NumStored(layout_);
#pragma omp parallel for if (count >= kParallelElements)
    for (int i = 0; i < count; ++i) {
      float product = Stored<Element>(terms_[0])[i];
      for (size_t k = 1; k < terms_.size(); ++k) product *= Stored<Element>(terms_[k])[i];
      y[i] = product;
    }
  }

  /** The largest, and which bottom has it: where two are equal as the plain implementation does. */
  template <typename Element>
  void Compare(Element* y) {
    const int count = NumStored(layout_);
    winner_.resize(count);
    const Element *a = Stored<Element>(terms_[0]), *b = Stored<Element>(terms_[1]);
    int* winner = winner_.data();
#pragma omp parallel for if (count >= kParallelElements)
    for (int i = 0; i < count; ++i) {
      winner[i] = a[i] > b[i] ? 0 : 1;
      y[i] = a[i] > b[i] ? a[i] : b[i];
    }
    for (size_t k = 2; k < terms_.size(); ++k) {
      const Element* x = Stored<Element>(terms_[k]);
#pragma omp parallel for if (count >= kParallelElements)
      for (int i = 0; i < count; ++i) {
        if (!(x[i] > y[i])) continue;
        y[i] = x[i];
        winner[i] = static_cast<int>(k);
      }
    }
  }

  template <typename Element>
  void BackwardOne(size_t index, const Element* dy, Element* dx) const {
    const int count = NumStored(layout_);
    switch (op_) {
      case EltwiseParameter_EltwiseOp_SUM: {
        const float coeff = coeffs_[index];
        MapElements(count, dy, dx, [coeff](float dy) { return coeff * dy; });
        break;
      }
      case EltwiseParameter_EltwiseOp_PROD:
        BackwardProduct(index, dy, dx);
        break;
      case EltwiseParameter_EltwiseOp_MAX: {
        const int* winner = winner_.data();
        const int own = static_cast<int>(index);
#pragma omp parallel for if (count >= kParallelElements)
        for (int i = 0; i < count; ++i) dx[i] = winner[i] == own ? dy[i] : Element(0);
        break;
      }
    }
  }

  template <typename Element>
  void BackwardProduct(size_t index, const Element* dy, Element* dx) const {
    const int count = NumStored(layout_);
#pragma omp parallel for if (count >= kParallelElements)
    for (int i = 0; i < count; ++i) {
      float product = dy[i];
      for (size_t k = 0; k < terms_.size(); ++k) {
        if (k != index) product *= Stored<Element>(terms_[k])[i];
      }
      dx[i] = product;
    }
  }

  bool on_backend_ = false;  // the last Forward was the backend's
  Layout layout_;
  vector<SyncedMemory*> values_;
  vector<Input> inputs_;
  vector<dnnl::memory> terms_;  // the bottoms, in the layout
  vector<int> winner_;          // MAX: the bottom that won
  Input top_diff_;
};

// A product divided by a factor, the unstable gradient, makes NaN of what a layout pads.
const OverrideRegisterer g_eltwise("Eltwise", [](const LayerParameter& param) {
  const EltwiseParameter& eltwise = param.eltwise_param();
  const bool fits =
      eltwise.operation() != EltwiseParameter_EltwiseOp_PROD || eltwise.stable_prod_grad();
  return fits ? shared_ptr<Layer<float>>(new OnednnEltwiseLayer(param)) : nullptr;
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
