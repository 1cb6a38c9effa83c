#include "caffe/backend/onednn_conv.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "caffe/backend/onednn_conv_choice.hpp"
#include "caffe/backend/onednn_tile_conv.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {
namespace onednn {

namespace {

using Algorithm = dnnl::algorithm;
using Tag = dnnl::memory::format_tag;

constexpr int kLeastWinogradSize = 19;
// Fewer channels fill no vector, and Winograd's transforms work for padding.
constexpr int kLeastWinogradChannels = 16;
// The same holds for tiles.
constexpr int kLeastTileChannels = 16;

auto Key(const AxisWindow& window) {
  return std::tie(window.kernel, window.stride, window.pad, window.dilation);
}

auto Key(const ConvShape& s) {
  return std::tuple_cat(std::tie(s.num, s.channels, s.height, s.width, s.num_output, s.out_height,
                                 s.out_width, s.group, s.bias, s.training, s.threads, s.type),
                        Key(s.rows), Key(s.columns));
}

bool FitsWinograd(const AxisWindow& window) {
  return window.kernel == 3 && window.stride == 1 && window.dilation == 1;
}

bool FitsWinograd(const ConvShape& shape) {
  return shape.group == 1 && FitsWinograd(shape.rows) && FitsWinograd(shape.columns);
}

/** A convolution's sizes in oneDNN's words. */
struct Geometry {
  explicit Geometry(const ConvShape& s)
      : bottom{s.num, s.channels, s.height, s.width},
        top{s.num, s.num_output, s.out_height, s.out_width},
        bias{s.num_output},
        weights(WeightDims(s)),
        strides{s.rows.stride, s.columns.stride},
        dilations{s.rows.dilation - 1, s.columns.dilation - 1},
        before{s.rows.pad, s.columns.pad},
        after{After(s.rows, s.height, s.out_height), After(s.columns, s.width, s.out_width)} {}

  /** The padding behind: what the last window reaches, which may be less than the pad in front. */
  static int64_t After(const AxisWindow& window, int size, int out_size) {
    const int64_t reach = int64_t{out_size - 1} * window.stride + window.extent();
    return std::max<int64_t>(reach - size - window.pad, 0);
  }

  Dims bottom, top, bias, weights, strides, dilations, before, after;
};

/** The descriptors that a pass by one method is made of. */
class Description {
 public:
  Description(const ConvShape& shape, const ConvMethod& method)
      : geometry_(shape), method_(method), has_bias_(shape.bias), training_(shape.training) {}

  dnnl::convolution_forward::primitive_desc Forward(const dnnl::primitive_attr& attributes) const {
    return Forward(attributes, method_.algorithm, method_.activations);
  }
  dnnl::convolution_backward_data::primitive_desc BackwardData() const {
    const Geometry& g = geometry_;
    return DescribeBackward<dnnl::convolution_backward_data>(
        Hint(), method_.algorithm, Activations(g.bottom, method_.activations),
        AnyLayout(g.weights, method_.type), Activations(g.top, method_.activations), g.strides,
        g.dilations, g.before, g.after);
  }
  /** The gradients of the weights are sums, and so floats, whatever is summed. */
  dnnl::convolution_backward_weights::primitive_desc BackwardWeights() const {
    const Geometry& g = geometry_;
    const Layout bottom = Activations(g.bottom, method_.activations);
    const Layout top = Activations(g.top, method_.activations), weights = AnyLayout(g.weights);
    if (has_bias_) {
      return DescribeBackward<dnnl::convolution_backward_weights>(
          Hint(), method_.algorithm, bottom, weights, PlainLayout(g.bias), top, g.strides,
          g.dilations, g.before, g.after);
    }
    return DescribeBackward<dnnl::convolution_backward_weights>(
        Hint(), method_.algorithm, bottom, weights, top, g.strides, g.dilations, g.before, g.after);
  }

 private:
  Layout Activations(const Dims& dims, Tag tag) const { return Layout(dims, method_.type, tag); }

