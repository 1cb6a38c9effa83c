#include "caffe/detection/detector.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace caffe {

/** Fills the priors and scores of a class's candidates. @return how many of its scores are broken.
 */
template <typename T>
std::size_t Detector<T>::CollectCandidates(const Predictions<T>& predictions, int image, int label,
                                           Scratch* scratch) const {
  const std::size_t stride = options_.num_classes;
  const std::size_t first = static_cast<std::size_t>(image) * predictions.num_priors;
  const T* scores = predictions.conf + first * stride + label;
  const T* objectness =
      predictions.anchor_conf == nullptr ? nullptr : predictions.anchor_conf + first * 2 + 1;
  const T threshold = static_cast<T>(options_.confidence_threshold);
  const T least_objectness = static_cast<T>(options_.objectness_threshold);
  const bool is_background = label == options_.background_label;
  scratch->priors.resize(predictions.num_priors);
  scratch->candidates.resize(predictions.num_priors);
  std::size_t found = 0, num_broken = 0;
  for (int prior = 0; prior < predictions.num_priors; ++prior) {
    const T score = scores[prior * stride];
    const bool is_finite = std::isfinite(score);
    const bool is_object = objectness == nullptr || objectness[prior * 2] >= least_objectness;
    // Without a branch, which nobody could foresee.
    scratch->priors[found] = prior;
    scratch->candidates[found] = score;
    found += static_cast<std::size_t>(is_finite & (score > threshold) & is_object);
    num_broken += static_cast<std::size_t>(!is_finite);
  }
  scratch->priors.resize(is_background ? 0 : found);
  scratch->candidates.resize(is_background ? 0 : found);
  return num_broken;
}

template <typename T>
Box<T> Detector<T>::Decode(const Predictions<T>& predictions, int image, int prior,
                           int label) const {
  const std::size_t row = static_cast<std::size_t>(image) * predictions.num_priors + prior;
  const T* variance = predictions.variance + static_cast<std::size_t>(prior) * 4;
  Box<T> anchor = (*predictions.priors)[prior];
  if (predictions.anchor_loc != nullptr) {
    anchor = options_.coder.Decode(anchor, variance, predictions.anchor_loc + row * 4);
  }
  const std::size_t code = row * options_.num_loc_classes() + (options_.share_location ? 0 : label);
  return options_.coder.Decode(anchor, variance, predictions.loc + code * 4);
}

template <typename T>
void Detector<T>::RunTask(const Predictions<T>& predictions, int image, int label,
                          Scratch* scratch) {
  Task& task = TasksOf(image)[label];
  task.found.clear();
  task.num_broken = CollectCandidates(predictions, image, label, scratch);
  const std::vector<T>& candidates = scratch->candidates;
  TopScores(candidates.data(), static_cast<int>(candidates.size()),
            std::numeric_limits<T>::lowest(), options_.nms.top_k, &scratch->order);
  scratch->boxes.Resize(scratch->order.size());
  scratch->scores.clear();
  for (const int candidate : scratch->order) {
    const Box<T> box = Decode(predictions, image, scratch->priors[candidate], label);
    if (IsFinite(box)) {
      scratch->boxes.Set(scratch->scores.size(), box);
      scratch->scores.push_back(candidates[candidate]);
    } else {
      ++task.num_broken;
    }
  }
  scratch->boxes.Resize(scratch->scores.size());
  SuppressSorted(scratch->boxes, options_.nms, &scratch->nms, &scratch->kept);
  for (const int kept : scratch->kept) {
    task.found.push_back({image, label, scratch->scores[kept], scratch->boxes[kept]});
  }
}

/** Cuts what each class found down to its share of the image's keep_top_k highest scores. */
template <typename T>
void Detector<T>::KeepBest(int image, Scratch* scratch) {
  Task* tasks = TasksOf(image);
  std::vector<T>& scores = scratch->scores;
  scores.clear();
  for (int label = 0; label < options_.num_classes; ++label) {
    for (const Detection<T>& detection : tasks[label].found) scores.push_back(detection.score);
  }
  const std::size_t keep = options_.keep_top_k;
  if (scores.size() <= keep) return;
  std::vector<int>& order = scratch->order;
  TopScores(scores.data(), static_cast<int>(scores.size()), std::numeric_limits<T>::lowest(),
            options_.keep_top_k, &order);
  std::sort(order.begin(), order.end());
  auto next = order.begin();
  int index = 0;
  for (int label = 0; label < options_.num_classes; ++label) {
    std::vector<Detection<T>>& found = tasks[label].found;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < found.size(); ++i, ++index) {
      if (next == order.end() || *next != index) continue;
      ++next;
      found[kept++] = found[i];
    }
    found.resize(kept);
  }
}

template <typename T>
const std::vector<Detection<T>>& Detector<T>::Detect(const Predictions<T>& predictions) {
  const int num_images = predictions.num_images;
  const int num_tasks = num_images * options_.num_classes;
  tasks_.resize(num_tasks);
  scratch_.resize(std::max<std::size_t>(scratch_.size(), omp_get_max_threads()));
#pragma omp parallel
  {
    Scratch& scratch = scratch_[omp_get_thread_num()];
#pragma omp for schedule(dynamic)
    for (int task = 0; task < num_tasks; ++task) {
      RunTask(predictions, task / options_.num_classes, task % options_.num_classes, &scratch);
    }
#pragma omp for schedule(dynamic)
    for (int image = 0; image < num_images; ++image) {
      if (options_.keep_top_k >= 0) KeepBest(image, &scratch);
    }
  }
  detections_.clear();
  num_broken_ = 0;
  for (const Task& task : tasks_) {
    num_broken_ += task.num_broken;
    detections_.insert(detections_.end(), task.found.begin(), task.found.end());
  }
  return detections_;
}

template class Detector<float>;
template class Detector<double>;

}  // namespace caffe
