#ifndef CAFFE_BACKEND_AMX_CONVOLVER_HPP_
#define CAFFE_BACKEND_AMX_CONVOLVER_HPP_

#include <vector>

#include "caffe/backend/amx_shape.hpp"

namespace caffe {
namespace amx {

/** @brief What is done to a sum before it is stored: y = x + bias, then y < 0 ? slope · y : y. */
struct Finish {
  const float* bias = nullptr;  ///< null: none
  bool relu = false;
  float slope = 0;
  /**
   * Null, or activations that lie in memory as the top does: y = 0 where they are not above 0. So
   * the gradient of a ReLU's top is made that of its bottom.
   */
  const Activations* positive = nullptr;
};

/**
 * @brief The top of a convolution of stride 1, of products of tiles.
 *
 * Bands of rows of the bottom are packed as FlatRows numbers them, so that a
 * tap meets one run of pixels. 48 pixels by 16 outputs are summed at a time,
 * over all taps and a few channels, the sums staying in the processor's caches
 * between one lot of channels and the next.
 *
 * With numbers of bf16 (kWhole), or floats as sums of two such numbers
 * (kSplit): three products instead of one, with errors of about 3e-6 of what
 * is summed, like Winograd's. There an infinity makes NaN.
 *
 * Results depend neither on the number of threads nor on the batch.
 */
class Convolver {
 public:
  Convolver(const Convolution& convolution, Parts parts);
  /** @brief The memory that Run works in. */
  size_t scratch_bytes() const;
  /**
   * @param weights packed by PackWeights, for the same parts
   * @param scratch of scratch_bytes(), at a multiple of 64
   */
  void Run(const Activations& bottom, const char* weights, const Finish& finish,
           const Activations& top, char* scratch) const;

 private:
  struct Band {
    int image, first_row, rows;
  };
  /** What is computed at a time: pixels_ from `pixel` on, of a group of blocks of outputs. */
  struct Share {
    int pixel, group;
  };
  struct Task;

  void CutBands();
  Band BandAt(int index) const;
  size_t sum_bytes() const;
  void PackSteps(const Task& task, const Band& band, int first, int end, char* packed) const;
  void RunBands(const Task& task) const;
  void RunTogether(const Task& task) const;
  void ComputePixels(const Task& task, const Band& band, const Share& share, const char* packed,
                     float* sums) const;
  void SumBlock(const char* packed, int pixels, const char* weights, float* sums) const;

  Convolution shape_;
  Parts parts_;
  FlatRows flat_;
  int steps_, at_once_;    // steps of 32 channels; those summed in one go
  int bands_, band_rows_;  // of an image
  bool together_;          // all bands are packed before anything is summed
  int pixels_;             // of the top, that are summed over all channels together
  size_t step_bytes_, band_bytes_;
  std::vector<uint32_t> offsets_;  // of the packed pixels, in the order of the weights
};

}  // namespace amx
}  // namespace caffe

#endif  // CAFFE_BACKEND_AMX_CONVOLVER_HPP_
