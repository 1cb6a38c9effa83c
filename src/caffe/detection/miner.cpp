#include "caffe/detection/miner.hpp"

#include <algorithm>

namespace caffe {

namespace {

template <typename T>
std::vector<int> Candidates(const MiningOptions& options, const Matches<T>& matches) {
  const std::size_t num_priors = matches.ground_truth.size();
  std::vector<int> candidates(num_priors);
  std::size_t count = 0;
  for (std::size_t i = 0; i < num_priors; ++i) {
    const bool is_far = matches.ground_truth[i] < 0 && matches.overlap[i] < T(options.neg_overlap);
    const bool is_candidate =
        matches.ignored[i] == 0 && (options.type == MINE_HARD_EXAMPLE || is_far);
    // Written in any case, and kept by counting: no branch to guess.
    candidates[count] = static_cast<int>(i);
    count += is_candidate ? 1 : 0;
  }
  candidates.resize(count);
  return candidates;
}

template <typename T>
int NumWanted(const MiningOptions& options, const Matches<T>& matches) {
  if (options.type == MINE_HARD_EXAMPLE) return options.sample_size;
  const std::vector<int>& found = matches.ground_truth;
  const int num_positives = static_cast<int>(
      std::count_if(found.begin(), found.end(), [](int index) { return index >= 0; }));
  return std::max(static_cast<int>(num_positives * options.neg_pos_ratio), options.min_negatives);
}

/** Keeps, in falling order of losses, what overlaps no kept box by more than the threshold. */
template <typename T>
void DropNearDuplicates(const MiningOptions& options, const std::vector<T>& losses,
                        const BoxArray<T>& boxes, std::vector<int>* candidates) {
  const double kLeastArea = 1e-5;  // Caffe-SSD drops smaller boxes here
  std::vector<int> order(*candidates);
  std::sort(order.begin(), order.end(), [&losses](int a, int b) {
    return losses[a] > losses[b] || (losses[a] == losses[b] && a < b);
  });
  if (options.nms_top_k >= 0 && static_cast<std::size_t>(options.nms_top_k) < order.size()) {
    order.resize(options.nms_top_k);
  }
  candidates->clear();
  for (const int i : order) {
    if (Area(boxes[i]) < T(kLeastArea)) continue;
    const bool is_new = std::all_of(candidates->begin(), candidates->end(), [&](int kept) {
      return JaccardOverlap(boxes[i], boxes[kept]) <= T(options.nms_threshold);
    });
    if (is_new) candidates->push_back(i);
  }
}

/**
 * Leaves the candidates of largest loss, in no order. Of the many that are too small each is
 * looked at once: two times as many as are wanted are gathered, and the better half sets the bar.
 */
template <typename T>
void KeepLargest(const std::vector<T>& losses, std::size_t num_wanted,
                 std::vector<int>* candidates) {
  const auto is_before = [&losses](int a, int b) {
    return losses[a] > losses[b] || (losses[a] == losses[b] && a < b);
  };
  if (num_wanted >= candidates->size()) return;
  std::vector<int> best;
  T bar = T(0);
  bool has_bar = false;
  const auto drop_worse = [&] {
    if (best.size() <= num_wanted) return;
    std::nth_element(best.begin(), best.begin() + num_wanted, best.end(), is_before);
    bar = losses[best[num_wanted]];
    has_bar = true;
    best.resize(num_wanted);
  };
  for (const int candidate : *candidates) {
    // An equal loss comes later in the order than those gathered, which have lower indices.
    if (has_bar && losses[candidate] <= bar) continue;
    best.push_back(candidate);
    if (best.size() >= 2 * num_wanted) drop_worse();
  }
  drop_worse();
  candidates->swap(best);
}

}  // namespace

template <typename T>
void MineExamples(const MiningOptions& options, const std::vector<T>& losses,
                  const BoxArray<T>& nms_boxes, Matches<T>* matches, std::vector<int>* negatives) {
  negatives->clear();
  if (options.type == MINE_NONE) return;
  std::vector<int> candidates = Candidates(options, *matches);
  const std::size_t num_wanted =
      static_cast<std::size_t>(std::max(NumWanted(options, *matches), 0));
  if (options.nms_threshold > 0) DropNearDuplicates(options, losses, nms_boxes, &candidates);
  KeepLargest(losses, num_wanted, &candidates);
  std::vector<char> is_taken(matches->ground_truth.size(), 0);
  for (const int candidate : candidates) is_taken[candidate] = 1;
  for (std::size_t i = 0; i < is_taken.size(); ++i) {
    if (matches->ground_truth[i] < 0) {
      if (is_taken[i] != 0) negatives->push_back(static_cast<int>(i));
    } else if (options.type == MINE_HARD_EXAMPLE && is_taken[i] == 0) {
      matches->ground_truth[i] = -1;
    }
  }
}

template void MineExamples(const MiningOptions&, const std::vector<float>&, const BoxArray<float>&,
                           Matches<float>*, std::vector<int>*);
template void MineExamples(const MiningOptions&, const std::vector<double>&,
                           const BoxArray<double>&, Matches<double>*, std::vector<int>*);

}  // namespace caffe
