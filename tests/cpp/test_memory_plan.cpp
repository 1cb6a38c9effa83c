#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "caffe/util/memory_plan.hpp"

namespace caffe {

namespace {

typedef std::vector<std::vector<int>> Steps;

std::vector<int> FreeAfter(const MemoryPlan& plan, int step, const std::vector<int>& memory_of) {
  std::vector<int> slots;
  plan.FindFree(step, memory_of, &slots);
  return slots;
}

/** The memories that this step uses, that no kept slot shows and no later step uses, naively. */
std::set<int> NaivelyFree(const Steps& uses, const std::vector<bool>& keep, size_t step,
                          const std::vector<int>& memory_of) {
  std::set<int> found;
  for (const int slot : uses[step]) found.insert(memory_of[slot]);
  for (size_t slot = 0; slot < keep.size(); ++slot) {
    if (keep[slot]) found.erase(memory_of[slot]);
  }
  for (size_t later = step + 1; later < uses.size(); ++later) {
    for (const int slot : uses[later]) found.erase(memory_of[slot]);
  }
  return found;
}

}  // namespace

TEST(MemoryPlanTest, ASlotIsFreeAfterItsLastUse) {
  const MemoryPlan plan({{0, 1}, {1, 2}, {0, 2}}, {false, false, false});
  const std::vector<int> apart = {0, 1, 2};
  EXPECT_TRUE(FreeAfter(plan, 0, apart).empty());
  EXPECT_EQ(FreeAfter(plan, 1, apart), std::vector<int>{1});
  EXPECT_EQ(FreeAfter(plan, 2, apart), (std::vector<int>{0, 2}));
}

TEST(MemoryPlanTest, WhatIsKeptIsNeverFree) {
  const MemoryPlan plan({{0, 1}}, {true, false});
  EXPECT_EQ(FreeAfter(plan, 0, {0, 1}), std::vector<int>{1});
  EXPECT_TRUE(FreeAfter(plan, 0, {5, 5}).empty()) << "the kept slot shows the same memory";
}

TEST(MemoryPlanTest, SharedMemoryIsFreeOnceAfterTheLastOfItsSlots) {
  const MemoryPlan plan({{0}, {1, 2}}, {false, false, false});
  EXPECT_TRUE(FreeAfter(plan, 0, {7, 7, 7}).empty());
  EXPECT_EQ(FreeAfter(plan, 1, {7, 7, 7}).size(), 1U);
  EXPECT_EQ(FreeAfter(plan, 0, {7, 8, 8}), std::vector<int>{0});
}

TEST(MemoryPlanTest, AgreesWithTheNaiveAnswerOnRandomWork) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const int num_slots = 1 + static_cast<int>(random() % 9);
    Steps uses(1 + random() % 8);
    for (std::vector<int>& step : uses) {
      for (unsigned i = random() % 4; i > 0; --i) {
        step.push_back(static_cast<int>(random() % num_slots));
      }
    }
    std::vector<bool> keep;
    std::vector<int> memory_of;
    for (int slot = 0; slot < num_slots; ++slot) {
      keep.push_back(random() % 5 == 0);
      memory_of.push_back(static_cast<int>(random() % num_slots));
    }
    const MemoryPlan plan(uses, keep);
    for (size_t step = 0; step < uses.size(); ++step) {
      std::set<int> found;
      for (const int slot : FreeAfter(plan, static_cast<int>(step), memory_of)) {
        EXPECT_TRUE(found.insert(memory_of[slot]).second) << "a memory twice";
      }
      EXPECT_EQ(found, NaivelyFree(uses, keep, step, memory_of)) << "round " << round;
    }
  }
}

}  // namespace caffe
