#include "caffe/backend/amx_convolver.hpp"

#include <omp.h>

#include <algorithm>

#include "caffe/backend/amx_intrinsics.hpp"

namespace caffe {
namespace amx {

namespace {

// Sizes for a second-level cache of 2 MB, which all processors with AMX have.
constexpr size_t kBandBytes = size_t{768} << 10;
constexpr int kMostPixels = 768;
constexpr int kGroup = 4;  // blocks of outputs that are summed one after the other
constexpr int kPixelsAtOnce = kMostTiles * kTileRows;
constexpr int kTasksForEach = 2;  // of a thread, at least

int RoundUp(int count, int unit) { return Blocks(count, unit) * unit; }

/** One row of sums of some blocks of outputs, finished and stored. */
struct Row {
  const float* sums;
  size_t next_block;  // floats from a block's sums to the next one's
  int blocks, outputs, first_output;
  const Finish* finish;
};

#if CAFFE_HAS_AMX

CAFFE_AMX_CODE inline __m512 Finished(const Finish& finish, int output, __mmask16 mask,
                                      const float* sums) {
  __m512 y = _mm512_load_ps(sums);
  if (finish.bias != nullptr) {
    y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, finish.bias + output));
  }
  if (!finish.relu) return y;
  const __mmask16 negative = _mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_LT_OQ);
  return _mm512_mask_mul_ps(y, negative, y, _mm512_set1_ps(finish.slope));
}

/** Which of 16 numbers are above 0. */
CAFFE_AMX_CODE inline __mmask16 Positive(const Activations& values, const char* at,
                                         __mmask16 mask) {
  if (values.kind != Activations::kBf16) {
    return _mm512_cmp_ps_mask(_mm512_maskz_loadu_ps(mask, at), _mm512_setzero_ps(), _CMP_GT_OQ);
  }
  // Minus infinity is 0xff80, which as an integer is below 0; so are NaNs with a sign.
  return _mm256_cmpgt_epi16_mask(_mm256_maskz_loadu_epi16(mask, at), _mm256_setzero_si256());
}

CAFFE_AMX_CODE void StorePixels(const Row& row, const Activations& top, char* to, int pixels) {
  for (int i = 0; i < pixels; ++i, to += top.pixel) {
    for (int block = 0; block < row.blocks; ++block) {
      const int output = row.first_output + block * kBlock;
      const int left = std::min(row.outputs - output, kBlock);
      const auto mask = static_cast<__mmask16>((1U << left) - 1);
      __m512 y =
          Finished(*row.finish, output, mask, row.sums + block * row.next_block + i * kBlock);
      char* at = to + block * top.block;
      if (const Activations* positive = row.finish->positive) {
        y = _mm512_maskz_mov_ps(Positive(*positive, positive->data + (at - top.data), mask), y);
      }
      const __mmask16 stored = top.padded ? static_cast<__mmask16>(0xffff) : mask;
      if (top.kind == Activations::kBf16) {
        _mm256_mask_storeu_epi16(at, stored, (__m256i)_mm512_cvtneps_pbh(y));
      } else {
        _mm512_mask_storeu_ps(at, stored, y);
      }
    }
  }
}

#else

void StorePixels(const Row& /*row*/, const Activations& /*top*/, char* /*to*/, int /*pixels*/) {
  FailWithoutAmx();
}

#endif

}  // namespace

struct Convolver::Task {
  const Activations& bottom;
  const char* weights;
  const Finish& finish;
  const Activations& top;
  char* scratch;
  int groups;  // of outputs
};

Convolver::Convolver(const Convolution& convolution, Parts parts)
    : shape_(convolution),
      parts_(parts),
      flat_(convolution),
      steps_(Blocks(convolution.channels, kTileDepth)),
      at_once_(std::min(StepsAtOnce(parts), steps_)) {
  CutBands();
  for (int first = 0; first < steps_; first += at_once_) {
    for (int tap = 0; tap < shape_.taps(); ++tap) {
      for (int step = first; step < std::min(first + at_once_, steps_); ++step) {
        offsets_.push_back(
            static_cast<uint32_t>(step * step_bytes_ + flat_.Shift(tap) * kTileRowBytes));
      }
    }
  }
}

void Convolver::CutBands() {
  const size_t row_bytes = flat_.row() * kTileRowBytes * parts_ * steps_;
  // What a band shares with the next one is packed twice: at most as much as it has of its own.
  const int fit = static_cast<int>(kBandBytes / row_bytes) - shape_.rows.reach();
  const int most = std::max({fit, shape_.rows.reach(), 1});
  bands_ = Blocks(shape_.out_height, std::min(most, shape_.out_height));
  together_ = shape_.num * bands_ < kTasksForEach * shape_.threads;
  if (together_) bands_ = std::max(bands_, std::min(shape_.threads, shape_.out_height));
  band_rows_ = Blocks(shape_.out_height, bands_);
  bands_ = Blocks(shape_.out_height, band_rows_);
  pixels_ = std::min(RoundUp(band_rows_ * flat_.row(), kPixelsAtOnce), kMostPixels);
  step_bytes_ = flat_.BottomSize(band_rows_) * kTileRowBytes * parts_;
  // The last sums read pixels behind those that there are.
  const size_t behind = (kPixelsAtOnce + flat_.Shift(shape_.taps() - 1)) * kTileRowBytes;
  band_bytes_ = step_bytes_ * steps_ + behind;
}

size_t Convolver::sum_bytes() const { return sizeof(float) * kBlock * kGroup * pixels_; }

