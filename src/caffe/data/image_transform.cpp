#include "caffe/data/image_transform.hpp"

#include <opencv2/core.hpp>

#include "caffe/blob.hpp"
#include "caffe/util/io.hpp"

namespace caffe {

template <typename Pixel>
PixelView<Pixel> ImageView(const cv::Mat& image) {
  CHECK(image.dims == 2 && image.depth() == cv::DataType<Pixel>::depth)
      << "expected an image of 8-bit or float pixels, got " << image.dims
      << " axes of OpenCV's depth " << image.depth();
  return {image.ptr<Pixel>(),
          image.channels(),
          image.rows,
          image.cols,
          1,
          static_cast<ptrdiff_t>(image.step1()),
          image.channels()};
}

template PixelView<uint8_t> ImageView<uint8_t>(const cv::Mat& image);
template PixelView<float> ImageView<float>(const cv::Mat& image);

namespace {

BlobProto ReadMeanFile(const string& path) {
  BlobProto proto;
  try {
    ReadProtoFromBinaryFileOrDie(path, &proto);
  } catch (const Error& error) {
    throw Error(string("mean_file ") + error.what(), error.where());
  }
  return proto;
}

void LoadMean(TransformSpec* spec) {
  Blob<float> mean;
  mean.FromProto(ReadMeanFile(spec->mean_file));
  CHECK(mean.num_axes() <= 4 && mean.num() == 1)
      << "mean_file " << spec->mean_file << ": expected the shape 1 x channels x height x width, "
      << "got " << mean.shape_string();
  spec->mean_channels = mean.channels();
  spec->mean_height = mean.height();
  spec->mean_width = mean.width();
  spec->mean.assign(mean.cpu_data(), mean.cpu_data() + mean.count());
}

int Length(google::protobuf::uint32 value, const char* field) {
  CHECK(value <= static_cast<unsigned>(INT_MAX)) << field << " is too large: " << value;
  return static_cast<int>(value);
}

}  // namespace

TransformSpec MakeTransformSpec(const TransformationParameter& param, Phase phase) {
  CHECK(!param.has_mean_file() || param.mean_value_size() == 0)
      << "transform_param has mean_file and mean_value; expected one of them";
  CHECK(!param.force_color() || !param.force_gray())
      << "transform_param has force_color and force_gray; expected one of them";
  TransformSpec spec;
  spec.scale = param.scale();
  spec.mirror = param.mirror();
  spec.random_crop = phase == TRAIN;
  spec.crop_h = Length(param.has_crop_h() ? param.crop_h() : param.crop_size(), "crop_h");
  spec.crop_w = Length(param.has_crop_w() ? param.crop_w() : param.crop_size(), "crop_w");
  if (param.force_color()) spec.color = ImageColor::kColor;
  if (param.force_gray()) spec.color = ImageColor::kGray;
  spec.mean_values.assign(param.mean_value().begin(), param.mean_value().end());
  spec.mean_file = param.mean_file();
  if (param.has_mean_file()) LoadMean(&spec);
  return spec;
}

RandomInteger RandomIntegerOf(std::mt19937* generator) {
  return [generator](int n) {
    return static_cast<int>((*generator)() % static_cast<std::mt19937::result_type>(n));
  };
}

CropMirror DrawCropMirror(const TransformSpec& spec, int height, int width,
                          const RandomInteger& random) {
  CropMirror crop;
  crop.height = spec.crop_h > 0 ? spec.crop_h : height;
  crop.width = spec.crop_w > 0 ? spec.crop_w : width;
  CHECK(crop.height <= height && crop.width <= width)
      << "the crop is larger than the image: crop " << crop.height << " x " << crop.width
      << ", image " << height << " x " << width << " (height x width)";
  crop.mirror = spec.mirror && random(2) == 1;
  if (crop.height == height && crop.width == width) return crop;
  crop.top = spec.random_crop ? random(height - crop.height + 1) : (height - crop.height) / 2;
  crop.left = spec.random_crop ? random(width - crop.width + 1) : (width - crop.width) / 2;
  return crop;
}

namespace {

template <typename Pixel>
void CheckMean(const TransformSpec& spec, const PixelView<Pixel>& image) {
  const size_t num_values = spec.mean_values.size();
  CHECK(num_values <= 1 || num_values == static_cast<size_t>(image.channels))
      << "transform_param has " << num_values << " mean_value for an image of " << image.channels
      << " channel(s); expected one for all, or one for each";
  if (spec.mean.empty()) return;
  CHECK(spec.mean_channels == image.channels && spec.mean_height == image.height &&
        spec.mean_width == image.width)
      << "mean_file " << spec.mean_file << " has the shape " << spec.mean_channels << " x "
      << spec.mean_height << " x " << spec.mean_width << ", the image " << image.channels << " x "
      << image.height << " x " << image.width << " (channels x height x width)";
}

float ChannelMean(const TransformSpec& spec, int channel) {
  if (spec.mean_values.empty()) return 0;
  return spec.mean_values[spec.mean_values.size() > 1 ? channel : 0];
}

}  // namespace

template <typename Pixel, typename Dtype>
void WriteTransformed(const TransformSpec& spec, const CropMirror& crop,
                      const PixelView<Pixel>& image, Dtype* out) {
  CheckMean(spec, image);
  const Dtype scale = spec.scale;
  const ptrdiff_t out_step = crop.mirror ? -1 : 1;
  for (int c = 0; c < image.channels; ++c) {
    const Dtype channel_mean = ChannelMean(spec, c);
    for (int h = 0; h < crop.height; ++h, out += crop.width) {
      const int row = crop.top + h;
      const Pixel* in = image.data + c * image.channel_stride + row * image.row_stride +
                        crop.left * image.column_stride;
      Dtype* target = crop.mirror ? out + crop.width - 1 : out;
      if (spec.mean.empty()) {
        for (int w = 0; w < crop.width; ++w, in += image.column_stride, target += out_step) {
          *target = (static_cast<Dtype>(*in) - channel_mean) * scale;
        }
        continue;
      }
      const float* mean = spec.mean.data() +
                          (static_cast<size_t>(c) * image.height + row) * image.width + crop.left;
      for (int w = 0; w < crop.width; ++w, in += image.column_stride, target += out_step) {
        *target = (static_cast<Dtype>(*in) - *mean++) * scale;
      }
    }
  }
}

#define INSTANTIATE_WRITE(Pixel, Dtype)                                                 \
  template void WriteTransformed<Pixel, Dtype>(const TransformSpec&, const CropMirror&, \
                                               const PixelView<Pixel>&, Dtype*)
INSTANTIATE_WRITE(uint8_t, float);
INSTANTIATE_WRITE(uint8_t, double);
INSTANTIATE_WRITE(float, float);
INSTANTIATE_WRITE(float, double);
INSTANTIATE_WRITE(double, double);
#undef INSTANTIATE_WRITE

}  // namespace caffe
