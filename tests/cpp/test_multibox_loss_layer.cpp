#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "caffe/layers/multibox_loss_layer.hpp"
#include "multibox_test_util.hpp"

namespace caffe {
namespace {

const char kMining[] = "mining_type: MAX_NEGATIVE overlap_threshold: 0.3";

TEST(MultiBoxLossLayerTest, GradientsOfLocationAndConfidence) {
  for (const string& variant : MultiBoxVariants()) {
    for (const char* normalization : {"VALID", "FULL", "BATCH_SIZE", "NONE"}) {
      SCOPED_TRACE(variant + " " + normalization);
      MultiBoxCase c("MultiBoxLoss", variant,
                     string("loss_param { normalization: ") + normalization + " }");
      c.CheckBottom(0);
      c.CheckBottom(1);
    }
  }
}

TEST(MultiBoxLossLayerTest, FurtherTopsAreTheTerms) {
  MultiBoxCase c("MultiBoxLoss", kMining, "", 3);
  c.SetUp();
  c.Forward();
  EXPECT_GT(c.top[1]->cpu_data()[0], 0);
  EXPECT_GT(c.top[2]->cpu_data()[0], 0);
  EXPECT_DOUBLE_EQ(c.top[0]->cpu_data()[0], c.top[1]->cpu_data()[0] + c.top[2]->cpu_data()[0]);
}

TEST(MultiBoxLossLayerTest, ForwardDoesNotRememberTheForwardBefore) {
  MultiBoxCase once("MultiBoxLoss", kMining), twice("MultiBoxLoss", kMining);
  once.SetUp();
  twice.SetUp();
  once.Forward();
  // Another batch first: the images of the ground truth rows trade places.
  Blob<double>* label = twice.bottom[3];
  const vector<double> rows = DataOf(*label);
  for (int i = 0; i < label->count(); i += 8) {
    if (rows[i] >= 0) label->mutable_cpu_data()[i] = 2 - rows[i];
  }
  twice.Forward();
  SetData(rows, label);
  twice.Forward();
  EXPECT_EQ(twice.top[0]->cpu_data()[0], once.top[0]->cpu_data()[0]);
  for (MultiBoxCase* c : {&once, &twice}) {
    c->top[0]->mutable_cpu_diff()[0] = 1;
    c->BackwardAll();
  }
  EXPECT_EQ(DiffOf(*twice.bottom[0]), DiffOf(*once.bottom[0]));
  EXPECT_EQ(DiffOf(*twice.bottom[1]), DiffOf(*once.bottom[1]));
}

TEST(MultiBoxLossLayerTest, PermutingTheImagesKeepsTheLoss) {
  MultiBoxCase c("MultiBoxLoss", kMining), permuted("MultiBoxLoss", kMining);
  c.SetUp();
  c.Forward();
  for (int index : {0, 1}) {
    const int width = c.bottom[index]->count(1);
    for (int image = 0; image < kImages; ++image) {
      caffe_copy(width, c.bottom[index]->cpu_data() + image * width,
                 permuted.bottom[index]->mutable_cpu_data() + (image + 1) % kImages * width);
    }
  }
  double* rows = permuted.bottom[3]->mutable_cpu_data();
  for (int i = 0; i < permuted.bottom[3]->count(); i += 8) {
    if (rows[i] >= 0) rows[i] = static_cast<int>(rows[i] + 1) % kImages;
  }
  permuted.SetUp();
  permuted.Forward();
  // The same terms, summed in another order.
  EXPECT_NEAR(permuted.top[0]->cpu_data()[0], c.top[0]->cpu_data()[0], 1e-12);
}

TEST(MultiBoxLossLayerTest, ImagesWithoutObjectsAreMinedOnlyWhereAsked) {
  const auto touches_empty_image = [](const string& option) {
    MultiBoxCase c("MultiBoxLoss", string(kMining) + option);
    c.SetUp();
    c.Forward();
    c.top[0]->mutable_cpu_diff()[0] = 1;
    c.BackwardAll();
    int rows = 0;
    const double* diff = c.bottom[1]->cpu_diff() + c.bottom[1]->count(1);
    for (int prior = 0; prior < kPriors; ++prior) rows += diff[prior * kClasses] != 0 ? 1 : 0;
    return rows;
  };
  EXPECT_EQ(touches_empty_image(""), 0);
  EXPECT_EQ(touches_empty_image(" empty_image_negatives: 4"), 4);
}

TEST(MultiBoxLossLayerTest, NoObjectsAtAllIsNoLossAndNoGradient) {
  MultiBoxCase c("MultiBoxLoss", kMining);
  caffe_set(c.bottom[3]->count(), -1.0, c.bottom[3]->mutable_cpu_data());
  c.SetUp();
  EXPECT_EQ(c.Forward(), 0);
  c.BackwardAll();
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(c.bottom[0]->count(), 0));
  EXPECT_EQ(DiffOf(*c.bottom[1]), vector<double>(c.bottom[1]->count(), 0));
}

TEST(MultiBoxLossLayerTest, BrokenPredictionsReachTheLoss) {
  MultiBoxCase c("MultiBoxLoss", kMining);
  c.SetUp();
  double* conf = c.bottom[1]->mutable_cpu_data();
  for (int i = 0; i < c.bottom[1]->count(); ++i) conf[i] = std::nan("");
  EXPECT_TRUE(std::isnan(c.Forward())) << "a loss that hides a NaN trains on";
}

TEST(MultiBoxLossLayerTest, ZeroAreaObjectsMatchNothing) {
  MultiBoxCase c("MultiBoxLoss", kMining);
  double* row = c.bottom[3]->mutable_cpu_data();
  row[5] = row[3];
  row[6] = row[4];
  c.SetUp();
  EXPECT_TRUE(std::isfinite(c.Forward()));
}

TEST(MultiBoxLossLayerTest, ErrorsNameTheRowAndTheValue) {
  const auto error_with = [](int index, double value, const string& part) {
    MultiBoxCase c("MultiBoxLoss", kMining);
    c.SetUp();
    c.bottom[3]->mutable_cpu_data()[index] = value;
    EXPECT_CAFFE_ERROR(c.Forward(), "mbox_loss (MultiBoxLoss): bottom[3] row 1: " + part);
  };
  error_with(8, 3, "item 3 is no integer from 0 to 2");
  error_with(9, 4, "label 4 is no integer from 0 to 3");
  error_with(9, 1.5, "label 1.5 is no integer");
  error_with(9, 0, "an object has the background's label 0");
  error_with(11, std::numeric_limits<double>::quiet_NaN(), "box (nan");
}

TEST(MultiBoxLossLayerTest, ErrorsOfShapesTellTheExpectedWidth) {
  MultiBoxCase loc("MultiBoxLoss", kMining);
  loc.bottom[0]->Reshape({kImages, 55});
  EXPECT_CAFFE_ERROR(loc.SetUp(),
                     "bottom[0] has 55 values per image, expected 14 priors × 1 location "
                     "class(es) × 4 = 56");
  MultiBoxCase conf("MultiBoxLoss", kMining);
  conf.bottom[1]->Reshape({kImages, 55});
  EXPECT_CAFFE_ERROR(conf.SetUp(),
                     "bottom[1] has 55 values per image, expected 14 priors × 4 classes = 56");
  MultiBoxCase variance("MultiBoxLoss", kMining);
  variance.bottom[2]->mutable_cpu_data()[4 * kPriors + 6] = 0;
  variance.SetUp();
  EXPECT_CAFFE_ERROR(variance.Forward(), "prior 1 has the variance 0, expected a positive one");
  EXPECT_CAFFE_ERROR(
      MultiBoxCase("MultiBoxLoss", "mining_type: HARD_EXAMPLE sample_size: 0").SetUp(),
      "HARD_EXAMPLE needs a positive sample_size, got 0");
  EXPECT_CAFFE_ERROR(MultiBoxCase("MultiBoxLoss", "background_label_id: 4294967295").SetUp(),
                     "background_label_id is 4294967295, expected less than 2147483648");
  EXPECT_CAFFE_ERROR(MultiBoxCase("MultiBoxLoss", "mining_type: NONE do_neg_mining: true").SetUp(),
                     "the deprecated do_neg_mining contradicts mining_type");
  MultiBoxCase down("MultiBoxLoss", kMining);
  down.SetUp();
  down.Forward();
  EXPECT_CAFFE_ERROR(down.layer->Backward(down.top, {true, true, true, false}, down.bottom),
                     "the priors (bottom[2]) get no gradient");
}

}  // namespace
}  // namespace caffe
