#include "caffe/syncedmem.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace caffe {

namespace {

/** By all threads where it is much: this comes for each parameter in each iteration. */
void FillWithZeros(void* memory, size_t size) {
  constexpr size_t kChunk = 1 << 18;
  const size_t num_chunks = (size + kChunk - 1) / kChunk;
#pragma omp parallel for if (num_chunks > 1)
  for (size_t i = 0; i < num_chunks; ++i) {
    const size_t first = i * kChunk;
    std::memset(static_cast<char*>(memory) + first, 0, std::min(kChunk, size - first));
  }
}

}  // namespace

SyncedMemory::SyncedMemory() = default;

SyncedMemory::SyncedMemory(size_t size) : size_(size) {}

SyncedMemory::SyncedMemory(const std::shared_ptr<SyncedMemory>& owner, size_t offset, size_t size)
    : size_(size), holders_(kHost), owner_(owner) {
  CHECK(offset <= owner->size() && size <= owner->size() - offset)
      << "a view of bytes " << offset << " to " << offset + size << " of a memory of "
      << owner->size();
  host_ = static_cast<char*>(owner->mutable_cpu_data()) + offset;
  ++owner_->num_views_;
}

SyncedMemory::~SyncedMemory() {
  if (owner_) --owner_->num_views_;
}

void SyncedMemory::AllocateHost() {
  if (host_ != nullptr) return;
  own_host_ = pool_ ? pool_->Allocate(size_, pool_end_) : HeapMemory(size_);
  host_ = own_host_.get();
}

void SyncedMemory::CheckKept() const {
  CHECK(state_ == kKept) << "these values (" << size_
                         << " bytes) were given back when no layer needed them any more: the net "
                         << "saves memory. To read them, keep this blob, or all, by "
                         << "set_release_memory, and run the net again";
}

void SyncedMemory::ToHost() {
  CheckKept();
  if (on_host()) return;
  const bool is_new = host_ == nullptr;
  AllocateHost();
  if ((holders_ & kBackend) != 0) {
    backend_->ToHost(host_, size_);
  } else if (is_new) {
    std::memset(host_, 0, size_);  // alone: a thread that prefetches shall wake no others
  } else {
    FillWithZeros(host_, size_);
  }
  holders_ |= kHost;
}

const void* SyncedMemory::cpu_data() {
  ToHost();
  return host_;
}

void* SyncedMemory::mutable_cpu_data() {
  if (state_ == kExpected) {
    AllocateHost();  // not zeroed: all of it will be written
    state_ = kKept;
  } else {
    ToHost();
  }
  holders_ = kHost;
  ++version_;
  return host_;
}

void* SyncedMemory::overwritten_cpu_data() {
  AllocateHost();
  holders_ = kHost;
  state_ = kKept;
  ++version_;
  return host_;
}

void SyncedMemory::set_cpu_data(void* data) {
  CHECK(data != nullptr) << "set_cpu_data takes memory of the caller, got null";
  own_host_.reset();
  version_ = version() + 1;  // what the owner counted must not be taken back
  if (owner_) --owner_->num_views_;
  owner_.reset();
  host_ = data;
  callers_host_ = true;
  holders_ = kHost;
  state_ = kKept;
}

void SyncedMemory::set_pool(const std::shared_ptr<MemoryPool>& pool, MemoryPool::End end) {
  pool_ = pool;
  pool_end_ = end;
}

std::shared_ptr<void> SyncedMemory::BackendStorage(size_t size) const {
  return pool_ ? pool_->Allocate(size, pool_end_) : nullptr;
}

void SyncedMemory::GiveBack() {
  if (pinned() || owner_ || num_views_ > 0) return;
  own_host_.reset();
  host_ = nullptr;
  backend_.reset();
  holders_ = 0;
  state_ = kGivenBack;
  ++version_;
}

void SyncedMemory::ExpectValues() {
  if (state_ == kGivenBack) state_ = kExpected;
}

/** What a pool lends is not kept for a copy that is out of date. */
void SyncedMemory::DropStaleHost() {
  if (!pool_ || on_host() || !own_host_ || num_views_ > 0) return;
  own_host_.reset();
  host_ = nullptr;
}

const BackendMemory* SyncedMemory::backend_data() const {
  return (holders_ & kBackend) != 0 ? backend_.get() : nullptr;
}

void SyncedMemory::set_backend_data(std::shared_ptr<BackendMemory> memory) {
  CHECK(memory != nullptr) << "set_backend_data takes a backend's memory, got null";
  backend_ = std::move(memory);
  holders_ = kBackend;
  state_ = kKept;
  ++version_;
  if (!pinned()) {
    DropStaleHost();
    return;
  }
  ToHost();
  holders_ = kHost;
}

void SyncedMemory::add_backend_data(std::shared_ptr<BackendMemory> memory) {
  CHECK(memory != nullptr) << "add_backend_data takes a backend's memory, got null";
  CHECK(holders_ != 0) << "add_backend_data on a memory that holds no values yet";
  backend_ = std::move(memory);
  if (!pinned()) holders_ |= kBackend;
}

void SyncedMemory::PinHost() {
  ToHost();
  holders_ = kHost;
  ++pins_;
}

void SyncedMemory::UnpinHost() {
  CHECK(pins_ > 0) << "UnpinHost of a memory that is not pinned";
  --pins_;
  ++version_;
}

void SyncedMemory::SetZero() {
  ++version_;
  holders_ = 0;
  state_ = kKept;
  if (pinned() || (owner_ && owner_->pinned())) ToHost();
}

SyncedMemory::SyncedHead SyncedMemory::head() const {
  switch (holders_) {
    case 0:
      return UNINITIALIZED;
    case kHost:
      return HEAD_AT_CPU;
    case kBackend:
      return HEAD_AT_BACKEND;
    case kDevice:
      return HEAD_AT_GPU;
    default:
      return SYNCED;
  }
}

#ifdef CPU_ONLY

const void* SyncedMemory::gpu_data() { NO_GPU; }

void* SyncedMemory::mutable_gpu_data() { NO_GPU; }

void SyncedMemory::set_gpu_data(void* /*data*/) { NO_GPU; }

#endif

}  // namespace caffe
