#include <algorithm>
#include <cmath>
#include <numeric>

#include "caffe/backend/onednn_channels.hpp"
#include "caffe/layers/normalize_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

// Elements that are worked on together: some positions, each with the channels of a block.
constexpr int kTile = 1024;

/** Some positions of an image: in each block of channels their elements lie together. */
struct Tile {
  int image, position, positions;
};

class Tiles {
 public:
  explicit Tiles(const ChannelBlocks& blocks)
      : blocks_(blocks),
        length_(std::max(1, kTile / blocks.block)),
        per_image_((blocks.positions + length_ - 1) / length_) {}
  int per_image() const { return per_image_; }
  int elements() const { return length_ * blocks_.block; }
  Tile operator()(int image, int i) const {
    return {image, i * length_, std::min(length_, blocks_.positions - i * length_)};
  }

 private:
  ChannelBlocks blocks_;
  int length_, per_image_;
};

/** run[i] = values[the position of element i], of elements with `block` channels a position. */
void SpreadPositions(const float* values, int positions, int block, float* run) {
  if (block == 1) {
    std::copy_n(values, positions, run);
    return;
  }
  for (int p = 0; p < positions; ++p) std::fill_n(run + p * block, block, values[p]);
}

/** run[i] = values[the channel of element i in its block]. */
void SpreadChannels(const float* values, int positions, int block, float* run) {
  if (block == 1) {
    std::fill_n(run, positions, values[0]);
    return;
  }
  for (int p = 0; p < positions; ++p) std::copy_n(values, block, run + p * block);
}

/**
 * Normalize of floats or bf16 in the backend's layout, or in the plain one. Sums over channels are
 * of floats, side by side, and only then of doubles.
 */
