#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "annotated_test_util.hpp"
#include "caffe/data/annotated_transform.hpp"
#include "caffe/data/distort.hpp"
#include "caffe/data/expand.hpp"
#include "caffe/data/noise.hpp"
#include "caffe/data/resize_modes.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

namespace {

double LargestDifference(const cv::Mat& a, const cv::Mat& b) {
  CHECK(a.size() == b.size() && a.type() == b.type()) << "images of two kinds";
  return cv::norm(a, b, cv::NORM_INF);
}

cv::Mat Distorted(const string& param, const cv::Mat& image, unsigned seed = 1) {
  const auto parsed = FromText<DistortionParameter>(param);
  CheckDistortion(parsed);
  std::mt19937 random(seed);
  cv::Mat copy = image.clone();
  Distort(DrawDistortion(parsed, &random), &copy);
  return copy;
}

/** A picture of smooth colours, as real ones are. */
cv::Mat Picture(int height, int width, unsigned seed) {
  cv::Mat picture;
  cv::resize(RandomImage(3, 5, 6, seed), picture, cv::Size(width, height), 0, 0, cv::INTER_CUBIC);
  return picture;
}

cv::Mat ResizedBy(const string& text, const cv::Mat& image) {
  const auto param = FromText<ResizeParameter>(text);
  CheckResize(param);
  std::mt19937 random(1);
  return Resize(param, image, DrawInterpolation(param, &random));
}

cv::Mat Noisy(const string& text, const cv::Mat& image, unsigned seed = 1) {
  const auto param = FromText<NoiseParameter>(text);
  CheckNoise(param);
  std::mt19937 random(seed);
  return AddNoise(param, image, &random);
}

AugmentSpec SpecOf(const string& transform, const string& samplers = "") {
  const auto param = FromText<TransformationParameter>(transform);
  return MakeAugmentSpec(MakeTransformSpec(param, TRAIN), param,
                         FromText<AnnotatedDataParameter>(samplers).batch_sampler());
}

vector<AnnotatedBox> OneBox(const Box<float>& box) { return {{box, 1, 1, false}}; }

}  // namespace

TEST(DistortTest, WithoutChanceNothingChanges) {
  const cv::Mat image = RandomImage(3, 7, 9, 1);
  for (unsigned seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(LargestDifference(Distorted("brightness_delta: 99 contrast_upper: 2 hue_delta: 90 "
                                          "saturation_upper: 2",
                                          image, seed),
                                image),
              0);
  }
}

TEST(DistortTest, BrightnessAddsWithinItsLimits) {
  const cv::Mat image(4, 4, CV_8UC3, cv::Scalar(100, 5, 250));
  std::set<int> deltas;
  for (unsigned seed = 0; seed < 200; ++seed) {
    const cv::Mat result = Distorted("brightness_prob: 1 brightness_delta: 32", image, seed);
    const auto pixel = result.at<cv::Vec3b>(1, 2);
    const int delta = pixel[0] - 100;
    deltas.insert(delta);
    ASSERT_LE(std::abs(delta), 32);
    ASSERT_EQ(pixel[1], std::max(5 + delta, 0));
    ASSERT_EQ(pixel[2], std::min(250 + delta, 255));
  }
  EXPECT_GT(deltas.size(), 40u);
}

TEST(DistortTest, AgreesWithOpenCvsOwnSteps) {
  const cv::Mat image = RandomImage(3, 40, 50, 2);
  cv::Mat expected;
  image.convertTo(expected, -1, 1.5, 0);
  EXPECT_EQ(
      LargestDifference(
          Distorted("contrast_prob: 1 contrast_lower: 1.5 contrast_upper: 1.5", image), expected),
      0);
  cv::Mat hsv;
  cv::cvtColor(image, hsv, cv::COLOR_BGR2HSV);
  for (int i = 0; i < 40 * 50; ++i) {
    auto& pixel = hsv.at<cv::Vec3b>(i / 50, i % 50);
    pixel[1] = cv::saturate_cast<uchar>(pixel[1] * 0.5F);
  }
  cv::cvtColor(hsv, expected, cv::COLOR_HSV2BGR);
  EXPECT_EQ(LargestDifference(
                Distorted("saturation_prob: 1 saturation_lower: 0.5 saturation_upper: 0.5", image),
                expected),
            0);
}

