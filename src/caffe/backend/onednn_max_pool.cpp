#include "caffe/backend/onednn_max_pool.hpp"

#include <algorithm>

#include "caffe/detection/multiversion.hpp"

namespace caffe {
namespace onednn {

namespace {

constexpr int kNotAbove = 128;

/** The windows along an axis that hold its element i: [begin, end). */
struct WindowsOf {
  int begin, end;
  WindowsOf(int i, int kernel, int stride, int pad, int pooled)
      : begin(i + pad < kernel ? 0 : (i + pad - kernel) / stride + 1),
        end(std::min((i + pad) / stride + 1, pooled)) {}
};

/** The part of a window inside the plane along an axis: [begin, end) of its kernel. */
struct Inside {
  int first, begin, end;  // `first` is where the whole window begins
  Inside(int window, int kernel, int stride, int pad, int length)
      : first(window * stride - pad),
        begin(std::max(0, -first)),
        end(std::min(kernel, length - first)) {}
};

/** One row of one plane of a pooling; `pixel` elements are from a position to the next. */
template <typename Element>
struct ForwardRow {
  const PoolWindows& windows;
  int y, pixel;
  const Element* bottom;  // the plane
  Element* top;           // the row
  uint8_t* chosen;
};

template <int kLanes, typename Element>
[[gnu::always_inline]] inline void FindLargest(const ForwardRow<Element>& row, const Inside& rows,
                                               const Inside& columns, int64_t to, int lane) {
  const PoolWindows& w = row.windows;
  float largest[kLanes];
  int place[kLanes];
  const int64_t begin = int64_t{rows.first + rows.begin} * w.width + columns.first + columns.begin;
  // The pragmas keep the compiler from unrolling these loops before it makes vectors of them.
#pragma omp simd
  for (int i = 0; i < kLanes; ++i) {
    largest[i] = row.bottom[begin * row.pixel + lane + i];
    place[i] = rows.begin * w.kernel_w + columns.begin;
  }
  for (int h = rows.begin; h < rows.end; ++h) {
    for (int v = columns.begin; v < columns.end; ++v) {
      const int64_t at = int64_t{rows.first + h} * w.width + columns.first + v;
      const Element* from = row.bottom + at * row.pixel + lane;
      const int here = h * w.kernel_w + v;
#pragma omp simd
      for (int i = 0; i < kLanes; ++i) {
        const float value = from[i];
        // Only a NaN differs from itself; nothing is above it afterwards.
        const bool wins = !(value <= largest[i]) && largest[i] == largest[i];
        largest[i] = wins ? value : largest[i];
        place[i] = wins ? here : place[i];
      }
    }
  }
  Element* top = row.top + to + lane;
  uint8_t* chosen = row.chosen + to + lane;
#pragma omp simd
  for (int i = 0; i < kLanes; ++i) {
    top[i] = largest[i];
    const int sign = largest[i] > 0 ? 0 : kNotAbove;
    chosen[i] = static_cast<uint8_t>(place[i] + sign);
  }
}

template <typename Element>
[[gnu::always_inline]] inline void PoolRowOf(const ForwardRow<Element>& row) {
  const PoolWindows& w = row.windows;
  const Inside rows(row.y, w.kernel_h, w.stride_h, w.pad_h, w.height);
  for (int x = 0; x < w.pooled_width; ++x) {
    const Inside columns(x, w.kernel_w, w.stride_w, w.pad_w, w.width);
    const int64_t to = int64_t{x} * row.pixel;
    int lane = 0;
    for (; lane + 16 <= row.pixel; lane += 16) FindLargest<16>(row, rows, columns, to, lane);
    for (; lane + 8 <= row.pixel; lane += 8) FindLargest<8>(row, rows, columns, to, lane);
    for (; lane < row.pixel; ++lane) FindLargest<1>(row, rows, columns, to, lane);
  }
}

CAFFE_MULTIVERSION
void PoolRow(const ForwardRow<float>& row) { PoolRowOf(row); }
CAFFE_MULTIVERSION
void PoolRow(const ForwardRow<BFloat16>& row) { PoolRowOf(row); }

/** One row of the bottom's gradient. */
template <typename Element>
struct BackwardRow {
  const PoolWindows& windows;
  int h, pixel;
  float slope;
  const Element* top_diff;  // the plane
  const uint8_t* chosen;
  Element* bottom_diff;  // the row
};

template <int kLanes, typename Element>
[[gnu::always_inline]] inline void AddGradients(const BackwardRow<Element>& row,
                                                const WindowsOf& rows, const WindowsOf& columns,
                                                int v, int lane) {
  const PoolWindows& w = row.windows;
  const float slope = row.slope;
  float sums[kLanes] = {};
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int x = columns.begin; x < columns.end; ++x) {
      const int place =
          (row.h - y * w.stride_h + w.pad_h) * w.kernel_w + v - x * w.stride_w + w.pad_w;
      const int64_t at = (int64_t{y} * w.pooled_width + x) * row.pixel + lane;
      const uint8_t* choices = row.chosen + at;
      const Element* top_diff = row.top_diff + at;
      // Numbers of one size in each loop: g++ makes no vectors of bytes beside floats.
      int chosen[kLanes];
      float gradient[kLanes];
#pragma omp simd
      for (int i = 0; i < kLanes; ++i) chosen[i] = choices[i];
#pragma omp simd
      for (int i = 0; i < kLanes; ++i) gradient[i] = top_diff[i];
#pragma omp simd
      for (int i = 0; i < kLanes; ++i) {
        const float passed = gradient[i] * (chosen[i] < kNotAbove ? 1.0F : slope);
        sums[i] += (chosen[i] & (kNotAbove - 1)) == place ? passed : 0.0F;
      }
    }
  }
  Element* to = row.bottom_diff + int64_t{v} * row.pixel + lane;
#pragma omp simd
  for (int i = 0; i < kLanes; ++i) to[i] = sums[i];
}

/** The elements of one row of the window x, which overlaps no other; `row_place` is its first. */
template <int kLanes, typename Element>
[[gnu::always_inline]] inline void SpreadGradient(const BackwardRow<Element>& row, int64_t from,
                                                  int x, int row_place, int lane) {
  const PoolWindows& w = row.windows;
  const uint8_t* choices = row.chosen + from + lane;
  const Element* top_diff = row.top_diff + from + lane;
  const float slope = row.slope;
  int place[kLanes];
  float passed[kLanes];
#pragma omp simd
  for (int i = 0; i < kLanes; ++i) place[i] = choices[i];
#pragma omp simd
  for (int i = 0; i < kLanes; ++i) passed[i] = top_diff[i];
#pragma omp simd
  for (int i = 0; i < kLanes; ++i) {
    passed[i] = passed[i] * (place[i] < kNotAbove ? 1.0F : slope);
    place[i] = (place[i] & (kNotAbove - 1)) - row_place;
  }
  const int first = x * w.stride_w - w.pad_w, end = std::min(w.kernel_w, w.width - first);
  for (int k = std::max(0, -first); k < end; ++k) {
    Element* to = row.bottom_diff + int64_t{first + k} * row.pixel + lane;
    float chosen[kLanes];
#pragma omp simd
    for (int i = 0; i < kLanes; ++i) chosen[i] = place[i] == k ? passed[i] : 0.0F;
#pragma omp simd
    for (int i = 0; i < kLanes; ++i) to[i] = chosen[i];
  }
}

/** UnpoolRow where each element is of one window at most. */
template <typename Element>
[[gnu::always_inline]] inline void UnpoolApart(const BackwardRow<Element>& row,
                                               const WindowsOf& rows) {
  const PoolWindows& w = row.windows;
  std::fill_n(row.bottom_diff, int64_t{w.width} * row.pixel, Element(0.0F));
  if (rows.begin >= rows.end) return;
  const int row_place = (row.h - rows.begin * w.stride_h + w.pad_h) * w.kernel_w;
  for (int x = 0; x < w.pooled_width; ++x) {
    const int64_t from = (int64_t{rows.begin} * w.pooled_width + x) * row.pixel;
    int lane = 0;
    for (; lane + 16 <= row.pixel; lane += 16) SpreadGradient<16>(row, from, x, row_place, lane);
    for (; lane + 8 <= row.pixel; lane += 8) SpreadGradient<8>(row, from, x, row_place, lane);
    for (; lane < row.pixel; ++lane) SpreadGradient<1>(row, from, x, row_place, lane);
  }
}

template <typename Element>
[[gnu::always_inline]] inline void UnpoolRowOf(const BackwardRow<Element>& row) {
  const PoolWindows& w = row.windows;
  const WindowsOf rows(row.h, w.kernel_h, w.stride_h, w.pad_h, w.pooled_height);
  if (w.kernel_h <= w.stride_h && w.kernel_w <= w.stride_w) {
    UnpoolApart(row, rows);
    return;
  }
  WindowsOf columns(0, w.kernel_w, w.stride_w, w.pad_w, w.pooled_width);
  for (int v = 0; v < w.width; ++v) {
    while (columns.end < w.pooled_width && columns.end * w.stride_w - w.pad_w <= v) ++columns.end;
    while (columns.begin < columns.end && columns.begin * w.stride_w - w.pad_w + w.kernel_w <= v) {
      ++columns.begin;
    }
    int lane = 0;
    for (; lane + 16 <= row.pixel; lane += 16) AddGradients<16>(row, rows, columns, v, lane);
    for (; lane + 8 <= row.pixel; lane += 8) AddGradients<8>(row, rows, columns, v, lane);
    for (; lane < row.pixel; ++lane) AddGradients<1>(row, rows, columns, v, lane);
  }
}

CAFFE_MULTIVERSION
void UnpoolRow(const BackwardRow<float>& row) { UnpoolRowOf(row); }
CAFFE_MULTIVERSION
void UnpoolRow(const BackwardRow<BFloat16>& row) { UnpoolRowOf(row); }

}  // namespace

