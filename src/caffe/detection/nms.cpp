#include "caffe/detection/nms.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "caffe/detection/multiversion.hpp"

namespace caffe {

namespace {

constexpr int kNumBuckets = 512;

/**
 * Drops indices of which it is certain, by a histogram, that they are not among the top_k highest
 * scores: partitioning what is left is then little work.
 */
template <typename T>
void DropLow(const T* scores, std::size_t top_k, std::vector<int>* indices) {
  T low = scores[indices->front()], high = low;
  for (const int i : *indices) {
    low = std::min(low, scores[i]);
    high = std::max(high, scores[i]);
  }
  // Both operations are monotonic, rounding included, so a higher bucket holds higher scores.
  const T scale = T(kNumBuckets - 1) / (high - low);
  if (!std::isfinite(scale) || !(scale > T(0))) return;
  const auto bucket = [=](int i) { return static_cast<int>((scores[i] - low) * scale); };
  std::array<int, kNumBuckets + 1> sizes{};
  for (const int i : *indices) ++sizes[std::min(bucket(i), kNumBuckets)];
  int least = kNumBuckets;
  for (std::size_t above = sizes[least]; above < top_k; above += sizes[least]) --least;
  const auto is_low = [&](int i) { return std::min(bucket(i), kNumBuckets) < least; };
  indices->erase(std::remove_if(indices->begin(), indices->end(), is_low), indices->end());
}

}  // namespace

template <typename T>
void TopScores(const T* scores, int count, double score_threshold, int top_k,
               std::vector<int>* indices) {
  const T threshold = T(score_threshold);
  indices->resize(count);
  int found = 0;
  for (int i = 0; i < count; ++i) {
    (*indices)[found] = i;
    found += scores[i] > threshold ? 1 : 0;
  }
  indices->resize(found);
  const auto is_before = [scores](int a, int b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  };
  const auto is_longer = [indices](int size) {
    return size >= 0 && indices->size() > static_cast<std::size_t>(size);
  };
  if (top_k > 0 && is_longer(top_k)) DropLow(scores, static_cast<std::size_t>(top_k), indices);
  if (is_longer(top_k)) {
    std::nth_element(indices->begin(), indices->begin() + top_k, indices->end(), is_before);
    indices->resize(top_k);
  }
  std::sort(indices->begin(), indices->end(), is_before);
}

namespace {

/** Where boxes lie, one array a coordinate. */
template <typename T>
struct Coordinates {
  const T *xmin, *ymin, *xmax, *ymax;
};

/** suppressed[i] for boxes begin to end that overlap `one` by more than the threshold. */
template <typename T>
inline void Mark(const Coordinates<T>& coordinates, const Box<T>& one, T threshold,
                 std::size_t begin, std::size_t end, unsigned char* suppressed) {
  // Copies: what is written through `suppressed` cannot change them.
  const Coordinates<T> boxes = coordinates;
  const Box<T> box = one;
  const T area = Area(box);
  // JaccardOverlap's operations without a branch: an empty intersection has a clamped side.
  for (std::size_t i = begin; i < end; ++i) {
    const T width = std::min(boxes.xmax[i], box.xmax) - std::max(boxes.xmin[i], box.xmin);
    const T height = std::min(boxes.ymax[i], box.ymax) - std::max(boxes.ymin[i], box.ymin);
    const T common = std::max(width, T(0)) * std::max(height, T(0));
    const T own = std::max(boxes.xmax[i] - boxes.xmin[i], T(0)) *
                  std::max(boxes.ymax[i] - boxes.ymin[i], T(0));
    const T overlap = common > T(0) ? common / (own + area - common) : T(0);
    suppressed[i] = static_cast<unsigned char>(suppressed[i] | (overlap <= threshold ? 0 : 1));
  }
}

CAFFE_MULTIVERSION
void MarkOverlapping(const Coordinates<float>& boxes, const Box<float>& box, float threshold,
                     std::size_t begin, std::size_t end, unsigned char* suppressed) {
  Mark(boxes, box, threshold, begin, end, suppressed);
}

void MarkOverlapping(const Coordinates<double>& boxes, const Box<double>& box, double threshold,
                     std::size_t begin, std::size_t end, unsigned char* suppressed) {
  Mark(boxes, box, threshold, begin, end, suppressed);
}

/** With a threshold that shrinks, each box meets the kept ones by itself. */
template <typename T>
void SuppressAdaptively(const BoxArray<T>& boxes, const NmsOptions& options,
                        std::vector<int>* kept) {
  T threshold = T(options.overlap_threshold);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box<T> box = boxes[i];
    const bool keep = std::all_of(kept->begin(), kept->end(), [&](int other) {
      return JaccardOverlap(box, boxes[other]) <= threshold;
    });
    if (!keep) continue;
    kept->push_back(static_cast<int>(i));
    if (threshold > T(0.5)) threshold *= T(options.eta);
  }
}

}  // namespace

template <typename T>
void SuppressSorted(const BoxArray<T>& boxes, const NmsOptions& options, NmsScratch* scratch,
                    std::vector<int>* kept) {
  kept->clear();
  if (options.eta < 1) {
    SuppressAdaptively(boxes, options, kept);
    return;
  }
  const std::size_t size = boxes.size();
  const Coordinates<T> coordinates = {boxes.xmin.data(), boxes.ymin.data(), boxes.xmax.data(),
                                      boxes.ymax.data()};
  scratch->suppressed.assign(size, 0);
  for (std::size_t i = 0; i < size; ++i) {
    if (scratch->suppressed[i] != 0) continue;
    kept->push_back(static_cast<int>(i));
    MarkOverlapping(coordinates, boxes[i], T(options.overlap_threshold), i + 1, size,
                    scratch->suppressed.data());
  }
}

template <typename T>
void SuppressNonMaxima(const BoxArray<T>& boxes, const T* scores, double score_threshold,
                       const NmsOptions& options, std::vector<int>* kept) {
  std::vector<int> candidates;
  TopScores(scores, static_cast<int>(boxes.size()), score_threshold, options.top_k, &candidates);
  BoxArray<T> sorted;
  sorted.Resize(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) sorted.Set(i, boxes[candidates[i]]);
  NmsScratch scratch;
  SuppressSorted(sorted, options, &scratch, kept);
  for (int& index : *kept) index = candidates[index];
}

template void TopScores(const float*, int, double, int, std::vector<int>*);
template void TopScores(const double*, int, double, int, std::vector<int>*);
template void SuppressNonMaxima(const BoxArray<float>&, const float*, double, const NmsOptions&,
                                std::vector<int>*);
template void SuppressNonMaxima(const BoxArray<double>&, const double*, double, const NmsOptions&,
                                std::vector<int>*);
template void SuppressSorted(const BoxArray<float>&, const NmsOptions&, NmsScratch*,
                             std::vector<int>*);
template void SuppressSorted(const BoxArray<double>&, const NmsOptions&, NmsScratch*,
                             std::vector<int>*);

}  // namespace caffe
