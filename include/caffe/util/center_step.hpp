#ifndef CAFFE_UTIL_CENTER_STEP_HPP_
#define CAFFE_UTIL_CENTER_STEP_HPP_

// C++11 on plain arrays: layers that are also installed into a Caffe tree use it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace caffe {

/** @brief A feature vector that counts: its row among the features, and the class of its center. */
struct CenterSample {
  int row;
  int label;
};

/**
 * @brief Features x (rows × dim), centers c (classes × dim), and which rows count for which center.
 *
 * Rows and labels of the samples must lie inside the arrays: who fills them in has checked that.
 */
template <typename Dtype>
struct CenterBatch {
  const Dtype* features;
  const Dtype* centers;
  int dim;
  const std::vector<CenterSample>* samples;

  const Dtype* Feature(const CenterSample& sample) const {
    return features + static_cast<size_t>(sample.row) * dim;
  }
  const Dtype* Center(const CenterSample& sample) const {
    return centers + static_cast<size_t>(sample.label) * dim;
  }
};

template <typename Dtype>
double SquaredDistance(int dim, const Dtype* a, const Dtype* b) {
  double squared = 0;
  for (int k = 0; k < dim; ++k) {
    const double difference = static_cast<double>(a[k]) - b[k];
    squared += difference * difference;
  }
  return squared;
}

/** @brief Sums over a batch's samples: Σ ‖x − c_y‖² and Σ ‖x − c_y‖. */
struct CenterDistances {
  double squared;
  double distance;
};

template <typename Dtype>
CenterDistances SumCenterDistances(const CenterBatch<Dtype>& batch) {
  CenterDistances sum = {0, 0};
  for (size_t i = 0; i < batch.samples->size(); ++i) {
    const CenterSample& sample = (*batch.samples)[i];
    const double squared = SquaredDistance(batch.dim, batch.Feature(sample), batch.Center(sample));
    sum.squared += squared;
    sum.distance += std::sqrt(squared);
  }
  return sum;
}

/** @brief Adds scale · (x − c_y) to the gradient's row of every sample; a row may be in several. */
template <typename Dtype>
void AddCenterGradient(const CenterBatch<Dtype>& batch, Dtype scale, Dtype* gradient) {
  for (size_t i = 0; i < batch.samples->size(); ++i) {
    const CenterSample& sample = (*batch.samples)[i];
    const Dtype* x = batch.Feature(sample);
    const Dtype* c = batch.Center(sample);
    Dtype* row = gradient + static_cast<size_t>(sample.row) * batch.dim;
    for (int k = 0; k < batch.dim; ++k) row[k] += scale * (x[k] - c[k]);
  }
}

/**
 * @brief What the step of the centers is made of, gathered over the batches of one iteration.
 *
 * Δc_j = sum_j / (1 + count_j), with sum_j = Σ (c_j − x_i) and count_j the
 * number of samples of class j (Wen et al., ECCV 2016, eq. 4). Batches, and
 * workers, are joined by adding their sums and counts, never their steps.
 */
template <typename Dtype>
struct CenterSums {
  int dim;
  std::vector<Dtype> sums;       ///< classes × dim
  std::vector<int> counts;       ///< classes
  std::vector<int> batch_count;  ///< classes, all 0 between calls: of the batch that is being added

  CenterSums() : dim(0) {}
  void Resize(int classes, int new_dim) {
    dim = new_dim;
    sums.assign(static_cast<size_t>(classes) * dim, Dtype(0));
    counts.assign(classes, 0);
    batch_count.assign(classes, 0);
  }
  void Clear() {
    std::fill(sums.begin(), sums.end(), Dtype(0));
    std::fill(counts.begin(), counts.end(), 0);
  }
  /** @brief target (classes × dim) += scale · Δ, in the row of class j; nothing for an unseen
   * class. */
  void AddStepOfClass(int j, Dtype scale, Dtype* target) const {
    if (counts[j] == 0) return;
    const Dtype weight = scale / (1 + counts[j]);
    const size_t row = static_cast<size_t>(j) * dim;
    for (int k = 0; k < dim; ++k) target[row + k] += weight * sums[row + k];
  }
};

/** @brief Adds a batch's sums and counts. O(samples · dim). */
template <typename Dtype>
void AddToCenterSums(const CenterBatch<Dtype>& batch, CenterSums<Dtype>* sums) {
  for (size_t i = 0; i < batch.samples->size(); ++i) {
    const CenterSample& sample = (*batch.samples)[i];
    const Dtype* x = batch.Feature(sample);
    const Dtype* c = batch.Center(sample);
    Dtype* row = sums->sums.data() + static_cast<size_t>(sample.label) * batch.dim;
    for (int k = 0; k < batch.dim; ++k) row[k] += c[k] - x[k];
    ++sums->counts[sample.label];
  }
}

/** @brief target (classes × dim) += scale · Δ for every class. O(classes · dim). */
template <typename Dtype>
void AddCenterStep(const CenterSums<Dtype>& sums, Dtype scale, Dtype* target) {
  for (size_t j = 0; j < sums.counts.size(); ++j) {
    sums.AddStepOfClass(static_cast<int>(j), scale, target);
  }
}

/**
 * @brief Adds a batch to the sums, and to `target` by how much that changes Δ.
 *
 * So after several batches `target` has grown by the Δ of their union.
 * O(samples · dim): only the classes of the batch are touched.
 */
template <typename Dtype>
void AddCenterStepOfBatch(const CenterBatch<Dtype>& batch, CenterSums<Dtype>* sums, Dtype* target) {
  const std::vector<CenterSample>& samples = *batch.samples;
  for (size_t i = 0; i < samples.size(); ++i) {
    const int j = samples[i].label;
    if (sums->batch_count[j]++ == 0) sums->AddStepOfClass(j, Dtype(-1), target);
  }
  AddToCenterSums(batch, sums);
  for (size_t i = 0; i < samples.size(); ++i) {
    const int j = samples[i].label;
    if (sums->batch_count[j] == 0) continue;
    sums->AddStepOfClass(j, Dtype(1), target);
    sums->batch_count[j] = 0;
  }
}

}  // namespace caffe

#endif  // CAFFE_UTIL_CENTER_STEP_HPP_
