#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>

#include "caffe/util/memory_pool.hpp"

namespace caffe {

namespace {

constexpr size_t kMegabyte = 1 << 20;

char* Bytes(const std::shared_ptr<void>& memory) { return static_cast<char*>(memory.get()); }

}  // namespace

TEST(MemoryPoolTest, GivesAlignedMemoryAndCountsIt) {
  const auto pool = MemoryPool::Make();
  const auto memory = pool->Allocate(3 * kMegabyte + 1, MemoryPool::kLow);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % 64, 0U);
  std::memset(memory.get(), 7, 3 * kMegabyte + 1);
  EXPECT_GE(pool->used(), 3 * kMegabyte + 1);
  EXPECT_EQ(pool->extent(), pool->used());
}

TEST(MemoryPoolTest, WhatComesBackIsGivenAgain) {
  const auto pool = MemoryPool::Make();
  auto first = pool->Allocate(kMegabyte, MemoryPool::kLow);
  const void* address = first.get();
  first.reset();
  EXPECT_EQ(pool->used(), 0U);
  EXPECT_EQ(pool->Allocate(kMegabyte, MemoryPool::kLow).get(), address);
  EXPECT_EQ(pool->extent(), kMegabyte);
}

TEST(MemoryPoolTest, NeighboursThatCameBackAreOneGap) {
  const auto pool = MemoryPool::Make();
  std::vector<std::shared_ptr<void>> parts;
  for (int i = 0; i < 4; ++i) parts.push_back(pool->Allocate(kMegabyte, MemoryPool::kLow));
  for (const int i : {0, 2, 1}) parts[i].reset();  // the middle one joins both sides
  EXPECT_EQ(pool->used(), kMegabyte);
  const auto large = pool->Allocate(3 * kMegabyte, MemoryPool::kLow);
  EXPECT_EQ(Bytes(large) + 3 * kMegabyte, Bytes(parts[3]));
  EXPECT_EQ(pool->extent(), 4 * kMegabyte);
}

TEST(MemoryPoolTest, TheSmallestGapThatFitsServesAtEitherEnd) {
  const auto pool = MemoryPool::Make();
  std::vector<std::shared_ptr<void>> parts;
  for (int i = 0; i < 5; ++i) parts.push_back(pool->Allocate(2 * kMegabyte, MemoryPool::kLow));
  parts[1].reset();
  parts[3].reset();
  const auto high = pool->Allocate(kMegabyte, MemoryPool::kHigh);
  EXPECT_EQ(Bytes(high) + kMegabyte, Bytes(parts[4]));
  const auto low = pool->Allocate(kMegabyte, MemoryPool::kLow);
  EXPECT_EQ(Bytes(low), Bytes(parts[2]) + 2 * kMegabyte) << "the other gap is the larger one";
  const auto whole = pool->Allocate(2 * kMegabyte, MemoryPool::kLow);
  EXPECT_EQ(Bytes(whole), Bytes(parts[0]) + 2 * kMegabyte);
  EXPECT_EQ(pool->extent(), 10 * kMegabyte);
}

TEST(MemoryPoolTest, TheLastGapGrowsByWhatItLacks) {
  const auto pool = MemoryPool::Make();
  const auto first = pool->Allocate(kMegabyte, MemoryPool::kLow);
  pool->Allocate(2 * kMegabyte, MemoryPool::kLow).reset();
  const auto larger = pool->Allocate(3 * kMegabyte, MemoryPool::kHigh);
  EXPECT_EQ(Bytes(larger), Bytes(first) + kMegabyte);
  EXPECT_EQ(pool->extent(), 4 * kMegabyte);
}

TEST(MemoryPoolTest, TheHeapServesWhatIsSmallAndWhatDoesNotFit) {
  const auto pool = MemoryPool::Make(kMegabyte);
  const auto small = pool->Allocate(100, MemoryPool::kLow);
  const auto none = pool->Allocate(0, MemoryPool::kLow);
  const auto large = pool->Allocate(100 * kMegabyte, MemoryPool::kLow);
  EXPECT_NE(none, nullptr);
  std::memset(small.get(), 1, 100);
  Bytes(large)[100 * kMegabyte - 1] = 1;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.get()) % 64, 0U);
  EXPECT_EQ(pool->used(), 0U);
}

