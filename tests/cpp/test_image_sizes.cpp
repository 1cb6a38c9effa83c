#include <cstdio>
#include <fstream>
#include <string>

#include "caffe/data/image_sizes.hpp"
#include "caffe/util/io.hpp"
#include "test_util.hpp"

namespace caffe {
namespace {

class ImageSizesTest : public ::testing::Test {
 protected:
  ImageSizesTest() { MakeTempFilename(&file_); }
  ~ImageSizesTest() override { std::remove(file_.c_str()); }
  vector<NamedSize> Read(const string& text) const {
    std::ofstream(file_) << text;
    return ReadNameSizes(file_);
  }
  string file_;
};

TEST_F(ImageSizesTest, ReadsNamesWithBlanksAndWindowsLines) {
  const vector<NamedSize> images = Read("000001 500 353\r\n\nmy  image 3 20 10 \n");
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].name, "000001");
  EXPECT_EQ(images[0].height, 500);
  EXPECT_EQ(images[0].width, 353);
  EXPECT_EQ(images[1].name, "my  image 3");
  EXPECT_EQ(images[1].height, 20);
}

TEST_F(ImageSizesTest, SaysWhichLineIsWrong) {
  for (const char* line : {"a 5", "5 5", "a 5 x", "a 0 5", "a 5 -1", "a 5 99999999999", " 3 4"}) {
    EXPECT_CAFFE_ERROR(Read(string("ok 1 1\n") + line + "\n"),
                       "name_size_file " + file_ +
                           ", line 2: expected a name, a height and a "
                           "width in pixels, got \"");
  }
  EXPECT_CAFFE_ERROR(Read("\n"), "names no image");
  EXPECT_CAFFE_ERROR(ReadNameSizes("/no/sizes"), "name_size_file /no/sizes: cannot be read");
}

void ExpectBox(const Box<float>& got, const Box<float>& expected) {
  // Some roundings of pixels below 1000.
  const float tolerance = 1e-3F;
  EXPECT_NEAR(got.xmin, expected.xmin, tolerance);
  EXPECT_NEAR(got.ymin, expected.ymin, tolerance);
  EXPECT_NEAR(got.xmax, expected.xmax, tolerance);
  EXPECT_NEAR(got.ymax, expected.ymax, tolerance);
}

ResizeParameter Resize(const string& text) { return FromText<ResizeParameter>(text); }

TEST(ImagePixelsTest, ClipsAndScales) {
  const NamedSize image = {"a", 100, 200};
  const ResizeParameter warp = Resize("resize_mode: WARP height: 300 width: 300");
  for (const ResizeParameter* resize : {static_cast<const ResizeParameter*>(nullptr), &warp}) {
    ExpectBox(ToImagePixels({-0.5F, 0.25F, 0.5F, 2}, image, resize), {0, 25, 100, 100});
  }
}

TEST(ImagePixelsTest, TakesThePaddingOff) {
  const ResizeParameter resize =
      Resize("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 300 width: 300");
  // 200 × 100 fills 300 × 150: rows 75 to 225 of the square.
  ExpectBox(ToImagePixels({0.5F, 0.25F, 1, 0.5F}, {"a", 100, 200}, &resize), {100, 0, 200, 50});
  ExpectBox(ToImagePixels({0.25F, 0.5F, 0.5F, 0.9F}, {"a", 200, 100}, &resize), {0, 100, 50, 180});
  ExpectBox(ToImagePixels({0, 0, 1, 1}, {"a", 100, 200}, &resize), {0, 0, 200, 100});
  ExpectBox(ToImagePixels({0, 0, 0.5F, 1}, {"a", 50, 50}, &resize), {0, 0, 25, 50});
}

TEST(ImagePixelsTest, ReadsFitSmallSizeRelativeToItsScale) {
  const ResizeParameter scaled =
      Resize("resize_mode: FIT_SMALL_SIZE height: 300 width: 300 height_scale: 60 width_scale: 80");
  ExpectBox(ToImagePixels({-1, 0.5F, 0.5F, 9}, {"a", 100, 200}, &scaled), {0, 30, 40, 100});
  const ResizeParameter plain = Resize("resize_mode: FIT_SMALL_SIZE height: 300 width: 300");
  ExpectBox(ToImagePixels({-1, 0.5F, 0.5F, 9}, {"a", 100, 200}, &plain), {0, 50, 100, 100});
}

TEST(ImagePixelsTest, SaysWhatCannotBeUndone) {
  EXPECT_CAFFE_ERROR(CheckUndoableResize(Resize("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 3")),
                     "got 3 x 0");
  CheckUndoableResize(Resize("resize_mode: WARP"));
}

}  // namespace
}  // namespace caffe
