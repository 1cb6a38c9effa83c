#include "caffe/detection/judge.hpp"

namespace caffe {

namespace {

/** The boxes of whole pixels as areas: their last column and row belong to them. */
template <typename T>
Box<T> PixelArea(const Box<T>& box) {
  const Box<T> area = {box.xmin, box.ymin, box.xmax + 1, box.ymax + 1};
  return area;
}

template <typename T>
T Overlap(const Box<T>& a, const Box<T>& b, bool in_pixels) {
  return in_pixels ? JaccardOverlap(PixelArea(a), PixelArea(b)) : JaccardOverlap(a, b);
}

}  // namespace

template <typename T>
void JudgeDetections(const std::vector<Box<T>>& detections,
                     const std::vector<JudgedObject<T>>& objects, const JudgeOptions& options,
                     std::vector<Verdict>* verdicts) {
  verdicts->assign(detections.size(), FALSE_POSITIVE);
  std::vector<char> is_found(objects.size(), 0);
  for (std::size_t i = 0; i < detections.size(); ++i) {
    int nearest = -1;
    T largest = T(-1);
    for (std::size_t k = 0; k < objects.size(); ++k) {
      const T overlap = Overlap(detections[i], objects[k].box, options.in_pixels);
      if (overlap > largest) {
        largest = overlap;
        nearest = static_cast<int>(k);
      }
    }
    if (nearest < 0 || largest < T(options.overlap_threshold)) continue;
    if (objects[nearest].is_difficult && !options.evaluate_difficult) {
      (*verdicts)[i] = NOT_COUNTED;
    } else if (is_found[nearest] == 0) {
      (*verdicts)[i] = TRUE_POSITIVE;
      is_found[nearest] = 1;
    }
  }
}

template void JudgeDetections(const std::vector<Box<float>>&,
                              const std::vector<JudgedObject<float>>&, const JudgeOptions&,
                              std::vector<Verdict>*);
template void JudgeDetections(const std::vector<Box<double>>&,
                              const std::vector<JudgedObject<double>>&, const JudgeOptions&,
                              std::vector<Verdict>*);

}  // namespace caffe
