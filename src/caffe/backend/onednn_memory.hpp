#ifndef CAFFE_BACKEND_ONEDNN_MEMORY_HPP_
#define CAFFE_BACKEND_ONEDNN_MEMORY_HPP_

#include <memory>

#include "caffe/backend/onednn.hpp"
#include "caffe/syncedmem.hpp"

namespace caffe {
namespace onednn {

/** @brief Copies values from one layout to another; its primitive is made once for a pair. */
class Reorder {
 public:
  /** @param accumulate adds to what the target holds, instead of overwriting it */
  explicit Reorder(bool accumulate = false) : accumulate_(accumulate) {}
  void Run(const dnnl::memory& from, const dnnl::memory& to);

 private:
  bool accumulate_;
  Layout from_, to_;
  Step step_;
};

/** @brief Values of a blob in a layout of oneDNN's. */
class OnednnMemory : public BackendMemory {
 public:
  /** @param storage at least layout.get_size() bytes, aligned to 64; null: oneDNN's own */
  explicit OnednnMemory(const Layout& layout, std::shared_ptr<void> storage = nullptr);
  /** @brief Writes the values to the plain layout; `size` bytes are at least as many. */
  void ToHost(void* host, size_t size) const override;
  void FromHost(const void* host);

  const dnnl::memory& memory() const { return memory_; }
  const Layout& layout() const { return layout_; }
  /** @brief All that is stored: the values, and zeros where the layout pads them. */
  float* stored() const { return static_cast<float*>(memory_.get_data_handle()); }

 private:
  Layout layout_;
  std::shared_ptr<void> storage_;
  dnnl::memory memory_;
  mutable Reorder to_host_;
  Reorder from_host_;
};

/**
 * @brief The backend's copy of a blob of these axes, or null where there is none.
 *
 * A copy made for other axes (the blob was reshaped, or shares another's
 * memory) is none.
 */
const OnednnMemory* BackendCopy(const SyncedMemory& values, const Dims& dims);

/** @brief Reads one input of a primitive, in the layout that the primitive wants. */
class Input {
 public:
  /**
   * @brief Converts into memory of its own, which lives until it reads again, or into lent one
   * (ScratchLoan), which lives as long as the layer runs.
   */
  Input() = default;
  /** @brief Converts into scratch memory, which lives until the next call with the same `use`. */
  explicit Input(ScratchUse use) : use_(use) {}
  /**
   * @brief The values, wherever they are: as they lie, on the host or in the backend, if that is
   * the layout wanted, else converted. A conversion from the host stays with the values, for
   * others who want it.
   */
  dnnl::memory Read(SyncedMemory* values, const Layout& wanted);

 private:
  ScratchUse use_ = kNumScratchUses;
  shared_ptr<OnednnMemory> own_;
  Reorder reorder_;
};

/**
 * @brief Adds to the gradient of a parameter, in the plain layout.
 *
 * Where it was set to zero, and nobody has written the zeros yet, it is overwritten.
 */
class GradientSum {
 public:
  void Add(const dnnl::memory& gradient, SyncedMemory* sum);

 private:
  Reorder set_, add_{true};
};

/**
 * @brief One output of a primitive: `memory()` to write to, all of it, then Commit.
 *
 * The plain layout is the host's memory; any other one belongs to the backend.
 * Until Commit the values are the old ones, so a primitive may work in place.
 */
class Output {
 public:
  Output(SyncedMemory* values, const Layout& layout);
  /** @brief For a primitive that writes `layout` to values that are `kept` in another: `use` is
   * the scratch memory between. */
  Output(SyncedMemory* values, const Layout& layout, const Layout& kept, ScratchUse use);
  const dnnl::memory& memory() const { return memory_; }
  /** @brief Makes what was written the values. */
  void Commit();

 private:
  SyncedMemory* values_;
  dnnl::memory memory_;
  dnnl::memory kept_;                // where the values are converted to; empty if they are not
  shared_ptr<OnednnMemory> buffer_;  // null: they are kept on the host
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_MEMORY_HPP_
