#include "caffe/detection/detector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace caffe {

template <typename T>
void Detector<T>::CollectCandidates(const Predictions<T>& predictions, int image) {
  const int num_classes = options_.num_classes;
  const std::size_t first = static_cast<std::size_t>(image) * predictions.num_priors;
  const T threshold = static_cast<T>(options_.confidence_threshold);
  Task* tasks = TasksOf(image);
  for (int label = 0; label < num_classes; ++label) {
    tasks[label].priors.clear();
    tasks[label].scores.clear();
    tasks[label].num_broken = 0;
  }
  for (int prior = 0; prior < predictions.num_priors; ++prior) {
    const T* scores = predictions.conf + (first + prior) * num_classes;
    const bool is_object =
        predictions.anchor_conf == nullptr ||
        predictions.anchor_conf[(first + prior) * 2 + 1] >= T(options_.objectness_threshold);
    for (int label = 0; label < num_classes; ++label) {
      if (!std::isfinite(scores[label])) {
        ++tasks[label].num_broken;
      } else if (scores[label] > threshold && is_object && label != options_.background_label) {
        tasks[label].priors.push_back(prior);
        tasks[label].scores.push_back(scores[label]);
      }
    }
  }
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
  const double lowest = std::numeric_limits<T>::lowest();
  TopScores(task.scores.data(), static_cast<int>(task.scores.size()), lowest, options_.nms.top_k,
            &scratch->order);
  scratch->boxes.Resize(scratch->order.size());
  scratch->scores.clear();
  for (const int candidate : scratch->order) {
    const Box<T> box = Decode(predictions, image, task.priors[candidate], label);
    if (IsFinite(box)) {
      scratch->boxes.Set(scratch->scores.size(), box);
      scratch->scores.push_back(task.scores[candidate]);
    } else {
      ++task.num_broken;
    }
  }
  scratch->boxes.Resize(scratch->scores.size());
  SuppressNonMaxima(scratch->boxes, scratch->scores.data(), lowest, options_.nms, &scratch->kept);
  for (const int kept : scratch->kept) {
    task.found.push_back({image, label, scratch->scores[kept], scratch->boxes[kept]});
  }
}

/** Cuts what each class found down to its share of the image's keep_top_k highest scores. */
template <typename T>
void Detector<T>::KeepBest(int image) {
  Task* tasks = TasksOf(image);
  std::vector<Detection<T>> all;
  for (int label = 0; label < options_.num_classes; ++label) {
    all.insert(all.end(), tasks[label].found.begin(), tasks[label].found.end());
  }
  if (all.size() <= static_cast<std::size_t>(options_.keep_top_k)) return;
  std::stable_sort(all.begin(), all.end(),
                   [](const Detection<T>& a, const Detection<T>& b) { return a.score > b.score; });
  all.resize(options_.keep_top_k);
  for (int label = 0; label < options_.num_classes; ++label) tasks[label].found.clear();
  for (const Detection<T>& detection : all) tasks[detection.label].found.push_back(detection);
}

template <typename T>
const std::vector<Detection<T>>& Detector<T>::Detect(const Predictions<T>& predictions) {
  const int num_images = predictions.num_images;
  const int num_tasks = num_images * options_.num_classes;
  tasks_.resize(num_tasks);
#pragma omp parallel
  {
    Scratch scratch;
#pragma omp for schedule(dynamic)
    for (int image = 0; image < num_images; ++image) CollectCandidates(predictions, image);
#pragma omp for schedule(dynamic)
    for (int task = 0; task < num_tasks; ++task) {
      RunTask(predictions, task / options_.num_classes, task % options_.num_classes, &scratch);
    }
#pragma omp for schedule(dynamic)
    for (int image = 0; image < num_images; ++image) {
      if (options_.keep_top_k >= 0) KeepBest(image);
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