  dnnl::convolution_forward::primitive_desc Forward(const dnnl::primitive_attr& attributes,
                                                    Algorithm algorithm, Tag tag) const {
    const Geometry& g = geometry_;
    const dnnl::prop_kind kind =
        training_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    const Layout bottom = Activations(g.bottom, tag), top = Activations(g.top, tag);
    const Layout weights = AnyLayout(g.weights, method_.type);
    if (has_bias_) {
      return DescribeWith<dnnl::convolution_forward>(attributes, kind, algorithm, bottom, weights,
                                                     PlainLayout(g.bias), top, g.strides,
                                                     g.dilations, g.before, g.after);
    }
    return DescribeWith<dnnl::convolution_forward>(attributes, kind, algorithm, bottom, weights,
                                                   top, g.strides, g.dilations, g.before, g.after);
  }
  /** What oneDNN asks for with a backward pass, of a kind that always is there. */
  dnnl::convolution_forward::primitive_desc Hint() const {
    return Forward(Attributes(), Algorithm::convolution_direct, Tag::any);
  }

  Geometry geometry_;
  ConvMethod method_;
  bool has_bias_, training_;
};

template <typename Primitive>
ConvPrimitive Finish(const typename Primitive::primitive_desc& desc, const Layout& bottom,
                     const Layout& weights, const Layout& top) {
  ConvPrimitive made;
  made.run.step = {Primitive(desc), desc.scratchpad_desc()};
  made.bottom = bottom;
  made.weights = weights;
  made.top = top;
  made.implementation = desc.impl_info_str();
  return made;
}

ConvPrimitive Make(ConvPass pass, const Description& description,
                   const dnnl::primitive_attr& attributes) {
  if (pass == kConvForward) {
    const auto desc = description.Forward(attributes);
    return Finish<dnnl::convolution_forward>(desc, desc.src_desc(), desc.weights_desc(),
                                             desc.dst_desc());
  }
  if (pass == kConvBackwardData) {
    const auto desc = description.BackwardData();
    return Finish<dnnl::convolution_backward_data>(desc, desc.diff_src_desc(), desc.weights_desc(),
                                                   desc.diff_dst_desc());
  }
  const auto desc = description.BackwardWeights();
  return Finish<dnnl::convolution_backward_weights>(desc, desc.src_desc(), desc.diff_weights_desc(),
                                                    desc.diff_dst_desc());
}

/** Whether `parts` memories of one layout, one behind the other, are one of the other layout. */
bool IsMadeOf(const Layout& whole, const Layout& part, int parts) {
  for (const Tag tag : {Tag::nChw16c, Tag::nChw8c, Tag::nhwc, Tag::nchw}) {
    for (const ElementType type : {ElementType::f32, ElementType::bf16}) {
      if (whole != Layout(DimsOf(whole), type, tag)) continue;
      return part == Layout(DimsOf(part), type, tag) &&
             whole.get_size() == part.get_size() * static_cast<size_t>(parts);
    }
  }
  return false;
}

/** Makes it work in the fewest equal parts that need no more scratch memory, if there are any. */
void RunInParts(const ConvShape& shape, size_t most_scratch,
                const std::function<ConvPrimitive(const ConvShape&)>& make, ConvPrimitive* whole) {
  const size_t needed = whole->run.step.scratch.get_size();
  if (needed <= most_scratch) return;
  for (int parts = 2; parts <= shape.num; ++parts) {
    if (shape.num % parts != 0 || (parts < shape.num && needed / parts > most_scratch)) continue;
    ConvShape part = shape;
    part.num = shape.num / parts;
    const ConvPrimitive made = make(part);
    const bool fits = IsMadeOf(whole->bottom, made.bottom, parts) &&
                      IsMadeOf(whole->top, made.top, parts) && made.weights == whole->weights;
    if (!fits || made.run.step.scratch.get_size() >= needed) return;
    whole->run = {made.run.step, parts, made.bottom, made.top, nullptr};
    whole->implementation = made.implementation;
    return;
  }
}

/** to += from, all floats that they store. */
void AddStored(const dnnl::memory& from, const dnnl::memory& to) {
  const auto* x = static_cast<const float*>(from.get_data_handle());
  auto* y = static_cast<float*>(to.get_data_handle());
  const size_t count = to.get_desc().get_size() / sizeof(float);
  caffe_axpy(static_cast<int>(count), 1.0F, x, y);
}

}  // namespace

Dims WeightDims(const ConvShape& s) {
  const Dims window = {s.rows.kernel, s.columns.kernel};
  if (s.group == 1) return {s.num_output, s.channels, window[0], window[1]};
  return {s.group, s.num_output / s.group, s.channels / s.group, window[0], window[1]};
}

void ConvStep::operator()(Arguments arguments) const {
  if (own) {
    own(arguments);
    return;
  }
  if (parts == 1) {
    step(std::move(arguments));
    return;
  }
  const std::pair<int, const Layout*> activations[] = {{DNNL_ARG_SRC, &bottom},
                                                       {DNNL_ARG_DIFF_SRC, &bottom},
                                                       {DNNL_ARG_DST, &top},
                                                       {DNNL_ARG_DIFF_DST, &top}};
  const std::pair<int, ScratchUse> sums[] = {{DNNL_ARG_DIFF_WEIGHTS, kPartGradient},
                                             {DNNL_ARG_DIFF_BIAS, kPartBias}};
  for (int i = 0; i < parts; ++i) {
    Arguments part = arguments;
    for (const auto& [name, layout] : activations) {
      const auto whole = arguments.find(name);
      if (whole == arguments.end()) continue;
      auto* first = static_cast<char*>(whole->second.get_data_handle());
      part[name] = dnnl::memory(*layout, Engine(), first + i * layout->get_size());
    }
    for (const auto& [name, use] : sums) {
      const auto sum = arguments.find(name);
      if (i > 0 && sum != arguments.end()) part[name] = Scratch(use, sum->second.get_desc());
    }
    step(part);
    for (const auto& [name, use] : sums) {
      if (i > 0 && arguments.count(name) > 0) AddStored(part[name], arguments[name]);
    }
  }
}

bool Fits(const ConvShape& shape, const ConvMethod& method) {
  if (method.tiles && !FitsTiles(shape)) return false;
  if (method.type == ElementType::bf16) return shape.type == ElementType::bf16;
  return method.algorithm != Algorithm::convolution_winograd || FitsWinograd(shape);
}

bool ConvShape::operator==(const ConvShape& other) const { return Key(*this) == Key(other); }

const vector<ConvMethod>& ConvMethods() {
  static const vector<ConvMethod>* methods = new vector<ConvMethod>{
      {"winograd", Algorithm::convolution_winograd, ElementType::f32, Tag::any},
      {"direct", Algorithm::convolution_direct, ElementType::f32, Tag::any},
      {"nhwc", Algorithm::convolution_direct, ElementType::f32, Tag::nhwc},
      {"nchw", Algorithm::convolution_direct, ElementType::f32, Tag::nchw},
      {"bf16", Algorithm::convolution_direct, ElementType::bf16, Tag::any},
      {"bf16_nhwc", Algorithm::convolution_direct, ElementType::bf16, Tag::nhwc},
      {"amx_split", Algorithm::convolution_direct, ElementType::f32, Tag::nChw16c, true},
      {"amx_bf16", Algorithm::convolution_direct, ElementType::bf16, Tag::nhwc, true}};
  return *methods;
}

const ConvMethod& ConvMethodByName(const string& name) {
  string names;
  for (const ConvMethod& method : ConvMethods()) {
    if (method.name == name) return method;
    names += " " + method.name;
  }
  LOG(FATAL) << "no method of convolution is called \"" << name << "\"; there are" << names;
}

namespace {

string TileMethod(const ConvShape& shape) {
  return shape.type == ElementType::bf16 ? "amx_bf16" : "amx_split";
}

}  // namespace

string DirectMethod(const ConvShape& shape) {
  return shape.type == ElementType::bf16 ? "bf16" : "direct";
}

ConvMethod DefaultConvMethod(const ConvShape& shape, ConvPass pass) {
  const bool bf16 = shape.type == ElementType::bf16;
  if (FitsTiles(shape) && std::min(shape.channels, shape.num_output) >= kLeastTileChannels) {
    return ConvMethodByName(TileMethod(shape));
  }
  const bool winograd = std::min(shape.height, shape.width) >= kLeastWinogradSize &&
                        shape.channels >= kLeastWinogradChannels && FitsWinograd(shape) &&
                        (!bf16 || (pass == kConvBackwardWeights && shape.num_output >= 256));
  return ConvMethodByName(winograd ? "winograd" : DirectMethod(shape));
}

vector<ConvMethod> ConvMethodsFor(const ConvShape& shape, ConvPass pass) {
  vector<string> names = {DefaultConvMethod(shape, pass).name};
  const bool winograd = FitsWinograd(shape) && shape.channels >= kLeastWinogradChannels;
  const bool bf16 = shape.type == ElementType::bf16;
  if (FitsTiles(shape)) names.push_back(TileMethod(shape));
  if (bf16) names.insert(names.end(), {"bf16", "bf16_nhwc"});
  if (winograd) names.push_back("winograd");
  // Beside one that does with less or narrower arithmetic, these have never won.
  if (!winograd || !bf16) names.push_back("direct");
  if (!winograd && !bf16) names.push_back("nhwc");
  // Columns and one product of matrices: for layers too thin for the others.
  if (!bf16 && std::min(shape.channels, shape.num_output) < kLeastWinogradChannels) {
    names.push_back("nchw");
  }
  vector<ConvMethod> methods;
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::find(names.begin(), names.begin() + i, names[i]) != names.begin() + i) continue;
    methods.push_back(ConvMethodByName(names[i]));
  }
  return methods;
}

