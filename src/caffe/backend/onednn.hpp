#ifndef CAFFE_BACKEND_ONEDNN_HPP_
#define CAFFE_BACKEND_ONEDNN_HPP_

#include <algorithm>
#include <list>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

/**
 * What oneDNN's releases 2 and 3 say differently, and what all primitives
 * share: the engine, a thread's stream, and scratch memory. Everything else of
 * this room is the same for both.
 */
namespace caffe {
namespace onednn {

typedef dnnl::memory::desc Layout;
typedef dnnl::memory::data_type ElementType;
typedef dnnl::memory::dims Dims;
typedef std::unordered_map<int, dnnl::memory> Arguments;

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl::pooling_forward PoolingForward;
typedef dnnl::pooling_backward PoolingBackward;
#else
// Of the two in release 2 this one takes the arguments that release 3 does.
typedef dnnl::pooling_v2_forward PoolingForward;
typedef dnnl::pooling_v2_backward PoolingBackward;
#endif

/** @brief The processor; lives until the process ends. */
const dnnl::engine& Engine();

/**
 * @brief Whether primitives compute with bf16 by instructions of the processor (avx512_bf16, AMX).
 *
 * As oneDNN sees it, so that ONEDNN_MAX_CPU_ISA holds. Without them it only imitates bf16, slowly.
 */
bool HasBf16();
/**
 * @brief The type of the tops, and of their gradients, of a layer of this precision.
 *
 * Floats where the processor has no bf16; the first time, a warning says so.
 */
ElementType ActivationType(Precision precision);

/** @brief The lengths of the axes that a layout stores. */
Dims DimsOf(const Layout& layout);
Dims DimsOf(const vector<int>& shape);
ElementType TypeOf(const Layout& layout);
/** @brief The plain layout: floats in C order. */
Layout PlainLayout(const Dims& dims);
/** @brief Whatever layout of elements of this type a primitive likes best. */
Layout AnyLayout(const Dims& dims, ElementType type = ElementType::f32);

/** @brief Floats in the plain layout, in memory of the caller. */
dnnl::memory PlainMemory(const Dims& dims, const void* values);

/** What scratch memory is for: memories of different uses do not overlap. */
enum ScratchUse {
  kPrimitive,
  kGradient,      ///< of parameters
  kPartGradient,  ///< of weights, of a part of the batch
  kPartBias,      ///< the same of a bias
  kWeights,       ///< weights in a primitive's layout
  kBottom,        ///< a bottom or its gradient, converted
  kTop,           ///< a top or its gradient, converted
  kNumScratchUses
};

/**
 * @brief Memory for what nobody needs after the call, shared by all that runs on this thread.
 *
 * Its contents live until the next call with the same `use`, or until the layer's run ends. It
 * grows when a larger layout is asked for than ever before, and never again; during a run of a net
 * that saves memory, it is lent by the net's pool instead (ScratchLoan).
 */
dnnl::memory Scratch(ScratchUse use, const Layout& layout);

/** @brief Attributes that every primitive is made with: its scratch memory is ours. */
dnnl::primitive_attr Attributes();
/** @brief The same, and y = x < 0 ? slope · x : x for each result; a slope of 0 turns NaN into 0.
 */
dnnl::primitive_attr AttributesWithReLU(float slope);

/**
 * @brief Runs a primitive and waits for it.
 * @param scratch the scratchpad_desc of its descriptor
 * @throws Error with oneDNN's message.
 */
void Run(const dnnl::primitive& primitive, const Layout& scratch, Arguments arguments);

/** @brief make(), with oneDNN's exceptions made errors of ours. */
template <typename Make>
auto Checked(const Make& make) {
  try {
    return make();
  } catch (const dnnl::error& error) {
    throw Error(string("oneDNN: ") + error.what());
  }
}

/** @brief A primitive with the layout of its scratch memory. */
struct Step {
  dnnl::primitive primitive;
  Layout scratch;
  void operator()(Arguments arguments) const { Run(primitive, scratch, std::move(arguments)); }
};

/** @brief The plans of a layer for the sizes that it met last; a Plan has key() and is made of one.
 */
template <typename Plan>
class Plans {
 public:
  template <typename Key>
  Plan& For(const Key& key) {
    const auto known = std::find_if(plans_.begin(), plans_.end(),
                                    [&key](const Plan& plan) { return plan.key() == key; });
    if (known != plans_.end()) {
      plans_.splice(plans_.begin(), plans_, known);
    } else {
      plans_.emplace_front(key);
      if (plans_.size() > kMost) plans_.pop_back();
    }
    return plans_.front();
  }

 private:
  // A last, smaller batch; images of two orientations.
  static constexpr size_t kMost = 4;
  std::list<Plan> plans_;
};

/** @brief A primitive's descriptor: `arguments` are those of its operation, in oneDNN's order. */
template <typename Primitive, typename... Types>
typename Primitive::primitive_desc DescribeWith(const dnnl::primitive_attr& attributes,
                                                const Types&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(Engine(), arguments..., attributes);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), attributes,
                                            Engine());
#endif
}

template <typename Primitive, typename... Types>
typename Primitive::primitive_desc Describe(const Types&... arguments) {
  return DescribeWith<Primitive>(Attributes(), arguments...);
}

/** @brief The descriptor of a primitive for Backward, made after its Forward's. */
template <typename Primitive, typename Forward, typename... Types>
typename Primitive::primitive_desc DescribeBackward(const Forward& forward,
                                                    const Types&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(Engine(), arguments..., forward, Attributes());
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), Attributes(),
                                            Engine(), forward);
#endif
}

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_HPP_