TEST(DistortTest, NoSaturationIsGray) {
  const cv::Mat result = Distorted("saturation_prob: 1 saturation_lower: 0 saturation_upper: 0",
                                   RandomImage(3, 5, 6, 3));
  for (int i = 0; i < 30; ++i) {
    const auto pixel = result.at<cv::Vec3b>(i / 6, i % 6);
    EXPECT_TRUE(pixel[0] == pixel[1] && pixel[1] == pixel[2]);
  }
}

TEST(DistortTest, HueLeavesGraysAndBrightnessAlone) {
  cv::Mat image = RandomImage(3, 20, 20, 4);
  image.at<cv::Vec3b>(0, 0) = cv::Vec3b(77, 77, 77);
  const cv::Mat result = Distorted("hue_prob: 1 hue_delta: 90", image);
  EXPECT_EQ(result.at<cv::Vec3b>(0, 0), cv::Vec3b(77, 77, 77));
  EXPECT_GT(LargestDifference(result, image), 20);
  for (int i = 0; i < 400; ++i) {
    const auto old_pixel = image.at<cv::Vec3b>(i / 20, i % 20);
    const auto pixel = result.at<cv::Vec3b>(i / 20, i % 20);
    EXPECT_EQ(std::max({pixel[0], pixel[1], pixel[2]}),
              std::max({old_pixel[0], old_pixel[1], old_pixel[2]}));
  }
}

TEST(DistortTest, ReordersChannels) {
  const cv::Mat image(2, 2, CV_8UC3, cv::Scalar(1, 2, 3));
  std::set<vector<int>> orders;
  for (unsigned seed = 0; seed < 100; ++seed) {
    const auto pixel = Distorted("random_order_prob: 1", image, seed).at<cv::Vec3b>(1, 1);
    orders.insert({pixel[0], pixel[1], pixel[2]});
  }
  EXPECT_EQ(orders.size(), 6u);
  for (vector<int> order : orders) {
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, vector<int>({1, 2, 3}));
  }
}

TEST(DistortTest, CuttingBeforeOrAfterIsTheSame) {
  const char* const all =
      "brightness_prob: 1 brightness_delta: 32 contrast_prob: 1 contrast_lower: 0.5 "
      "contrast_upper: 1.5 hue_prob: 1 hue_delta: 18 saturation_prob: 1 saturation_lower: 0.5 "
      "saturation_upper: 1.5 random_order_prob: 1";
  const cv::Mat image = RandomImage(3, 31, 47, 5);
  const cv::Rect part(5, 3, 29, 20);
  for (unsigned seed = 0; seed < 10; ++seed) {
    // OpenCV rounds colours at the end of a row otherwise than within it, where it has vectors.
    EXPECT_LE(
        LargestDifference(Distorted(all, image, seed)(part), Distorted(all, image(part), seed)), 2);
  }
}

TEST(DistortTest, GrayImagesKeepTheirOneChannel) {
  const cv::Mat image = RandomImage(1, 5, 5, 1);
  const cv::Mat same = Distorted(
      "hue_prob: 1 hue_delta: 18 saturation_prob: 1 saturation_lower: 2 saturation_upper: 2 "
      "random_order_prob: 1",
      image);
  EXPECT_EQ(LargestDifference(same, image), 0);
  EXPECT_CAFFE_ERROR(Distorted("", RandomImage(2, 3, 3, 1)), "1 or 3 channels, got 2");
}

TEST(ExpandTest, TheCanvasKeepsTheImageInside) {
  const auto param = FromText<ExpansionParameter>("prob: 0.5 max_expand_ratio: 4");
  std::mt19937 random(1);
  const cv::Size image(30, 20);
  int expanded = 0, widest = 0;
  for (int i = 0; i < 4000; ++i) {
    const Canvas canvas = DrawExpansion(param, image, &random);
    ASSERT_EQ(canvas.image.size(), image);
    ASSERT_EQ(canvas.image & cv::Rect(cv::Point(0, 0), canvas.size), canvas.image);
    expanded += canvas.size == image ? 0 : 1;
    widest = std::max(widest, canvas.size.width);
    const Box<float> window = WindowOf(canvas);
    // Fractions of the image, in single precision.
    ASSERT_NEAR(Width(window) * 30, canvas.size.width, 1e-4);
    ASSERT_NEAR(-window.ymin * 20, canvas.image.y, 1e-4);
  }
  // Of 4,000 coins 2,000 show heads, with a standard deviation of 32; ratios below 1.03 do not
  // change the size.
  EXPECT_NEAR(expanded, 1980, 160);
  EXPECT_GT(widest, 115);
  EXPECT_LE(widest, 120);
  EXPECT_EQ(
      DrawExpansion(FromText<ExpansionParameter>("prob: 0 max_expand_ratio: 4"), image, &random)
          .size,
      image);
}

