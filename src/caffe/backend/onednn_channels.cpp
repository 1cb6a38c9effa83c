#include "caffe/backend/onednn_channels.hpp"

#include <array>

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
  for (int i = first; i < where.count; ++i) run[i] = run[i - first];
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

/** Adds f(element, lane, &first, &second) of the elements from `offset` on to the sums. */
template <typename Function>
void SumRows(const LaneRows& rows, int64_t offset, const Function& f, LaneSums* sums) {
  for (int begin = 0; begin < rows.rows; begin += kRows) {
    const int end = std::min(begin + kRows, rows.rows);
    float first[kLanes] = {}, second[kLanes] = {};
    for (int row = begin; row < end; ++row) {
      const int64_t at = offset + int64_t{row} * rows.stride;
      const int lanes = row + 1 == rows.rows ? rows.last : rows.lanes;
      for (int i = 0; i < lanes; ++i) f(at + i, i, &first[i], &second[i]);
    }
    for (int i = 0; i < kLanes; ++i) {
      (*sums)[0][i] += first[i];
      (*sums)[1][i] += second[i];
    }
  }
}

/** The sums of all channels; f as above, with center[lane] between `lane` and the sums. */
template <typename Function>
void SumAll(const ChannelBlocks& blocks, const float* center, const Function& f,
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
      SumRows(
          rows, blocks.offset(n, b) + first_lane,
          [&](int64_t i, int lane, float* x, float* y) { f(i, centers[lane], x, y); }, &lanes);
    }
    for (int i = 0; i < rows.lanes; ++i) {
      const int c = channel + i % strip.block;
      if (c >= blocks.channels) continue;
      sums->first[c] += lanes[0][i];
      sums->second[c] += lanes[1][i];
    }
  }
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
  const ChannelBlocks blocks = BlocksOf(layout);
  WithElements(layout, [&](auto element) {
    typedef decltype(element) Element;
    const Element* xs = Stored<Element>(x);
    Element* ys = Stored<Element>(y);
    ForEachRun(blocks, 3, [&](const ChannelRun& run, int length, float* scale) {
      float *center = scale + length, *shift = center + length;
      Spread(blocks, run, map.scale, scale);
      Spread(blocks, run, map.center, center);
      Spread(blocks, run, map.shift, shift);
      const Element* from = xs + run.offset;
      Element* to = ys + run.offset;
      const float slope = map.slope;
      for (int i = 0; i < run.count; ++i) {
        to[i] = ReLU(scale[i] * (from[i] - center[i]) + shift[i], slope);
      }
    });
  });
}

void MapChannels(const Layout& layout, const ChannelMap& map, const dnnl::memory& x,
                 const float* factor, const dnnl::memory& z, const dnnl::memory& y) {
  const ChannelBlocks blocks = BlocksOf(layout);
  WithElements(layout, [&](auto element) {
    typedef decltype(element) Element;
    const Element *xs = Stored<Element>(x), *zs = Stored<Element>(z);
    Element* ys = Stored<Element>(y);
    ForEachRun(blocks, 4, [&](const ChannelRun& run, int length, float* scale) {
      float *center = scale + length, *shift = center + length, *factors = shift + length;
      Spread(blocks, run, map.scale, scale);
      Spread(blocks, run, map.center, center);
      Spread(blocks, run, map.shift, shift);
      Spread(blocks, run, factor, factors);
      const Element *a = xs + run.offset, *b = zs + run.offset;
      Element* to = ys + run.offset;
      for (int i = 0; i < run.count; ++i) {
        to[i] = scale[i] * a[i] + factors[i] * (b[i] - center[i]) + shift[i];
      }
    });
  });
}

void SumChannels(const Layout& layout, const dnnl::memory& x, const dnnl::memory* z,
                 const float* center, ChannelSums* sums) {
  const ChannelBlocks blocks = BlocksOf(layout);
  WithElements(layout, [&](auto element) {
    typedef decltype(element) Element;
    const Element* xs = Stored<Element>(x);
    if (z == nullptr) {
      SumAll(
          blocks, nullptr, [xs](int64_t i, float, float* first, float*) { *first += xs[i]; }, sums);
      return;
    }
    const Element* zs = Stored<Element>(*z);
    SumAll(
        blocks, center,
        [xs, zs](int64_t i, float center, float* first, float* second) {
          const float value = xs[i];
          *first += value;
          *second += value * (zs[i] - center);
        },
        sums);
  });
}

void SumSquares(const Layout& layout, const dnnl::memory& x, const float* center,
                ChannelSums* sums) {
  const ChannelBlocks blocks = BlocksOf(layout);
  WithElements(layout, [&](auto element) {
    typedef decltype(element) Element;
    const Element* xs = Stored<Element>(x);
    SumAll(
        blocks, center,
        [xs](int64_t i, float center, float* first, float*) {
          const float deviation = xs[i] - center;
          *first += deviation * deviation;
        },
        sums);
  });
}

}  // namespace onednn
}  // namespace caffe
