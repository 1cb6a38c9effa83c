#include "caffe/backend/onednn_channels.hpp"

#include <array>

#include "caffe/detection/multiversion.hpp"
#include "caffe/layers/relu_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

// A sum has so many lanes, each of one channel; 4 vectors of AVX-512.
constexpr int kLanes = 64;
// After so many rows of lanes the floats are added to the doubles.
constexpr int kRows = 32;

/** Sets run[i] to the number of the channel of element i of the run; to 0 where that is padding. */
void Spread(const ChannelBlocks& blocks, const ChannelRun& where, const float* numbers,
            float* run) {
  const int known =
      numbers == nullptr ? 0 : std::min(blocks.block, blocks.channels - where.channel);
  const int first = std::min(blocks.block, where.count);
  for (int i = 0; i < first; ++i) run[i] = i < known ? numbers[where.channel + i] : 0.0F;
  for (int done = first; done < where.count; done *= 2) {
    std::copy_n(run, std::min(done, where.count - done), run + done);
  }
}

/** f(run, scratch of `rows` × runs.length() floats) for all runs, shared among threads. */
template <typename Function>
void ForEachRun(const ChannelBlocks& blocks, int rows, const Function& f) {
  const Runs runs(blocks);
  const int64_t count = runs.size();
#pragma omp parallel if (count * runs.length() >= kParallelElements)
  {
    // As long as a thread lives: a step allocates nothing.
    thread_local vector<float> scratch;
    scratch.resize(std::max(scratch.size(), static_cast<size_t>(rows) * runs.length()));
    float* numbers = scratch.data();
#pragma omp for
    for (int64_t i = 0; i < count; ++i) f(runs[i], runs.length(), numbers);
  }
}

/** Lanes of a block of channels in an image: rows of them, which begin so far apart. */
struct LaneRows {
  int lanes, rows, stride, last;  // `last` lanes are in the last row
};

LaneRows RowsOf(const ChannelBlocks& blocks, int first_lane) {
  if (blocks.block > kLanes) {
    const int lanes = std::min(kLanes, blocks.block - first_lane);
    return {lanes, blocks.positions, blocks.block, lanes};
  }
  const int lanes = kLanes / blocks.block * blocks.block;
  const int rows = (blocks.plane() + lanes - 1) / lanes;
  return {lanes, rows, lanes, blocks.plane() - (rows - 1) * lanes};
}

typedef std::array<std::array<double, kLanes>, 2> LaneSums;

/**
 * What is summed of one block of channels: Σ x and, where there is a z, Σ x (z − center); or,
 * where z is x itself, Σ (x − center)².
 */
template <typename Element>
struct Sums {
  const Element *x, *z;
  const float* centers;  // one for each lane
};

/** Adds f(element, lane, &first, &second) of the elements from `offset` on to the sums. */
template <typename Function>
[[gnu::always_inline]] inline void AddRows(const LaneRows& rows, int64_t offset, const Function& f,
                                           LaneSums* sums) {
  for (int begin = 0; begin < rows.rows; begin += kRows) {
    const int end = std::min(begin + kRows, rows.rows);
    float first[kLanes] = {}, second[kLanes] = {};
    for (int row = begin; row < end; ++row) {
      const int64_t at = offset + int64_t{row} * rows.stride;
      const int lanes = row + 1 == rows.rows ? rows.last : rows.lanes;
      if (lanes == kLanes) {
        for (int i = 0; i < kLanes; ++i) f(at + i, i, &first[i], &second[i]);
      } else {
        for (int i = 0; i < lanes; ++i) f(at + i, i, &first[i], &second[i]);
      }
    }
    for (int i = 0; i < kLanes; ++i) {
      (*sums)[0][i] += first[i];
      (*sums)[1][i] += second[i];
    }
  }
}

template <typename Element>
[[gnu::always_inline]] inline void SumRowsOf(const LaneRows& rows, int64_t offset,
                                             const Sums<Element>& of, LaneSums* sums) {
  const Element *x = of.x, *z = of.z;
  const float* centers = of.centers;
  if (z == nullptr) {
    AddRows(rows, offset, [x](int64_t i, int, float* first, float*) { *first += x[i]; }, sums);
  } else if (z == x) {
    AddRows(
        rows, offset,
        [x, centers](int64_t i, int lane, float* first, float*) {
          const float deviation = x[i] - centers[lane];
          *first += deviation * deviation;
        },
        sums);
  } else {
    AddRows(
        rows, offset,
        [x, z, centers](int64_t i, int lane, float* first, float* second) {
          const float value = x[i];
          *first += value;
          *second += value * (z[i] - centers[lane]);
        },
        sums);
  }
}

CAFFE_MULTIVERSION
void SumRows(const LaneRows& rows, int64_t offset, const Sums<float>& of, LaneSums* sums) {
  SumRowsOf(rows, offset, of, sums);
}
CAFFE_MULTIVERSION
void SumRows(const LaneRows& rows, int64_t offset, const Sums<BFloat16>& of, LaneSums* sums) {
  SumRowsOf(rows, offset, of, sums);
}