TEST(ExpandTest, PixelsOfAPart) {
  EXPECT_EQ(PixelsOf({0, 0, 1, 1}, cv::Size(7, 5)), cv::Rect(0, 0, 7, 5));
  EXPECT_EQ(PixelsOf({0.25, 0.5, 0.75, 1}, cv::Size(8, 4)), cv::Rect(2, 2, 4, 2));
  EXPECT_EQ(PixelsOf({0.99F, 0.99F, 1, 1}, cv::Size(3, 1)), cv::Rect(2, 0, 1, 1));
  EXPECT_EQ(PixelsOf({1, 1, 1, 1}, cv::Size(3, 2)), cv::Rect(2, 1, 1, 1));
}

TEST(ExpandTest, ACutEqualsThatOfAWholeCanvas) {
  const cv::Mat image = RandomImage(3, 6, 8, 1);
  const Canvas canvas = {cv::Size(20, 15), cv::Rect(5, 4, 8, 6)};
  const cv::Scalar fill(10, 20, 30);
  cv::Mat whole(canvas.size, CV_8UC3, fill);
  image.copyTo(whole(canvas.image));
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    const auto below = [&random](int n) { return static_cast<int>(random() % unsigned(n)); };
    cv::Rect part(below(20), below(15), 1, 1);
    part.width += below(20 - part.x);
    part.height += below(15 - part.y);
    ASSERT_EQ(LargestDifference(CutFromCanvas(image, canvas, part, fill), whole(part)), 0) << part;
  }
}

TEST(ResizeModesTest, SizesByHand) {
  const cv::Mat image = RandomImage(3, 30, 50, 1);
  EXPECT_EQ(ResizedBy("height: 20 width: 10", image).size(), cv::Size(10, 20));
  EXPECT_EQ(ResizedBy("resize_mode: FIT_SMALL_SIZE height: 20 width: 20", image).size(),
            cv::Size(33, 20));
  EXPECT_EQ(ResizedBy("resize_mode: FIT_SMALL_SIZE height: 20 width: 100", image).size(),
            cv::Size(100, 60));
  EXPECT_EQ(ResizedBy("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 20 width: 20", image).size(),
            cv::Size(20, 20));
  EXPECT_EQ(
      ResizedBy("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 4 width: 4", RandomImage(3, 1, 900, 1))
          .size(),
      cv::Size(4, 4));
  EXPECT_CAFFE_ERROR(
      ResizedBy("resize_mode: FIT_SMALL_SIZE height: 3000 width: 30", RandomImage(3, 1, 900, 1)),
      "extreme aspect ratio");
}

TEST(ResizeModesTest, PaddingByHand) {
  // 2 × 4 becomes 2 × 4 in the middle of 5 × 4: one row above, two below.
  cv::Mat image(2, 4, CV_8UC1);
  for (int i = 0; i < 8; ++i) image.at<uchar>(i / 4, i % 4) = static_cast<uchar>(10 + i);
  const auto column = [&](const string& rest) {
    const cv::Mat result =
        ResizedBy("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 5 width: 4 " + rest, image);
    vector<int> values;
    for (int h = 0; h < result.rows; ++h) values.push_back(result.at<uchar>(h, 1));
    return values;
  };
  EXPECT_EQ(column(""), vector<int>({0, 11, 15, 0, 0}));
  EXPECT_EQ(column("pad_value: 7"), vector<int>({7, 11, 15, 7, 7}));
  EXPECT_EQ(column("pad_mode: MIRRORED"), vector<int>({15, 11, 15, 11, 15}));
  EXPECT_EQ(column("pad_mode: REPEAT_NEAREST"), vector<int>({11, 11, 15, 15, 15}));
  EXPECT_EQ(ResizedBy("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 4 width: 2 pad_value: 1 "
                      "pad_value: 2 pad_value: 3",
                      RandomImage(3, 2, 2, 1))
                .at<cv::Vec3b>(0, 0),
            cv::Vec3b(1, 2, 3));
}

