#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "caffe/blob.hpp"
#include "caffe/syncedmem.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

namespace {

/** Holds ints negated and in reverse, so that a value read without conversion shows. */
class MirrorMemory : public BackendMemory {
 public:
  explicit MirrorMemory(const vector<int>& values) { Assign(values); }
  void Assign(const vector<int>& values) {
    stored_.assign(values.rbegin(), values.rend());
    for (int& value : stored_) value = -value;
  }
  void ToHost(void* host, size_t size) const override {
    CHECK_EQ(size, stored_.size() * sizeof(int)) << "a host copy of another size";
    vector<int> values(stored_.rbegin(), stored_.rend());
    for (int& value : values) value = -value;
    std::memcpy(host, values.data(), size);
    ++conversions_;
  }
  int conversions() const { return conversions_; }

 private:
  vector<int> stored_;
  mutable int conversions_ = 0;
};

const vector<int> kValues = {1, 2, 3, 4, 5};
const size_t kSize = 5 * sizeof(int);

vector<int> HostValues(SyncedMemory* memory) {
  const int* data = static_cast<const int*>(memory->cpu_data());
  return vector<int>(data, data + memory->size() / sizeof(int));
}

}  // namespace

TEST(SyncedMemoryTest, BeginsUninitializedAndZeroed) {
  SyncedMemory memory(kSize);
  EXPECT_EQ(memory.head(), SyncedMemory::UNINITIALIZED);
  EXPECT_EQ(memory.size(), kSize);
  EXPECT_FALSE(memory.on_host());
  EXPECT_EQ(memory.backend_data(), nullptr);
  EXPECT_EQ(HostValues(&memory), vector<int>(5, 0));
  EXPECT_EQ(memory.head(), SyncedMemory::HEAD_AT_CPU);
}

TEST(SyncedMemoryTest, KeepsItsHostMemoryWhichIsAligned) {
  SyncedMemory memory(kSize);
  void* data = memory.mutable_cpu_data();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0U);
  EXPECT_EQ(memory.cpu_data(), data);
  EXPECT_EQ(memory.mutable_cpu_data(), data);
  SyncedMemory empty;
  EXPECT_NE(empty.cpu_data(), nullptr);
}

TEST(SyncedMemoryTest, UsesTheCallersMemory) {
  vector<int> values = kValues;
  SyncedMemory memory(kSize);
  memory.mutable_cpu_data();
  memory.set_cpu_data(values.data());
  EXPECT_EQ(memory.cpu_data(), values.data());
  EXPECT_EQ(memory.head(), SyncedMemory::HEAD_AT_CPU);
  static_cast<int*>(memory.mutable_cpu_data())[1] = 7;
  EXPECT_EQ(values[1], 7);
  EXPECT_CAFFE_ERROR(memory.set_cpu_data(nullptr), "set_cpu_data takes memory of the caller");
}

TEST(SyncedMemoryTest, TheBackendsValuesAreConvertedOnce) {
  SyncedMemory memory(kSize);
  const auto backend = std::make_shared<MirrorMemory>(kValues);
  memory.set_backend_data(backend);
  EXPECT_EQ(memory.head(), SyncedMemory::HEAD_AT_BACKEND);
  EXPECT_FALSE(memory.on_host());
  EXPECT_EQ(HostValues(&memory), kValues);
  EXPECT_EQ(memory.head(), SyncedMemory::SYNCED);
  EXPECT_EQ(HostValues(&memory), kValues);
  EXPECT_EQ(backend->conversions(), 1);
  EXPECT_EQ(memory.backend_data(), backend.get());
}

TEST(SyncedMemoryTest, WritingOnTheHostMakesTheBackendStaleButKeepsItsBuffer) {
  SyncedMemory memory(kSize);
  const auto backend = std::make_shared<MirrorMemory>(kValues);
  memory.set_backend_data(backend);
  static_cast<int*>(memory.mutable_cpu_data())[0] = 9;
  EXPECT_EQ(memory.head(), SyncedMemory::HEAD_AT_CPU);
  EXPECT_EQ(memory.backend_data(), nullptr);
  EXPECT_EQ(memory.backend_buffer(), backend);
  EXPECT_EQ(HostValues(&memory), vector<int>({9, 2, 3, 4, 5}));
}

