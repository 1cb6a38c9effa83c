#ifndef CAFFE_DETECTION_EXPONENTIALS_HPP_
#define CAFFE_DETECTION_EXPONENTIALS_HPP_

#include <cstdint>
#include <cstring>

namespace caffe {

/** How many numbers Exponentials takes at once. */
const int kExponentials = 64;

/**
 * @brief x[i] ← e^x[i], x[i] ≤ 0, for a block, without a branch or a call.
 *
 * 2^k e^rest with |rest| ≤ ½ ln 2, e^rest by its Taylor series up to the sixth power (what is left
 * out is below 1.3e-7). Below -87, where e^x is no normal number any more, it is 0; a NaN stays
 * one. Small loops over arrays: each of them vectorizes, for the processor that the caller is
 * compiled for (see multiversion.hpp).
 */
inline __attribute__((always_inline)) void Exponentials(float* x) {
  const float kLeast = -87.0F;
  const float kRounder = 12582912.0F;  // 1.5 · 2^23: adding it leaves no bit for fractions
  float shifted[kExponentials], series[kExponentials];
  for (int i = 0; i < kExponentials; ++i) {
    const float exponent = x[i] < kLeast ? kLeast : x[i];
    shifted[i] = exponent * 1.44269504F + kRounder;
    const float k = shifted[i] - kRounder;
    // ln 2 in two parts, the first of few bits, so that the products are exact.
    const float rest = (exponent - k * 0.693359375F) + k * 2.12194440e-4F;
    float sum = rest * (1.0F / 720) + 1.0F / 120;
    sum = sum * rest + 1.0F / 24;
    sum = sum * rest + 1.0F / 6;
    sum = sum * rest + 0.5F;
    sum = sum * rest + 1.0F;
    series[i] = sum * rest + 1.0F;
  }
  uint32_t bits[kExponentials];
  float powers[kExponentials];
  std::memcpy(bits, shifted, sizeof bits);
  for (int i = 0; i < kExponentials; ++i) bits[i] = (bits[i] << 23) + (127U << 23);  // 2^k
  std::memcpy(powers, bits, sizeof powers);
  for (int i = 0; i < kExponentials; ++i) x[i] = x[i] < kLeast ? 0.0F : series[i] * powers[i];
}

}  // namespace caffe

#endif  // CAFFE_DETECTION_EXPONENTIALS_HPP_