namespace {

/** @throws dnnl::error, also where oneDNN has no implementation. */
ConvPrimitive MakeByOnednn(const ConvShape& shape, ConvPass pass, const ConvMethod& method,
                           std::optional<float> slope, size_t most_scratch) {
  const dnnl::primitive_attr attributes = slope ? AttributesWithReLU(*slope) : Attributes();
  const auto make = [&](const ConvShape& some) {
    return Make(pass, Description(some, method), attributes);
  };
  ConvPrimitive made = make(shape);
  RunInParts(shape, most_scratch, make, &made);
  return made;
}

}  // namespace

std::unique_ptr<ConvPrimitive> MakeConvPrimitive(const ConvShape& shape, ConvPass pass,
                                                 const ConvMethod& method,
                                                 std::optional<float> slope, size_t most_scratch) {
  return Checked([&]() -> std::unique_ptr<ConvPrimitive> {
    try {
      if (!Fits(shape, method)) return nullptr;
      auto made = std::make_unique<ConvPrimitive>(
          method.tiles ? MakeByTiles(shape, pass, method, slope)
                       : MakeByOnednn(shape, pass, method, slope, most_scratch));
      made->method = method.name;
      made->kept = pass == kConvForward ? made->top : made->bottom;
      if (pass != kConvBackwardWeights && method.type != shape.type) {
        made->kept = UsualLayout(DimsOf(made->kept), shape.type);
      }
      return made;
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) throw;
      return nullptr;
    }
  });
}