TEST(SyncedMemoryTest, ABackendsNewValuesReplaceTheHosts) {
  SyncedMemory memory(kSize);
  static_cast<int*>(memory.mutable_cpu_data())[0] = 9;
  const auto backend = std::make_shared<MirrorMemory>(kValues);
  memory.set_backend_data(backend);
  EXPECT_FALSE(memory.on_host());
  EXPECT_EQ(HostValues(&memory), kValues);
  // The buffer is used again for other values.
  backend->Assign({5, 6, 7, 8, 9});
  memory.set_backend_data(memory.backend_buffer());
  EXPECT_EQ(HostValues(&memory), vector<int>({5, 6, 7, 8, 9}));
}

TEST(SyncedMemoryTest, AConvertedCopyIsOneMoreHolder) {
  SyncedMemory memory(kSize);
  EXPECT_CAFFE_ERROR(memory.add_backend_data(std::make_shared<MirrorMemory>(kValues)),
                     "holds no values yet");
  std::copy(kValues.begin(), kValues.end(), static_cast<int*>(memory.mutable_cpu_data()));
  const auto backend = std::make_shared<MirrorMemory>(HostValues(&memory));
  memory.add_backend_data(backend);
  EXPECT_EQ(memory.head(), SyncedMemory::SYNCED);
  EXPECT_EQ(memory.backend_data(), backend.get());
  EXPECT_EQ(HostValues(&memory), kValues);
  EXPECT_EQ(backend->conversions(), 0);
  EXPECT_CAFFE_ERROR(memory.add_backend_data(nullptr), "got null");
  EXPECT_CAFFE_ERROR(memory.set_backend_data(nullptr), "got null");
}

TEST(SyncedMemoryTest, TheCallersMemoryReplacesTheBackends) {
  vector<int> values = {6, 6, 6, 6, 6};
  SyncedMemory memory(kSize);
  memory.set_backend_data(std::make_shared<MirrorMemory>(kValues));
  memory.set_cpu_data(values.data());
  EXPECT_EQ(memory.backend_data(), nullptr);
  EXPECT_EQ(HostValues(&memory), values);
}

TEST(SyncedMemoryTest, ABackendConvertsIntoTheCallersMemory) {
  vector<int> values(5);
  SyncedMemory memory(kSize);
  memory.set_cpu_data(values.data());
  memory.set_backend_data(std::make_shared<MirrorMemory>(kValues));
  EXPECT_EQ(memory.cpu_data(), values.data());
  EXPECT_EQ(values, kValues);
}

TEST(SyncedMemoryTest, BlobsReadThroughTheConversion) {
  // Ints of the mirror are the floats 1, 2, … seen as bits, so that the blob's values are known.
  const vector<float> floats = {1, 2, 3, 4, 5};
  vector<int> bits(5);
  std::memcpy(bits.data(), floats.data(), kSize);
  Blob<float> blob(vector<int>{5}), shared(vector<int>{5});
  shared.ShareData(blob);
  blob.data()->set_backend_data(std::make_shared<MirrorMemory>(bits));
  EXPECT_EQ(vector<float>(shared.cpu_data(), shared.cpu_data() + 5), floats);
  EXPECT_EQ(blob.asum_data(), 15);
  blob.data()->set_backend_data(blob.data()->backend_buffer());
  blob.scale_data(2);
  EXPECT_EQ(shared.cpu_data()[4], 10);
  EXPECT_EQ(blob.data()->backend_data(), nullptr);
}

TEST(SyncedMemoryTest, AViewIsAPartOfItsOwner) {
  const auto owner = std::make_shared<SyncedMemory>(kSize);
  std::copy(kValues.begin(), kValues.end(), static_cast<int*>(owner->mutable_cpu_data()));
  SyncedMemory view(owner, 2 * sizeof(int), 2 * sizeof(int));
  EXPECT_EQ(view.head(), SyncedMemory::HEAD_AT_CPU);
  EXPECT_EQ(HostValues(&view), vector<int>({3, 4}));
  static_cast<int*>(view.mutable_cpu_data())[1] = 40;
  EXPECT_EQ(HostValues(owner.get()), vector<int>({1, 2, 3, 40, 5}));
  view.set_backend_data(std::make_shared<MirrorMemory>(vector<int>{7, 8}));
  EXPECT_EQ(HostValues(&view), vector<int>({7, 8}));
  EXPECT_EQ(HostValues(owner.get()), vector<int>({1, 2, 7, 8, 5}));  // it converted into the owner
}

