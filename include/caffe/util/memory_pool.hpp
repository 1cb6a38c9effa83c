#ifndef CAFFE_UTIL_MEMORY_POOL_HPP_
#define CAFFE_UTIL_MEMORY_POOL_HPP_

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {

/**
 * @brief Memory for blobs that come and go: pages once touched stay with the pool, so that a step
 * that asks for what the step before it asked for meets no new page.
 *
 * One range of addresses, of which the first extent() bytes are in use or were. What is given back
 * joins its free neighbours. Requests get the smallest gap that fits, its lower or its upper end:
 * activations pile up from below while a net runs forward and go from above while it runs backward,
 * and gradients, asked for at the high end, take their place; what is small or lives for a short
 * time fills holes, and the large gaps stay whole. Memory is aligned to 64 bytes and holds
 * anything. Small requests, and those that the range cannot hold, come from the heap. Thread-safe.
 */
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
 public:
  enum End { kLow, kHigh };

  /** @param capacity of the range of addresses; by default what the machine has of memory. */
  static std::shared_ptr<MemoryPool> Make(size_t capacity = 0);
  ~MemoryPool();

  /**
   * @brief `size` bytes, which go back to the pool with their last holder; the pool lives as long.
   * @throws Error where the heap has no more.
   */
  std::shared_ptr<void> Allocate(size_t size, End end);

  /** @brief Bytes of the range that were ever in use at once with the gaps between them. */
  size_t extent() const;
  /** @brief Bytes of the range in use. */
  size_t used() const;

 private:
  struct Gap {
    size_t begin, end;
    size_t size() const { return end - begin; }
  };

  explicit MemoryPool(size_t capacity);
  bool Take(size_t size, End end, size_t* offset);
  bool Grow(size_t size);
  void Free(size_t offset, size_t size);

  mutable std::mutex mutex_;
  char* base_ = nullptr;
  size_t capacity_ = 0, writable_ = 0;
  size_t extent_ = 0, used_ = 0;
  std::vector<Gap> gaps_;  // by address, never adjacent

  DISABLE_COPY_AND_ASSIGN(MemoryPool);
};

/**
 * @brief While it lives, what this thread needs for a short time comes from a pool, and goes back
 * with it.
 *
 * A net that saves memory holds one around the run of each layer: so a backward's conversions lie
 * where activations were that are gone. Of loans within each other the innermost of a pool lends.
 */
class ScratchLoan {
 public:
  static constexpr size_t kLeast = 1 << 20;  ///< less is not worth a place of its own each time

  /** @param pool null: this one lends nothing */
  explicit ScratchLoan(std::shared_ptr<MemoryPool> pool);
  ~ScratchLoan();
  /** @brief The loan that this thread has now, or null. */
  static ScratchLoan* Current();

  /** @brief At least `size` bytes, aligned to 64, for as long as the loan lives. */
  void* Borrow(size_t size);
  /** @brief The same until the next call with this `use`, of 0 to 15, that asks for more. */
  void* Borrow(int use, size_t size);

 private:
  struct Room {
    size_t size = 0;
    std::shared_ptr<void> memory;
  };

  std::shared_ptr<MemoryPool> pool_;
  ScratchLoan* outer_;
  std::array<Room, 16> uses_;
  std::vector<std::shared_ptr<void>> others_;

  DISABLE_COPY_AND_ASSIGN(ScratchLoan);
};

/** @brief Heap memory, aligned to 64 bytes. @throws Error where there is none. */
std::shared_ptr<void> HeapMemory(size_t size);

}  // namespace caffe

#endif  // CAFFE_UTIL_MEMORY_POOL_HPP_