TEST(ResizeModesTest, EveryInterpolationIsOpenCvs) {
  const cv::Mat image = RandomImage(3, 30, 50, 1);
  const vector<std::pair<const char*, int>> modes = {{"LINEAR", cv::INTER_LINEAR},
                                                     {"AREA", cv::INTER_AREA},
                                                     {"NEAREST", cv::INTER_NEAREST},
                                                     {"CUBIC", cv::INTER_CUBIC},
                                                     {"LANCZOS4", cv::INTER_LANCZOS4}};
  string all = "height: 20 width: 20";
  for (const auto& mode : modes) {
    cv::Mat expected;
    cv::resize(image, expected, cv::Size(20, 20), 0, 0, mode.second);
    const string text = string(" interp_mode: ") + mode.first;
    EXPECT_EQ(LargestDifference(ResizedBy("height: 20 width: 20" + text, image), expected), 0);
    all += text;
  }
  std::mt19937 random(1);
  std::map<int, int> drawn;
  for (int i = 0; i < 5000; ++i) {
    ++drawn[DrawInterpolation(FromText<ResizeParameter>(all), &random)];
  }
  EXPECT_EQ(drawn.size(), 5u);
  // A fifth of 5,000 has a standard deviation of 28.
  for (const auto& mode : drawn) EXPECT_NEAR(mode.second, 1000, 140) << mode.first;
  EXPECT_EQ(DrawInterpolation(ResizeParameter(), &random), cv::INTER_LINEAR);
}

TEST(ResizeModesTest, BoxesByHand) {
  const auto boxes_after = [](const string& text) {
    vector<AnnotatedBox> boxes = OneBox({0, 0.5F, 0.25F, 1});
    ResizeBoxes(FromText<ResizeParameter>(text), cv::Size(40, 20), &boxes);
    const Box<float>& box = boxes[0].box;
    return vector<float>({box.xmin, box.ymin, box.xmax, box.ymax});
  };
  EXPECT_EQ(boxes_after("height: 9 width: 7"), vector<float>({0, 0.5, 0.25, 1}));
  EXPECT_EQ(boxes_after("resize_mode: FIT_SMALL_SIZE height: 9 width: 7"),
            vector<float>({0, 0.5, 0.25, 1}));
  // 40 × 20 lies in the middle half of a square.
  EXPECT_EQ(boxes_after("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 8 width: 8"),
            vector<float>({0, 0.5, 0.25, 0.75}));
}

TEST(ResizeModesTest, BoxesInOtherPixels) {
  const auto param = FromText<ResizeParameter>(
      "resize_mode: FIT_SMALL_SIZE height: 40 width: 40 height_scale: 20 width_scale: 40");
  vector<AnnotatedBox> boxes = OneBox({0.5, 0.25, 1, 0.5});
  ScaleBoxes(param, cv::Size(40, 20), {0, 0, 1, 1}, &boxes);  // 80 × 40 pixels
  EXPECT_EQ(boxes[0].box.xmin, 1);
  EXPECT_EQ(boxes[0].box.ymin, 0.5);
  EXPECT_EQ(boxes[0].box.xmax, 2);
  EXPECT_EQ(boxes[0].box.ymax, 1);
  EXPECT_CAFFE_ERROR(ScaleBoxes(param, cv::Size(40, 20), {0, 0, 0.25, 1}, &boxes),
                     "are larger than the image, 40 x 20");
}

TEST(ResizeModesTest, AWindowOfExactlyTheScaleFitsWhereverItLies) {
  const auto param = FromText<ResizeParameter>(
      "resize_mode: FIT_SMALL_SIZE height: 300 width: 300 height_scale: 300 width_scale: 300");
  for (int x = 0; x <= 312; ++x) {
    const Box<float> window = {static_cast<float>(x) / 612, 0, static_cast<float>(x + 300) / 612,
                               1};
    vector<AnnotatedBox> boxes = OneBox({0.5, 0.25, 1, 0.5});
    ScaleBoxes(param, cv::Size(612, 300), window, &boxes);
    EXPECT_NEAR(boxes[0].box.xmax, 1, 1e-5);  // the rounding of a fraction, times 300
  }
}

