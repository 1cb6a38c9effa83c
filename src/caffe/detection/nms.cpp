#include "caffe/detection/nms.hpp"

#include <algorithm>

namespace caffe {

template <typename T>
void TopScores(const T* scores, int count, double score_threshold, int top_k,
               std::vector<int>* indices) {
  indices->clear();
  for (int i = 0; i < count; ++i) {
    if (scores[i] > T(score_threshold)) indices->push_back(i);
  }
  const auto is_before = [scores](int a, int b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  };
  if (top_k >= 0 && static_cast<std::size_t>(top_k) < indices->size()) {
    std::nth_element(indices->begin(), indices->begin() + top_k, indices->end(), is_before);
    indices->resize(top_k);
  }
  std::sort(indices->begin(), indices->end(), is_before);
}

template <typename T>
void SuppressNonMaxima(const BoxArray<T>& boxes, const T* scores, double score_threshold,
                       const NmsOptions& options, std::vector<int>* kept) {
  std::vector<int> candidates;
  TopScores(scores, static_cast<int>(boxes.size()), score_threshold, options.top_k, &candidates);
  kept->clear();
  T threshold = T(options.overlap_threshold);
  std::vector<Box<T>> kept_boxes;
  for (const int candidate : candidates) {
    const Box<T> box = boxes[candidate];
    bool keep = true;
    for (std::size_t k = 0; k < kept_boxes.size() && keep; ++k) {
      keep = JaccardOverlap(box, kept_boxes[k]) <= threshold;
    }
    if (!keep) continue;
    kept->push_back(candidate);
    kept_boxes.push_back(box);
    if (options.eta < 1 && threshold > T(0.5)) threshold *= T(options.eta);
  }
}

template void TopScores(const float*, int, double, int, std::vector<int>*);
template void TopScores(const double*, int, double, int, std::vector<int>*);
template void SuppressNonMaxima(const BoxArray<float>&, const float*, double, const NmsOptions&,
                                std::vector<int>*);
template void SuppressNonMaxima(const BoxArray<double>&, const double*, double, const NmsOptions&,
                                std::vector<int>*);

}  // namespace caffe