TEST(SyncedMemoryTest, AViewKeepsItsOwnerAlive) {
  auto owner = std::make_shared<SyncedMemory>(kSize);
  std::copy(kValues.begin(), kValues.end(), static_cast<int*>(owner->mutable_cpu_data()));
  SyncedMemory view(owner, sizeof(int), 4 * sizeof(int));
  owner.reset();
  EXPECT_EQ(HostValues(&view), vector<int>({2, 3, 4, 5}));
}

TEST(SyncedMemoryTest, AViewMustLieInsideItsOwner) {
  const auto owner = std::make_shared<SyncedMemory>(16);
  EXPECT_CAFFE_ERROR(SyncedMemory(owner, 12, 8), "a view of bytes 12 to 20 of a memory of 16");
  EXPECT_CAFFE_ERROR(SyncedMemory(owner, 20, 0), "of a memory of 16");
  EXPECT_CAFFE_ERROR(SyncedMemory(owner, 8, static_cast<size_t>(-4)), "of a memory of 16");
  SyncedMemory empty(owner, 16, 0);
  EXPECT_EQ(empty.size(), 0U);
}

TEST(SyncedMemoryTest, WhilePinnedTheHostAlwaysHoldsTheValues) {
  SyncedMemory memory(kSize);
  memory.set_backend_data(std::make_shared<MirrorMemory>(kValues));
  memory.PinHost();
  memory.PinHost();
  EXPECT_TRUE(memory.pinned());
  EXPECT_EQ(memory.backend_data(), nullptr);
  const int* host = static_cast<const int*>(memory.cpu_data());
  EXPECT_EQ(vector<int>(host, host + 5), kValues);
  // New values are converted at once, and the buffer can be used again.
  const auto backend = std::make_shared<MirrorMemory>(vector<int>{5, 6, 7, 8, 9});
  memory.set_backend_data(backend);
  EXPECT_EQ(vector<int>(host, host + 5), vector<int>({5, 6, 7, 8, 9}));
  EXPECT_EQ(memory.head(), SyncedMemory::HEAD_AT_CPU);
  EXPECT_EQ(memory.backend_buffer(), backend);
  // A copy that was converted may be stale at once.
  memory.add_backend_data(std::make_shared<MirrorMemory>(kValues));
  EXPECT_EQ(memory.backend_data(), nullptr);
  memory.UnpinHost();
  EXPECT_TRUE(memory.pinned());
  memory.UnpinHost();
  EXPECT_FALSE(memory.pinned());
  memory.set_backend_data(backend);
  EXPECT_EQ(memory.head(), SyncedMemory::HEAD_AT_BACKEND);
  EXPECT_CAFFE_ERROR(memory.UnpinHost(), "not pinned");
}

TEST(SyncedMemoryTest, TheCallersMemoryIsPinned) {
  vector<int> values = kValues;
  SyncedMemory memory(kSize);
  EXPECT_FALSE(memory.pinned());
  memory.set_cpu_data(values.data());
  EXPECT_TRUE(memory.pinned());
  memory.set_backend_data(std::make_shared<MirrorMemory>(vector<int>{5, 6, 7, 8, 9}));
  EXPECT_EQ(values, vector<int>({5, 6, 7, 8, 9}));
}

TEST(SyncedMemoryTest, ZerosAreWrittenWhenTheyAreAskedFor) {
  const auto owner = std::make_shared<SyncedMemory>(kSize);
  SyncedMemory view(owner, 0, kSize);
  auto* values = static_cast<int*>(view.mutable_cpu_data());
  std::copy(kValues.begin(), kValues.end(), values);
  view.SetZero();
  EXPECT_EQ(view.head(), SyncedMemory::UNINITIALIZED);
  EXPECT_EQ(values[0], kValues[0]) << "not yet";
  EXPECT_EQ(static_cast<const int*>(view.cpu_data())[0], 0);
  EXPECT_EQ(vector<int>(values, values + kValues.size()), vector<int>(kValues.size(), 0));

  view.set_backend_data(std::make_shared<MirrorMemory>(kValues));
  view.SetZero();
  EXPECT_EQ(view.backend_data(), nullptr);
  EXPECT_EQ(static_cast<const int*>(view.cpu_data())[0], 0);
}

