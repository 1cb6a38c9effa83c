#include <gtest/gtest.h>

#include "caffe/data_transformer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

/** Draws what the test says: first whether to mirror, then the crop's top and left. */
class Scripted : public DataTransformer<double> {
 public:
  Scripted(const string& param, Phase phase)
      : DataTransformer<double>(FromText<TransformationParameter>(param), phase) {}
  vector<int> draws;
  vector<int> limits;

 protected:
  int Rand(int n) override {
    limits.push_back(n);
    CHECK(!draws.empty()) << "drew more than expected";
    const int value = draws.front();
    draws.erase(draws.begin());
    return value;
  }
};

/** What one output value should be, from the definition. */
struct Oracle {
  cv::Mat image;
  int top = 0, left = 0, width = 0;
  bool mirror = false;
  std::function<double(int c, int h, int w)> mean = [](int, int, int) { return 0; };
  double scale = 1;

  double operator()(int c, int h, int w) const {
    const int row = top + h;
    const int column = left + (mirror ? width - 1 - w : w);
    const double pixel = image.ptr<uchar>(row)[column * image.channels() + c];
    return (pixel - mean(c, row, column)) * scale;
  }
};

void ExpectOracle(const Blob<double>& blob, int row, const Oracle& oracle) {
  for (int c = 0; c < blob.channels(); ++c) {
    for (int h = 0; h < blob.height(); ++h) {
      for (int w = 0; w < blob.width(); ++w) {
        // The mean and the scale are floats on both sides; the rest is exact in double.
        ASSERT_NEAR(blob.data_at(row, c, h, w), oracle(c, h, w), 1e-9) << c << " " << h << " " << w;
      }
    }
  }
}

Datum DatumOf(const cv::Mat& image) {
  Datum datum;
  CVMatToDatum(image, &datum);
  return datum;
}

}  // namespace

TEST(DataTransformerTest, WithoutParametersThePixelsAreCopied) {
  const cv::Mat image = RandomImage(3, 4, 5, 1);
  Scripted transformer("", TRAIN);
  Blob<double> blob(transformer.InferBlobShape(image));
  EXPECT_EQ(blob.shape(), vector<int>({1, 3, 4, 5}));
  transformer.Transform(image, &blob);
  Oracle oracle;
  oracle.image = image;
  oracle.width = 5;
  ExpectOracle(blob, 0, oracle);
  Blob<double> from_datum(blob.shape());
  transformer.Transform(DatumOf(image), &from_datum);
  EXPECT_EQ(DataOf(from_datum), DataOf(blob));
}

TEST(DataTransformerTest, CropsMirrorsAndSubtractsTheMeanOfEachChannelInTraining) {
  const cv::Mat image = RandomImage(3, 7, 9, 2);
  for (const int mirror : {0, 1}) {
    Scripted transformer(
        "crop_h: 4 crop_w: 6 mirror: true mean_value: 10 mean_value: 20 mean_value: 30.5 "
        "scale: 0.25",
        TRAIN);
    transformer.draws = {mirror, 2, 3};
    Oracle oracle;
    oracle.image = image;
    oracle.top = 2;
    oracle.left = 3;
    oracle.width = 6;
    oracle.mirror = mirror == 1;
    oracle.scale = 0.25;
    const double means[] = {10, 20, 30.5};
    oracle.mean = [&means](int c, int, int) { return means[c]; };
    Blob<double> blob(transformer.InferBlobShape(DatumOf(image)));
    EXPECT_EQ(blob.shape(), vector<int>({1, 3, 4, 6}));
    transformer.Transform(DatumOf(image), &blob);
    ExpectOracle(blob, 0, oracle);
    EXPECT_EQ(transformer.limits, vector<int>({2, 4, 4}));  // 7 - 4 + 1, 9 - 6 + 1
  }
}

TEST(DataTransformerTest, CropsFromTheCenterInTesting) {
  const cv::Mat image = RandomImage(1, 8, 7, 3);
  Scripted transformer("crop_size: 4 mean_value: 5", TEST);
  Oracle oracle;
  oracle.image = image;
  oracle.top = 2;
  oracle.left = 1;
  oracle.width = 4;
  oracle.mean = [](int, int, int) { return 5; };
  Blob<double> blob(transformer.InferBlobShape(image));
  transformer.Transform(image, &blob);
  ExpectOracle(blob, 0, oracle);
}

