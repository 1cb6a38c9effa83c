#include "caffe/backend/onednn_elementwise.hpp"

#include <algorithm>

#include "caffe/detection/multiversion.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

namespace {

// Partial sums of so many elements stay in the first cache.
constexpr int kChunk = 1024;

struct Terms {
  const vector<dnnl::memory>* values;
  const vector<float>* coeffs;
};

template <typename Element>
[[gnu::always_inline]] inline void SumChunkOf(const Terms& terms, int begin, int count,
                                              Element* sum) {
  float partial[kChunk];
  const float first = (*terms.coeffs)[0];
  const Element* x = Stored<Element>((*terms.values)[0]) + begin;
  for (int i = 0; i < count; ++i) partial[i] = first * x[i];
  for (size_t k = 1; k < terms.values->size(); ++k) {
    const float coeff = (*terms.coeffs)[k];
    x = Stored<Element>((*terms.values)[k]) + begin;
    for (int i = 0; i < count; ++i) partial[i] += coeff * x[i];
  }
  for (int i = 0; i < count; ++i) sum[begin + i] = partial[i];
}

CAFFE_MULTIVERSION
void SumChunk(const Terms& terms, int begin, int count, float* sum) {
  SumChunkOf(terms, begin, count, sum);
}
CAFFE_MULTIVERSION
void SumChunk(const Terms& terms, int begin, int count, BFloat16* sum) {
  SumChunkOf(terms, begin, count, sum);
}

}  // namespace

void WeightedSum(const Layout& layout, const vector<dnnl::memory>& terms,
                 const vector<float>& coeffs, const dnnl::memory& sum) {
  const int count = NumStored(layout);
  const Terms all = {&terms, &coeffs};
  WithElements(layout, [&](auto element) {
    auto* to = Stored<decltype(element)>(sum);
#pragma omp parallel for if (count >= kParallelElements)
    for (int begin = 0; begin < count; begin += kChunk) {
      SumChunk(all, begin, std::min(kChunk, count - begin), to);
    }
  });
}

}  // namespace onednn
}  // namespace caffe
