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

int ByteAt(const string& bytes, size_t place) { return static_cast<uint8_t>(bytes[place]); }

/**
 * False for a JPEG without an end marker after the start of its scan. OpenCV decodes those, with
 * whatever was in memory for the pixels that are missing.
 */
bool IsWhole(const string& bytes) {
  if (bytes.compare(0, 2, "\xff\xd8") != 0) return true;  // not a JPEG
  constexpr int kStartOfScan = 0xda;
  size_t place = 2;
  // Segments: 0xff, a kind, and a length of 16 bits that counts itself.
  while (place + 4 <= bytes.size() && ByteAt(bytes, place) == 0xff &&
         ByteAt(bytes, place + 1) != kStartOfScan) {
    const bool is_fill = ByteAt(bytes, place + 1) == 0xff;
    place += is_fill ? 1 : 2 + 256 * ByteAt(bytes, place + 2) + ByteAt(bytes, place + 3);
  }
  return place < bytes.size() && bytes.find("\xff\xd9", place) != string::npos;
}

cv::Mat Decode(const Datum& datum, ImageColor color) {
  if (datum.encoded() && !IsWhole(datum.data())) {
    throw BrokenRecord("the JPEG is cut off (" + std::to_string(datum.data().size()) + " bytes)");
  }
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
