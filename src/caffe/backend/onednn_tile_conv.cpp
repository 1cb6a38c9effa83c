#include "caffe/backend/onednn_tile_conv.hpp"

#include <memory>
#include <tuple>

#include "caffe/backend/amx_convolver.hpp"
#include "caffe/backend/amx_weight_gradient.hpp"

namespace caffe {
namespace onednn {

namespace {

using Tag = dnnl::memory::format_tag;

constexpr int kImageChannels = 4;

bool HasAmx() {
  const auto bits = [](dnnl::cpu_isa isa) { return static_cast<unsigned>(isa); };
  static const unsigned wanted = bits(dnnl::cpu_isa::avx512_core_amx);
  static const bool allowed = (bits(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
  return allowed && amx::Available();
}

amx::Convolution ConvolutionOf(const ConvShape& s) {
  return {s.num,
          s.channels,
          s.height,
          s.width,
          s.num_output,
          s.out_height,
          s.out_width,
          {s.rows.kernel, s.rows.pad, s.rows.dilation},
          {s.columns.kernel, s.columns.pad, s.columns.dilation},
          s.threads};
}

Layout Bytes(size_t count) {
  return Layout({static_cast<int64_t>(count)}, ElementType::u8, Tag::a);
}

/** Memory in one of the layouts that MakeByTiles gives to activations. */
amx::Activations View(const dnnl::memory& memory) {
  const Layout layout = memory.get_desc();
  const Dims dims = DimsOf(layout);
  const auto channels = static_cast<int>(dims[1]);
  const auto pixels = static_cast<size_t>(dims[2] * dims[3]);
  auto* data = static_cast<char*>(memory.get_data_handle());
  if (TypeOf(layout) == ElementType::bf16) {
    const size_t pixel = channels * sizeof(uint16_t), block = amx::kBlock * sizeof(uint16_t);
    return {amx::Activations::kBf16, data, channels, pixel, block, pixels * pixel, false};
  }
  if (layout == PlainLayout(dims)) {
    const size_t plane = pixels * sizeof(float);
    return {amx::Activations::kPlanes, data, channels, sizeof(float), plane,
            channels * plane,          false};
  }
  const size_t pixel = amx::kBlock * sizeof(float), block = pixels * pixel;
  const size_t image = amx::Blocks(channels, amx::kBlock) * block;
  return {amx::Activations::kFloats, data, channels, pixel, block, image, true};
}

/** What the passes have in common. */
struct Tiles {
  amx::Convolution convolution;
  amx::Parts parts;
  TileWeights weights;
};

Tiles TilesOf(const ConvShape& shape, ConvPass pass, const ConvMethod& method) {
  const bool backward = pass == kConvBackwardData;
  const amx::Parts parts = method.type == ElementType::bf16 ? amx::kWhole : amx::kSplit;
  const amx::Convolution convolution = ConvolutionOf(shape);
  return {backward ? amx::Backward(convolution) : convolution,
          parts,
          {shape.num_output, shape.channels, convolution.taps(), backward, parts, shape.threads}};
}

char* ScratchBytes(size_t count) {
  return static_cast<char*>(Scratch(kPrimitive, Bytes(count)).get_data_handle());
}

/** Of Forward, and of the bottom's gradient. */
std::function<void(const Arguments&)> Convolve(const Tiles& tiles, std::optional<float> slope) {
  const auto convolver = std::make_shared<amx::Convolver>(tiles.convolution, tiles.parts);
  const bool backward = tiles.weights.backward;
  return [convolver, backward, slope](const Arguments& arguments) {
    amx::Finish finish;
    const auto bias = arguments.find(DNNL_ARG_BIAS);
    if (bias != arguments.end()) {
      finish.bias = static_cast<const float*>(bias->second.get_data_handle());
    }
    finish.relu = slope.has_value();
    finish.slope = slope.value_or(0);
    const dnnl::memory& from = arguments.at(backward ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC);
    const dnnl::memory& to = arguments.at(backward ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DST);
    const dnnl::memory& weights = arguments.at(DNNL_ARG_WEIGHTS);
    const auto bottom = arguments.find(DNNL_ARG_SRC);
    amx::Activations positive = {};
    if (backward && bottom != arguments.end()) {
      positive = View(bottom->second);
      finish.positive = &positive;
    }
    convolver->Run(View(from), static_cast<const char*>(weights.get_data_handle()), finish,
                   View(to), ScratchBytes(convolver->scratch_bytes()));
  };
}

std::function<void(const Arguments&)> SumWeights(const Tiles& tiles) {
  const auto gradient = std::make_shared<amx::WeightGradient>(tiles.convolution, tiles.parts);
  return [gradient](const Arguments& arguments) {
    const auto floats = [&](int name) {
      const auto found = arguments.find(name);
      return found == arguments.end() ? nullptr
                                      : static_cast<float*>(found->second.get_data_handle());
    };
    gradient->Run(View(arguments.at(DNNL_ARG_SRC)), View(arguments.at(DNNL_ARG_DIFF_DST)),
                  floats(DNNL_ARG_DIFF_WEIGHTS), floats(DNNL_ARG_DIFF_BIAS),
                  ScratchBytes(gradient->scratch_bytes()));
  };
}

}  // namespace

bool TileWeights::operator==(const TileWeights& other) const {
  const auto key = [](const TileWeights& w) {
    return std::tie(w.outputs, w.inputs, w.taps, w.backward, w.parts);
  };
  return key(*this) == key(other);
}

Layout TileWeights::layout() const { return Bytes(amx::PackedWeightBytes(Of(nullptr), parts)); }

void TileWeights::Pack(const float* plain, const dnnl::memory& to) const {
  amx::PackWeights(Of(plain), parts, threads, static_cast<char*>(to.get_data_handle()));
}

bool FitsTiles(const ConvShape& shape) {
  return shape.group == 1 && shape.rows.stride == 1 && shape.columns.stride == 1 && HasAmx();
}

ConvPrimitive MakeByTiles(const ConvShape& shape, ConvPass pass, const ConvMethod& method,
                          std::optional<float> slope) {
  const Tiles tiles = TilesOf(shape, pass, method);
  const Dims bottom = {shape.num, shape.channels, shape.height, shape.width};
  const Dims top = {shape.num, shape.num_output, shape.out_height, shape.out_width};
  ConvPrimitive made;
  made.top = Layout(top, method.type, method.activations);
  const bool image = shape.channels <= kImageChannels && pass != kConvBackwardData;
  made.bottom = image ? PlainLayout(bottom) : Layout(bottom, method.type, method.activations);
  if (pass == kConvBackwardWeights) {
    made.weights = Layout(WeightDims(shape), ElementType::f32, Tag::OIhw16i16o);
    made.run.own = SumWeights(tiles);
  } else {
    made.weights = tiles.weights.layout();
    made.tile_weights = tiles.weights;
    made.run.own = Convolve(tiles, slope);
  }
  made.implementation = "amx";
  made.keeps_nan = true;
  made.masks = pass == kConvBackwardData;
  return made;
}

}  // namespace onednn
}  // namespace caffe