TEST(SyncedMemoryTest, ZerosAreWrittenAtOnceWhereSomebodyKeepsThePointer) {
  const auto owner = std::make_shared<SyncedMemory>(kSize);
  SyncedMemory view(owner, 0, kSize);
  auto* values = static_cast<int*>(view.mutable_cpu_data());
  for (SyncedMemory* pinned : {&view, owner.get()}) {
    values[1] = 7;
    pinned->PinHost();
    view.SetZero();
    EXPECT_EQ(values[1], 0);
    pinned->UnpinHost();
  }
}

TEST(SyncedMemoryTest, ZerosTakeThePlaceOfWhatWasGivenBack) {
  SyncedMemory memory(kSize);
  memory.mutable_cpu_data();
  memory.GiveBack();
  memory.SetZero();
  EXPECT_FALSE(memory.given_back());
  EXPECT_EQ(static_cast<const int*>(memory.cpu_data())[0], 0);
}

TEST(SyncedMemoryTest, WhatIsOverwrittenIsNotFetched) {
  SyncedMemory memory(kSize);
  memory.set_backend_data(std::make_shared<MirrorMemory>(kValues));
  const uint64_t version = memory.version();
  auto* values = static_cast<int*>(memory.overwritten_cpu_data());
  EXPECT_GT(memory.version(), version);
  EXPECT_EQ(memory.head(), SyncedMemory::HEAD_AT_CPU);
  std::fill(values, values + kValues.size(), 3);
  EXPECT_EQ(static_cast<const int*>(memory.cpu_data())[0], 3);
  memory.SetZero();
  values[0] = 4;
  EXPECT_EQ(memory.overwritten_cpu_data(), values);
  EXPECT_EQ(values[0], 4) << "no zeros in between";
}

TEST(SyncedMemoryTest, ManyZerosAreWrittenByAllThreads) {
  const size_t count = (1 << 20) + 3;  // several chunks, the last one short
  SyncedMemory memory(count * sizeof(int));
  auto* values = static_cast<int*>(memory.mutable_cpu_data());
  std::fill(values, values + count, 7);
  memory.SetZero();
  memory.cpu_data();
  EXPECT_EQ(std::count(values, values + count, 0), static_cast<long>(count));
}

TEST(SyncedMemoryTest, TheVersionTellsOfEveryChange) {
  const auto owner = std::make_shared<SyncedMemory>(kSize);
  SyncedMemory view(owner, 0, kSize);
  uint64_t last = view.version();
  const auto changed = [&view, &last] {
    const uint64_t before = last;
    last = view.version();
    return last > before;
  };
  view.cpu_data();
  view.add_backend_data(std::make_shared<MirrorMemory>(kValues));
  EXPECT_FALSE(changed());
  view.mutable_cpu_data();
  EXPECT_TRUE(changed());
  view.set_backend_data(std::make_shared<MirrorMemory>(kValues));
  EXPECT_TRUE(changed());
  owner->cpu_data();
  EXPECT_FALSE(changed());
  owner->mutable_cpu_data();  // the view is a part of it
  EXPECT_TRUE(changed());
  view.SetZero();
  EXPECT_TRUE(changed());
  view.PinHost();
  EXPECT_FALSE(changed());
  view.UnpinHost();  // written to until now
  EXPECT_TRUE(changed());
  vector<int> values = kValues;
  view.set_cpu_data(values.data());
  EXPECT_TRUE(changed());
}

const char kGone[] = "given back";