TEST(DataTransformerTest, TheMeanImageIsCroppedAndMirroredWithTheImage) {
  const TempDir dir;
  const cv::Mat image = RandomImage(2, 5, 6, 4);
  Blob<float> mean(1, 2, 5, 6);
  FillUniform<float>(0, 255, 5, mean.count(), mean.mutable_cpu_data());
  BlobProto proto;
  mean.ToProto(&proto);
  WriteProtoToBinaryFile(proto, dir / "mean.binaryproto");
  Scripted transformer("crop_size: 3 mirror: true mean_file: '" + (dir / "mean.binaryproto") + "'",
                       TRAIN);
  transformer.draws = {1, 2, 1};
  Oracle oracle;
  oracle.image = image;
  oracle.top = 2;
  oracle.left = 1;
  oracle.width = 3;
  oracle.mirror = true;
  oracle.mean = [&mean](int c, int h, int w) { return mean.data_at(0, c, h, w); };
  Blob<double> blob(transformer.InferBlobShape(image));
  transformer.Transform(image, &blob);
  ExpectOracle(blob, 0, oracle);
  Blob<double> small(1, 2, 3, 3);
  EXPECT_CAFFE_ERROR(Scripted("mean_file: '" + (dir / "mean.binaryproto") + "'", TEST)
                         .Transform(RandomImage(2, 3, 3, 1), &small),
                     "mean.binaryproto has the shape 2 x 5 x 6, the image 2 x 3 x 3");
}

TEST(DataTransformerTest, EachImageOfAVectorIsDrawnForByItself) {
  const vector<cv::Mat> images = {RandomImage(1, 4, 4, 5), RandomImage(1, 4, 4, 6)};
  Scripted transformer("mirror: true", TRAIN);
  transformer.draws = {1, 0, 0, 1};
  Blob<double> blob(transformer.InferBlobShape(images));
  EXPECT_EQ(blob.num(), 2);
  transformer.Transform(images, &blob);
  Oracle oracle;
  oracle.width = 4;
  for (int i = 0; i < 2; ++i) {
    oracle.image = images[i];
    oracle.mirror = i == 0;
    ExpectOracle(blob, i, oracle);
  }
  const vector<Datum> datums = {DatumOf(images[0]), DatumOf(images[1])};
  EXPECT_EQ(transformer.InferBlobShape(datums), blob.shape());
  transformer.Transform(datums, &blob);
  for (int i = 0; i < 2; ++i) {
    oracle.image = images[i];
    oracle.mirror = i == 1;
    ExpectOracle(blob, i, oracle);
  }
}

TEST(DataTransformerTest, ABlobOfImagesIsTransformedAlike) {
  Blob<double> input(2, 1, 4, 5), output;
  FillUniform<double>(0, 255, 8, input.count(), input.mutable_cpu_data());
  Scripted transformer("crop_size: 2 mirror: true scale: 2 mean_value: 1", TRAIN);
  transformer.draws = {1, 1, 3};
  transformer.Transform(&input, &output);
  ASSERT_EQ(output.shape(), vector<int>({2, 1, 2, 2}));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(output.data_at(i, 0, 0, 0), (input.data_at(i, 0, 1, 4) - 1) * 2);
    EXPECT_EQ(output.data_at(i, 0, 1, 1), (input.data_at(i, 0, 2, 3) - 1) * 2);
  }
}

TEST(DataTransformerTest, FloatsAndEncodedImages) {
  Datum floats;
  floats.set_channels(1);
  floats.set_height(1);
  floats.set_width(2);
  floats.add_float_data(-0.5F);
  floats.add_float_data(1000.25F);
  Blob<double> blob(1, 1, 1, 2);
  Scripted("", TEST).Transform(floats, &blob);
  EXPECT_EQ(DataOf(blob), vector<double>({-0.5, 1000.25}));

  const cv::Mat image = RandomImage(3, 4, 5, 9);
  Datum encoded;
  EncodeCVMatToDatum(image, "png", &encoded);
  Blob<double> from_png(1, 3, 4, 5), from_image(1, 3, 4, 5);
  Scripted("", TEST).Transform(encoded, &from_png);
  Scripted("", TEST).Transform(image, &from_image);
  EXPECT_EQ(DataOf(from_png), DataOf(from_image));
  EXPECT_EQ(Scripted("force_gray: true", TEST).InferBlobShape(encoded), vector<int>({1, 1, 4, 5}));
  EncodeCVMatToDatum(RandomImage(1, 4, 5, 9), "png", &encoded);
  EXPECT_EQ(Scripted("", TEST).InferBlobShape(encoded), vector<int>({1, 1, 4, 5}));
  EXPECT_EQ(Scripted("force_color: true", TEST).InferBlobShape(encoded), vector<int>({1, 3, 4, 5}));
}

