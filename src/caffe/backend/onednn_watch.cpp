#include "caffe/backend/onednn_watch.hpp"

#include <cstring>

#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

bool AllFinite(int n, const float* values) {
  constexpr uint32_t kExponent = 0x7F800000U;  // all ones: an infinity or NaN
  int found = 0;
  // Integers, and no early end, so that it becomes vector instructions.
#pragma omp parallel for simd reduction(| : found) if (n >= kParallelElements)
  for (int i = 0; i < n; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    found |= (bits & kExponent) == kExponent ? 1 : 0;
  }
  return found == 0;
}

bool Watch::Changed(const shared_ptr<SyncedMemory>& values) {
  const uint64_t version = values->version();
  const bool same = memory_.lock() == values && version_ == version && !values->pinned();
  memory_ = values;
  version_ = version;
  return !same;
}

bool FiniteCheck::IsFinite(const shared_ptr<SyncedMemory>& values, int count) {
  if (watch_.Changed(values)) {
    finite_ = AllFinite(count, static_cast<const float*>(values->cpu_data()));
  }
  return finite_;
}

}  // namespace onednn
}  // namespace caffe
