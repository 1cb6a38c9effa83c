#ifndef CAFFE_DATA_UNIFORM_HPP_
#define CAFFE_DATA_UNIFORM_HPP_

#include <random>

namespace caffe {

/** @brief A number in [low, high), or low if that is empty: the same on every platform. */
inline float DrawUniform(float low, float high, std::mt19937* random) {
  const double part = static_cast<double>((*random)()) / 4294967296.0;
  const float value = static_cast<float>(low + (static_cast<double>(high) - low) * part);
  return value < high ? value : low;
}

/** @brief True with this probability: always for 1, never for 0. */
inline bool DrawChance(float probability, std::mt19937* random) {
  return DrawUniform(0, 1, random) < probability;
}

}  // namespace caffe

#endif  // CAFFE_DATA_UNIFORM_HPP_
