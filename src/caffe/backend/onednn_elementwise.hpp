#ifndef CAFFE_BACKEND_ONEDNN_ELEMENTWISE_HPP_
#define CAFFE_BACKEND_ONEDNN_ELEMENTWISE_HPP_

#include <cstdint>
#include <cstring>
#include <vector>

#include "caffe/backend/onednn_memory.hpp"
#include "caffe/blob.hpp"

namespace caffe {
namespace onednn {

/**
 * Element by element, any layout is as good as another, so that layers of such
 * work take the one in which their input lies, with its type of elements; where
 * an input has none of the backend's, the plain implementation is right. What
 * is computed from bf16 is computed in float and rounded once. What is padded
 * holds zeros, and must after the operation too: f(0, …) = 0.
 */

/** @brief bf16: the upper half of a float, rounded to the nearest, of two to the even one. */
class BFloat16 {
 public:
  BFloat16() = default;
  BFloat16(float value) {  // NOLINT(google-explicit-constructor): a float, only shorter
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    const uint32_t quiet = bits | 0x400000U;  // rounding would make infinities of some NaNs
    const uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
    const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;  // of integers, so that it vectorizes
    bits_ = static_cast<uint16_t>((is_nan ? quiet : rounded) >> 16);
  }
  operator float() const {  // NOLINT(google-explicit-constructor)
    const uint32_t bits = static_cast<uint32_t>(bits_) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

 private:
  uint16_t bits_;
};

/**
 * @brief f(element), a float or a BFloat16 of no meaning: the type of this layout's elements.
 * @throws Error for a layout of another type.
 */
template <typename Function>
void WithElements(const Layout& layout, const Function& f) {
  const ElementType type = TypeOf(layout);
  if (type == ElementType::bf16) {
    f(BFloat16(0));
    return;
  }
  CHECK(type == ElementType::f32) << "expected values of type f32 or bf16, got oneDNN's type "
                                  << static_cast<int>(type);
  f(0.0F);
}

/** @brief The layout of the first of the values that is in the backend for these axes, or null. */
inline const OnednnMemory* FirstOnBackend(const vector<SyncedMemory*>& values, const Dims& dims) {
  for (const SyncedMemory* candidate : values) {
    if (const OnednnMemory* copy = BackendCopy(*candidate, dims)) return copy;
  }
  return nullptr;
}

/** @brief How many elements a layout stores, padding included. */
inline int NumStored(const Layout& layout) {
  const bool narrow = TypeOf(layout) == ElementType::bf16;
  const size_t count = layout.get_size() / (narrow ? sizeof(BFloat16) : sizeof(float));
  CHECK(count <= static_cast<size_t>(INT_MAX)) << "a padded blob of " << count << " elements";
  return static_cast<int>(count);
}

/** @brief The first element that a memory stores: a float, or what WithElements says. */
template <typename Element = float>
Element* Stored(const dnnl::memory& memory) {
  return static_cast<Element*>(memory.get_data_handle());
}

/**
 * @brief sum = Σ coeffs[i] · terms[i], all of the layout `layout`, terms from first to last.
 *
 * `sum` may be one of the terms. The result does not depend on the number of threads.
 */
void WeightedSum(const Layout& layout, const vector<dnnl::memory>& terms,
                 const vector<float>& coeffs, const dnnl::memory& sum);

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_ELEMENTWISE_HPP_
