#ifndef CAFFE_BACKEND_ONEDNN_WATCH_HPP_
#define CAFFE_BACKEND_ONEDNN_WATCH_HPP_

#include <memory>

#include "caffe/syncedmem.hpp"

namespace caffe {
namespace onednn {

/** @brief Whether all of n floats are finite. */
bool AllFinite(int n, const float* values);

/** @brief Tells whether values may have changed; does not keep them alive. */
class Watch {
 public:
  /** @brief Whether these may be others than those of the last call: pinned ones always may. */
  bool Changed(const shared_ptr<SyncedMemory>& values);

 private:
  std::weak_ptr<SyncedMemory> memory_;
  uint64_t version_ = 0;
};

/** @brief Whether floats are finite; looks at them only when they may have changed. */
class FiniteCheck {
 public:
  bool IsFinite(const shared_ptr<SyncedMemory>& values, int count);

 private:
  Watch watch_;
  bool finite_ = false;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_WATCH_HPP_
