#ifndef CAFFE_BACKEND_ONEDNN_ELEMENTWISE_HPP_
#define CAFFE_BACKEND_ONEDNN_ELEMENTWISE_HPP_

#include <vector>

#include "caffe/backend/onednn_memory.hpp"
#include "caffe/blob.hpp"

namespace caffe {
namespace onednn {

/**
 * Element by element, any layout is as good as another, so that layers of such
 * work take the one in which their input lies; where an input has none of the
 * backend's, the plain implementation is right. What is padded holds zeros, and
 * must after the operation too: f(0, …) = 0.
 */

/** @brief The layout of the first of the values that is in the backend for these axes, or null. */
inline const OnednnMemory* FirstOnBackend(const vector<SyncedMemory*>& values, const Dims& dims) {
  for (const SyncedMemory* candidate : values) {
    if (const OnednnMemory* copy = BackendCopy(*candidate, dims)) return copy;
  }
  return nullptr;
}

/** @brief How many floats a layout stores, padding included. */
inline int NumStored(const Layout& layout) {
  const size_t count = layout.get_size() / sizeof(float);
  CHECK(count <= static_cast<size_t>(INT_MAX)) << "a padded blob of " << count << " elements";
  return static_cast<int>(count);
}

/** @brief The first float that a memory stores. */
inline float* Stored(const dnnl::memory& memory) {
  return static_cast<float*>(memory.get_data_handle());
}

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_ELEMENTWISE_HPP_