TEST(DataTransformerTest, ADatumMayHaveMoreChannelsThanAnImage) {
  Datum features;
  features.set_channels(1000);
  features.set_height(1);
  features.set_width(1);
  for (int i = 0; i < 1000; ++i) features.add_float_data(static_cast<float>(i));
  Blob<double> blob(1, 1000, 1, 1);
  Scripted("", TEST).Transform(features, &blob);
  EXPECT_EQ(blob.data_at(0, 999, 0, 0), 999);
}

TEST(DataTransformerTest, TheSeedGivesTheSameCrops) {
  const cv::Mat image = RandomImage(1, 30, 30, 10);
  vector<vector<double>> results;
  for (int i = 0; i < 2; ++i) {
    Caffe::set_random_seed(1701);
    DataTransformer<double> transformer(
        FromText<TransformationParameter>("crop_size: 3 mirror: true"), TRAIN);
    transformer.InitRand();
    Blob<double> blob(1, 1, 3, 3);
    vector<double> all;
    for (int j = 0; j < 10; ++j) {
      transformer.Transform(image, &blob);
      for (const double value : DataOf(blob)) all.push_back(value);
    }
    results.push_back(all);
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(DataTransformerTest, EveryCropAndMirrorIsDrawnAndNothingElse) {
  cv::Mat image(3, 4, CV_8UC1);
  for (int i = 0; i < 12; ++i) image.ptr<uchar>(i / 4)[i % 4] = static_cast<uchar>(i);
  Caffe::set_random_seed(3);
  DataTransformer<double> transformer(
      FromText<TransformationParameter>("crop_h: 2 crop_w: 3 mirror: true"), TRAIN);
  transformer.InitRand();
  Blob<double> blob(1, 1, 2, 3);
  std::map<vector<double>, int> seen;
  for (int i = 0; i < 800; ++i) {
    transformer.Transform(image, &blob);
    ++seen[DataOf(blob)];
  }
  // 2 tops x 2 lefts x 2 mirrors, 100 of each expected: 60 is four standard deviations off.
  EXPECT_EQ(seen.size(), 8u);
  for (const auto& entry : seen) EXPECT_GT(entry.second, 60);
}

TEST(DataTransformerTest, ErrorsSayWhatWasExpected) {
  const TempDir dir;
  const cv::Mat image = RandomImage(3, 4, 5, 11);
  Blob<double> blob(1, 3, 4, 5);
  EXPECT_CAFFE_ERROR(Scripted("mean_file: 'a' mean_value: 1", TEST), "expected one of them");
  EXPECT_CAFFE_ERROR(Scripted("force_color: true force_gray: true", TEST), "expected one of them");
  EXPECT_CAFFE_ERROR(Scripted("mean_file: '" + (dir / "none") + "'", TEST),
                     "mean_file " + (dir / "none"));
  EXPECT_CAFFE_ERROR(Scripted("crop_size: 5", TEST).InferBlobShape(image),
                     "the crop is larger than the image: crop 5 x 5, image 4 x 5");
  EXPECT_CAFFE_ERROR(Scripted("mean_value: 1 mean_value: 2", TEST).Transform(image, &blob),
                     "has 2 mean_value for an image of 3 channel(s)");
  EXPECT_CAFFE_ERROR(Scripted("crop_size: 3", TEST).Transform(image, &blob),
                     "expected a blob of the shape N x 3 x 3 x 3, got 1 3 4 5 (60)");
  EXPECT_CAFFE_ERROR(Scripted("", TEST).Transform(vector<cv::Mat>{image, image}, &blob),
                     "image 1 of a blob for 1");
  EXPECT_CAFFE_ERROR(Scripted("", TEST).Transform(vector<cv::Mat>(), &blob), "no image");
  DataTransformer<double> uninitialized(FromText<TransformationParameter>("mirror: true"), TRAIN);
  EXPECT_CAFFE_ERROR(uninitialized.Transform(image, &blob), "InitRand must be called");
  const cv::Mat deep(4, 5, CV_16UC3);
  EXPECT_CAFFE_ERROR(Scripted("", TEST).Transform(deep, &blob), "expected an image of 8-bit");
}

}  // namespace caffe