TEST(SyncedMemoryTest, ValuesThatWereGivenBackCannotBeRead) {
  SyncedMemory memory(kSize);
  static_cast<int*>(memory.mutable_cpu_data())[0] = 1;
  memory.GiveBack();
  EXPECT_TRUE(memory.given_back());
  EXPECT_CAFFE_ERROR(memory.cpu_data(), kGone);
  EXPECT_CAFFE_ERROR(memory.mutable_cpu_data(), kGone);
  EXPECT_CAFFE_ERROR(memory.PinHost(), kGone);
  EXPECT_FALSE(memory.pinned());
  memory.ExpectValues();
  EXPECT_CAFFE_ERROR(memory.cpu_data(), kGone);  // nothing was written yet
  static_cast<int*>(memory.mutable_cpu_data())[4] = 9;
  EXPECT_FALSE(memory.given_back());
  EXPECT_EQ(HostValues(&memory)[4], 9);
}

TEST(SyncedMemoryTest, ABackendsCopyIsGivenBackToo) {
  SyncedMemory memory(kSize);
  const auto backend = std::make_shared<MirrorMemory>(kValues);
  memory.set_backend_data(backend);
  memory.GiveBack();
  EXPECT_EQ(backend.use_count(), 1);
  EXPECT_EQ(memory.backend_data(), nullptr);
  EXPECT_CAFFE_ERROR(memory.cpu_data(), kGone);
  memory.set_backend_data(backend);
  EXPECT_EQ(HostValues(&memory), kValues);
}

TEST(SyncedMemoryTest, MemoryThatOthersSeeIsNotGivenBack) {
  const auto owner = std::make_shared<SyncedMemory>(kSize);
  std::memcpy(owner->mutable_cpu_data(), kValues.data(), kSize);
  auto view = std::make_unique<SyncedMemory>(owner, 0, sizeof(int));
  view->GiveBack();
  owner->GiveBack();
  EXPECT_EQ(HostValues(view.get())[0], 1);
  EXPECT_EQ(HostValues(owner.get()), kValues);
  view.reset();
  owner->PinHost();
  owner->GiveBack();
  EXPECT_EQ(HostValues(owner.get()), kValues);
  owner->UnpinHost();
  owner->GiveBack();
  EXPECT_TRUE(owner->given_back());
  vector<int> values = kValues;
  owner->set_cpu_data(values.data());
  owner->GiveBack();
  EXPECT_EQ(owner->cpu_data(), values.data());
}

TEST(SyncedMemoryTest, NewMemoryOfAPoolIsZeroUnlessAllOfItWillBeWritten) {
  const size_t size = 1 << 20;
  const auto pool = MemoryPool::Make();
  std::memset(pool->Allocate(size, MemoryPool::kLow).get(), 1, size);
  SyncedMemory memory(size);
  memory.set_pool(pool, MemoryPool::kLow);
  EXPECT_EQ(HostValues(&memory), vector<int>(size / sizeof(int), 0));
  EXPECT_EQ(pool->used(), size);
  std::memset(memory.mutable_cpu_data(), 1, size);
  memory.GiveBack();
  EXPECT_EQ(pool->used(), 0U);
  memory.ExpectValues();
  EXPECT_EQ(*static_cast<int*>(memory.mutable_cpu_data()), 0x01010101) << "time spent on zeros";
}

TEST(SyncedMemoryTest, AHostCopyOutOfDateReturnsToThePool) {
  const auto pool = MemoryPool::Make();
  SyncedMemory memory(1 << 20);
  memory.set_pool(pool, MemoryPool::kHigh);
  memory.mutable_cpu_data();
  EXPECT_GT(pool->used(), 0U);
  memory.set_backend_data(std::make_shared<MirrorMemory>(vector<int>(1 << 18, 3)));
  EXPECT_EQ(pool->used(), 0U);
  EXPECT_EQ(HostValues(&memory), vector<int>(1 << 18, 3));
  EXPECT_EQ(memory.BackendStorage(1 << 20).use_count(), 1);
  EXPECT_EQ(SyncedMemory(kSize).BackendStorage(kSize), nullptr);
}

#ifdef CPU_ONLY
TEST(SyncedMemoryTest, WithoutCudaTheDeviceIsAnError) {
  SyncedMemory memory(kSize);
  EXPECT_CAFFE_ERROR(memory.gpu_data(), "this build has no CUDA");
  EXPECT_CAFFE_ERROR(memory.mutable_gpu_data(), "this build has no CUDA");
  EXPECT_CAFFE_ERROR(memory.set_gpu_data(&memory), "this build has no CUDA");
}
#endif

}  // namespace caffe
