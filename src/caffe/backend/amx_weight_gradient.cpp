#include "caffe/backend/amx_weight_gradient.hpp"

#include <algorithm>

namespace caffe {
namespace amx {

namespace {

// Sizes for caches of 2 MB (second level, for each processor) and 48 KB.
constexpr int kSegmentPixels = 2048;
// The rows within a window's reach of a segment are packed with it, and with its neighbour.
constexpr int kLeastReaches = 4;
constexpr int kTermsAtOnce = 10;
constexpr size_t kGroupBytes = size_t{4} << 20;
constexpr int kMostBlocks = 9;    // of inputs or outputs, in a thread's share
constexpr int kTasksForEach = 4;  // of a thread, at least
constexpr int kPhases = 2;
constexpr int kSumFloats = kBlock * kBlock;

}  // namespace

struct WeightGradient::Task {
  const Activations& bottom;
  const Activations& top_diff;
  float* weights;
  char* scratch;
};

WeightGradient::WeightGradient(const Convolution& convolution, Parts parts)
    : shape_(convolution),
      parts_(parts),
      flat_(Backward(convolution)),
      inputs_(Blocks(convolution.channels, kBlock)),
      outputs_(Blocks(convolution.num_output, kBlock)) {
  CutSegments();
  ShareWeights();
}

void WeightGradient::CutSegments() {
  const int wanted =
      std::max(kSegmentPixels / parts_ / flat_.row(), kLeastReaches * shape_.rows.reach());
  segments_ = Blocks(shape_.height, std::max(std::min(wanted, shape_.height), 1));
  segment_rows_ = Blocks(shape_.height, segments_);
  segments_ = Blocks(shape_.height, segment_rows_);
  const int tiles = Blocks(segment_rows_ * flat_.row(), kTileDepth);
  bottom_bytes_ = tiles * kTileBytes * parts_;
  // The last tile reads beyond the segment, to be multiplied by zeros.
  const int read = tiles * kTileDepth + flat_.Shift(shape_.taps() - 1) + 2;
  pairs_bytes_ = Blocks(read, 2) * kTileRowBytes;
  top_bytes_ = pairs_bytes_ * parts_ * kPhases;
  const size_t segment_bytes = inputs_ * bottom_bytes_ + outputs_ * top_bytes_;
  const int fit = static_cast<int>(kGroupBytes / segment_bytes);
  group_ = std::min(std::max(fit, 1), shape_.num * segments_);
}

void WeightGradient::ShareWeights() {
  share_inputs_ = std::min(inputs_, kMostBlocks);
  share_outputs_ = std::min(outputs_, kMostBlocks);
  const auto tasks = [&] {
    return Blocks(inputs_, share_inputs_) * Blocks(outputs_, share_outputs_);
  };
  while (share_outputs_ > OutputsAtOnce() && tasks() < kTasksForEach * shape_.threads) {
    share_outputs_ = Blocks(share_outputs_, 2);
  }
  while (share_inputs_ > kMostTiles && tasks() < shape_.threads) {
    share_inputs_ = Blocks(share_inputs_, 2);
  }
}

size_t WeightGradient::scratch_bytes() const {
  const size_t biases = sizeof(float) * kBlock * outputs_ * shape_.num * segments_;
  return group_ * (inputs_ * bottom_bytes_ + outputs_ * top_bytes_) + biases;
}

size_t WeightGradient::count() const {
  return static_cast<size_t>(inputs_) * outputs_ * shape_.taps() * kSumFloats;
}

WeightGradient::Segment WeightGradient::SegmentAt(int index) const {
  const int first = index % segments_ * segment_rows_;
  return {index / segments_, first, std::min(segment_rows_, shape_.height - first)};
}

WeightGradient::Share WeightGradient::ShareAt(int index) const {
  const int across = Blocks(inputs_, share_inputs_);
  const int input = index % across * share_inputs_, output = index / across * share_outputs_;
  return {input, std::min(input + share_inputs_, inputs_), output,
          std::min(output + share_outputs_, outputs_)};
}

char* WeightGradient::PackedBottom(const Task& task, int slot, int block) const {
  return task.scratch + (static_cast<size_t>(slot) * inputs_ + block) * bottom_bytes_;
}

char* WeightGradient::PackedTop(const Task& task, int slot, int block) const {
  return task.scratch + group_ * inputs_ * bottom_bytes_ +
         (static_cast<size_t>(slot) * outputs_ + block) * top_bytes_;
}

float* WeightGradient::BiasSums(const Task& task, int index) const {
  char* first = task.scratch + group_ * (inputs_ * bottom_bytes_ + outputs_ * top_bytes_);
  return reinterpret_cast<float*>(first) + static_cast<size_t>(index) * outputs_ * kBlock;
}

void WeightGradient::PackBlock(const Task& task, int index, int block) const {
  const Segment segment = SegmentAt(index);
  const int slot = index % group_;
  thread_local PixelMap pixels;  // keeps its memory from call to call
  if (block < inputs_) {
    flat_.Top(segment.first_row, segment.rows, &pixels);
    PackChannels(task.bottom, segment.image, block, pixels, parts_,
                 PackedBottom(task, slot, block));
    return;
  }
  block -= inputs_;
  flat_.Bottom(segment.first_row, segment.rows, &pixels);
  pixels.resize(pairs_bytes_ / kTileRowBytes * 2, -1);
  char* to = PackedTop(task, slot, block);
  PackPairs(task.top_diff, segment.image, block, pixels,
            {to, to + pairs_bytes_ * parts_, parts_ == kSplit ? pairs_bytes_ : 0});
  const int64_t size = int64_t{shape_.out_height} * shape_.out_width, part = index % segments_;
  const auto first = static_cast<int>(size * part / segments_);
  const auto end = static_cast<int>(size * (part + 1) / segments_);
  SumPixels(task.top_diff, segment.image, block, first, end - first,
            BiasSums(task, index) + block * kBlock);
}

void WeightGradient::SumTaps(const Terms& terms, const char* a, const char* b, float* c) const {
  RightSums sums = {};
  sums.a = a + terms.first * kTileBytes * parts_;
  sums.c_tile = kSumFloats;
  sums.b_low = parts_ == kSplit ? pairs_bytes_ : 0;
  sums.accumulate = terms.accumulate;
  for (int y = 0; y < shape_.rows.kernel; ++y) {
    for (int x = 0; x < shape_.columns.kernel; x += kMostTiles) {
      const int tap = y * shape_.columns.kernel + x;
      sums.tiles = std::min(shape_.columns.kernel - x, kMostTiles);
      for (int tile = 0; tile < sums.tiles; ++tile) {
        sums.b[tile] = b + PairOffset(terms.first, tap + tile);
      }
      sums.c = c + tap * kSumFloats;
      Multiply(sums, terms.count);
    }
  }
}

size_t WeightGradient::PairOffset(int first_term, int tap) const {
  const int pixel = first_term * kTileDepth + flat_.Shift(shape_.taps() - 1 - tap);
  // Pair r of those that start with odd pixels starts with 2r - 1.
  return pixel % 2 * pairs_bytes_ * parts_ + (pixel + 1) / 2 * kTileRowBytes;
}

void WeightGradient::SumOutputs(const Terms& terms, const char* a, const char* const* b, int count,
                                float* c) const {
  RightSums sums = {};
  sums.tiles = count;
  sums.a = a + terms.first * kTileBytes * parts_;
  for (int i = 0; i < count; ++i) sums.b[i] = b[i] + PairOffset(terms.first, 0);
  sums.c = c;
  sums.c_tile = static_cast<size_t>(inputs_) * kSumFloats;
  sums.b_low = parts_ == kSplit ? pairs_bytes_ : 0;
  sums.accumulate = terms.accumulate;
  Multiply(sums, terms.count);
}

void WeightGradient::SumInputs(const Task& task, int index, int output, const Share& share) const {
  const int slot = index % group_, at_once = kTermsAtOnce / parts_;
  const int count = Blocks(SegmentAt(index).rows * flat_.row(), kTileDepth);
  const int outputs = std::min(OutputsAtOnce(), share.end_output - output);
  const char* b[kMostTiles] = {};
  for (int i = 0; i < outputs; ++i) b[i] = PackedTop(task, slot, output + i);
  for (int input = share.first_input; input < share.end_input; ++input) {
    const char* a = PackedBottom(task, slot, input);
    float* c =
        task.weights + (static_cast<size_t>(output) * inputs_ + input) * shape_.taps() * kSumFloats;
    for (int first = 0; first < count; first += at_once) {
      const Terms terms = {first, std::min(at_once, count - first), index > 0 || first > 0};
      if (shape_.taps() == 1) {
        SumOutputs(terms, a, b, outputs, c);
      } else {
        SumTaps(terms, a, b[0], c);
      }
    }
  }
}

void WeightGradient::SumSegment(const Task& task, int index, const Share& share) const {
  const int step = OutputsAtOnce();
  for (int output = share.first_output; output < share.end_output; output += step) {
    SumInputs(task, index, output, share);
  }
}

void WeightGradient::AddBias(const Task& task, float* bias) const {
  for (int output = 0; output < shape_.num_output; ++output) {
    double sum = 0;
    for (int i = 0; i < shape_.num * segments_; ++i) sum += BiasSums(task, i)[output];
    bias[output] = static_cast<float>(sum);
  }
}

void WeightGradient::Run(const Activations& bottom, const Activations& top_diff, float* weights,
                         float* bias, char* scratch) const {
  const Task task = {bottom, top_diff, weights, scratch};
  const int segments = shape_.num * segments_, blocks = inputs_ + outputs_;
  const int shares = Blocks(inputs_, share_inputs_) * Blocks(outputs_, share_outputs_);
#pragma omp parallel num_threads(shape_.threads)
  {
    const TileScope tiles;
    for (int first = 0; first < segments; first += group_) {
      const int end = std::min(first + group_, segments);
#pragma omp for schedule(dynamic)
      for (int i = 0; i < (end - first) * blocks; ++i) {
        PackBlock(task, first + i / blocks, i % blocks);
      }
#pragma omp for schedule(dynamic)
      for (int i = 0; i < shares; ++i) {
        const Share share = ShareAt(i);
        for (int index = first; index < end; ++index) SumSegment(task, index, share);
      }
    }
  }
  if (bias != nullptr) AddBias(task, bias);
}

}  // namespace amx
}  // namespace caffe
