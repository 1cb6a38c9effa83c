#include <omp.h>

#include <memory>

#include "caffe/backend/onednn_memory.hpp"
#include "caffe/backend/onednn_watch.hpp"
#include "caffe/layers/inner_product_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/** All that the primitives depend on: rows of a batch, inputs and outputs of a row. */
struct ProductShape {
  int rows, inputs, outputs;
  bool transpose;  // the weights are inputs × outputs on the host, else outputs × inputs
  bool bias;
  bool training;
  int threads;  // a primitive divides its work when it is made
  ElementType type;
  bool operator==(const ProductShape& other) const {
    return rows == other.rows && inputs == other.inputs && outputs == other.outputs &&
           transpose == other.transpose && bias == other.bias && training == other.training &&
           threads == other.threads && type == other.type;
  }
};

/** Rows that lie together, or with `transposed` the columns. */
Layout MatrixLayout(int rows, int columns, bool transposed) {
  const Dims dims = {rows, columns};
  return Layout(dims, ElementType::f32, transposed ? Dims{1, rows} : Dims{columns, 1});
}

/** A primitive that multiplies two matrices, and what it wants them to be. */
struct Product {
  Step run;
  Layout left, right, result;
};

Product MakeProduct(const Layout& left, const Layout& right, const Layout& result, bool add) {
  dnnl::primitive_attr attributes = Attributes();
  if (add) {
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    attributes.set_post_ops(sum);
  }
  const auto desc = DescribeWith<dnnl::matmul>(attributes, left, right, result);
  return {{dnnl::matmul(desc), desc.scratchpad_desc()}, left, right, result};
}

// Weights up to this size, which a processor's caches hold more or less, pay for a second copy in
// the primitive's layout, and their gradient is best made by the primitive; reading larger ones
// takes all of the time.
constexpr int64_t kSmallWeights = int64_t{4} << 20;

class ProductPlan {
 public:
  explicit ProductPlan(const ProductShape& shape) : shape_(shape) {}
  const ProductShape& key() const { return shape_; }

  /** The weights as inputs × outputs. */
  Layout weights() const { return MatrixLayout(shape_.inputs, shape_.outputs, !shape_.transpose); }
  Layout bottom() const { return MatrixLayout(shape_.rows, shape_.inputs, false); }
  Layout top() const { return MatrixLayout(shape_.rows, shape_.outputs, false); }
  bool small() const {
    return int64_t{shape_.inputs} * shape_.outputs * static_cast<int64_t>(sizeof(float)) <=
           kSmallWeights;
  }

  const Product& forward() {
    if (!forward_) forward_ = std::make_unique<Product>(MakeForward());
    return *forward_;
  }
  const Product& backward_data() {
    if (!backward_data_) {
      const Layout turned = MatrixLayout(shape_.outputs, shape_.inputs, shape_.transpose);
      backward_data_ = std::make_unique<Product>(MakeProduct(top(), turned, bottom(), false));
    }
    return *backward_data_;
  }
  /** Adds to the gradient, which lies as the weights do. */
  const Product& backward_weights() {
    if (!backward_weights_) {
      const Layout gradient = shape_.transpose ? MatrixLayout(shape_.inputs, shape_.outputs, false)
                                               : MatrixLayout(shape_.outputs, shape_.inputs, false);
      const int left_rows = shape_.transpose ? shape_.inputs : shape_.outputs;
      backward_weights_ = std::make_unique<Product>(
          MakeProduct(MatrixLayout(left_rows, shape_.rows, true),
                      shape_.transpose ? top() : bottom(), gradient, true));
    }
    return *backward_weights_;
  }

 private:
  /** Training reads the weights as they are: converting them would cost more than it saves. */
  Product MakeForward() const {
    const bool packs = !shape_.training && (small() || shape_.type != ElementType::f32);
    const Layout left(DimsOf(bottom()), packs ? shape_.type : ElementType::f32,
                      Dims{shape_.inputs, 1});
    const Layout right = packs ? AnyLayout(DimsOf(weights()), shape_.type) : weights();
    if (!shape_.bias) return Made(Describe<dnnl::matmul>(left, right, top()), left);
    return Made(Describe<dnnl::matmul>(left, right, PlainLayout({1, shape_.outputs}), top()), left);
  }
  Product Made(const dnnl::matmul::primitive_desc& desc, const Layout& left) const {
    return {{dnnl::matmul(desc), desc.scratchpad_desc()}, left, desc.weights_desc(), top()};
  }

  ProductShape shape_;
  std::unique_ptr<Product> forward_, backward_data_, backward_weights_;
};

dnnl::memory At(const Layout& layout, const float* values) {
  return dnnl::memory(layout, Engine(), const_cast<float*>(values));
}

