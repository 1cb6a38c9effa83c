#ifndef CAFFE_BACKEND_AMX_WEIGHT_GRADIENT_HPP_
#define CAFFE_BACKEND_AMX_WEIGHT_GRADIENT_HPP_

#include "caffe/backend/amx_shape.hpp"

namespace caffe {
namespace amx {

/**
 * @brief Gradients of a convolution's weights and bias, of products of tiles.
 *
 * dW[output][input][tap] = Σ dY[pixel][output] · X[pixel + tap][input]: here
 * the pixels are the terms of the sums. The batch is cut into segments of some
 * rows of X, numbered as FlatRows does for Backward; of each, X is packed as
 * tiles of pixels, and dY as pairs, so that a tap is a shift by pairs: once
 * beginning with an even pixel and once with an odd one.
 * Segments are packed as many at a time as 4 MB take, then every thread sums
 * its own weights over them.
 *
 * Precisions are Convolver's. Results do not depend on the number of threads.
 */
class WeightGradient {
 public:
  WeightGradient(const Convolution& convolution, Parts parts);
  /** @brief The memory that Run works in. */
  size_t scratch_bytes() const;
  /** @brief The gradient's floats: as oneDNN's OIhw16i16o, zeros where blocks are not full. */
  size_t count() const;
  /**
   * @param bias null: not wanted; else num_output floats
   * @param scratch of scratch_bytes(), at a multiple of 64
   */
  void Run(const Activations& bottom, const Activations& top_diff, float* weights, float* bias,
           char* scratch) const;

 private:
  struct Segment {
    int image, first_row, rows;
  };
  /** The weights that a thread sums together: blocks of 16 inputs and outputs. */
  struct Share {
    int first_input, end_input, first_output, end_output;
  };
  /** Tiles of 32 pixels of a segment. */
  struct Terms {
    int first, count;
    bool accumulate;
  };
  struct Task;

  void CutSegments();
  void ShareWeights();
  Segment SegmentAt(int index) const;
  Share ShareAt(int index) const;
  char* PackedBottom(const Task& task, int slot, int block) const;
  char* PackedTop(const Task& task, int slot, int block) const;
  float* BiasSums(const Task& task, int index) const;
  void PackBlock(const Task& task, int index, int block) const;
  void SumSegment(const Task& task, int index, const Share& share) const;
  void SumInputs(const Task& task, int index, int output, const Share& share) const;
  void SumTaps(const Terms& terms, const char* a, const char* b, float* c) const;
  void SumOutputs(const Terms& terms, const char* a, const char* const* b, int count,
                  float* c) const;
  size_t PairOffset(int first_term, int tap) const;
  /** Blocks of outputs that share a left factor: several, where there is one tap alone. */
  int OutputsAtOnce() const { return shape_.taps() == 1 ? kMostTiles : 1; }
  void AddBias(const Task& task, float* bias) const;

  Convolution shape_;
  Parts parts_;
  FlatRows flat_;
  int inputs_, outputs_;         // blocks of 16
  int segment_rows_, segments_;  // of an image
  int group_;                    // segments that are packed together
  int share_inputs_, share_outputs_;
  size_t bottom_bytes_;  // of a packed block of 16 channels
  size_t pairs_bytes_;   // the same of one part of the top, from even or odd pixels on
  size_t top_bytes_;
};

}  // namespace amx
}  // namespace caffe

#endif  // CAFFE_BACKEND_AMX_WEIGHT_GRADIENT_HPP_
