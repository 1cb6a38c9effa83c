#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "caffe/test/test_caffe_main.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

bool SamePixels(const cv::Mat& a, const cv::Mat& b) {
  if (a.size() != b.size() || a.type() != b.type()) return false;
  for (int h = 0; h < a.rows; ++h) {
    if (!std::equal(a.ptr(h), a.ptr(h) + a.cols * a.elemSize(), b.ptr(h))) return false;
  }
  return true;
}

}  // namespace

TEST(ImageIoTest, ADatumHoldsPlanesOfTheImage) {
  const cv::Mat image = RandomImage(3, 4, 5, 1);
  Datum datum;
  datum.set_label(7);
  CVMatToDatum(image, &datum);
  ASSERT_EQ(datum.data().size(), 60u);
  EXPECT_EQ(datum.channels(), 3);
  EXPECT_EQ(datum.height(), 4);
  EXPECT_EQ(datum.width(), 5);
  EXPECT_EQ(datum.label(), 7);
  // Channel 2, row 3, column 1.
  EXPECT_EQ(static_cast<uchar>(datum.data()[(2 * 4 + 3) * 5 + 1]), image.at<cv::Vec3b>(3, 1)[2]);
  EXPECT_TRUE(SamePixels(DatumToImage(datum, ImageColor::kNative), image));
}

TEST(ImageIoTest, PngKeepsAllPixelsAndJpgIsNear) {
  const cv::Mat image = RandomImage(3, 16, 16, 2);
  Datum datum;
  EncodeCVMatToDatum(image, "png", &datum);
  EXPECT_TRUE(datum.encoded());
  EXPECT_TRUE(SamePixels(DecodeDatumToCVMatNative(datum), image));
  EXPECT_EQ(DecodeDatumToCVMat(datum, false).channels(), 1);
  EXPECT_TRUE(DecodeDatumNative(&datum));
  EXPECT_FALSE(datum.encoded());
  EXPECT_EQ(datum.data().size(), 3u * 16 * 16);
  EXPECT_FALSE(DecodeDatumNative(&datum));
}

TEST(ImageIoTest, ReadsResizesAndConverts) {
  const TempDir dir;
  cv::imwrite(dir / "a.png", RandomImage(3, 6, 8, 3));
  EXPECT_EQ(ReadImage(dir / "a.png", 0, 0, ImageColor::kGray).channels(), 1);
  const cv::Mat resized = ReadImageToCVMat(dir / "a.png", 3, 5);
  EXPECT_EQ(resized.rows, 3);
  EXPECT_EQ(resized.cols, 5);
  cv::imwrite(dir / "gray.png", RandomImage(1, 6, 8, 3));
  EXPECT_EQ(ReadImage(dir / "gray.png", 0, 0, ImageColor::kNative).channels(), 1);
  EXPECT_EQ(ReadImage(dir / "gray.png", 0, 0, ImageColor::kColor).channels(), 3);
}

TEST(ImageIoTest, AnImageFileIsKeptAsItIsIfNothingHasToChange) {
  const TempDir dir;
  cv::imwrite(dir / "a.JPEG", RandomImage(3, 16, 16, 4));
  cv::imwrite(dir / "gray.jpg", RandomImage(1, 16, 16, 4));
  Datum file, kept, resized, gray;
  ASSERT_TRUE(ReadFileToDatum(dir / "a.JPEG", 3, &file));
  ASSERT_TRUE(ReadImageToDatum(dir / "a.JPEG", 3, 0, 0, true, "jpg", &kept));
  EXPECT_EQ(kept.data(), file.data());
  EXPECT_EQ(kept.label(), 3);
  EXPECT_EQ(kept.height(), 16);
  ASSERT_TRUE(ReadImageToDatum(dir / "a.JPEG", 3, 8, 8, true, "jpg", &resized));
  EXPECT_NE(resized.data(), file.data());
  EXPECT_EQ(DecodeDatumToCVMatNative(resized).rows, 8);
  // A database is of one kind: a gray file that is asked for in color becomes one.
  ASSERT_TRUE(ReadImageToDatum(dir / "gray.jpg", 3, 0, 0, true, "jpg", &gray));
  EXPECT_EQ(DecodeDatumToCVMatNative(gray).channels(), 3);
}

