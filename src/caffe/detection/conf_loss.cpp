#include "caffe/detection/conf_loss.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "caffe/detection/exponentials.hpp"
#include "caffe/detection/multiversion.hpp"

namespace caffe {

namespace {

template <typename T>
T LogSumExp(const T* scores, int num_classes) {
  T largest = scores[0];
  for (int c = 1; c < num_classes; ++c) largest = std::max(largest, scores[c]);
  T sum = T(0);
  for (int c = 0; c < num_classes; ++c) sum += std::exp(scores[c] - largest);
  return std::log(sum) + largest;
}

}  // namespace

template <typename T>
T ConfLoss(ConfLossType type, const T* scores, int num_classes, int label) {
  if (type == CONF_SOFTMAX) return LogSumExp(scores, num_classes) - scores[label];
  T loss = T(0);
  for (int c = 0; c < num_classes; ++c) {
    // ln(1 + e^s) − s·target, in a form that cannot overflow.
    const T score = scores[c];
    loss += std::max(score, T(0)) + std::log1p(std::exp(-std::fabs(score)));
    if (c == label) loss -= score;
  }
  return loss;
}

template <typename T>
void AddConfLossGradient(ConfLossType type, const T* scores, int num_classes, int label, T weight,
                         T* gradient) {
  if (type == CONF_SOFTMAX) {
    const T log_sum = LogSumExp(scores, num_classes);
    for (int c = 0; c < num_classes; ++c) gradient[c] += weight * std::exp(scores[c] - log_sum);
  } else {
    for (int c = 0; c < num_classes; ++c) gradient[c] += weight / (1 + std::exp(-scores[c]));
  }
  if (label >= 0) gradient[label] -= weight;
}

namespace {

const int kBlock = kExponentials;  // rows at a time: their scores stay in the nearest cache

/**
 * sums[r] = Σ_c e^(columns[c][r] − largest[r]) with largest[r] the largest of the
 * row, for kBlock rows that lie beside each other: class c of row r at c · kBlock + r.
 */
CAFFE_MULTIVERSION
void SumExponentials(const float* columns, int num_classes, float* largest, float* sums) {
  float most[kBlock], powers[kBlock], total[kBlock];
  std::memcpy(most, columns, sizeof most);
  for (int c = 1; c < num_classes; ++c) {
    const float* column = columns + c * kBlock;
    for (int r = 0; r < kBlock; ++r) most[r] = most[r] < column[r] ? column[r] : most[r];
  }
  for (int r = 0; r < kBlock; ++r) total[r] = 0.0F;
  for (int c = 0; c < num_classes; ++c) {
    const float* column = columns + c * kBlock;
    for (int r = 0; r < kBlock; ++r) powers[r] = column[r] - most[r];
    Exponentials(powers);
    for (int r = 0; r < kBlock; ++r) total[r] += powers[r];
  }
  std::memcpy(largest, most, sizeof most);
  std::memcpy(sums, total, sizeof total);
}

void SoftmaxLosses(const float* scores, int num_rows, int num_classes, int label, float* losses) {
  std::vector<float> columns(static_cast<std::size_t>(num_classes) * kBlock, 0.0F);
  float largest[kBlock], sums[kBlock];
  for (int first = 0; first < num_rows; first += kBlock) {
    const int num_here = std::min(kBlock, num_rows - first);
    const float* rows = scores + static_cast<std::size_t>(first) * num_classes;
    for (int r = 0; r < num_here; ++r) {
      for (int c = 0; c < num_classes; ++c) columns[c * kBlock + r] = rows[r * num_classes + c];
    }
    SumExponentials(columns.data(), num_classes, largest, sums);
    const float* target = columns.data() + static_cast<std::size_t>(label) * kBlock;
    for (int r = 0; r < num_here; ++r) {
      losses[first + r] = std::log(sums[r]) + largest[r] - target[r];
    }
  }
}

/** Row by row: the reference. */
template <typename T>
void SoftmaxLosses(const T* scores, int num_rows, int num_classes, int label, T* losses) {
  for (int i = 0; i < num_rows; ++i, scores += num_classes) {
    losses[i] = ConfLoss(CONF_SOFTMAX, scores, num_classes, label);
  }
}

}  // namespace

template <typename T>
void ConfLosses(ConfLossType type, const T* scores, int num_rows, int num_classes, int label,
                T* losses) {
  if (type == CONF_SOFTMAX) {
    SoftmaxLosses(scores, num_rows, num_classes, label, losses);
    return;
  }
  for (int i = 0; i < num_rows; ++i, scores += num_classes) {
    losses[i] = ConfLoss(type, scores, num_classes, label);
  }
}

#define CAFFE_INSTANTIATE_CONF_LOSS(T)                                        \
  template T ConfLoss(ConfLossType, const T*, int, int);                      \
  template void AddConfLossGradient(ConfLossType, const T*, int, int, T, T*); \
  template void ConfLosses(ConfLossType, const T*, int, int, int, T*)
CAFFE_INSTANTIATE_CONF_LOSS(float);
CAFFE_INSTANTIATE_CONF_LOSS(double);

}  // namespace caffe
