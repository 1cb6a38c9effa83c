#include "caffe/detection/matcher.hpp"

#include <algorithm>

#include "caffe/detection/multiversion.hpp"

namespace caffe {

namespace {

const double kLeastOverlap = 1e-6;  // Caffe-SSD's: less counts as no overlap

/** Clears overlaps that count as none; where one exceeds largest[i], nearest[i] becomes row. */
template <typename T>
inline void UpdateNearest(std::size_t n, int row, T* overlaps, T* largest, int* nearest) {
  for (std::size_t i = 0; i < n; ++i) {
    overlaps[i] = overlaps[i] > T(kLeastOverlap) ? overlaps[i] : T(0);
    const bool is_larger = overlaps[i] > largest[i];
    nearest[i] = is_larger ? row : nearest[i];
    largest[i] = is_larger ? overlaps[i] : largest[i];
  }
}

CAFFE_MULTIVERSION
void TakeLarger(std::size_t n, int row, float* overlaps, float* largest, int* nearest) {
  UpdateNearest(n, row, overlaps, largest, nearest);
}

void TakeLarger(std::size_t n, int row, double* overlaps, double* largest, int* nearest) {
  UpdateNearest(n, row, overlaps, largest, nearest);
}

/** The largest of n values; 0 if none is positive. */
CAFFE_MULTIVERSION
float Largest(std::size_t n, const float* values) {
  float largest = 0;
#pragma omp simd reduction(max : largest)
  for (std::size_t i = 0; i < n; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

double Largest(std::size_t n, const double* values) {
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

/** Where the first of the largest of n values is; -1 if none is positive. */
template <typename T>
int IndexOfLargest(std::size_t n, const T* values) {
  const std::size_t kBlock = 1024;  // the position is looked for in one block alone
  const T* best_block = nullptr;
  T largest = T(0);
  for (std::size_t first = 0; first < n; first += kBlock) {
    const T of_block = Largest(std::min(kBlock, n - first), values + first);
    if (of_block > largest) {
      largest = of_block;
      best_block = values + first;
    }
  }
  if (best_block == nullptr) return -1;
  return static_cast<int>(std::find(best_block, values + n, largest) - values);
}

}  // namespace

template <typename T>
void Matches<T>::Reset(std::size_t num_candidates) {
  ground_truth.assign(num_candidates, -1);
  overlap.assign(num_candidates, T(0));
  ignored.assign(num_candidates, 0);
}

template <typename T>
void Matcher<T>::Match(const BoxArray<T>& candidates, const std::vector<Box<T>>& ground_truth,
                       const std::vector<int>& considered, Matches<T>* matches) {
  num_candidates_ = candidates.size();
  matches->Reset(num_candidates_);
  if (options_.ignore_cross_boundary_box) {
    for (std::size_t i = 0; i < num_candidates_; ++i) {
      matches->ignored[i] = CrossesBoundary(candidates[i]) ? 1 : 0;
    }
  }
  ComputeOverlaps(candidates, ground_truth, considered, matches);
  MatchBipartite(considered, matches);
  if (options_.type == MATCH_PER_PREDICTION) MatchPerPrediction(considered, matches);
}

template <typename T>
void Matcher<T>::ComputeOverlaps(const BoxArray<T>& candidates,
                                 const std::vector<Box<T>>& ground_truth,
                                 const std::vector<int>& considered, Matches<T>* matches) {
  const std::size_t n = num_candidates_;
  overlaps_.resize(n * considered.size());
  nearest_.assign(n, -1);
  const char* ignored = matches->ignored.data();
  for (std::size_t row = 0; row < considered.size(); ++row) {
    T* overlaps = overlaps_.data() + row * n;
    JaccardOverlaps(candidates, ground_truth[considered[row]], overlaps);
    if (options_.ignore_cross_boundary_box) {
      for (std::size_t i = 0; i < n; ++i) overlaps[i] = ignored[i] == 0 ? overlaps[i] : T(0);
    }
    TakeLarger(n, static_cast<int>(row), overlaps, matches->overlap.data(), nearest_.data());
  }
}

template <typename T>
int Matcher<T>::BestFree(int row, const Matches<T>& matches) const {
  const T* overlaps = overlaps_.data() + row * num_candidates_;
  int best = -1;
  T largest = T(0);
  for (std::size_t i = 0; i < num_candidates_; ++i) {
    if (overlaps[i] > largest && matches.ground_truth[i] < 0) {
      largest = overlaps[i];
      best = static_cast<int>(i);
    }
  }
  return best;
}

template <typename T>
void Matcher<T>::MatchBipartite(const std::vector<int>& considered, Matches<T>* matches) const {
  const int num_rows = static_cast<int>(considered.size());
  std::vector<int> best(num_rows);
  std::vector<char> open(num_rows, 1);
  for (int row = 0; row < num_rows; ++row) {
    best[row] = IndexOfLargest(num_candidates_, overlaps_.data() + row * num_candidates_);
  }
  for (int round = 0; round < num_rows; ++round) {
    int chosen = -1;
    T largest = T(0);
    for (int row = 0; row < num_rows; ++row) {
      if (open[row] == 0 || best[row] < 0) continue;
      const T overlap = overlaps_[row * num_candidates_ + best[row]];
      const bool tie_goes_here = chosen >= 0 && overlap == largest && best[row] < best[chosen];
      if (overlap > largest || tie_goes_here) {
        chosen = row;
        largest = overlap;
      }
    }
    if (chosen < 0) return;
    const int candidate = best[chosen];
    matches->ground_truth[candidate] = considered[chosen];
    matches->overlap[candidate] = largest;
    open[chosen] = 0;
    for (int row = 0; row < num_rows; ++row) {
      if (open[row] != 0 && best[row] == candidate) best[row] = BestFree(row, *matches);
    }
  }
}

template <typename T>
void Matcher<T>::MatchPerPrediction(const std::vector<int>& considered, Matches<T>* matches) const {
  for (std::size_t i = 0; i < num_candidates_; ++i) {
    const bool is_free = matches->ground_truth[i] < 0 && nearest_[i] >= 0;
    if (is_free && matches->overlap[i] >= T(options_.overlap_threshold)) {
      matches->ground_truth[i] = considered[nearest_[i]];
    }
  }
}

template struct Matches<float>;
template struct Matches<double>;
template class Matcher<float>;
template class Matcher<double>;

}  // namespace caffe
