#include "caffe/util/spatial.hpp"

namespace caffe {

namespace {

/** One of convolution_param's four fields, in its two forms. */
struct WindowField {
  const char* name;  // "stride"
  const char* name_h;
  const char* name_w;
  const google::protobuf::RepeatedField<google::protobuf::uint32>& values;
  bool has_h, has_w;
  unsigned h, w;
  int smallest;  // the least allowed value
  int fallback;  // for an absent field; below `smallest` when it must be given
};

int CheckedValue(const WindowField& field, const char* name, unsigned value) {
  CHECK(value <= static_cast<unsigned>(INT_MAX / 4)) << name << " " << value << " is too large";
  CHECK(static_cast<int>(value) >= field.smallest)
      << name << " must be at least " << field.smallest << ", got " << value;
  return static_cast<int>(value);
}

vector<int> ReadField(const WindowField& field, int num_axes) {
  if (field.has_h || field.has_w) {
    CHECK(field.values.empty()) << field.name << " and " << field.name_h << " or " << field.name_w
                                << " are both given; expected one form";
    CHECK(num_axes == 2) << field.name_h << " and " << field.name_w
                         << " are for two spatial axes, the bottom has " << num_axes;
    return {CheckedValue(field, field.name_h, field.h), CheckedValue(field, field.name_w, field.w)};
  }
  if (field.values.empty()) {
    CHECK(field.fallback >= field.smallest) << field.name << " is missing";
    return vector<int>(num_axes, field.fallback);
  }
  CHECK(field.values.size() == 1 || field.values.size() == num_axes)
      << field.name << " has " << field.values.size() << " values for " << num_axes
      << " spatial axes; expected one for all, or one for each";
  vector<int> values;
  for (int i = 0; i < num_axes; ++i) {
    values.push_back(
        CheckedValue(field, field.name, field.values.Get(field.values.size() == 1 ? 0 : i)));
  }
  return values;
}

}  // namespace

vector<AxisWindow> ReadConvWindows(const ConvolutionParameter& param, int num_spatial_axes) {
  const WindowField kernel{"kernel_size",
                           "kernel_h",
                           "kernel_w",
                           param.kernel_size(),
                           param.has_kernel_h(),
                           param.has_kernel_w(),
                           param.kernel_h(),
                           param.kernel_w(),
                           1,
                           0};
  const WindowField stride{"stride",
                           "stride_h",
                           "stride_w",
                           param.stride(),
                           param.has_stride_h(),
                           param.has_stride_w(),
                           param.stride_h(),
                           param.stride_w(),
                           1,
                           1};
  const WindowField pad{"pad",
                        "pad_h",
                        "pad_w",
                        param.pad(),
                        param.has_pad_h(),
                        param.has_pad_w(),
                        param.pad_h(),
                        param.pad_w(),
                        0,
                        0};
  const WindowField dilation{"dilation", "", "", param.dilation(), false, false, 0, 0, 1, 1};
  const vector<int> kernels = ReadField(kernel, num_spatial_axes);
  const vector<int> strides = ReadField(stride, num_spatial_axes);
  const vector<int> pads = ReadField(pad, num_spatial_axes);
  const vector<int> dilations = ReadField(dilation, num_spatial_axes);
  vector<AxisWindow> windows;
  for (int i = 0; i < num_spatial_axes; ++i) {
    windows.push_back({kernels[i], strides[i], pads[i], dilations[i]});
  }
  return windows;
}

int ConvOutputSize(int input, const AxisWindow& window, int axis) {
  const int64_t padded = int64_t{input} + 2 * int64_t{window.pad};
  CHECK(window.extent() <= padded)
      << "the kernel is larger than the padded input on spatial axis " << axis << ": kernel "
      << window.kernel << " with dilation " << window.dilation << " spans " << window.extent()
      << ", input " << input << " with pad " << window.pad << " is " << padded;
  const int64_t output = (padded - window.extent()) / window.stride + 1;
  CHECK(output <= INT_MAX) << "the output on spatial axis " << axis << " would be " << output
                           << ", which is too large";
  return static_cast<int>(output);
}

int DeconvOutputSize(int input, const AxisWindow& window, int axis) {
  const int64_t output =
      int64_t{window.stride} * (input - 1) + window.extent() - 2 * int64_t{window.pad};
  CHECK(output > 0 && output <= INT_MAX)
      << "the output on spatial axis " << axis << " would be " << output << ": input " << input
      << ", stride " << window.stride << ", kernel " << window.kernel << " with dilation "
      << window.dilation << " spans " << window.extent() << ", pad " << window.pad;
  return static_cast<int>(output);
}

}  // namespace caffe
