#ifndef CAFFE_UTIL_IMAGE_IO_HPP_
#define CAFFE_UTIL_IMAGE_IO_HPP_

#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace cv {
class Mat;
}

namespace caffe {

/*
 * Images are 8-bit, height × width × channels, channels in the order blue,
 * green, red. They keep the pixels as the file stores them: an orientation in
 * a photo's metadata is not applied, as in Caffe, so boxes and pixels agree.
 */

/** @brief How the channels of a decoded image come out. */
enum class ImageColor {
  kNative,  ///< as stored: 1, 3 or (with alpha) 4 channels
  kColor,   ///< always 3
  kGray,    ///< always 1
};

/** @throws Error if the bytes are no image, or one that is not of 8 bits. */
cv::Mat DecodeImage(const char* bytes, size_t size, ImageColor color);

/**
 * @brief Reads and decodes a file, and resizes it (bilinear) if both lengths are above 0.
 * @throws Error "PATH: …" for a file that is missing or cannot be decoded.
 */
cv::Mat ReadImage(const string& path, int height, int width, ImageColor color);

/** @brief The bytes of an image file in a format by its name ("jpg", "png"). @throws Error. */
string EncodeImage(const cv::Mat& image, const string& encoding);

/** @brief The pixels of a Datum: decoded, or put together from its planes (1 to 512 of them). */
cv::Mat DatumToImage(const Datum& datum, ImageColor color);

/**
 * @brief Checks that a Datum holds an encoded image, or as many values as its shape says.
 * @throws Error with the shape and the number of values.
 */
void CheckDatum(const Datum& datum);

/** @name Caffe's functions; where one reports failure it logs the reason as an error. */
///@{
/** @return an empty image where it fails. */
cv::Mat ReadImageToCVMat(const string& filename, const int height, const int width,
                         const bool is_color);
cv::Mat ReadImageToCVMat(const string& filename, const int height, const int width);
cv::Mat ReadImageToCVMat(const string& filename, const bool is_color);
cv::Mat ReadImageToCVMat(const string& filename);

/**
 * @brief Reads an image into a Datum with its label. With an `encoding` the Datum keeps the
 * bytes of an image file (the file itself, where it has that format and need not be
 * changed), otherwise planes of bytes.
 */
bool ReadImageToDatum(const string& filename, const int label, const int height, const int width,
                      const bool is_color, const string& encoding, Datum* datum);
bool ReadImageToDatum(const string& filename, const int label, const int height, const int width,
                      const bool is_color, Datum* datum);
bool ReadImageToDatum(const string& filename, const int label, const int height, const int width,
                      Datum* datum);
bool ReadImageToDatum(const string& filename, const int label, Datum* datum);
/** @brief The bytes of a file, whatever they are, as an encoded Datum. */
bool ReadFileToDatum(const string& filename, const int label, Datum* datum);
bool ReadFileToDatum(const string& filename, Datum* datum);

/** @brief Replaces an encoded image by its planes. @return whether the Datum was encoded. */
bool DecodeDatumNative(Datum* datum);
bool DecodeDatum(Datum* datum, bool is_color);
cv::Mat DecodeDatumToCVMatNative(const Datum& datum);
cv::Mat DecodeDatumToCVMat(const Datum& datum, bool is_color);

/** @brief The pixels become planes, channel by channel. The label stays. */
void CVMatToDatum(const cv::Mat& cv_img, Datum* datum);
/** @brief The pixels become an image file of the format. The label stays. */
void EncodeCVMatToDatum(const cv::Mat& cv_img, const string& encoding, Datum* datum);
///@}

/** @brief As ReadImageToDatum. @throws Error where that returns false. */
void LoadImageToDatum(const string& filename, int height, int width, ImageColor color,
                      const string& encoding, Datum* datum);

}  // namespace caffe

#endif  // CAFFE_UTIL_IMAGE_IO_HPP_
