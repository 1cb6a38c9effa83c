#ifndef CAFFE_DETECTION_MATCHER_HPP_
#define CAFFE_DETECTION_MATCHER_HPP_

#include <vector>

#include "caffe/detection/box.hpp"

namespace caffe {

/** @brief The values are the schema's. */
enum MatchType { MATCH_BIPARTITE = 0, MATCH_PER_PREDICTION = 1 };

struct MatchOptions {
  MatchType type;
  double overlap_threshold;        ///< PER_PREDICTION: the least overlap of a match
  bool ignore_cross_boundary_box;  ///< candidates that leave the image take no part
};

/** @brief What a candidate (a prior, or a decoded prediction) was matched with. */
template <typename T>
struct Matches {
  std::vector<int> ground_truth;  ///< index of the ground truth, or -1 if unmatched
  std::vector<T> overlap;         ///< the largest overlap with any ground truth
  std::vector<char> ignored;      ///< 1: takes no part, neither as positive nor as negative

  void Reset(std::size_t num_candidates);
};

/**
 * @brief Assigns ground truth to candidates (SSD, Liu et al. 2016, section 2.2).
 *
 * First bipartite: the pair of largest overlap is matched, then the largest
 * among the rest, until each ground truth that overlaps any free candidate has
 * one. With PER_PREDICTION every candidate left then takes the ground truth
 * that it overlaps most, if by at least overlap_threshold. Overlaps up to 1e-6
 * count as none. Ties go to the lower candidate, then the lower ground truth,
 * as in Caffe-SSD.
 *
 * `considered` selects the ground truth (indices into ground_truth); the
 * result's indices are those of ground_truth.
 */
template <typename T>
class Matcher {
 public:
  explicit Matcher(const MatchOptions& options) : options_(options) {}
  void Match(const BoxArray<T>& candidates, const std::vector<Box<T>>& ground_truth,
             const std::vector<int>& considered, Matches<T>* matches);

 private:
  void ComputeOverlaps(const BoxArray<T>& candidates, const std::vector<Box<T>>& ground_truth,
                       const std::vector<int>& considered, Matches<T>* matches);
  int BestFree(int row, const Matches<T>& matches) const;
  void MatchBipartite(const std::vector<int>& considered, Matches<T>* matches) const;
  void MatchPerPrediction(const std::vector<int>& considered, Matches<T>* matches) const;

  MatchOptions options_;
  std::size_t num_candidates_ = 0;
  std::vector<T> overlaps_;   // one row of candidates for each considered ground truth
  std::vector<int> nearest_;  // for each candidate, the row that it overlaps most
};

}  // namespace caffe

#endif  // CAFFE_DETECTION_MATCHER_HPP_
