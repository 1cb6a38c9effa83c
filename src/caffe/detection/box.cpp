#include "caffe/detection/box.hpp"

#include "caffe/detection/multiversion.hpp"

namespace caffe {

namespace {

template <typename T>
struct Columns {
  const T *xmin, *ymin, *xmax, *ymax;
};

template <typename T>
inline void Overlaps(std::size_t n, const Columns<T>& columns, const Box<T>& one, T* overlaps) {
  // Copies: what is written through `overlaps` cannot change them.
  const Columns<T> boxes = columns;
  const Box<T> box = one;
  const T area = Area(box);
  // No branch inside: an empty intersection has a clamped side, so an area of 0.
  for (std::size_t i = 0; i < n; ++i) {
    const T width = std::min(boxes.xmax[i], box.xmax) - std::max(boxes.xmin[i], box.xmin);
    const T height = std::min(boxes.ymax[i], box.ymax) - std::max(boxes.ymin[i], box.ymin);
    const T common = std::max(width, T(0)) * std::max(height, T(0));
    const T own = std::max(boxes.xmax[i] - boxes.xmin[i], T(0)) *
                  std::max(boxes.ymax[i] - boxes.ymin[i], T(0));
    const T both = own + area - common;
    overlaps[i] = common > T(0) ? common / both : T(0);
  }
}

CAFFE_MULTIVERSION
void OverlapsOf(std::size_t n, const Columns<float>& boxes, const Box<float>& box,
                float* overlaps) {
  Overlaps(n, boxes, box, overlaps);
}

void OverlapsOf(std::size_t n, const Columns<double>& boxes, const Box<double>& box,
                double* overlaps) {
  Overlaps(n, boxes, box, overlaps);
}

}  // namespace

template <typename T>
void JaccardOverlaps(const BoxArray<T>& boxes, const Box<T>& box, T* overlaps) {
  const Columns<T> columns = {boxes.xmin.data(), boxes.ymin.data(), boxes.xmax.data(),
                              boxes.ymax.data()};
  OverlapsOf(boxes.size(), columns, box, overlaps);
}

template void JaccardOverlaps(const BoxArray<float>&, const Box<float>&, float*);
template void JaccardOverlaps(const BoxArray<double>&, const Box<double>&, double*);

}  // namespace caffe