TEST(ImageIoTest, WhatIsNoImageIsNamed) {
  const TempDir dir;
  WriteText(dir / "text.png", "no image");
  WriteText(dir / "empty.png", "");
  EXPECT_CAFFE_ERROR(ReadImage(dir / "text.png", 0, 0, ImageColor::kColor),
                     dir / "text.png: cannot be decoded as an image (8 bytes)");
  EXPECT_CAFFE_ERROR(ReadImage(dir / "empty.png", 0, 0, ImageColor::kColor),
                     "cannot be decoded as an image (0 bytes)");
  EXPECT_CAFFE_ERROR(ReadImage(dir / "none.png", 0, 0, ImageColor::kColor),
                     dir / "none.png: cannot be read: No such file");
  EXPECT_CAFFE_ERROR(ReadImage(dir.path(), 0, 0, ImageColor::kColor), "it is a folder");
  EXPECT_TRUE(ReadImageToCVMat(dir / "none.png").empty());
  Datum datum;
  EXPECT_FALSE(ReadImageToDatum(dir / "text.png", 1, &datum));
  EXPECT_CAFFE_ERROR(EncodeImage(RandomImage(3, 2, 2, 1), "xyz"), "cannot encode");
}

TEST(ImageIoTest, PixelsStayAsStoredWhateverOrientationAPhotoHas) {
  string jpeg = EncodeImage(RandomImage(3, 8, 16, 5), "jpg");
  // An Exif segment that says: turn by 90 degrees (tag 0x0112, value 6).
  const string exif(
      "\xff\xe1\x00\x22"
      "Exif\0\0II*\0\x08\0\0\0\x01\0"
      "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
      36);
  jpeg.insert(2, exif);
  for (const ImageColor color : {ImageColor::kNative, ImageColor::kColor, ImageColor::kGray}) {
    const cv::Mat image = DecodeImage(jpeg.data(), jpeg.size(), color);
    EXPECT_EQ(image.rows, 8);
    EXPECT_EQ(image.cols, 16);
  }
  // The segment is understood, if asked: then this test tests something.
  const vector<uchar> bytes(jpeg.begin(), jpeg.end());
  EXPECT_EQ(cv::imdecode(bytes, cv::IMREAD_COLOR).rows, 16);
}

TEST(ImageIoTest, SixteenBitsAChannelAreRefused) {
  const cv::Mat deep(4, 4, CV_16UC1, cv::Scalar(300));
  const string bytes = [&deep] {
    vector<uchar> png;
    cv::imencode(".png", deep, png);
    return string(png.begin(), png.end());
  }();
  EXPECT_CAFFE_ERROR(DecodeImage(bytes.data(), bytes.size(), ImageColor::kNative),
                     "expected an image of 8 bits a channel, got 16");
}

TEST(ImageIoTest, ADatumMustHoldWhatItsShapeSays) {
  Datum datum = BytesDatum(3, 4, 5, 0);
  datum.mutable_data()->pop_back();
  EXPECT_CAFFE_ERROR(CheckDatum(datum), "shape 3 x 4 x 5, expected 60 bytes of data, got 59");
  datum.clear_data();
  datum.add_float_data(1);
  EXPECT_CAFFE_ERROR(CheckDatum(datum), "expected 60 values of data or float_data, got 1");
  datum.set_height(0);
  EXPECT_CAFFE_ERROR(CheckDatum(datum), "shape 3 x 0 x 5");
  datum.set_encoded(true);
  EXPECT_CAFFE_ERROR(CheckDatum(datum), "has no data");
}

}  // namespace caffe
