#include "caffe/util/memory_plan.hpp"

#include <climits>

namespace caffe {

MemoryPlan::MemoryPlan(const std::vector<std::vector<int>>& uses, const std::vector<bool>& keep)
    : last_step_(keep.size(), -1), last_used_at_(uses.size()) {
  for (std::size_t step = 0; step < uses.size(); ++step) {
    for (const int slot : uses[step]) last_step_[slot] = static_cast<int>(step);
  }
  for (std::size_t slot = 0; slot < keep.size(); ++slot) {
    if (keep[slot]) {
      last_step_[slot] = INT_MAX;
    } else if (last_step_[slot] >= 0) {
      last_used_at_[last_step_[slot]].push_back(static_cast<int>(slot));
    }
  }
}

}  // namespace caffe
