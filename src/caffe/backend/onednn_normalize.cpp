// Loops over a tile: over lanes of a constant number, or over positions that lie together, so that
// each of them vectorizes.
#include "caffe/backend/onednn_normalize.hpp"

#include <algorithm>
#include <numeric>

#include "caffe/detection/multiversion.hpp"

namespace caffe {
namespace onednn {

NormTiles::NormTiles(const ChannelBlocks& blocks)
    : blocks_(blocks), per_image_((blocks.positions + kPositions - 1) / kPositions) {}

NormTile NormTiles::operator[](int t) const {
  const int first = t % per_image_ * kPositions;
  NormTile tile = {};
  tile.positions = std::min(kPositions, blocks_.positions - first);
  // All channels of a position (nhwc) are taken as blocks too.
  const int block = blocks_.block;
  tile.lanes = block % 16 == 0 ? 16 : block % 8 == 0 ? 8 : 1;
  tile.blocks = blocks_.blocks() * (block / tile.lanes);
  tile.position_step = block;
  tile.block_step = blocks_.blocks() == 1 ? tile.lanes : blocks_.plane();
  return tile;
}

int64_t NormTiles::offset(int t) const {
  return blocks_.offset(image(t), 0) + int64_t{t % per_image_} * kPositions * blocks_.block;
}

namespace {

constexpr int kMostPositions = 64;

/** f(element, channel, position, lane) for all of a block; lanes side by side. */
template <int kLanes, typename Function>
[[gnu::always_inline]] inline void ForBlock(const NormTile& tile, int b, const Function& f) {
  const int64_t begin = b * tile.block_step;
  for (int p = 0; p < tile.positions; ++p) {
    const int64_t at = begin + p * tile.position_step;
#pragma omp simd
    for (int k = 0; k < kLanes; ++k) f(at + k, b * kLanes + k, p, k);
  }
}

/** The same for channels of one lane, whose positions lie side by side as a rule. */
template <typename Function>
[[gnu::always_inline]] inline void ForChannel(const NormTile& tile, int b, const Function& f) {
  const int64_t begin = b * tile.block_step;
  if (tile.position_step == 1) {
#pragma omp simd
    for (int p = 0; p < tile.positions; ++p) f(begin + p, b, p, 0);
  } else {
    for (int p = 0; p < tile.positions; ++p) f(begin + p * tile.position_step, b, p, 0);
  }
}

template <typename Function>
[[gnu::always_inline]] inline void ForAll(const NormTile& tile, const Function& f) {
  for (int b = 0; b < tile.blocks; ++b) {
    if (tile.lanes == 16) {
      ForBlock<16>(tile, b, f);
    } else if (tile.lanes == 8) {
      ForBlock<8>(tile, b, f);
    } else {
      ForChannel(tile, b, f);
    }
  }
}

/** sums[p] = Σ f over the channels: float sums of each lane, and those in double. */
template <typename Function>
[[gnu::always_inline]] inline void SumLanes(const NormTile& tile, double* sums, const Function& f) {
  float lanes[kMostPositions * 16];
  std::fill_n(lanes, tile.positions * tile.lanes, 0.0F);
  const int num_lanes = tile.lanes;
  ForAll(tile, [=, lanes = &lanes[0]](int64_t at, int channel, int p, int k) {
    lanes[p * num_lanes + k] += f(at, channel, p);
  });
  for (int p = 0; p < tile.positions; ++p) {
    const float* own = lanes + p * num_lanes;
    sums[p] = std::accumulate(own, own + num_lanes, 0.0);
  }
}

/** sums[channel] = Σ f over the positions. */
template <typename Function>
[[gnu::always_inline]] inline void SumPositions(const NormTile& tile, float* sums,
                                                const Function& f) {
  std::fill_n(sums, tile.blocks * tile.lanes, 0.0F);
  if (tile.lanes > 1) {
    ForAll(tile, [=](int64_t at, int channel, int p, int) { sums[channel] += f(at, channel, p); });
    return;
  }
  for (int b = 0; b < tile.blocks; ++b) {
    float products[kMostPositions];
    ForChannel(tile, b, [=, products = &products[0]](int64_t at, int channel, int p, int) {
      products[p] = f(at, channel, p);
    });
    float lanes[16] = {};
    int p = 0;
    for (; p + 16 <= tile.positions; p += 16) {
      for (int k = 0; k < 16; ++k) lanes[k] += products[p + k];
    }
    for (; p < tile.positions; ++p) lanes[0] += products[p];
    sums[b] = std::accumulate(lanes, lanes + 16, 0.0F);
  }
}

template <typename Element>
[[gnu::always_inline]] inline void Squares(const NormTile& tile, const Element* x, double* sums) {
  SumLanes(tile, sums, [=](int64_t at, int, int) {
    const float value = x[at];
    return value * value;
  });
}

template <typename Element>
[[gnu::always_inline]] inline void Scale(const NormTile& tile, const Element* x, const float* scale,
                                         const float* factor, Element* y) {
  ForAll(tile,
         [=](int64_t at, int channel, int p, int) { y[at] = scale[channel] * x[at] * factor[p]; });
}

template <typename Element>
[[gnu::always_inline]] inline void Products(const NormTile& tile, const NormGradient<Element>& g,
                                            double* sums, float* of_scale) {
  const Element *x = g.x, *dy = g.dy;
  const float *scale = g.scale, *inverse = g.inverse;
  SumLanes(tile, sums,
           [=](int64_t at, int channel, int) { return scale[channel] * dy[at] * x[at]; });
  SumPositions(tile, of_scale, [=](int64_t at, int, int p) { return x[at] * dy[at] * inverse[p]; });
}

template <typename Element>
[[gnu::always_inline]] inline void Gradient(const NormTile& tile, const NormGradient<Element>& g,
                                            const float* of_x, Element* dx) {
  const Element *x = g.x, *dy = g.dy;
  const float *scale = g.scale, *inverse = g.inverse;
  ForAll(tile, [=](int64_t at, int channel, int p, int) {
    dx[at] = scale[channel] * dy[at] * inverse[p] - x[at] * of_x[p];
  });
}

}  // namespace

CAFFE_MULTIVERSION
void SumSquaresOf(const NormTile& tile, const float* x, double* sums) { Squares(tile, x, sums); }
CAFFE_MULTIVERSION
void SumSquaresOf(const NormTile& tile, const BFloat16* x, double* sums) { Squares(tile, x, sums); }

CAFFE_MULTIVERSION
void ScaleOf(const NormTile& tile, const float* x, const float* scale, const float* factor,
             float* y) {
  Scale(tile, x, scale, factor, y);
}
CAFFE_MULTIVERSION
void ScaleOf(const NormTile& tile, const BFloat16* x, const float* scale, const float* factor,
             BFloat16* y) {
  Scale(tile, x, scale, factor, y);
}

CAFFE_MULTIVERSION
void SumProductsOf(const NormTile& tile, const NormGradient<float>& g, double* sums,
                   float* of_scale) {
  Products(tile, g, sums, of_scale);
}
CAFFE_MULTIVERSION
void SumProductsOf(const NormTile& tile, const NormGradient<BFloat16>& g, double* sums,
                   float* of_scale) {
  Products(tile, g, sums, of_scale);
}

CAFFE_MULTIVERSION
void GradientOf(const NormTile& tile, const NormGradient<float>& g, const float* of_x, float* dx) {
  Gradient(tile, g, of_x, dx);
}
CAFFE_MULTIVERSION
void GradientOf(const NormTile& tile, const NormGradient<BFloat16>& g, const float* of_x,
                BFloat16* dx) {
  Gradient(tile, g, of_x, dx);
}

}  // namespace onednn
}  // namespace caffe
