#include "caffe/data/noise.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "caffe/data/uniform.hpp"

namespace caffe {

namespace {

void Convert(int there, int back, cv::Mat* image) {
  if (image->channels() != 3) return;
  cv::Mat converted;
  cv::cvtColor(*image, converted, there);
  if (back >= 0) {
    cv::cvtColor(converted, *image, back);
  } else {
    *image = std::move(converted);
  }
}

/** Changes the luminance: the only channel, or the first of YCrCb. */
template <typename Change>
void ChangeLuminance(const Change& change, cv::Mat* image) {
  if (image->channels() == 1) {
    cv::Mat changed;
    change(*image, &changed);
    *image = std::move(changed);
    return;
  }
  cv::Mat color, luminance, changed;
  cv::cvtColor(*image, color, cv::COLOR_BGR2YCrCb);
  cv::extractChannel(color, luminance, 0);
  change(luminance, &changed);
  cv::insertChannel(changed, color, 0);
  cv::cvtColor(color, *image, cv::COLOR_YCrCb2BGR);
}

void Equalize(const cv::Mat& in, cv::Mat* out) { cv::equalizeHist(in, *out); }

void EqualizeLocally(const cv::Mat& in, cv::Mat* out) { cv::createCLAHE(4)->apply(in, *out); }

void Recode(int quality, cv::Mat* image) {
  vector<uchar> bytes;
  cv::imencode(".jpg", *image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  *image = cv::imdecode(bytes, image->channels() == 1 ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR);
}

/** The middle of each quarter of the levels. */
void Posterize(cv::Mat* image) {
  cv::Mat table(1, 256, CV_8U);
  for (int i = 0; i < 256; ++i) table.at<uchar>(i) = static_cast<uchar>(i / 64 * 64 + 32);
  cv::LUT(*image, table, *image);
}

void AddSaltAndPepper(const SaltPepperParameter& param, cv::Mat* image, std::mt19937* random) {
  const int channels = image->channels();
  CHECK(param.value_size() == 1 || param.value_size() == channels)
      << "saltpepper_param has " << param.value_size() << " values for an image of " << channels
      << " channel(s); expected one for all, or one for each";
  const auto count = static_cast<size_t>(param.fraction() * static_cast<double>(image->total()));
  for (size_t i = 0; i < count; ++i) {
    const unsigned row = (*random)() % static_cast<unsigned>(image->rows);
    const unsigned column = (*random)() % static_cast<unsigned>(image->cols);
    uchar* pixel =
        image->ptr<uchar>(static_cast<int>(row)) + static_cast<size_t>(column) * channels;
    for (int c = 0; c < channels; ++c) {
      pixel[c] = cv::saturate_cast<uchar>(param.value(param.value_size() > 1 ? c : 0));
    }
  }
}

}  // namespace

void CheckNoise(const NoiseParameter& param) {
  CHECK(param.jpeg() <= 100) << "noise_param: jpeg must be a quality up to 100, got "
                             << param.jpeg();
  const float fraction = param.saltpepper_param().fraction();
  CHECK(fraction >= 0 && fraction <= 1)
      << "saltpepper_param: fraction must be from 0 to 1, got " << fraction;
}

cv::Mat AddNoise(const NoiseParameter& param, const cv::Mat& image, std::mt19937* random) {
  if (param.has_prob() && !DrawChance(param.prob(), random)) return image;
  cv::Mat noisy = image.clone();
  if (param.decolorize() && noisy.channels() == 3) {
    Convert(cv::COLOR_BGR2GRAY, cv::COLOR_GRAY2BGR, &noisy);
  }
  if (param.gauss_blur()) cv::GaussianBlur(noisy, noisy, cv::Size(7, 7), 1.5);
  if (param.hist_eq()) ChangeLuminance(Equalize, &noisy);
  if (param.clahe()) ChangeLuminance(EqualizeLocally, &noisy);
  if (param.jpeg() > 0) Recode(static_cast<int>(param.jpeg()), &noisy);
  if (param.erode()) {
    cv::erode(noisy, noisy, cv::getStructuringElement(cv::MORPH_ELLIPSE, cv::Size(3, 3)));
  }
  if (param.posterize()) Posterize(&noisy);
  if (param.inverse()) cv::bitwise_not(noisy, noisy);
  if (param.saltpepper()) AddSaltAndPepper(param.saltpepper_param(), &noisy, random);
  if (param.convert_to_hsv()) Convert(cv::COLOR_BGR2HSV, -1, &noisy);
  if (param.convert_to_lab()) Convert(cv::COLOR_BGR2Lab, -1, &noisy);
  return noisy;
}

}  // namespace caffe