Layout UsualLayout(const Dims& dims, ElementType type) {
  // That of a convolution in the middle of a net.
  const auto tag_of = [](ElementType type) {
    const Dims activations = {2, 64, 40, 40};
    const auto desc = Checked([&] {
      return Describe<dnnl::convolution_forward>(
          dnnl::prop_kind::forward_training, Algorithm::convolution_direct,
          AnyLayout(activations, type), AnyLayout({64, 64, 3, 3}, type),
          AnyLayout(activations, type), Dims{1, 1}, Dims{1, 1}, Dims{1, 1});
    });
    for (const Tag tag : {Tag::nChw16c, Tag::nChw8c}) {
      if (desc.src_desc() == Layout(activations, type, tag)) return tag;
    }
    return Tag::nhwc;
  };
  if (type == ElementType::bf16) {
    static const Tag tag = tag_of(ElementType::bf16);
    return Layout(dims, type, tag);
  }
  static const Tag tag = tag_of(ElementType::f32);
  return Layout(dims, type, tag);
}

Layout PlainWeights(const ConvShape& shape) { return PlainLayout(WeightDims(shape)); }

const ConvPrimitive& ConvPlan::Pass(ConvPass pass) {
  std::unique_ptr<ConvPrimitive>& made = passes_[pass];
  if (!made) made = MakeConvPrimitive(shape_, pass, ChooseConvMethod(shape_, pass));
  if (!made) made = MakeConvPrimitive(shape_, pass, ConvMethodByName("direct"));
  CHECK(made != nullptr) << "oneDNN has no implementation of this convolution";
  return *made;
}

const ConvPrimitive* ConvPlan::forward_relu(float slope) {
  if (asked_for_relu_) return forward_relu_.get();
  asked_for_relu_ = true;
  const ConvPrimitive& plain = forward();
  forward_relu_ = MakeConvPrimitive(shape_, kConvForward, ConvMethodByName(plain.method), slope);
  if (forward_relu_ &&
      (forward_relu_->implementation != plain.implementation ||
       forward_relu_->bottom != plain.bottom || forward_relu_->weights != plain.weights ||
       forward_relu_->top != plain.top)) {
    forward_relu_.reset();
  }
  return forward_relu_.get();
}

}  // namespace onednn
}  // namespace caffe
