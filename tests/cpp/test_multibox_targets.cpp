// What the MultiBox layers share beside their matches and losses, which their own tests look at.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "caffe/detection/multibox_targets.hpp"
#include "gtest/gtest.h"

namespace caffe {
namespace {

// Small and large gradients go by different ways to memory; nothing beside them is touched.
TEST(MultiBoxTargetsTest, ClearGradientClearsAllAndNothingElse) {
  const std::size_t kLarge = (std::size_t(16) << 20) / sizeof(float);
  for (const std::size_t count :
       {std::size_t(0), std::size_t(5), std::size_t(1) << 18, kLarge + 11}) {
    for (const long offset : {0L, 1L, 3L}) {  // of an address that is a multiple of 16, or not
      std::vector<float> values(count + 8, 1.0F);
      ClearGradient(count, values.data() + offset);
      const auto first = values.begin() + offset;
      const auto last = first + static_cast<long>(count);
      EXPECT_EQ(std::count(first, last, 0.0F), static_cast<long>(count));
      EXPECT_EQ(std::count(values.begin(), first, 1.0F), offset);
      EXPECT_EQ(std::count(last, values.end(), 1.0F), 8 - offset);
    }
  }
}

}  // namespace
}  // namespace caffe