bool MaxPoolKey::operator==(const MaxPoolKey& other) const {
  const PoolWindows &a = windows, &b = other.windows;
  return bottom == other.bottom && a.pooled_height == b.pooled_height &&
         a.pooled_width == b.pooled_width && a.kernel_h == b.kernel_h && a.kernel_w == b.kernel_w &&
         a.stride_h == b.stride_h && a.stride_w == b.stride_w && a.pad_h == b.pad_h &&
         a.pad_w == b.pad_w;
}

bool MaxPool::Fits(const MaxPoolKey& key) {
  const int64_t area = int64_t{key.windows.kernel_h} * key.windows.kernel_w;
  return area < kNotAbove && DimsOf(key.bottom).size() == 4 && BlocksOf(key.bottom).block >= 8;
}

MaxPool::MaxPool(const MaxPoolKey& key) : key_(key), blocks_(BlocksOf(key.bottom)) {
  const PoolWindows& w = key.windows;
  Dims dims = DimsOf(key.bottom);
  dims[2] = w.pooled_height;
  dims[3] = w.pooled_width;
  top_ = Layout(dims, TypeOf(key.bottom), TagOf(key.bottom));
  top_blocks_ = {blocks_.num, blocks_.channels, static_cast<int>(w.pooled_plane()), blocks_.block};
  chosen_.resize(NumStored(top_));
}

