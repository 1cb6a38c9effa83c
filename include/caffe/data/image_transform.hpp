#ifndef CAFFE_DATA_IMAGE_TRANSFORM_HPP_
#define CAFFE_DATA_IMAGE_TRANSFORM_HPP_

#include <cstddef>
#include <functional>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/image_io.hpp"

namespace caffe {

/** @brief Pixels in memory, planar (a Datum) or interleaved (OpenCV), told by strides. */
template <typename Pixel>
struct PixelView {
  const Pixel* data = nullptr;
  int channels = 0;
  int height = 0;
  int width = 0;
  ptrdiff_t channel_stride = 0;
  ptrdiff_t row_stride = 0;
  ptrdiff_t column_stride = 0;
};

/** @brief Planes one after the other, each row by row. */
template <typename Pixel>
PixelView<Pixel> PlanarView(const Pixel* data, int channels, int height, int width) {
  const ptrdiff_t plane = static_cast<ptrdiff_t>(height) * width;
  return {data, channels, height, width, plane, width, 1};
}

/** @brief The pixels of an OpenCV image; Pixel must be its element type. @throws Error. */
template <typename Pixel>
PixelView<Pixel> ImageView(const cv::Mat& image);

/**
 * @brief Calls visit(PixelView) with the pixels of a Datum, decoded if it is encoded.
 * @throws Error for a Datum that CheckDatum refuses, or cannot be decoded.
 */
template <typename Visitor>
void VisitPixels(const Datum& datum, ImageColor color, const Visitor& visit) {
  CheckDatum(datum);
  if (datum.encoded()) {
    const cv::Mat image = DatumToImage(datum, color);
    visit(ImageView<uint8_t>(image));
  } else if (!datum.data().empty()) {
    visit(PlanarView(reinterpret_cast<const uint8_t*>(datum.data().data()), datum.channels(),
                     datum.height(), datum.width()));
  } else {
    visit(PlanarView(datum.float_data().data(), datum.channels(), datum.height(), datum.width()));
  }
}

/** @brief What is the same for all images: a TransformationParameter, checked, its mean loaded. */
struct TransformSpec {
  float scale = 1;
  bool mirror = false;       ///< mirror every second image, by chance
  bool random_crop = false;  ///< in training; otherwise crops are from the center
  int crop_h = 0;            ///< 0: the whole height
  int crop_w = 0;
  ImageColor color = ImageColor::kNative;  ///< how encoded images are decoded
  vector<float> mean_values;               ///< one, or one for each channel; or none
  string mean_file;
  vector<float> mean;  ///< of mean_file: planes of the size of the whole image
  int mean_channels = 0;
  int mean_height = 0;
  int mean_width = 0;
};

/**
 * @brief Reads the parameter; crop_h and crop_w count before crop_size.
 * @throws Error for contradictions (both means, color and gray), and for a mean file that
 * cannot be read.
 */
TransformSpec MakeTransformSpec(const TransformationParameter& param, Phase phase);

/** @brief Draws an integer in [0, n). */
typedef std::function<int(int)> RandomInteger;
RandomInteger RandomIntegerOf(std::mt19937* generator);

/** @brief What was drawn for one image. */
struct CropMirror {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
  bool mirror = false;
};

/** @throws Error if the crop is larger than the image. */
CropMirror DrawCropMirror(const TransformSpec& spec, int height, int width,
                          const RandomInteger& random);

/**
 * @brief out[c][h][w] = (pixel(c, top + h, left + w) − mean) · scale, each row reversed if
 * mirrored.
 *
 * The mean is that of the pixel in the whole image, before it is mirrored.
 * @param out channels × crop.height × crop.width values
 * @throws Error if the mean does not fit the image.
 */
template <typename Pixel, typename Dtype>
void WriteTransformed(const TransformSpec& spec, const CropMirror& crop,
                      const PixelView<Pixel>& image, Dtype* out);

}  // namespace caffe

#endif  // CAFFE_DATA_IMAGE_TRANSFORM_HPP_
