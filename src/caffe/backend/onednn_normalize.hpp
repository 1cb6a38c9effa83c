#ifndef CAFFE_BACKEND_ONEDNN_NORMALIZE_HPP_
#define CAFFE_BACKEND_ONEDNN_NORMALIZE_HPP_

#include <cstdint>

#include "caffe/backend/onednn_channels.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief Some positions of an image with all their channels, and how their elements lie: lane k of
 * block b of position p at b · block_step + p · position_step + k.
 *
 * A block has 16 or 8 lanes, or 1, where the positions of a channel lie together. All of a tile
 * stays in a processor's cache between the sums over it and what is made of them.
 */
struct NormTile {
  int positions, blocks, lanes;
  int64_t position_step, block_step;
};

/** @brief All tiles of a layout of blocks of channels. */
class NormTiles {
 public:
  explicit NormTiles(const ChannelBlocks& blocks);
  int size() const { return blocks_.num * per_image_; }
  NormTile operator[](int t) const;
  int image(int t) const { return t / per_image_; }
  /** @brief The image and position, counted through, of a tile's first position. */
  int first(int t) const { return image(t) * blocks_.positions + t % per_image_ * kPositions; }
  /** @brief Where a tile's first element is. */
  int64_t offset(int t) const;
  /** @brief How many channels all blocks have, padding included. */
  int channels() const { return blocks_.blocks() * blocks_.block; }

 private:
  static constexpr int kPositions = 64;
  ChannelBlocks blocks_;
  int per_image_;
};

/** @brief sums[p] = Σ x² over the channels. */
void SumSquaresOf(const NormTile& tile, const float* x, double* sums);
void SumSquaresOf(const NormTile& tile, const BFloat16* x, double* sums);

/** @brief y = scale[channel] · x · factor[position]. */
void ScaleOf(const NormTile& tile, const float* x, const float* scale, const float* factor,
             float* y);
void ScaleOf(const NormTile& tile, const BFloat16* x, const float* scale, const float* factor,
             BFloat16* y);

/** @brief What Normalize's Backward reads and writes of a tile. */
template <typename Element>
struct NormGradient {
  const Element *x, *dy;
  const float *scale, *inverse;  ///< of each channel; of each position, 1 / r
};

/** @brief sums[p] = Σ scale · dy · x; of_scale[channel] = Σ x · dy · inverse over the positions. */
void SumProductsOf(const NormTile& tile, const NormGradient<float>& g, double* sums,
                   float* of_scale);
void SumProductsOf(const NormTile& tile, const NormGradient<BFloat16>& g, double* sums,
                   float* of_scale);

/** @brief dx = scale · dy · inverse − x · of_x[position]. */
void GradientOf(const NormTile& tile, const NormGradient<float>& g, const float* of_x, float* dx);
void GradientOf(const NormTile& tile, const NormGradient<BFloat16>& g, const float* of_x,
                BFloat16* dx);

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_NORMALIZE_HPP_
