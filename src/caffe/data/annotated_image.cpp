#include "caffe/data/annotated_image.hpp"

#include <opencv2/imgproc.hpp>

#include "caffe/data/record_report.hpp"

namespace caffe {

namespace {

cv::Mat WithChannels(const cv::Mat& image, ImageColor color) {
  const int wanted = color == ImageColor::kColor ? 3 : 1;
  const int channels = image.channels();
  if (color == ImageColor::kNative || channels == wanted) return image;
  CHECK(channels == 1 || channels == 3 || channels == 4)
      << "an image of " << channels << " channels cannot become one of " << wanted;
  cv::Mat converted;
  if (wanted == 1) {
    cv::cvtColor(image, converted, channels == 3 ? cv::COLOR_BGR2GRAY : cv::COLOR_BGRA2GRAY);
  } else {
    cv::cvtColor(image, converted, channels == 1 ? cv::COLOR_GRAY2BGR : cv::COLOR_BGRA2BGR);
  }
  return converted;
}

cv::Mat Decode(const Datum& datum, ImageColor color) {
  try {
    return DatumToImage(datum, color);
  } catch (const Error& error) {
    throw BrokenRecord(error.what(), error.where());
  }
}

}  // namespace

AnnotatedDatum ParseAnnotatedDatum(const string& bytes) {
  AnnotatedDatum datum;
  if (!datum.ParseFromString(bytes) || !datum.has_datum()) {
    throw BrokenRecord("cannot be parsed as an AnnotatedDatum (" + std::to_string(bytes.size()) +
                       " bytes)");
  }
  return datum;
}

cv::Mat DecodeAnnotated(const AnnotatedDatum& datum, ImageColor color) {
  const cv::Mat image = Decode(datum.datum(), color);
  CHECK(image.depth() == CV_8U) << "expected an image of 8 bits, got a Datum of floats";
  return WithChannels(image, color);
}

}  // namespace caffe
