#include "caffe/util/image_io.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace caffe {

namespace {

int DecodeFlags(ImageColor color) {
  if (color == ImageColor::kNative) return cv::IMREAD_UNCHANGED;
  return (color == ImageColor::kColor ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE) |
         cv::IMREAD_IGNORE_ORIENTATION;
}

ImageColor ColorOf(bool is_color) { return is_color ? ImageColor::kColor : ImageColor::kGray; }

string ReadBytes(const string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    throw Error(path + ": cannot be read: it is a folder");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": cannot be read: " + std::strerror(errno));
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

cv::Mat DecodeFile(const string& path, const string& bytes, ImageColor color) {
  try {
    return DecodeImage(bytes.data(), bytes.size(), color);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what(), error.where());
  }
}

bool HasExtension(const string& path, string encoding) {
  const size_t dot = path.rfind('.');
  if (dot == string::npos) return false;
  string extension = path.substr(dot + 1);
  const auto lower = [](unsigned char c) { return static_cast<char>(std::tolower(c)); };
  std::transform(extension.begin(), extension.end(), extension.begin(), lower);
  std::transform(encoding.begin(), encoding.end(), encoding.begin(), lower);
  if (extension == "jpeg") extension = "jpg";
  if (encoding == "jpeg") encoding = "jpg";
  return extension == encoding;
}

void SetEncoded(const cv::Mat& image, string bytes, Datum* datum) {
  datum->set_channels(image.channels());
  datum->set_height(image.rows);
  datum->set_width(image.cols);
  datum->set_data(std::move(bytes));
  datum->clear_float_data();
  datum->set_encoded(true);
}

/** What Caffe's functions do with an error: log it, and say no. */
template <typename Function>
bool Try(const Function& function) {
  try {
    function();
    return true;
  } catch (const Error& error) {
    LOG(ERROR) << error.what();
    return false;
  }
}

}  // namespace

cv::Mat DecodeImage(const char* bytes, size_t size, ImageColor color) {
  cv::Mat image;
  try {
    if (size > 0) {
      const cv::Mat view(1, static_cast<int>(size), CV_8UC1, const_cast<char*>(bytes));
      image = cv::imdecode(view, DecodeFlags(color));
    }
  } catch (const cv::Exception& error) {
    LOG(FATAL) << "cannot be decoded as an image: " << error.err;
  }
  CHECK(!image.empty()) << "cannot be decoded as an image (" << size << " bytes)";
  CHECK(image.depth() == CV_8U) << "expected an image of 8 bits a channel, got "
                                << 8 * image.elemSize1();
  return image;
}

cv::Mat ReadImage(const string& path, int height, int width, ImageColor color) {
  cv::Mat image = DecodeFile(path, ReadBytes(path), color);
  if (height > 0 && width > 0) cv::resize(image, image, cv::Size(width, height));
  return image;
}

string EncodeImage(const cv::Mat& image, const string& encoding) {
  vector<uchar> bytes;
  bool done = false;
  try {
    done = cv::imencode("." + encoding, image, bytes);
  } catch (const cv::Exception&) {
    done = false;
  }
  CHECK(done) << "cannot encode an image of " << image.channels() << " channel(s) as \"" << encoding
              << "\"; jpg and png are known formats";
  return string(bytes.begin(), bytes.end());
}

void CheckDatum(const Datum& datum) {
  if (datum.encoded()) {
    CHECK(!datum.data().empty()) << "the Datum says that it is encoded, but has no data";
    return;
  }
  const auto shape = [&datum] {
    return std::to_string(datum.channels()) + " x " + std::to_string(datum.height()) + " x " +
           std::to_string(datum.width());
  };
  CHECK(datum.channels() > 0 && datum.height() > 0 && datum.width() > 0)
      << "the Datum has the shape " << shape() << " (channels x height x width)"
      << (datum.data().empty() ? "" : "; an encoded image needs encoded: true");
  const int64_t plane = static_cast<int64_t>(datum.height()) * datum.width();
  CHECK(plane <= INT_MAX / datum.channels()) << "the Datum's shape " << shape() << " is too large";
  const int64_t expected = plane * datum.channels();
  if (!datum.data().empty()) {
    CHECK(static_cast<int64_t>(datum.data().size()) == expected)
        << "the Datum has the shape " << shape() << ", expected " << expected
        << " bytes of data, got " << datum.data().size();
  } else {
    CHECK(datum.float_data_size() == expected)
        << "the Datum has the shape " << shape() << ", expected " << expected
        << " values of data or float_data, got " << datum.float_data_size();
  }
}

namespace {

template <typename Pixel, typename Value>
void Interleave(const Value* planes, int channels, cv::Mat* image) {
  for (int c = 0; c < channels; ++c) {
    for (int h = 0; h < image->rows; ++h) {
      Pixel* row = image->ptr<Pixel>(h);
      const Value* plane = planes + (static_cast<size_t>(c) * image->rows + h) * image->cols;
      for (int w = 0; w < image->cols; ++w) row[w * channels + c] = static_cast<Pixel>(plane[w]);
    }
  }
}

}  // namespace

