#include "caffe/syncedmem.hpp"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace caffe {

namespace {

constexpr size_t kAlignment = 64;  // a cache line, and an AVX-512 register

}  // namespace

SyncedMemory::SyncedMemory() = default;

SyncedMemory::SyncedMemory(size_t size) : size_(size) {}

SyncedMemory::SyncedMemory(const std::shared_ptr<SyncedMemory>& owner, size_t offset, size_t size)
    : size_(size), holders_(kHost), owner_(owner) {
  CHECK(offset <= owner->size() && size <= owner->size() - offset)
      << "a view of bytes " << offset << " to " << offset + size << " of a memory of "
      << owner->size();
  host_ = static_cast<char*>(owner->mutable_cpu_data()) + offset;
}

SyncedMemory::~SyncedMemory() {
  if (owns_host_) std::free(host_);
}

void SyncedMemory::AllocateHost() {
  if (host_ != nullptr) return;
  const size_t rounded = (size_ + kAlignment - 1) / kAlignment * kAlignment;
  host_ = std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded);
  CHECK(host_ != nullptr) << "out of memory: cannot allocate " << size_ << " bytes";
  owns_host_ = true;
}

void SyncedMemory::ToHost() {
  if (on_host()) return;
  AllocateHost();
  if ((holders_ & kBackend) != 0) {
    backend_->ToHost(host_, size_);
  } else {
    std::memset(host_, 0, size_);
  }
  holders_ |= kHost;
}

const void* SyncedMemory::cpu_data() {
  ToHost();
  return host_;
}

void* SyncedMemory::mutable_cpu_data() {
  ToHost();
  holders_ = kHost;
  ++version_;
  return host_;
}

void SyncedMemory::set_cpu_data(void* data) {
  CHECK(data != nullptr) << "set_cpu_data takes memory of the caller, got null";
  if (owns_host_) std::free(host_);
  version_ = version() + 1;  // what the owner counted must not be taken back
  owner_.reset();
  host_ = data;
  owns_host_ = false;
  callers_host_ = true;
  holders_ = kHost;
}

const BackendMemory* SyncedMemory::backend_data() const {
  return (holders_ & kBackend) != 0 ? backend_.get() : nullptr;
}

void SyncedMemory::set_backend_data(std::shared_ptr<BackendMemory> memory) {
  CHECK(memory != nullptr) << "set_backend_data takes a backend's memory, got null";
  backend_ = std::move(memory);
  holders_ = kBackend;
  ++version_;
  if (!pinned()) return;
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
