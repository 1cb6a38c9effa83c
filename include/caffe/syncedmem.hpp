#ifndef CAFFE_SYNCEDMEM_HPP_
#define CAFFE_SYNCEDMEM_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "caffe/common.hpp"
#include "caffe/util/memory_pool.hpp"

namespace caffe {

/**
 * @brief A copy of a SyncedMemory's values in a backend's own layout.
 *
 * A backend (oneDNN's blocked layouts, a narrower element type) derives from
 * it; SyncedMemory needs of it only the way back to the plain host layout.
 */
class BackendMemory {
 public:
  BackendMemory() = default;
  BackendMemory(const BackendMemory&) = delete;
  BackendMemory& operator=(const BackendMemory&) = delete;
  virtual ~BackendMemory() = default;
  /** @brief Writes the values to `host`, `size` bytes in the plain layout. */
  virtual void ToHost(void* host, size_t size) const = 0;
};

/**
 * @brief Memory that lives in up to three places and copies when it must.
 *
 * Any set of {host, backend, device} may hold the current values. Asking for
 * a place that does not hold them copies from one that does; asking for a
 * mutable pointer makes that place the only holder. Host memory is 64-byte
 * aligned and zeroed when first asked for. Not thread-safe, as in Caffe.
 *
 * A net that saves memory gives its blobs' memory back (GiveBack) once no layer
 * needs the values: until the layer that computes them is about to write them
 * (ExpectValues), whoever asks for them gets an error.
 */
class SyncedMemory {
 public:
  /** Caffe's states, and the backend's: where the newest values are. */
  enum SyncedHead { UNINITIALIZED, HEAD_AT_CPU, HEAD_AT_GPU, SYNCED, HEAD_AT_BACKEND };

  SyncedMemory();
  explicit SyncedMemory(size_t size);
  /**
   * @brief A view of `size` bytes of `owner`'s host memory, from byte `offset`.
   *
   * The view keeps the owner alive and has places of its own beside the host.
   * @throws Error if the range is not inside the owner.
   */
  SyncedMemory(const std::shared_ptr<SyncedMemory>& owner, size_t offset, size_t size);
  ~SyncedMemory();

  const void* cpu_data();
  void* mutable_cpu_data();
  /** @brief The same for a caller who writes all of it: old values are not brought there. */
  void* overwritten_cpu_data();
  /**
   * @brief Uses memory of the caller (at least size() bytes) as the host copy, never freed here.
   *
   * The caller may write there at any time: the host copy is pinned from now on.
   */
  void set_cpu_data(void* data);
  const void* gpu_data();
  void* mutable_gpu_data();
  void set_gpu_data(void* data);

  /** @brief The backend's copy, or null when it is absent or stale. */
  const BackendMemory* backend_data() const;
  /** @brief Makes `memory` the only holder of the current values. */
  void set_backend_data(std::shared_ptr<BackendMemory> memory);
  /** @brief Adds `memory` as one more holder: it was converted from the current values. */
  void add_backend_data(std::shared_ptr<BackendMemory> memory);
  /** @brief A buffer that the backend used here before, current or stale, to be reused; or null. */
  const std::shared_ptr<BackendMemory>& backend_buffer() const { return backend_; }

  /**
   * @brief Someone keeps the host pointer, to read and write there whenever they like (an array in
   * Python): until UnpinHost, called as often, the host holds the values and a backend's copy never
   * counts as one that does.
   */
  void PinHost();
  void UnpinHost();
  bool pinned() const { return pins_ > 0 || callers_host_; }

  /** @brief From now on memory comes from `pool` (null: the heap), from this end of it. */
  void set_pool(const std::shared_ptr<MemoryPool>& pool, MemoryPool::End end);
  /** @brief Takes the pool of another memory, whose place this one takes. */
  void TakePoolOf(const SyncedMemory& other) { set_pool(other.pool_, other.pool_end_); }
  /** @brief `size` bytes for a backend's copy of the values; null: it gets them by itself. */
  std::shared_ptr<void> BackendStorage(size_t size) const;
  /**
   * @brief Forgets the values and gives their memory back.
   *
   * Does nothing where others see the memory: a pinned one, a view, or one of which there are
   * views.
   */
  void GiveBack();
  bool given_back() const { return state_ != kKept; }
  /** @brief After GiveBack: the next who asks for a mutable pointer will write all of it. */
  void ExpectValues();

  /**
   * @brief A number that grows whenever somebody may have changed the values, so that what was
   * computed from them can be kept. While the memory is pinned it tells nothing.
   */
  uint64_t version() const { return version_ + (owner_ ? owner_->version() : 0); }

  /**
   * @brief Makes all values 0: at once where somebody keeps the host pointer, else when they are
   * next asked for, so that who overwrites or adds to them finds the zeros in its caches.
   *
   * Until then an owner of which this memory is a view keeps the old values.
   */
  void SetZero();

  SyncedHead head() const;
  bool on_host() const { return (holders_ & kHost) != 0; }
  size_t size() const { return size_; }

 private:
  enum Holder : unsigned { kHost = 1, kBackend = 2, kDevice = 4 };
  enum State { kKept, kGivenBack, kExpected };

  void AllocateHost();
  void ToHost();
  void CheckKept() const;
  void DropStaleHost();

  size_t size_ = 0;
  unsigned holders_ = 0;
  int pins_ = 0;
  uint64_t version_ = 0;
  State state_ = kKept;
  void* host_ = nullptr;
  std::shared_ptr<void> own_host_;  // null: host_ is another's
  bool callers_host_ = false;
  std::shared_ptr<SyncedMemory> owner_;
  int num_views_ = 0;
  std::shared_ptr<MemoryPool> pool_;
  MemoryPool::End pool_end_ = MemoryPool::kLow;
  std::shared_ptr<BackendMemory> backend_;
  void* device_ = nullptr;
  bool owns_device_ = false;

  DISABLE_COPY_AND_ASSIGN(SyncedMemory);
};

}  // namespace caffe

#endif  // CAFFE_SYNCEDMEM_HPP_