template <typename Element>
void SumAll(const ChannelBlocks& blocks, const Element* x, const Element* z, const float* center,
            ChannelSums* sums) {
  sums->first.assign(blocks.channels, 0.0);
  sums->second.assign(blocks.channels, 0.0);
  const int strips = (blocks.block + kLanes - 1) / kLanes;  // of a block wider than the lanes
  const int64_t count = int64_t{blocks.num} * blocks.blocks() * blocks.plane();
#pragma omp parallel for if (count >= kParallelElements)
  for (int unit = 0; unit < blocks.blocks() * strips; ++unit) {
    const int b = unit / strips, first_lane = unit % strips * kLanes;
    const LaneRows rows = RowsOf(blocks, first_lane);
    const int channel = b * blocks.block + first_lane;
    float centers[kLanes] = {};
    const ChannelBlocks strip = {1, blocks.channels, 1, std::min(blocks.block, rows.lanes)};
    Spread(strip, {0, channel, rows.lanes}, center, centers);
    LaneSums lanes = {};
    for (int n = 0; n < blocks.num; ++n) {
      SumRows(rows, blocks.offset(n, b) + first_lane, Sums<Element>{x, z, centers}, &lanes);
    }
    for (int i = 0; i < rows.lanes; ++i) {
      const int c = channel + i % strip.block;
      if (c >= blocks.channels) continue;
      sums->first[c] += lanes[0][i];
      sums->second[c] += lanes[1][i];
    }
  }
}

/** Numbers for each element of a run. */
struct RunMap {
  const float *scale, *center, *shift, *factor;
  float slope;
};

template <typename Element>
[[gnu::always_inline]] inline void MapRunOf(const RunMap& map, int count, const Element* x,
                                            const Element* z, Element* y) {
  const float *scale = map.scale, *center = map.center, *shift = map.shift, *factor = map.factor;
  if (z == nullptr) {
    const float slope = map.slope;
    for (int i = 0; i < count; ++i) {
      y[i] = ReLU<float>(scale[i] * (x[i] - center[i]) + shift[i], slope);
    }
    return;
  }
  for (int i = 0; i < count; ++i) {
    y[i] = scale[i] * x[i] + factor[i] * (z[i] - center[i]) + shift[i];
  }
}

CAFFE_MULTIVERSION
void MapRun(const RunMap& map, int count, const float* x, const float* z, float* y) {
  MapRunOf(map, count, x, z, y);
}
CAFFE_MULTIVERSION
void MapRun(const RunMap& map, int count, const BFloat16* x, const BFloat16* z, BFloat16* y) {
  MapRunOf(map, count, x, z, y);
}

/** y = scale x + factor (z − center) + shift; without z ReLU(scale (x − center) + shift). */
template <typename Element>
void MapAll(const ChannelBlocks& blocks, const ChannelMap& map, const float* factor,
            const Element* x, const Element* z, Element* y) {
  ForEachRun(blocks, 4, [&](const ChannelRun& run, int length, float* room) {
    float *scale = room, *center = scale + length, *shift = center + length;
    float* factors = shift + length;
    Spread(blocks, run, map.scale, scale);
    Spread(blocks, run, map.center, center);
    Spread(blocks, run, map.shift, shift);
    if (z != nullptr) Spread(blocks, run, factor, factors);
    MapRun({scale, center, shift, factors, map.slope}, run.count, x + run.offset,
           z == nullptr ? nullptr : z + run.offset, y + run.offset);
  });
}

}  // namespace

dnnl::memory::format_tag TagOf(const Layout& layout) {
  using Tag = dnnl::memory::format_tag;
  const Dims dims = DimsOf(layout);
  if (dims.size() != 2 && dims.size() != 4) return Tag::undef;
  for (const Tag tag : {Tag::nChw16c, Tag::nChw8c, Tag::nChw4c, Tag::nhwc, Tag::nchw, Tag::nc}) {
    const size_t axes = tag == Tag::nc ? 2 : 4;
    if (dims.size() == axes && layout == Layout(dims, TypeOf(layout), tag)) return tag;
  }
  return Tag::undef;
}

ChannelBlocks BlocksOf(const Layout& layout) {
  using Tag = dnnl::memory::format_tag;
  const Tag tag = TagOf(layout);
  if (tag == Tag::undef) return {0, 0, 0, 0};
  const Dims dims = DimsOf(layout);
  const int channels = static_cast<int>(dims[1]);
  const int positions = tag == Tag::nc ? 1 : static_cast<int>(dims[2] * dims[3]);
  const int block = tag == Tag::nChw16c  ? 16
                    : tag == Tag::nChw8c ? 8
                    : tag == Tag::nChw4c ? 4
                    : tag == Tag::nchw   ? 1
                                         : channels;
  return {static_cast<int>(dims[0]), channels, positions, block};
}

void MapChannels(const Layout& layout, const ChannelMap& map, const dnnl::memory& x,
                 const dnnl::memory& y) {
  WithElements(layout, [&](auto element) {
    typedef decltype(element) Element;
    const Element* none = nullptr;
    MapAll(BlocksOf(layout), map, nullptr, Stored<const Element>(x), none, Stored<Element>(y));
  });
}

void MapChannels(const Layout& layout, const ChannelMap& map, const dnnl::memory& x,
                 const float* factor, const dnnl::memory& z, const dnnl::memory& y) {
  WithElements(layout, [&](auto element) {
    typedef decltype(element) Element;
    MapAll(BlocksOf(layout), map, factor, Stored<const Element>(x), Stored<const Element>(z),
           Stored<Element>(y));
  });
}

void SumChannels(const Layout& layout, const dnnl::memory& x, const dnnl::memory* z,
                 const float* center, ChannelSums* sums) {
  WithElements(layout, [&](auto element) {
    typedef const decltype(element) Element;
    SumAll(BlocksOf(layout), Stored<Element>(x), z == nullptr ? nullptr : Stored<Element>(*z),
           center, sums);
  });
}

void SumSquares(const Layout& layout, const dnnl::memory& x, const float* center,
                ChannelSums* sums) {
  WithElements(layout, [&](auto element) {
    const auto* values = Stored<const decltype(element)>(x);
    SumAll(BlocksOf(layout), values, values, center, sums);
  });
}

}  // namespace onednn
}  // namespace caffe
