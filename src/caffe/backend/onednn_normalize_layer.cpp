#include <algorithm>
#include <cmath>
#include <numeric>

#include "caffe/backend/onednn_normalize.hpp"
#include "caffe/layers/normalize_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * Normalize of floats or bf16 in the backend's layout, or in the plain one. Sums over channels are
 * of floats, side by side, and only then of doubles; the same for any number of threads.
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
      Normalize(Stored<Element>(from), Stored<Element>(output.memory()));
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
      const NormGradient<Element> g = {Stored<Element>(values), Stored<Element>(gradient),
                                       scale_.data(), inverse_.data()};
      if (!propagate_down[0]) {
        Differentiate<Element>(g, nullptr);
      } else {
        Output output(bottom[0]->diff().get(), layout_);
        Differentiate(g, Stored<Element>(output.memory()));
        output.Commit();
      }
    });
    if (param_propagate_down_[0]) AddScaleGradient();
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

  int num_positions() const { return blocks_.num * blocks_.positions; }

  /** f(number, tile, its first position counted through all images, elements before it). */
  template <typename Function>
  void ForEachTile(const Function& f) const {
    const NormTiles tiles(blocks_);
    const int count = tiles.size();
#pragma omp parallel for if (int64_t{num_positions()} * tiles.channels() >= kParallelElements)
    for (int t = 0; t < count; ++t) f(t, tiles[t], tiles.first(t), tiles.offset(t));
  }

  /** For each tile sum(…), then use(…), while the tile is near, unless its sums need all tiles. */
  template <typename Sum, typename Use>
  void SumAndUse(const Sum& sum, const Use& use) {
    if (!across_spatial_) {
      ForEachTile([&](int t, const NormTile& tile, int first, int64_t at) {
        sum(t, tile, first, at);
        use(tile, first, at);
      });
      return;
    }
    ForEachTile(sum);
    for (auto image = sums_.begin(); image != sums_.end(); image += blocks_.positions) {
      const auto end = image + blocks_.positions;
      std::fill(image, end, std::accumulate(image, end, 0.0));
    }
    ForEachTile([&](int, const NormTile& tile, int first, int64_t at) { use(tile, first, at); });
  }

  template <typename Element>
  void Normalize(const Element* x, Element* y) {
    sums_.resize(num_positions());
    inverse_.resize(num_positions());
    SumAndUse([&](int, const NormTile& tile, int first,
                  int64_t at) { SumSquaresOf(tile, x + at, &sums_[first]); },
              [&](const NormTile& tile, int first, int64_t at) {
                for (int p = first; p < first + tile.positions; ++p) {
                  inverse_[p] = static_cast<float>(1 / std::sqrt(sums_[p] + eps_));
                }
                ScaleOf(tile, x + at, scale_.data(), &inverse_[first], y + at);
              });
  }

  /** dx, unless it is null, and each tile's share of the gradient of the scale. */
  template <typename Element>
  void Differentiate(const NormGradient<Element>& g, Element* dx) {
    const NormTiles tiles(blocks_);
    const size_t channels = tiles.channels();
    of_scale_.resize(channels * tiles.size());
    of_x_.resize(num_positions());
    const auto part = [&](int first, int64_t at) {
      return NormGradient<Element>{g.x + at, g.dy + at, g.scale, g.inverse + first};
    };
    SumAndUse(
        [&](int t, const NormTile& tile, int first, int64_t at) {
          SumProductsOf(tile, part(first, at), &sums_[first], &of_scale_[t * channels]);
        },
        [&](const NormTile& tile, int first, int64_t at) {
          if (dx == nullptr) return;
          for (int p = first; p < first + tile.positions; ++p) {
            const double inverse = inverse_[p];
            of_x_[p] = static_cast<float>(sums_[p] * inverse * inverse * inverse);
          }
          GradientOf(tile, part(first, at), &of_x_[first], dx + at);
        });
  }

  void AddScaleGradient() {
    scale_sums_.assign(scale_.size(), 0.0);
    for (auto share = of_scale_.begin(); share != of_scale_.end(); share += scale_sums_.size()) {
      for (size_t c = 0; c < scale_sums_.size(); ++c) scale_sums_[c] += share[c];
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
  vector<float> of_scale_;        // tile × block × channel: Σ x dy / r over a tile
  vector<double> scale_sums_;     // block × channel
  Input bottom_, top_diff_;
};

const OverrideRegisterer g_normalize("Normalize", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnNormalizeLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
