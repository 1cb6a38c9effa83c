#ifndef CAFFE_BACKEND_AMX_PACK_HPP_
#define CAFFE_BACKEND_AMX_PACK_HPP_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "caffe/backend/amx.hpp"

/** How activations and weights become the rows of tiles. */
namespace caffe {
namespace amx {

/** Channels that stand together: in the floats' layout nChw16c, in a sum's row, in half a step. */
constexpr int kBlock = 16;

/** @brief A batch of activations as it lies in memory; distances are in bytes. */
struct Activations {
  enum Kind {
    kFloats,  ///< 16 channels of a pixel stand together
    kBf16,    ///< the same
    kPlanes   ///< floats, a plane for each channel
  };
  Kind kind;
  char* data;
  int channels;
  size_t pixel;  ///< from a pixel to the next one, in C order of rows and columns
  size_t block;  ///< from 16 channels to the next 16; of planes, from one plane to the next
  size_t image;
  bool padded;  ///< blocks are of 16 channels always, those beyond `channels` being zeros
};

/**
 * @brief The pixels of an image in the order in which they are packed; -1 is a pixel of zeros.
 *
 * A window's taps become shifts of one flat row of pixels, since each row of the image is followed
 * by as many zeros as a window reaches beyond either edge.
 */
typedef std::vector<int32_t> PixelMap;

/** @brief ⌈count / size⌉ */
inline int Blocks(int count, int size) { return (count + size - 1) / size; }

/** @brief Whether numbers are stored as one number of bf16, or as the sum of two. */
enum Parts { kWhole = 1, kSplit = 2 };

/**
 * @brief A row of 32 channels, those from 32 · step on, for each pixel: `to`[pixels][32].
 * @param low null, or where what the numbers miss of floats is packed in the same way
 */
void PackPixels(const Activations& from, int image, int step, const PixelMap& pixels, char* to,
                char* low);

/**
 * @brief Tiles of 32 pixels, a row for each of 16 channels: `to`[⌈pixels / 32⌉][parts][16][32].
 *
 * Pixels are taken for zeros behind the map's end.
 */
void PackChannels(const Activations& from, int image, int block, const PixelMap& pixels,
                  Parts parts, char* to);

/** @brief Where PackPairs puts its rows of 64 bytes. */
struct PairRows {
  char *even, *odd;
  size_t low;  ///< 0, or how far behind is packed what the numbers miss of floats
};

/**
 * @brief Pairs of pixels of 16 channels, as a right factor has them, [16][2]: row r of `even` has
 * pixels 2r and 2r + 1, row r of `odd` 2r - 1 and 2r, where a pixel that is not there is zeros.
 * Each has ⌈pixels / 2⌉ rows.
 */
void PackPairs(const Activations& from, int image, int block, const PixelMap& pixels,
               const PairRows& to);

/** @brief The sums of `count` pixels of an image, of each of 16 channels. */
void SumPixels(const Activations& from, int image, int block, int first, int count, float* sums);

/** @brief The weights of a convolution, floats in C order: outputs, inputs, rows, columns. */
struct Weights {
  const float* data;
  int outputs, inputs, taps;
  bool backward;  ///< for gradients: inputs and outputs change places, taps are in reverse order
  int sums() const { return backward ? inputs : outputs; }
  int terms() const { return backward ? outputs : inputs; }
};

/** Terms of one pass over the sums, in steps of 32: few enough that a thread's part stays near. */
int StepsAtOnce(Parts parts);
size_t PackedWeightBytes(const Weights& weights, Parts parts);
/**
 * @brief Right factors: `to`[⌈sums / 16⌉][taps and terms as StepsAtOnce groups
 * them][parts][16][16][2].
 */
void PackWeights(const Weights& weights, Parts parts, int threads, char* to);

}  // namespace amx
}  // namespace caffe

#endif  // CAFFE_BACKEND_AMX_PACK_HPP_