class OnednnNormalizeLayer : public NormalizeLayer<float> {
 public:
  explicit OnednnNormalizeLayer(const LayerParameter& param) : NormalizeLayer<float>(param) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    if (bottom[0]->count() == 0) return;
    SetLayout(*bottom[0]);
    SetScale();
    const dnnl::memory from = bottom_.Read(bottom[0]->data().get(), layout_);
    Output output(top[0]->data().get(), layout_);
    WithElements(layout_, [&](auto element) {
      typedef decltype(element) Element;
      const Element* x = Stored<Element>(from);
      Element* y = Stored<Element>(output.memory());
      SumOverChannels([x](int64_t i, float) {
        const float value = x[i];
        return value * value;
      });
      inverse_.resize(sums_.size());
      for (size_t i = 0; i < sums_.size(); ++i) {
        inverse_[i] = static_cast<float>(1 / std::sqrt(sums_[i] + eps_));
      }
      ForEachElement(inverse_, inverse_, [x, y](int64_t i, float s, float inverse, float) {
        y[i] = s * x[i] * inverse;
      });
    });
    output.Commit();
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (bottom[0]->count() == 0) return;
    const dnnl::memory values = bottom_.Read(bottom[0]->data().get(), layout_);
    const dnnl::memory gradient = top_diff_.Read(top[0]->diff().get(), layout_);
    WithElements(layout_, [&](auto element) {
      typedef decltype(element) Element;
      const Element *x = Stored<Element>(values), *dy = Stored<Element>(gradient);
      if (param_propagate_down_[0]) AddScaleGradient(x, dy);
      if (!propagate_down[0]) return;
      SumOverChannels([x, dy](int64_t i, float s) { return s * dy[i] * x[i]; });
      of_x_.resize(sums_.size());
      for (size_t i = 0; i < sums_.size(); ++i) {
        of_x_[i] = static_cast<float>(sums_[i] * std::pow(double{inverse_[i]}, 3));
      }
      Output output(bottom[0]->diff().get(), layout_);
      Element* dx = Stored<Element>(output.memory());
      ForEachElement(inverse_, of_x_, [x, dy, dx](int64_t i, float s, float inverse, float of_x) {
        dx[i] = s * dy[i] * inverse - x[i] * of_x;
      });
      output.Commit();
    });
  }

 private:
  /** The layout in which the bottom lies; if its channels are in no blocks, the plain one. */
  void SetLayout(const Blob<float>& bottom) {
    const Dims dims = DimsOf(bottom.shape());
    const OnednnMemory* copy = BackendCopy(*bottom.data(), dims);
    blocks_.block = 0;
    if (copy != nullptr) {
      layout_ = copy->layout();
      blocks_ = BlocksOf(layout_);
    }
    if (blocks_.block > 0) return;
    layout_ = PlainLayout(dims);
    blocks_ = {bottom.shape(0), bottom.shape(1), bottom.count(2), 1};
  }

  void SetScale() {
    const float* scale = blobs_[0]->cpu_data();
    scale_.assign(static_cast<size_t>(blocks_.blocks()) * blocks_.block, 0.0F);
    for (int c = 0; c < blocks_.channels; ++c) scale_[c] = scale[channel_shared_ ? 0 : c];
  }

  /** f(tile, b, offset of the tile's elements of block b, working memory of 4 tiles) for all. */
  template <typename Function>
  void ForEachTile(const Function& f) const {
    const Tiles tiles(blocks_);
    const int count = blocks_.num * tiles.per_image();
#pragma omp parallel if (int64_t{count} * tiles.elements() * blocks_.blocks() >= kParallelElements)
    {
      thread_local vector<float> scratch;
      scratch.resize(std::max(scratch.size(), size_t{4} * tiles.elements()));
      float* room = scratch.data();
#pragma omp for
      for (int t = 0; t < count; ++t) {
        f(tiles(t / tiles.per_image(), t % tiles.per_image()), tiles.elements(), room);
      }
    }
  }
  int64_t Offset(const Tile& tile, int b) const {
    return blocks_.offset(tile.image, b) + int64_t{tile.position} * blocks_.block;
  }

  /** sums_[image, position] = Σ f(i, s) over the channels, or also over the image's positions. */
  template <typename Function>
  void SumOverChannels(const Function& f) {
    sums_.resize(static_cast<size_t>(blocks_.num) * blocks_.positions);
    ForEachTile([&](const Tile& tile, int elements, float* lanes) {
      const int count = tile.positions * blocks_.block;
      float* scale = lanes + elements;
      std::fill_n(lanes, count, 0.0F);
      for (int b = 0; b < blocks_.blocks(); ++b) {
        const int64_t at = Offset(tile, b);
        SpreadChannels(&scale_[b * blocks_.block], tile.positions, blocks_.block, scale);
        for (int i = 0; i < count; ++i) lanes[i] += f(at + i, scale[i]);
      }
      double* sums = &sums_[int64_t{tile.image} * blocks_.positions + tile.position];
      for (int p = 0; p < tile.positions; ++p) {
        const float* own = lanes + p * blocks_.block;
        sums[p] = std::accumulate(own, own + blocks_.block, 0.0);
      }
    });
    if (!across_spatial_) return;
    for (auto image = sums_.begin(); image != sums_.end(); image += blocks_.positions) {
      const auto end = image + blocks_.positions;
      std::fill(image, end, std::accumulate(image, end, 0.0));
    }
  }

  /** f(i, s of the channel, a of the position, b of the position) for each element. */
  template <typename Function>
  void ForEachElement(const vector<float>& a, const vector<float>& b, const Function& f) const {
    ForEachTile([&](const Tile& tile, int elements, float* of_a) {
      const int count = tile.positions * blocks_.block;
      const int64_t first = int64_t{tile.image} * blocks_.positions + tile.position;
      float *of_b = of_a + elements, *scale = of_b + elements;
      SpreadPositions(&a[first], tile.positions, blocks_.block, of_a);
      SpreadPositions(&b[first], tile.positions, blocks_.block, of_b);
      for (int block = 0; block < blocks_.blocks(); ++block) {
        const int64_t at = Offset(tile, block);
        SpreadChannels(&scale_[block * blocks_.block], tile.positions, blocks_.block, scale);
        for (int i = 0; i < count; ++i) f(at + i, scale[i], of_a[i], of_b[i]);
      }
    });
  }

  /** Adds Σ x dy / r of each channel. */
  template <typename Element>
  void AddScaleGradient(const Element* x, const Element* dy) {
    const Tiles tiles(blocks_);
    scale_sums_.assign(scale_.size(), 0.0);
#pragma omp parallel for if (int64_t{blocks_.num} * blocks_.channels * blocks_.positions >= \
                                 kParallelElements)
    for (int b = 0; b < blocks_.blocks(); ++b) {
      thread_local vector<float> scratch;
      scratch.resize(std::max(scratch.size(), size_t{2} * tiles.elements()));
      float *lanes = scratch.data(), *inverse = lanes + tiles.elements();
      for (int n = 0; n < blocks_.num; ++n) {
        std::fill_n(lanes, tiles.elements(), 0.0F);
        for (int t = 0; t < tiles.per_image(); ++t) {
          const Tile tile = tiles(n, t);
          const int count = tile.positions * blocks_.block;
          const int64_t at = Offset(tile, b);
          SpreadPositions(&inverse_[int64_t{n} * blocks_.positions + tile.position], tile.positions,
                          blocks_.block, inverse);
          for (int i = 0; i < count; ++i) lanes[i] += x[at + i] * dy[at + i] * inverse[i];
        }
        double* sums = &scale_sums_[b * blocks_.block];
        for (int k = 0; k < blocks_.block; ++k) {
          double sum = 0;
          for (int i = k; i < tiles.elements(); i += blocks_.block) sum += lanes[i];
          sums[k] += sum;
        }
      }
    }
    float* diff = blobs_[0]->mutable_cpu_diff();
    if (channel_shared_) {
      diff[0] += static_cast<float>(std::accumulate(scale_sums_.begin(), scale_sums_.end(), 0.0));
      return;
    }
    for (int c = 0; c < blocks_.channels; ++c) diff[c] += static_cast<float>(scale_sums_[c]);
  }

  Layout layout_;
  ChannelBlocks blocks_ = {};
  vector<double> sums_;           // image × position
  vector<float> inverse_, of_x_;  // image × position: 1 / r of the last Forward; the factor of x
  vector<float> scale_;           // block × channel: s, 0 where the layout pads
  vector<double> scale_sums_;     // of the same shape
  Input bottom_, top_diff_;
};

const OverrideRegisterer g_normalize("Normalize", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnNormalizeLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
