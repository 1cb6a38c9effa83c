#ifndef CAFFE_DETECTION_BOX_HPP_
#define CAFFE_DETECTION_BOX_HPP_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace caffe {

/**
 * @brief An axis-parallel box. Coordinates are fractions of the image's width
 * and height, so a box inside the image lies in [0, 1].
 */
template <typename T>
struct Box {
  T xmin, ymin, xmax, ymax;
};

template <typename T>
inline T Width(const Box<T>& box) {
  return box.xmax - box.xmin;
}

template <typename T>
inline T Height(const Box<T>& box) {
  return box.ymax - box.ymin;
}

/** @brief Whether none of the coordinates is NaN or infinite. */
template <typename T>
inline bool IsFinite(const Box<T>& box) {
  return std::isfinite(box.xmin) && std::isfinite(box.ymin) && std::isfinite(box.xmax) &&
         std::isfinite(box.ymax);
}

/** @brief Width times height; 0 for a box whose maximum lies below its minimum. */
template <typename T>
inline T Area(const Box<T>& box) {
  return box.xmax < box.xmin || box.ymax < box.ymin ? T(0) : Width(box) * Height(box);
}

/** @brief The common part of two boxes; its area is 0 if they do not overlap. */
template <typename T>
inline Box<T> Intersection(const Box<T>& a, const Box<T>& b) {
  const Box<T> box = {std::max(a.xmin, b.xmin), std::max(a.ymin, b.ymin), std::min(a.xmax, b.xmax),
                      std::min(a.ymax, b.ymax)};
  return box;
}

/** @brief |a ∩ b| / |a ∪ b|, in [0, 1]; 0 if either is empty (the Jaccard overlap, IoU). */
template <typename T>
inline T JaccardOverlap(const Box<T>& a, const Box<T>& b) {
  const T common = Area(Intersection(a, b));
  return common > T(0) ? common / (Area(a) + Area(b) - common) : T(0);
}

/** @brief |a ∩ b| / |a|: how much of a lies in b; 0 if a is empty. */
template <typename T>
inline T Coverage(const Box<T>& a, const Box<T>& b) {
  const T common = Area(Intersection(a, b));
  return common > T(0) ? common / Area(a) : T(0);
}

/** @brief The box with its coordinates clamped to the image. */
template <typename T>
inline Box<T> Clip(const Box<T>& box) {
  const Box<T> clipped = {
      std::max(std::min(box.xmin, T(1)), T(0)), std::max(std::min(box.ymin, T(1)), T(0)),
      std::max(std::min(box.xmax, T(1)), T(0)), std::max(std::min(box.ymax, T(1)), T(0))};
  return clipped;
}

/** @brief Whether a coordinate lies outside the image. */
template <typename T>
inline bool CrossesBoundary(const Box<T>& box) {
  return box.xmin < T(0) || box.xmin > T(1) || box.ymin < T(0) || box.ymin > T(1) ||
         box.xmax < T(0) || box.xmax > T(1) || box.ymax < T(0) || box.ymax > T(1);
}

/**
 * @brief Many boxes, one array a coordinate, so that loops over boxes vectorize.
 */
template <typename T>
struct BoxArray {
  std::vector<T> xmin, ymin, xmax, ymax;

  std::size_t size() const { return xmin.size(); }
  void Resize(std::size_t n) {
    xmin.resize(n);
    ymin.resize(n);
    xmax.resize(n);
    ymax.resize(n);
  }
  Box<T> operator[](std::size_t i) const {
    const Box<T> box = {xmin[i], ymin[i], xmax[i], ymax[i]};
    return box;
  }
  void Set(std::size_t i, const Box<T>& box) {
    xmin[i] = box.xmin;
    ymin[i] = box.ymin;
    xmax[i] = box.xmax;
    ymax[i] = box.ymax;
  }
};

/** @brief overlaps[i] = JaccardOverlap(boxes[i], box) for every i. */
template <typename T>
void JaccardOverlaps(const BoxArray<T>& boxes, const Box<T>& box, T* overlaps);

}  // namespace caffe

#endif  // CAFFE_DETECTION_BOX_HPP_