TEST(MemoryPoolTest, MemoryOutlivesTheHandleOfThePool) {
  auto pool = MemoryPool::Make();
  const auto memory = pool->Allocate(kMegabyte, MemoryPool::kLow);
  pool.reset();
  std::memset(memory.get(), 1, kMegabyte);
  EXPECT_EQ(Bytes(memory)[kMegabyte - 1], 1);
}

TEST(MemoryPoolTest, RandomWorkNeverOverlapsAndLeavesNoGapsBehind) {
  std::mt19937 random(5);
  const auto pool = MemoryPool::Make();
  std::map<char*, std::pair<std::shared_ptr<void>, size_t>> live;
  size_t in_use = 0;
  for (int i = 0; i < 3000; ++i) {
    if (random() % 2 == 0 && !live.empty()) {
      auto victim = std::next(live.begin(), random() % live.size());
      in_use -= victim->second.second;
      live.erase(victim);
    } else {
      const size_t size = (16 + random() % 300) * 4096;
      const auto memory =
          pool->Allocate(size, random() % 2 == 0 ? MemoryPool::kLow : MemoryPool::kHigh);
      const auto next = live.lower_bound(Bytes(memory));
      if (next != live.end()) {
        EXPECT_LE(Bytes(memory) + size, next->first);
      }
      if (next != live.begin()) {
        const auto before = std::prev(next);
        EXPECT_LE(before->first + before->second.second, Bytes(memory));
      }
      live[Bytes(memory)] = {memory, size};
      in_use += size;
    }
    ASSERT_EQ(pool->used(), in_use);
    ASSERT_LE(pool->used(), pool->extent());
  }
  const size_t extent = pool->extent();
  live.clear();
  const auto all = pool->Allocate(extent, MemoryPool::kLow);  // one gap again
  EXPECT_EQ(pool->extent(), extent);
}

TEST(ScratchLoanTest, WhatIsBorrowedGoesBackWithTheLoan) {
  const auto pool = MemoryPool::Make();
  EXPECT_EQ(ScratchLoan::Current(), nullptr);
  {
    ScratchLoan loan(pool);
    EXPECT_EQ(ScratchLoan::Current(), &loan);
    void* first = loan.Borrow(2 * kMegabyte);
    void* second = loan.Borrow(2 * kMegabyte);
    EXPECT_NE(first, second);
    std::memset(first, 1, 2 * kMegabyte);
    std::memset(second, 2, 2 * kMegabyte);
    EXPECT_EQ(static_cast<char*>(first)[2 * kMegabyte - 1], 1);
    EXPECT_EQ(pool->used(), 4 * kMegabyte);
  }
  EXPECT_EQ(pool->used(), 0U);
  EXPECT_EQ(ScratchLoan::Current(), nullptr);
}

TEST(ScratchLoanTest, AUseHasOneRoomThatGrows) {
  const auto pool = MemoryPool::Make();
  ScratchLoan loan(pool);
  void* room = loan.Borrow(3, 2 * kMegabyte);
  EXPECT_EQ(loan.Borrow(3, kMegabyte), room);
  EXPECT_NE(loan.Borrow(4, kMegabyte), room);
  loan.Borrow(3, 5 * kMegabyte);
  EXPECT_EQ(pool->used(), 6 * kMegabyte) << "the old room was kept";
}

TEST(ScratchLoanTest, TheInnermostOfAPoolLends) {
  const auto outer_pool = MemoryPool::Make(), inner_pool = MemoryPool::Make();
  ScratchLoan outer(outer_pool);
  {
    const ScratchLoan none(nullptr);
    EXPECT_EQ(ScratchLoan::Current(), &outer);
    ScratchLoan inner(inner_pool);
    EXPECT_EQ(ScratchLoan::Current(), &inner);
  }
  EXPECT_EQ(ScratchLoan::Current(), &outer);
}

}  // namespace caffe
