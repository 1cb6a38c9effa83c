#ifndef CAFFE_UTIL_MEMORY_PLAN_HPP_
#define CAFFE_UTIL_MEMORY_PLAN_HPP_

#include <cstddef>
#include <vector>

namespace caffe {

/**
 * @brief When values are needed for the last time, in work that is a fixed sequence of steps.
 *
 * Values lie in slots (a blob's data, its gradients); several slots may show the same memory, and
 * which ones do may change from step to step.
 */
class MemoryPlan {
 public:
  /**
   * @param uses for each step the slots that it reads or writes
   * @param keep for each slot whether its values must outlive the work
   */
  MemoryPlan(const std::vector<std::vector<int>>& uses, const std::vector<bool>& keep);

  /** @brief The slots that no step after this one uses and that need not be kept. */
  const std::vector<int>& last_used_at(int step) const { return last_used_at_[step]; }

  /**
   * @brief Slots of last_used_at(step) whose memory no later step uses through any slot, one for
   * each memory.
   * @param memory_of for each slot which memory it shows now; equal values are the same memory
   */
  template <typename Memory>
  void FindFree(int step, const std::vector<Memory>& memory_of, std::vector<int>* slots) const {
    slots->clear();
    for (const int slot : last_used_at_[step]) {
      bool is_free = true;
      for (std::size_t other = 0; other < memory_of.size() && is_free; ++other) {
        if (memory_of[other] == memory_of[slot]) is_free = last_step_[other] <= step;
      }
      for (const int found : *slots) is_free = is_free && memory_of[found] != memory_of[slot];
      if (is_free) slots->push_back(slot);
    }
  }

 private:
  std::vector<int> last_step_;  // by slot; -1: never used, INT_MAX: kept
  std::vector<std::vector<int>> last_used_at_;
};

}  // namespace caffe

#endif  // CAFFE_UTIL_MEMORY_PLAN_HPP_