TEST(NoiseTest, EachKind) {
  const cv::Mat image = Picture(32, 40, 1);
  EXPECT_EQ(LargestDifference(Noisy("", image), image), 0);
  EXPECT_EQ(LargestDifference(Noisy("prob: 0 inverse: true", image), image), 0);
  EXPECT_EQ(LargestDifference(Noisy("inverse: true", Noisy("prob: 1 inverse: true", image)), image),
            0);
  const cv::Mat gray = Noisy("decolorize: true", image);
  const auto pixel = gray.at<cv::Vec3b>(3, 4);
  EXPECT_TRUE(pixel[0] == pixel[1] && pixel[1] == pixel[2]);
  const cv::Mat levels = Noisy("posterize: true", image);
  for (int i = 0; i < 32 * 40; ++i) {
    EXPECT_EQ(levels.at<cv::Vec3b>(i / 40, i % 40)[1],
              image.at<cv::Vec3b>(i / 40, i % 40)[1] / 64 * 64 + 32);
  }
  const cv::Mat eroded = Noisy("erode: true", image);
  const cv::Mat risen = eroded > image;
  EXPECT_EQ(cv::countNonZero(risen.reshape(1)), 0);
  EXPECT_GT(LargestDifference(eroded, image), 0);
  const cv::Mat noise = RandomImage(3, 32, 40, 2);
  cv::Scalar mean, deviation, blurred;
  cv::meanStdDev(noise, mean, deviation);
  cv::meanStdDev(Noisy("gauss_blur: true", noise), mean, blurred);
  EXPECT_LT(blurred[0], 0.5 * deviation[0]);
  const cv::Mat coded = Noisy("jpeg: 90", image);
  EXPECT_GT(LargestDifference(coded, image), 0);
  EXPECT_LT(cv::norm(coded, image, cv::NORM_L1) / (32 * 40 * 3), 8);
  EXPECT_GT(LargestDifference(Noisy("hist_eq: true", image), image), 0);
  EXPECT_GT(LargestDifference(Noisy("clahe: true", image), image), 0);
  cv::Mat expected;
  cv::cvtColor(image, expected, cv::COLOR_BGR2HSV);
  EXPECT_EQ(LargestDifference(Noisy("convert_to_hsv: true", image), expected), 0);
  cv::cvtColor(image, expected, cv::COLOR_BGR2Lab);
  EXPECT_EQ(LargestDifference(Noisy("convert_to_lab: true", image), expected), 0);
}

TEST(NoiseTest, SaltAndPepper) {
  const cv::Mat image(50, 60, CV_8UC3, cv::Scalar(9, 9, 9));
  const cv::Mat salted = Noisy(
      "saltpepper: true saltpepper_param { fraction: 0.1 value: 255 value: 0 value: 128 }", image);
  int changed = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto pixel = salted.at<cv::Vec3b>(i / 60, i % 60);
    if (pixel == cv::Vec3b(9, 9, 9)) continue;
    EXPECT_EQ(pixel, cv::Vec3b(255, 0, 128));
    ++changed;
  }
  // 300 places, some drawn twice: 3,000 · (1 − e^(−0.1)) = 285 different ones.
  EXPECT_NEAR(changed, 285, 15);
  EXPECT_CAFFE_ERROR(Noisy("saltpepper: true saltpepper_param { fraction: 0.1 }", image),
                     "has 0 values for an image of 3 channel(s)");
  EXPECT_CAFFE_ERROR(Noisy("saltpepper_param { fraction: 1.5 }", image), "from 0 to 1, got 1.5");
}

TEST(NoiseTest, GrayImages) {
  const cv::Mat image = RandomImage(1, 20, 20, 1);
  const cv::Mat result = Noisy(
      "decolorize: true gauss_blur: true hist_eq: true clahe: true jpeg: 50 erode: true posterize: "
      "true inverse: true saltpepper: true saltpepper_param { fraction: 0.1 value: 1 } "
      "convert_to_hsv: true convert_to_lab: true",
      image);
  EXPECT_EQ(result.type(), CV_8UC1);
  EXPECT_EQ(result.size(), image.size());
}