cv::Mat DatumToImage(const Datum& datum, ImageColor color) {
  CheckDatum(datum);
  if (datum.encoded()) return DecodeImage(datum.data().data(), datum.data().size(), color);
  const int channels = datum.channels();
  CHECK(channels <= CV_CN_MAX) << "an image has at most " << CV_CN_MAX << " channels, got "
                               << channels;
  const bool is_bytes = !datum.data().empty();
  cv::Mat image(datum.height(), datum.width(), CV_MAKETYPE(is_bytes ? CV_8U : CV_32F, channels));
  if (is_bytes) {
    Interleave<uchar>(reinterpret_cast<const uchar*>(datum.data().data()), channels, &image);
  } else {
    Interleave<float>(datum.float_data().data(), channels, &image);
  }
  return image;
}

cv::Mat ReadImageToCVMat(const string& filename, const int height, const int width,
                         const bool is_color) {
  cv::Mat image;
  Try([&] { image = ReadImage(filename, height, width, ColorOf(is_color)); });
  return image;
}

cv::Mat ReadImageToCVMat(const string& filename, const int height, const int width) {
  return ReadImageToCVMat(filename, height, width, true);
}

cv::Mat ReadImageToCVMat(const string& filename, const bool is_color) {
  return ReadImageToCVMat(filename, 0, 0, is_color);
}

cv::Mat ReadImageToCVMat(const string& filename) { return ReadImageToCVMat(filename, true); }

void LoadImageToDatum(const string& filename, int height, int width, ImageColor color,
                      const string& encoding, Datum* datum) {
  // Encoding anew would lose quality: the file itself serves if nothing has to change.
  if (height <= 0 && width <= 0 && HasExtension(filename, encoding)) {
    string bytes = ReadBytes(filename);
    const cv::Mat image = DecodeFile(filename, bytes, ImageColor::kNative);
    const int wanted = color == ImageColor::kColor ? 3 : 1;
    if (color == ImageColor::kNative || image.channels() == wanted) {
      SetEncoded(image, std::move(bytes), datum);
      return;
    }
  }
  const cv::Mat image = ReadImage(filename, height, width, color);
  if (encoding.empty()) {
    CVMatToDatum(image, datum);
  } else {
    EncodeCVMatToDatum(image, encoding, datum);
  }
}

// NOLINTNEXTLINE(readability-function-size): Caffe's signature
bool ReadImageToDatum(const string& filename, const int label, const int height, const int width,
                      const bool is_color, const string& encoding, Datum* datum) {
  datum->set_label(label);
  return Try(
      [&] { LoadImageToDatum(filename, height, width, ColorOf(is_color), encoding, datum); });
}

// NOLINTNEXTLINE(readability-function-size): Caffe's signature
bool ReadImageToDatum(const string& filename, const int label, const int height, const int width,
                      const bool is_color, Datum* datum) {
  return ReadImageToDatum(filename, label, height, width, is_color, "", datum);
}

bool ReadImageToDatum(const string& filename, const int label, const int height, const int width,
                      Datum* datum) {
  return ReadImageToDatum(filename, label, height, width, true, datum);
}

bool ReadImageToDatum(const string& filename, const int label, Datum* datum) {
  return ReadImageToDatum(filename, label, 0, 0, datum);
}

bool ReadFileToDatum(const string& filename, const int label, Datum* datum) {
  return Try([&] {
    datum->set_data(ReadBytes(filename));
    datum->set_label(label);
    datum->set_encoded(true);
  });
}

bool ReadFileToDatum(const string& filename, Datum* datum) {
  return ReadFileToDatum(filename, -1, datum);
}

bool DecodeDatumNative(Datum* datum) {
  if (!datum->encoded()) return false;
  CVMatToDatum(DecodeDatumToCVMatNative(*datum), datum);
  return true;
}

bool DecodeDatum(Datum* datum, bool is_color) {
  if (!datum->encoded()) return false;
  CVMatToDatum(DecodeDatumToCVMat(*datum, is_color), datum);
  return true;
}

cv::Mat DecodeDatumToCVMatNative(const Datum& datum) {
  CHECK(datum.encoded()) << "the Datum is not encoded";
  return DatumToImage(datum, ImageColor::kNative);
}

cv::Mat DecodeDatumToCVMat(const Datum& datum, bool is_color) {
  CHECK(datum.encoded()) << "the Datum is not encoded";
  return DatumToImage(datum, ColorOf(is_color));
}

void CVMatToDatum(const cv::Mat& cv_img, Datum* datum) {
  CHECK(cv_img.depth() == CV_8U) << "expected an image of 8 bits a channel";
  const int channels = cv_img.channels();
  datum->set_channels(channels);
  datum->set_height(cv_img.rows);
  datum->set_width(cv_img.cols);
  datum->clear_float_data();
  datum->set_encoded(false);
  string* data = datum->mutable_data();
  data->resize(cv_img.total() * channels);
  size_t i = 0;
  for (int c = 0; c < channels; ++c) {
    for (int h = 0; h < cv_img.rows; ++h) {
      const uchar* row = cv_img.ptr<uchar>(h);
      for (int w = 0; w < cv_img.cols; ++w) (*data)[i++] = static_cast<char>(row[w * channels + c]);
    }
  }
}

void EncodeCVMatToDatum(const cv::Mat& cv_img, const string& encoding, Datum* datum) {
  SetEncoded(cv_img, EncodeImage(cv_img, encoding), datum);
}

}  // namespace caffe
