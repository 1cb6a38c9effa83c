#ifndef CAFFE_BACKEND_ONEDNN_IN_PLACE_HPP_
#define CAFFE_BACKEND_ONEDNN_IN_PLACE_HPP_

#include <memory>
#include <utility>

#include "caffe/backend/onednn_memory.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief Keeps the input of a layer that works in place, for its Backward, without a copy: the
 * output is written to another buffer, which the blob takes over.
 */
class KeptInput {
 public:
  /** @brief Keeps what the backend has of `values`; it has it (BackendCopy is not null). */
  void Keep(SyncedMemory* values) {
    auto now = std::dynamic_pointer_cast<OnednnMemory>(values->backend_buffer());
    output_ = std::move(kept_);
    if (!output_ || output_->layout() != now->layout() || output_ == now) {
      output_ = std::make_shared<OnednnMemory>(now->layout());
    }
    kept_ = std::move(now);
  }
  /** @brief Where to write all of the new values, until Commit. */
  const dnnl::memory& output() const { return output_->memory(); }
  void Commit(SyncedMemory* values) { values->set_backend_data(std::move(output_)); }
  const dnnl::memory& kept() const { return kept_->memory(); }

 private:
  shared_ptr<OnednnMemory> kept_, output_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_IN_PLACE_HPP_
