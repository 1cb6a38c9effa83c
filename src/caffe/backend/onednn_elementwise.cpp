#include "caffe/backend/onednn_elementwise.hpp"

#include <algorithm>

#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

namespace {

// Partial sums of so many elements stay in the first cache.
constexpr int kChunk = 1024;

template <typename Element>
void SumChunk(const vector<dnnl::memory>& terms, const vector<float>& coeffs, int begin, int count,
              Element* sum) {
  float partial[kChunk];
  const float first = coeffs[0];
  const Element* x = Stored<Element>(terms[0]) + begin;
  for (int i = 0; i < count; ++i) partial[i] = first * x[i];
  for (size_t k = 1; k < terms.size(); ++k) {
    const float coeff = coeffs[k];
    x = Stored<Element>(terms[k]) + begin;
    for (int i = 0; i < count; ++i) partial[i] += coeff * x[i];
  }
  for (int i = 0; i < count; ++i) sum[begin + i] = partial[i];
}

}  // namespace

void WeightedSum(const Layout& layout, const vector<dnnl::memory>& terms,
                 const vector<float>& coeffs, const dnnl::memory& sum) {
  const int count = NumStored(layout);
  WithElements(layout, [&](auto element) {
    auto* to = Stored<decltype(element)>(sum);
#pragma omp parallel for if (count >= kParallelElements)
    for (int begin = 0; begin < count; begin += kChunk) {
      SumChunk(terms, coeffs, begin, std::min(kChunk, count - begin), to);
    }
  });
}

}  // namespace onednn
}  // namespace caffe
