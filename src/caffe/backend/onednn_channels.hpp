#ifndef CAFFE_BACKEND_ONEDNN_CHANNELS_HPP_
#define CAFFE_BACKEND_ONEDNN_CHANNELS_HPP_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "caffe/backend/onednn_elementwise.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief A layout whose channels lie in blocks, image by image: image × block of channels ×
 * position × channel of the block.
 *
 * A block is one channel in the plain layout, all of them in nhwc, and 4, 8 or
 * 16 in oneDNN's own, whose last block is filled up with zeros.
 */
struct ChannelBlocks {
  int num, channels, positions;
  int block;

  int blocks() const { return (channels + block - 1) / block; }
  /** @brief Elements of one block of channels of one image: they lie together. */
  int plane() const { return positions * block; }
  /** @brief Where the first element of a block of an image is. */
  int64_t offset(int n, int b) const { return (int64_t{n} * blocks() + b) * plane(); }
};

/**
 * @brief The name of a layout of blocks of channels: nchw, nhwc, nChw4c, nChw8c, nChw16c, or nc;
 * undef for others.
 */
dnnl::memory::format_tag TagOf(const Layout& layout);
/** @brief A layout of two or four axes as blocks of channels; `block` is 0 if it is none. */
ChannelBlocks BlocksOf(const Layout& layout);

/** @brief Elements that lie together, the first of them of channel `channel`. */
struct ChannelRun {
  int64_t offset;
  int channel, count;
};

/** @brief All elements as runs of at most kMost, to share among threads. */
class Runs {
 public:
  static constexpr int kMost = 1024;
  explicit Runs(const ChannelBlocks& blocks)
      : blocks_(blocks),
        length_(std::max(kMost / blocks.block, 1) * blocks.block),
        per_plane_((blocks.plane() + length_ - 1) / length_) {}
  int64_t size() const { return int64_t{blocks_.num} * blocks_.blocks() * per_plane_; }
  /** @brief The most elements of a run: more than kMost where a block has more channels. */
  int length() const { return length_; }
  ChannelRun operator[](int64_t i) const {
    const int64_t plane = i / per_plane_;
    const int begin = static_cast<int>(i % per_plane_) * length_;
    return {plane * blocks_.plane() + begin,
            static_cast<int>(plane % blocks_.blocks()) * blocks_.block,
            std::min(length_, blocks_.plane() - begin)};
  }

 private:
  ChannelBlocks blocks_;
  int length_;
  int per_plane_;
};

/** @brief Numbers for each channel; a null pointer stands for zeros. */
struct ChannelMap {
  const float *scale, *center, *shift;
  float slope = 1;  ///< of what is below 0 in the end: 0 for a ReLU
};

/** @brief y = ReLU(scale[c] · (x − center[c]) + shift[c]), both of this layout; y may be x. */
void MapChannels(const Layout& layout, const ChannelMap& map, const dnnl::memory& x,
                 const dnnl::memory& y);
/** @brief y = scale[c] · x + factor[c] · (z − center[c]) + shift[c]; y may be x or z. */
void MapChannels(const Layout& layout, const ChannelMap& map, const dnnl::memory& x,
                 const float* factor, const dnnl::memory& z, const dnnl::memory& y);

/** @brief For each channel c Σ x, and Σ x · (z − center[c]); each is of `channels` doubles. */
struct ChannelSums {
  vector<double> first, second;
};

/**
 * @brief The sums over images and positions, of x and z of this layout; without z only the first.
 * @param center null: 0
 *
 * In double, from float sums of a few elements; the same for any number of threads.
 */
void SumChannels(const Layout& layout, const dnnl::memory& x, const dnnl::memory* z,
                 const float* center, ChannelSums* sums);
/** @brief sums->first[c] = Σ (x − center[c])². */
void SumSquares(const Layout& layout, const dnnl::memory& x, const float* center,
                ChannelSums* sums);

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_CHANNELS_HPP_