/**
 * InnerProduct by oneDNN's matmul, of floats; its tops are floats in the plain layout. A TEST net
 * of precision BF16 multiplies bf16. Small weights, and those of bf16, are kept in the primitive's
 * layout by TEST nets, and converted when they change.
 */
class OnednnInnerProductLayer : public InnerProductLayer<float> {
 public:
  explicit OnednnInnerProductLayer(const LayerParameter& param) : InnerProductLayer<float>(param) {}

  void Reshape(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    InnerProductLayer<float>::Reshape(bottom, top);
    plan_ = nullptr;
    if (M_ == 0 || K_ == 0) return;
    const bool training = phase_ == TRAIN;
    const ElementType type = training ? ElementType::f32 : ActivationType(layer_param_.precision());
    plan_ = &plans_.For(
        ProductShape{M_, K_, N_, transpose_, bias_term_, training, omp_get_max_threads(), type});
  }

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    // A single row by few weights is done before other threads would be awake.
    if (plan_ == nullptr || (M_ == 1 && plan_->small())) {
      InnerProductLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    const Product& product = plan_->forward();
    Arguments arguments = {{DNNL_ARG_SRC, Rows(*bottom[0], product.left)},
                           {DNNL_ARG_WEIGHTS, Weights(product.right)},
                           {DNNL_ARG_DST, At(product.result, top[0]->mutable_cpu_data())}};
    if (bias_term_) {
      arguments.emplace(DNNL_ARG_BIAS, PlainMemory({1, N_}, blobs_[1]->cpu_data()));
    }
    product.run(std::move(arguments));
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (plan_ == nullptr) {
      InnerProductLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const float* dy = top[0]->cpu_diff();
    if (param_propagate_down_[0]) BackwardWeights(bottom[0]->cpu_data(), dy);
    if (bias_term_ && param_propagate_down_[1]) {
      caffe_cpu_gemv<float>(CblasTrans, M_, N_, 1, dy, bias_multiplier_.cpu_data(), 1,
                            blobs_[1]->mutable_cpu_diff());
    }
    if (!propagate_down[0]) return;
    const Product& product = plan_->backward_data();
    product.run({{DNNL_ARG_SRC, At(product.left, dy)},
                 {DNNL_ARG_WEIGHTS, At(product.right, blobs_[0]->cpu_data())},
                 {DNNL_ARG_DST, At(product.result, bottom[0]->mutable_cpu_diff())}});
  }

 private:
  void BackwardWeights(const float* x, const float* dy) {
    SyncedMemory* diff = blobs_[0]->diff().get();
    const float* left = transpose_ ? x : dy;
    const float* right = transpose_ ? dy : x;
    if (!plan_->small()) {
      const int rows = transpose_ ? K_ : N_, columns = transpose_ ? N_ : K_;
      const bool is_zero = diff->head() == SyncedMemory::UNINITIALIZED;
      auto* dw =
          static_cast<float*>(is_zero ? diff->overwritten_cpu_data() : diff->mutable_cpu_data());
      const dnnl::status status = dnnl::sgemm('T', 'N', rows, columns, M_, 1, left, rows, right,
                                              columns, is_zero ? 0 : 1, dw, columns);
      CHECK(status == dnnl::status::success)
          << "oneDNN: sgemm fails with status " << static_cast<int>(status);
      return;
    }
    const Product& product = plan_->backward_weights();
    product.run({{DNNL_ARG_SRC, At(product.left, left)},
                 {DNNL_ARG_WEIGHTS, At(product.right, right)},
                 {DNNL_ARG_DST, At(product.result, blobs_[0]->mutable_cpu_diff())}});
  }

  dnnl::memory Rows(const Blob<float>& bottom, const Layout& wanted) {
    dnnl::memory values = PlainMemory({M_, K_}, bottom.cpu_data());
    if (TypeOf(wanted) == ElementType::f32) return values;
    const dnnl::memory scratch = Scratch(kBottom, wanted);
    narrow_.Run(values, scratch);
    return scratch;
  }

  dnnl::memory Weights(const Layout& wanted) {
    dnnl::memory values = At(plan_->weights(), blobs_[0]->cpu_data());
    if (wanted == values.get_desc()) return values;
    const bool is_new = !packed_ || packed_->layout() != wanted;
    if (is_new) packed_ = std::make_unique<OnednnMemory>(wanted);
    if (source_.Changed(blobs_[0]->data()) || is_new) pack_.Run(values, packed_->memory());
    return packed_->memory();
  }

  ProductPlan* plan_ = nullptr;  // null: nothing to multiply
  Plans<ProductPlan> plans_;
  Reorder narrow_, pack_;
  std::unique_ptr<OnednnMemory> packed_;
  Watch source_;
};

const OverrideRegisterer g_inner_product("InnerProduct", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnInnerProductLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