TEST(AugmentTest, BoxesFollowThePixels) {
  // A white block on black, and its box: whatever happens, the box is around the white pixels.
  const AugmentSpec spec = SpecOf(
      "mirror: true crop_h: 150 crop_w: 140 resize_param { height: 160 width: 160 } "
      "expand_param { prob: 0.5 max_expand_ratio: 3 }",
      "batch_sampler { sampler { min_scale: 0.4 max_scale: 1 min_aspect_ratio: 0.5 "
      "max_aspect_ratio: 2 } sample_constraint { min_object_coverage: 0.2 } max_sample: 1 }");
  for (const char* mode : {"WARP", "FIT_LARGE_SIZE_AND_PAD"}) {
    AugmentSpec of_mode = spec;
    ResizeParameter* resize = of_mode.param.mutable_resize_param();
    resize->set_resize_mode(string(mode) == "WARP" ? ResizeParameter::WARP
                                                   : ResizeParameter::FIT_LARGE_SIZE_AND_PAD);
    int seen = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
      cv::Mat image(120, 200, CV_8UC3, cv::Scalar(0, 0, 0));
      image(cv::Rect(50, 30, 60, 60)).setTo(cv::Scalar(255, 255, 255));
      std::mt19937 random(seed);
      const AugmentedImage result =
          Augment(of_mode, image, OneBox({0.25, 0.25, 0.55F, 0.75}), &random);
      vector<float> values(3 * 150 * 140);
      WriteTransformed(of_mode.transform, result.crop, ImageView<uint8_t>(result.image),
                       values.data());
      const cv::Mat plane(150, 140, CV_32F, values.data());
      const cv::Rect white = cv::boundingRect(plane > 127);
      if (white.empty() || result.boxes.empty()) continue;
      ++seen;
      // A crop's box is not rounded to pixels, half of one is up to 2.5 after resizing; the
      // border of the block is blurred by as much.
      const Box<float>& box = result.boxes[0].box;
      EXPECT_NEAR(box.xmin * 140, white.x, 5) << mode << seed;
      EXPECT_NEAR(box.ymin * 150, white.y, 5) << mode << seed;
      EXPECT_NEAR(box.xmax * 140, white.br().x, 5) << mode << seed;
      EXPECT_NEAR(box.ymax * 150, white.br().y, 5) << mode << seed;
    }
    EXPECT_GT(seen, 80);
  }
}

TEST(AugmentTest, TheCanvasIsOfTheMean) {
  const AugmentSpec spec =
      SpecOf("mean_value: 10 mean_value: 20 mean_value: 30 expand_param { max_expand_ratio: 4 }");
  std::mt19937 random(3);
  const AugmentedImage result =
      Augment(spec, cv::Mat(10, 10, CV_8UC3, cv::Scalar(200, 200, 200)), {}, &random);
  cv::Mat is_mean;
  cv::inRange(result.image, cv::Scalar(10, 20, 30), cv::Scalar(10, 20, 30), is_mean);
  EXPECT_GT(result.image.rows, 10);
  EXPECT_EQ(cv::countNonZero(is_mean), static_cast<int>(result.image.total()) - 100);
}

TEST(AugmentTest, AMeanImageGivesTheCanvasItsAverage) {
  TempDir dir;
  Blob<float> mean(vector<int>({1, 3, 2, 2}));
  for (int i = 0; i < 12; ++i)
    mean.mutable_cpu_data()[i] = static_cast<float>(10 * (i / 4) + i % 2);
  BlobProto proto;
  mean.ToProto(&proto);
  WriteProtoToBinaryFile(proto, dir / "mean");
  const AugmentSpec spec = SpecOf("mean_file: '" + (dir / "mean") +
                                  "' expand_param { max_expand_ratio: 4 } "
                                  "resize_param { height: 2 width: 2 interp_mode: NEAREST }");
  EXPECT_EQ(spec.fill, cv::Scalar(0.5, 10.5, 20.5));
  std::mt19937 random(3);
  const AugmentedImage result = Augment(spec, RandomImage(3, 40, 40, 1), {}, &random);
  vector<double> values(12);
  // Fits the size after resize_param, as in Caffe-SSD.
  WriteTransformed(spec.transform, result.crop, ImageView<uint8_t>(result.image), values.data());
  EXPECT_EQ(values[0], result.image.at<cv::Vec3b>(0, 0)[0]);
  EXPECT_EQ(values[11], result.image.at<cv::Vec3b>(1, 1)[2] - 21);
}

TEST(AugmentTest, WithoutStepsNothingHappens) {
  const cv::Mat image = RandomImage(3, 6, 5, 1);
  std::mt19937 random(1);
  const AugmentedImage result = Augment(SpecOf(""), image.clone(), OneBox({0, 0, 1, 1}), &random);
  EXPECT_EQ(LargestDifference(result.image, image), 0);
  EXPECT_EQ(result.boxes.size(), 1u);
  EXPECT_FALSE(result.crop.mirror);
  // Samplers that find nothing leave the whole image.
  const AugmentedImage whole =
      Augment(SpecOf("", "batch_sampler { sample_constraint { min_jaccard_overlap: 2 } }"),
              image.clone(), OneBox({0, 0, 1, 1}), &random);
  EXPECT_EQ(whole.image.size(), image.size());
}

}  // namespace caffe