size_t Convolver::scratch_bytes() const {
  const int packed = together_ ? shape_.num * bands_ : shape_.threads;
  return packed * band_bytes_ + shape_.threads * sum_bytes();
}

Convolver::Band Convolver::BandAt(int index) const {
  const int first = index % bands_ * band_rows_;
  return {index / bands_, first, std::min(band_rows_, shape_.out_height - first)};
}

void Convolver::PackSteps(const Task& task, const Band& band, int first, int end,
                          char* packed) const {
  thread_local PixelMap pixels;  // keeps its memory from call to call
  flat_.Bottom(band.first_row, band.rows, &pixels);
  for (int step = first; step < end; ++step) {
    char* to = packed + step * step_bytes_;
    PackPixels(task.bottom, band.image, step, pixels, to,
               parts_ == kSplit ? to + step_bytes_ / kSplit : nullptr);
  }
}

void Convolver::SumBlock(const char* packed, int pixels, const char* weights, float* sums) const {
  LeftSums tiles = {};
  tiles.a_low = parts_ == kSplit ? step_bytes_ / kSplit : 0;
  const int count = static_cast<int>(offsets_.size()), lot = at_once_ * shape_.taps();
  for (int first = 0; first < count; first += lot) {
    const int steps = std::min(lot, count - first);
    tiles.accumulate = first > 0;
    tiles.b = weights + first * kTileBytes * parts_;
    for (int i = 0; i < pixels; i += kPixelsAtOnce) {
      tiles.tiles = std::min(Blocks(pixels - i, kTileRows), kMostTiles);
      tiles.a = packed + i * kTileRowBytes;
      tiles.c = sums + i * kBlock;
      Multiply(tiles, offsets_.data() + first, steps);
    }
  }
}

void Convolver::ComputePixels(const Task& task, const Band& band, const Share& share,
                              const char* packed, float* sums) const {
  const int blocks = Blocks(shape_.num_output, kBlock);
  const int first = share.group * kGroup, end = std::min(first + kGroup, blocks);
  const int pixels = std::min(band.rows * flat_.row() - share.pixel, pixels_);
  const size_t block_bytes = offsets_.size() * kTileBytes * parts_;
  const size_t next_block = static_cast<size_t>(pixels_) * kBlock;
  for (int block = first; block < end; ++block) {
    SumBlock(packed + share.pixel * kTileRowBytes, pixels, task.weights + block * block_bytes,
             sums + (block - first) * next_block);
  }
  const Row row = {sums, next_block, end - first, shape_.num_output, first * kBlock, &task.finish};
  char* image = task.top.data + band.image * task.top.image + first * task.top.block;
  for (int i = 0; i < pixels;) {
    const int y = (share.pixel + i) / flat_.row(), x = (share.pixel + i) % flat_.row();
    const int count = std::min(flat_.row() - x, pixels - i);
    Row part = row;
    part.sums += i * kBlock;
    const int64_t pixel = int64_t{band.first_row + y} * shape_.out_width + x;
    StorePixels(part, task.top, image + pixel * task.top.pixel,
                std::min(count, shape_.out_width - x));
    i += count;
  }
}

void Convolver::RunBands(const Task& task) const {
  const int bands = shape_.num * bands_;
#pragma omp parallel num_threads(shape_.threads)
  {
    const TileScope tiles;
    const int thread = omp_get_thread_num();
    char* packed = task.scratch + thread * band_bytes_;
    auto* sums = reinterpret_cast<float*>(task.scratch + shape_.threads * band_bytes_ +
                                          thread * sum_bytes());
#pragma omp for schedule(dynamic)
    for (int i = 0; i < bands; ++i) {
      const Band band = BandAt(i);
      PackSteps(task, band, 0, steps_, packed);
      for (int pixel = 0; pixel < band.rows * flat_.row(); pixel += pixels_) {
        for (int group = 0; group < task.groups; ++group) {
          ComputePixels(task, band, {pixel, group}, packed, sums);
        }
      }
    }
  }
}

void Convolver::RunTogether(const Task& task) const {
  const int bands = shape_.num * bands_;
  const int parts = Blocks(band_rows_ * flat_.row(), pixels_);
#pragma omp parallel num_threads(shape_.threads)
  {
    const TileScope tiles;
    auto* sums = reinterpret_cast<float*>(task.scratch + bands * band_bytes_ +
                                          omp_get_thread_num() * sum_bytes());
#pragma omp for schedule(dynamic)
    for (int i = 0; i < bands * steps_; ++i) {
      const int band = i / steps_, step = i % steps_;
      PackSteps(task, BandAt(band), step, step + 1, task.scratch + band * band_bytes_);
    }
#pragma omp for schedule(dynamic)
    for (int i = 0; i < bands * parts * task.groups; ++i) {
      // Bands change first: two threads that read the same weights do it at the same time.
      const int index = i % bands, rest = i / bands;
      const Band band = BandAt(index);
      const Share share = {rest % parts * pixels_, rest / parts};
      if (share.pixel >= band.rows * flat_.row()) continue;
      ComputePixels(task, band, share, task.scratch + index * band_bytes_, sums);
    }
  }
}

void Convolver::Run(const Activations& bottom, const char* weights, const Finish& finish,
                    const Activations& top, char* scratch) const {
  const int groups = Blocks(Blocks(shape_.num_output, kBlock), kGroup);
  const Task task = {bottom, weights, finish, top, scratch, groups};
  if (together_) {
    RunTogether(task);
  } else {
    RunBands(task);
  }
}

}  // namespace amx
}  // namespace caffe
