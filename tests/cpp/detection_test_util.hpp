#ifndef CAFFE_TESTS_DETECTION_TEST_UTIL_HPP_
#define CAFFE_TESTS_DETECTION_TEST_UTIL_HPP_

#include <random>

#include "caffe/detection/box.hpp"

namespace caffe {

/** @brief A box inside the image with sides of 0.1 to 0.6. */
template <typename T>
Box<T> RandomBox(std::mt19937* random) {
  std::uniform_real_distribution<T> side(T(0.1), T(0.6));
  const T width = side(*random);
  const T height = side(*random);
  const T x = std::uniform_real_distribution<T>(T(0), 1 - width)(*random);
  const T y = std::uniform_real_distribution<T>(T(0), 1 - height)(*random);
  return {x, y, x + width, y + height};
}

template <typename T>
BoxArray<T> RandomBoxes(int count, std::mt19937* random) {
  BoxArray<T> boxes;
  boxes.Resize(count);
  for (int i = 0; i < count; ++i) boxes.Set(i, RandomBox<T>(random));
  return boxes;
}

}  // namespace caffe

#endif  // CAFFE_TESTS_DETECTION_TEST_UTIL_HPP_
