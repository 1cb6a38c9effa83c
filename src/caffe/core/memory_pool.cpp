#include "caffe/util/memory_pool.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace caffe {

namespace {

constexpr size_t kAlignment = 64;   // a cache line, and an AVX-512 register
constexpr size_t kLeast = 1 << 16;  // below, the heap does without new pages
constexpr size_t kPage = 4096;
constexpr size_t kGrowth = 16UL << 20;  // how much becomes writable at once

size_t RoundUp(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

size_t MachineMemory() {
  return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::shared_ptr<void> HeapMemory(size_t size) {
  void* memory = std::aligned_alloc(kAlignment, std::max(RoundUp(size, kAlignment), kAlignment));
  CHECK(memory != nullptr) << "out of memory: cannot allocate " << size << " bytes";
  return std::shared_ptr<void>(memory, [](void* p) { std::free(p); });
}

std::shared_ptr<MemoryPool> MemoryPool::Make(size_t capacity) {
  return std::shared_ptr<MemoryPool>(new MemoryPool(capacity == 0 ? MachineMemory() : capacity));
}

MemoryPool::MemoryPool(size_t capacity) {
  capacity = RoundUp(capacity, kGrowth);
  // Only addresses: a process that may not have so many of them does with the heap.
  void* range = mmap(nullptr, capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (range == MAP_FAILED) return;
  base_ = static_cast<char*>(range);
  capacity_ = capacity;
  madvise(base_, capacity_, MADV_HUGEPAGE);  // fewer page faults, where the system has them
}

MemoryPool::~MemoryPool() {
  if (base_ != nullptr) munmap(base_, capacity_);
}

size_t MemoryPool::extent() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return extent_;
}

size_t MemoryPool::used() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return used_;
}

std::shared_ptr<void> MemoryPool::Allocate(size_t size, End end) {
  if (size < kLeast) return HeapMemory(size);
  const size_t rounded = RoundUp(size, kPage);
  size_t offset = 0;
  if (!Take(rounded, end, &offset)) return HeapMemory(size);
  const std::shared_ptr<MemoryPool> self = shared_from_this();
  return std::shared_ptr<void>(base_ + offset,
                               [self, offset, rounded](void*) { self->Free(offset, rounded); });
}

bool MemoryPool::Take(size_t size, End end, size_t* offset) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto gap = gaps_.end();
  for (auto next = gaps_.begin(); next != gaps_.end(); ++next) {
    if (next->size() < size) continue;
    const bool is_better = gap == gaps_.end() || next->size() < gap->size() ||
                           (end == kHigh && next->size() == gap->size());
    if (is_better) gap = next;
  }
  if (gap == gaps_.end()) {
    if (!Grow(size)) return false;
    gap = gaps_.end() - 1;
  }
  *offset = end == kLow ? gap->begin : gap->end - size;
  (end == kLow ? gap->begin : gap->end) = end == kLow ? gap->begin + size : gap->end - size;
  if (gap->size() == 0) gaps_.erase(gap);
  used_ += size;
  return true;
}

/** Makes the last gap one of `size` bytes. */
bool MemoryPool::Grow(size_t size) {
  const bool at_end = !gaps_.empty() && gaps_.back().end == extent_;
  const size_t begin = at_end ? gaps_.back().begin : extent_;
  if (size > capacity_ - begin) return false;
  if (begin + size > writable_) {
    const size_t wanted = std::min(capacity_, RoundUp(begin + size, kGrowth));
    if (mprotect(base_, wanted, PROT_READ | PROT_WRITE) != 0) return false;
    writable_ = wanted;
  }
  extent_ = begin + size;
  if (at_end) {
    gaps_.back().end = extent_;
  } else {
    gaps_.push_back({begin, extent_});
  }
  return true;
}

void MemoryPool::Free(size_t offset, size_t size) {
  const std::lock_guard<std::mutex> lock(mutex_);
  used_ -= size;
  const size_t end = offset + size;
  auto next = std::lower_bound(gaps_.begin(), gaps_.end(), offset,
                               [](const Gap& gap, size_t begin) { return gap.begin < begin; });
  const bool joins_next = next != gaps_.end() && next->begin == end;
  const bool joins_last = next != gaps_.begin() && (next - 1)->end == offset;
  if (joins_last && joins_next) {
    (next - 1)->end = next->end;
    gaps_.erase(next);
  } else if (joins_last) {
    (next - 1)->end = end;
  } else if (joins_next) {
    next->begin = offset;
  } else {
    gaps_.insert(next, {offset, end});
  }
}

namespace {

ScratchLoan*& CurrentLoan() {
  thread_local ScratchLoan* current = nullptr;
  return current;
}

}  // namespace

ScratchLoan::ScratchLoan(std::shared_ptr<MemoryPool> pool)
    : pool_(std::move(pool)), outer_(CurrentLoan()) {
  if (pool_) CurrentLoan() = this;
}

ScratchLoan::~ScratchLoan() {
  if (pool_) CurrentLoan() = outer_;
}

ScratchLoan* ScratchLoan::Current() { return CurrentLoan(); }

void* ScratchLoan::Borrow(size_t size) {
  others_.push_back(pool_->Allocate(size, MemoryPool::kHigh));
  return others_.back().get();
}

void* ScratchLoan::Borrow(int use, size_t size) {
  Room& room = uses_.at(use);
  if (size > room.size) {
    room.memory.reset();  // first, so that both are never there
    room.memory = pool_->Allocate(size, MemoryPool::kHigh);
    room.size = size;
  }
  return room.memory.get();
}

}  // namespace caffe