void MaxPool::Forward(const dnnl::memory& bottom, const dnnl::memory& top) {
  const PoolWindows& w = key_.windows;
  WithElements(top_, [&](auto element) {
    typedef decltype(element) Element;
    const auto* from = Stored<const Element>(bottom);
    auto* to = Stored<Element>(top);
    const int planes = blocks_.num * blocks_.blocks();
#pragma omp parallel for if (chosen_.size() >= kParallelElements)
    for (int i = 0; i < planes * w.pooled_height; ++i) {
      const int plane = i / w.pooled_height, y = i % w.pooled_height;
      const int64_t at =
          int64_t{plane} * top_blocks_.plane() + int64_t{y} * w.pooled_width * blocks_.block;
      PoolRow(ForwardRow<Element>{w, y, blocks_.block, from + int64_t{plane} * blocks_.plane(),
                                  to + at, &chosen_[at]});
    }
  });
}

void MaxPool::Backward(const dnnl::memory& top_diff, float slope,
                       const dnnl::memory& bottom_diff) const {
  const PoolWindows& w = key_.windows;
  WithElements(top_, [&](auto element) {
    typedef decltype(element) Element;
    const auto* from = Stored<const Element>(top_diff);
    auto* to = Stored<Element>(bottom_diff);
    const int planes = blocks_.num * blocks_.blocks();
#pragma omp parallel for if (chosen_.size() >= kParallelElements)
    for (int i = 0; i < planes * w.height; ++i) {
      const int plane = i / w.height, h = i % w.height;
      const int64_t at = int64_t{plane} * top_blocks_.plane();
      UnpoolRow(BackwardRow<Element>{
          w, h, blocks_.block, slope, from + at, &chosen_[at],
          to + int64_t{plane} * blocks_.plane() + int64_t{h} * w.width * blocks_.block});
    }
  });
}

}  // namespace onednn
}  // namespace caffe
