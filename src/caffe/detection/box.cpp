#include "caffe/detection/box.hpp"

namespace caffe {

template <typename T>
void JaccardOverlaps(const BoxArray<T>& boxes, const Box<T>& box, T* overlaps) {
  const T area = Area(box);
  const T* xmin = boxes.xmin.data();
  const T* ymin = boxes.ymin.data();
  const T* xmax = boxes.xmax.data();
  const T* ymax = boxes.ymax.data();
  const std::size_t n = boxes.size();
  // No branch inside: an empty intersection has a clamped side, so an area of 0.
  for (std::size_t i = 0; i < n; ++i) {
    const T width = std::min(xmax[i], box.xmax) - std::max(xmin[i], box.xmin);
    const T height = std::min(ymax[i], box.ymax) - std::max(ymin[i], box.ymin);
    const T common = std::max(width, T(0)) * std::max(height, T(0));
    const T own = std::max(xmax[i] - xmin[i], T(0)) * std::max(ymax[i] - ymin[i], T(0));
    const T both = own + area - common;
    overlaps[i] = common > T(0) ? common / both : T(0);
  }
}

template void JaccardOverlaps(const BoxArray<float>&, const Box<float>&, float*);
template void JaccardOverlaps(const BoxArray<double>&, const Box<double>&, double*);

}  // namespace caffe
