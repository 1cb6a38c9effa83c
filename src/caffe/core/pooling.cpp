#include "caffe/util/pooling.hpp"

#include <algorithm>

#include "caffe/util/logging.hpp"

namespace caffe {

namespace {

// Below this many elements read a team of threads costs more than it saves.
constexpr int64_t kParallelCount = 1 << 14;

/** One window: rows [top, bottom) and columns [left, right) of the plane, and Caffe's area. */
struct Window {
  int top, bottom, left, right, area;
};

Window WindowAt(const PoolWindows& w, int y, int x) {
  const int top = y * w.stride_h - w.pad_h, left = x * w.stride_w - w.pad_w;
  const int bottom = std::min(top + w.kernel_h, w.height + w.pad_h);
  const int right = std::min(left + w.kernel_w, w.width + w.pad_w);
  return {std::max(top, 0), std::min(bottom, w.height), std::max(left, 0), std::min(right, w.width),
          (bottom - top) * (right - left)};
}

/** Calls visit(plane, window, output index) for every window; planes run in parallel. */
template <typename Visit>
void ForEachWindow(const PoolWindows& w, int planes, const Visit& visit) {
  const int64_t work = planes * w.pooled_plane() * w.kernel_h * w.kernel_w;
#pragma omp parallel for if (work > kParallelCount)
  for (int plane = 0; plane < planes; ++plane) {
    int64_t output = plane * w.pooled_plane();
    for (int y = 0; y < w.pooled_height; ++y) {
      for (int x = 0; x < w.pooled_width; ++x) visit(plane, WindowAt(w, y, x), output++);
    }
  }
}

/** Calls visit(index in the plane) for the elements of a window, row by row. */
template <typename Visit>
void ForEachElement(const PoolWindows& w, const Window& window, const Visit& visit) {
  for (int h = window.top; h < window.bottom; ++h) {
    for (int i = h * w.width + window.left; i < h * w.width + window.right; ++i) visit(i);
  }
}

template <typename Dtype>
Dtype SumOfWindow(const PoolWindows& w, const Window& window, const Dtype* plane) {
  Dtype sum = 0;
  ForEachElement(w, window, [&](int i) { sum += plane[i]; });
  return sum;
}

/** Windows add to the elements that they share, so each plane starts at zero. */
template <typename Dtype>
void Clear(const PoolWindows& w, int planes, Dtype* values) {
  std::fill(values, values + planes * w.plane(), Dtype(0));
}

template <typename Dtype>
void CheckNotNegative(const PoolWindows& w, int planes, const Dtype* values) {
  for (int64_t i = 0; i < planes * w.plane(); ++i) {
    CHECK(values[i] >= 0) << "stochastic pooling takes its probabilities from values of at least 0"
                          << ", got " << values[i] << " at index " << i;
  }
}

}  // namespace

template <typename Dtype>
void PoolMax(const PoolWindows& windows, int planes, const Dtype* bottom, Dtype* top, int* index) {
  ForEachWindow(windows, planes, [&](int plane, const Window& window, int64_t output) {
    const Dtype* values = bottom + plane * windows.plane();
    int best = window.top * windows.width + window.left;
    Dtype largest = values[best];
    ForEachElement(windows, window, [&](int i) {
      const Dtype value = values[i];
      // Only a NaN differs from itself; nothing is above it afterwards.
      if (value > largest || (value != value && largest == largest)) {
        largest = value;
        best = i;
      }
    });
    top[output] = largest;
    index[output] = best;
  });
}

template <typename Dtype>
void PoolSample(const PoolWindows& windows, int planes, const Dtype* bottom, const Dtype* random,
                Dtype* top, int* index) {
  CheckNotNegative(windows, planes, bottom);
  ForEachWindow(windows, planes, [&](int plane, const Window& window, int64_t output) {
    const Dtype* values = bottom + plane * windows.plane();
    const Dtype threshold = random[output] * SumOfWindow(windows, window, values);
    int chosen = window.top * windows.width + window.left;
    Dtype running = 0;
    ForEachElement(windows, window, [&](int i) {
      // Zeros have no chance; the last candidate stays when rounding lets none exceed.
      if (values[i] > 0 && running <= threshold) {
        running += values[i];
        chosen = i;
      }
    });
    top[output] = values[chosen];
    index[output] = chosen;
  });
}

template <typename Dtype>
void PoolScatter(const PoolWindows& windows, int planes, const Dtype* top_diff, const int* index,
                 Dtype* bottom_diff) {
  Clear(windows, planes, bottom_diff);
  const int64_t pooled = windows.pooled_plane();
#pragma omp parallel for if (planes * (windows.plane() + pooled) > kParallelCount)
  for (int plane = 0; plane < planes; ++plane) {
    Dtype* diff = bottom_diff + plane * windows.plane();
    for (int64_t i = plane * pooled; i < (plane + 1) * pooled; ++i) diff[index[i]] += top_diff[i];
  }
}

template <typename Dtype>
void PoolAverage(const PoolWindows& windows, int planes, const Dtype* bottom, Dtype* top) {
  ForEachWindow(windows, planes, [&](int plane, const Window& window, int64_t output) {
    top[output] = SumOfWindow(windows, window, bottom + plane * windows.plane()) / window.area;
  });
}

template <typename Dtype>
void PoolAverageBackward(const PoolWindows& windows, int planes, const Dtype* top_diff,
                         Dtype* bottom_diff) {
  Clear(windows, planes, bottom_diff);
  ForEachWindow(windows, planes, [&](int plane, const Window& window, int64_t output) {
    Dtype* diff = bottom_diff + plane * windows.plane();
    const Dtype share = top_diff[output] / window.area;
    ForEachElement(windows, window, [&](int i) { diff[i] += share; });
  });
}

template <typename Dtype>
void PoolExpected(const PoolWindows& windows, int planes, const Dtype* bottom, Dtype* top) {
  CheckNotNegative(windows, planes, bottom);
  ForEachWindow(windows, planes, [&](int plane, const Window& window, int64_t output) {
    const Dtype* values = bottom + plane * windows.plane();
    const Dtype sum = SumOfWindow(windows, window, values);
    Dtype squares = 0;
    ForEachElement(windows, window, [&](int i) { squares += values[i] * values[i]; });
    top[output] = sum > 0 ? squares / sum : Dtype(0);
  });
}

template <typename Dtype>
void PoolExpectedBackward(const PoolWindows& windows, int planes, const Dtype* bottom,
                          const Dtype* top_diff, Dtype* bottom_diff) {
  Clear(windows, planes, bottom_diff);
  ForEachWindow(windows, planes, [&](int plane, const Window& window, int64_t output) {
    const Dtype* values = bottom + plane * windows.plane();
    Dtype* diff = bottom_diff + plane * windows.plane();
    const Dtype sum = SumOfWindow(windows, window, values);
    if (!(sum > 0)) return;
    Dtype squares = 0;
    ForEachElement(windows, window, [&](int i) { squares += values[i] * values[i]; });
    const Dtype scale = top_diff[output] / sum, expected = squares / sum;
    ForEachElement(windows, window, [&](int i) { diff[i] += (2 * values[i] - expected) * scale; });
  });
}

#define CAFFE_INSTANTIATE_POOLING(Dtype)                                                         \
  template void PoolMax<Dtype>(const PoolWindows&, int, const Dtype*, Dtype*, int*);             \
  template void PoolSample<Dtype>(const PoolWindows&, int, const Dtype*, const Dtype*, Dtype*,   \
                                  int*);                                                         \
  template void PoolScatter<Dtype>(const PoolWindows&, int, const Dtype*, const int*, Dtype*);   \
  template void PoolAverage<Dtype>(const PoolWindows&, int, const Dtype*, Dtype*);               \
  template void PoolAverageBackward<Dtype>(const PoolWindows&, int, const Dtype*, Dtype*);       \
  template void PoolExpected<Dtype>(const PoolWindows&, int, const Dtype*, Dtype*);              \
  template void PoolExpectedBackward<Dtype>(const PoolWindows&, int, const Dtype*, const Dtype*, \
                                            Dtype*)

CAFFE_INSTANTIATE_POOLING(float);
CAFFE_INSTANTIATE_POOLING(double);

}  // namespace caffe
