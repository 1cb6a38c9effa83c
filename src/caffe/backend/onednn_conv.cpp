#include "caffe/backend/onednn_conv.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <tuple>

namespace caffe {
namespace onednn {

namespace {

constexpr int kLeastWinogradSize = 19;

auto Key(const AxisWindow& window) {
  return std::tie(window.kernel, window.stride, window.pad, window.dilation);
}

auto Key(const ConvShape& s) {
  return std::tuple_cat(std::tie(s.num, s.channels, s.height, s.width, s.num_output, s.out_height,
                                 s.out_width, s.group, s.bias, s.training, s.threads),
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
        strides{s.rows.stride, s.columns.stride},
        dilations{s.rows.dilation - 1, s.columns.dilation - 1},
        before{s.rows.pad, s.columns.pad},
        after{After(s.rows, s.height, s.out_height), After(s.columns, s.width, s.out_width)} {}

  /** The padding behind: what the last window reaches, which may be less than the pad in front. */
  static int64_t After(const AxisWindow& window, int size, int out_size) {
    const int64_t reach = int64_t{out_size - 1} * window.stride + window.extent();
    return std::max<int64_t>(reach - size - window.pad, 0);
  }

  Dims bottom, top, bias, strides, dilations, before, after;
};

/** make(algorithm); with direct where oneDNN has no implementation of the algorithm. */
template <typename Make>
auto WithFallback(dnnl::algorithm algorithm, const Make& make) {
  const dnnl::algorithm direct = dnnl::algorithm::convolution_direct;
  return Checked([&] {
    try {
      return make(algorithm);
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented || algorithm == direct) throw;
      return make(direct);
    }
  });
}

template <typename Primitive>
ConvPrimitive Finish(const typename Primitive::primitive_desc& desc, const Layout& bottom,
                     const Layout& weights, const Layout& top) {
  ConvPrimitive made;
  made.run = {Primitive(desc), desc.scratchpad_desc()};
  made.bottom = bottom;
  made.weights = weights;
  made.top = top;
  made.implementation = desc.impl_info_str();
  return made;
}

}  // namespace

bool ConvShape::operator==(const ConvShape& other) const { return Key(*this) == Key(other); }

dnnl::algorithm ChooseConvAlgorithm(const ConvShape& shape, ConvPass /*pass*/) {
  const dnnl::algorithm direct = dnnl::algorithm::convolution_direct;
  const dnnl::algorithm winograd = dnnl::algorithm::convolution_winograd;
  const char* forced = std::getenv("CAFFE_CONV_ALGORITHM");
  if (forced != nullptr && *forced != '\0') {
    const string word = forced;
    CHECK(word == "direct" || word == "winograd")
        << "CAFFE_CONV_ALGORITHM is \"" << word << "\", expected direct or winograd";
    return word == "winograd" && FitsWinograd(shape) ? winograd : direct;
  }
  const bool large = std::min(shape.height, shape.width) >= kLeastWinogradSize;
  return large && FitsWinograd(shape) ? winograd : direct;
}

Dims ConvPlan::weight_dims() const {
  const ConvShape& s = shape_;
  const Dims window = {s.rows.kernel, s.columns.kernel};
  if (s.group == 1) return {s.num_output, s.channels, window[0], window[1]};
  return {s.group, s.num_output / s.group, s.channels / s.group, window[0], window[1]};
}

dnnl::convolution_forward::primitive_desc ConvPlan::DescribeForward(
    dnnl::algorithm algorithm, const dnnl::primitive_attr& attributes, const Layout& bottom,
    const Layout& weights, const Layout& top) const {
  const Geometry g(shape_);
  const dnnl::prop_kind kind =
      shape_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  if (shape_.bias) {
    return DescribeWith<dnnl::convolution_forward>(attributes, kind, algorithm, bottom, weights,
                                                   PlainLayout(g.bias), top, g.strides, g.dilations,
                                                   g.before, g.after);
  }
  return DescribeWith<dnnl::convolution_forward>(attributes, kind, algorithm, bottom, weights, top,
                                                 g.strides, g.dilations, g.before, g.after);
}

ConvPlan::ConvPlan(const ConvShape& shape) : shape_(shape) {
  const Geometry g(shape);
  const auto make = [&](dnnl::algorithm algorithm) {
    return DescribeForward(algorithm, Attributes(), AnyLayout(g.bottom), AnyLayout(weight_dims()),
                           AnyLayout(g.top));
  };
  forward_desc_ = WithFallback(ChooseConvAlgorithm(shape, kConvForward), make);
  forward_ =
      Finish<dnnl::convolution_forward>(forward_desc_, forward_desc_.src_desc(),
                                        forward_desc_.weights_desc(), forward_desc_.dst_desc());
}

const ConvPrimitive* ConvPlan::forward_relu(float slope) {
  if (asked_for_relu_) return forward_relu_.get();
  asked_for_relu_ = true;
  const auto make = [&](dnnl::algorithm algorithm) {
    return DescribeForward(algorithm, AttributesWithReLU(slope), forward_.bottom, forward_.weights,
                           forward_.top);
  };
  try {
    auto desc = WithFallback(ChooseConvAlgorithm(shape_, kConvForward), make);
    while (desc.impl_info_str() != forward_.implementation) {
      if (!desc.next_impl()) return nullptr;
    }
    forward_relu_ = std::make_unique<ConvPrimitive>(
        Finish<dnnl::convolution_forward>(desc, forward_.bottom, forward_.weights, forward_.top));
  } catch (const Error&) {  // nothing takes these layouts and a ReLU: it stays a layer
  }
  return forward_relu_.get();
}

const ConvPrimitive& ConvPlan::backward_data() {
  if (backward_data_) return *backward_data_;
  const Geometry g(shape_);
  const auto make = [&](dnnl::algorithm algorithm) {
    return DescribeBackward<dnnl::convolution_backward_data>(
        forward_desc_, algorithm, AnyLayout(g.bottom), AnyLayout(weight_dims()), AnyLayout(g.top),
        g.strides, g.dilations, g.before, g.after);
  };
  const auto desc = WithFallback(ChooseConvAlgorithm(shape_, kConvBackwardData), make);
  backward_data_ = std::make_unique<ConvPrimitive>(Finish<dnnl::convolution_backward_data>(
      desc, desc.diff_src_desc(), desc.weights_desc(), desc.diff_dst_desc()));
  return *backward_data_;
}

const ConvPrimitive& ConvPlan::backward_weights() {
  if (backward_weights_) return *backward_weights_;
  const Geometry g(shape_);
  const auto make = [&](dnnl::algorithm algorithm) {
    const Layout bottom = AnyLayout(g.bottom), weights = AnyLayout(weight_dims());
    const Layout top = AnyLayout(g.top);
    if (shape_.bias) {
      return DescribeBackward<dnnl::convolution_backward_weights>(
          forward_desc_, algorithm, bottom, weights, PlainLayout(g.bias), top, g.strides,
          g.dilations, g.before, g.after);
    }
    return DescribeBackward<dnnl::convolution_backward_weights>(
        forward_desc_, algorithm, bottom, weights, top, g.strides, g.dilations, g.before, g.after);
  };
  const auto desc = WithFallback(ChooseConvAlgorithm(shape_, kConvBackwardWeights), make);
  backward_weights_ = std::make_unique<ConvPrimitive>(Finish<dnnl::convolution_backward_weights>(
      desc, desc.src_desc(), desc.diff_weights_desc(), desc.diff_dst_desc()));
  return *backward_weights_;
}

}  // namespace onednn
}  // namespace caffe
