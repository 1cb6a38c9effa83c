#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "caffe/layers/multibox_center_loss_layer.hpp"
#include "multibox_test_util.hpp"

namespace caffe {
namespace {

const char kMining[] = "mining_type: MAX_NEGATIVE overlap_threshold: 0.3";

string CenterParam(const string& fields = "") {
  return "multibox_center_loss_param { center_features: 5 center_filler { type: 'gaussian' } " +
         fields + " }";
}

MultiBoxCase CenterCase(const string& multibox = kMining, const string& fields = "",
                        int num_top = 1) {
  Caffe::set_random_seed(3);
  return MultiBoxCase("MultiBoxCenterLoss", multibox, CenterParam(fields), num_top);
}

TEST(MultiBoxCenterLossLayerTest, GradientsOfLocationConfidenceAndFeatures) {
  for (const string& variant : MultiBoxVariants()) {
    for (const char* normalization : {"VALID", "FULL", "BATCH_SIZE", "NONE"}) {
      SCOPED_TRACE(variant + " " + normalization);
      MultiBoxCase c(
          "MultiBoxCenterLoss", variant,
          CenterParam("weight: 0.3") + " loss_param { normalization: " + normalization + " }");
      c.CheckBottom(0);
      c.CheckBottom(1);
      c.CheckBottom(4);
    }
  }
}

TEST(MultiBoxCenterLossLayerTest, BackgroundJoinsOnlyWhereAsked) {
  MultiBoxCase with = CenterCase(kMining, "include_background: true");
  with.CheckBottom(4);
  const auto moves_background = [](const string& fields) {
    MultiBoxCase c = CenterCase(kMining, fields);
    c.SetUp();
    c.Forward();
    c.BackwardAll();
    double sum = 0;
    for (int k = 0; k < kFeatures; ++k) sum += std::fabs(c.layer->blobs()[0]->cpu_diff()[k]);
    return sum > 0;
  };
  EXPECT_FALSE(moves_background(""));
  EXPECT_TRUE(moves_background("include_background: true"));
  EXPECT_CAFFE_ERROR(CenterCase("mining_type: NONE", "include_background: true").SetUp(),
                     "include_background takes the mined negatives, but mining_type is NONE");
}

TEST(MultiBoxCenterLossLayerTest, WithoutWeightItIsMultiBoxLossToTheBit) {
  for (const string& variant : MultiBoxVariants()) {
    MultiBoxCase center = CenterCase(variant, "weight: 0");
    MultiBoxCase plain("MultiBoxLoss", variant);
    for (MultiBoxCase* c : {&center, &plain}) {
      c->SetUp();
      c->Forward();
      c->top[0]->mutable_cpu_diff()[0] = 1;
      c->BackwardAll();
    }
    EXPECT_EQ(center.top[0]->cpu_data()[0], plain.top[0]->cpu_data()[0]) << variant;
    EXPECT_EQ(DiffOf(*center.bottom[0]), DiffOf(*plain.bottom[0])) << variant;
    EXPECT_EQ(DiffOf(*center.bottom[1]), DiffOf(*plain.bottom[1])) << variant;
    EXPECT_EQ(DiffOf(*center.bottom[4]), vector<double>(center.bottom[4]->count(), 0)) << variant;
  }
}

/** Which prior learns which label, read off the gradient of the location: only matches have one. */
vector<int> MatchedRows(const Blob<double>& loc) {
  vector<int> rows;
  for (int row = 0; row < kImages * kPriors; ++row) {
    double sum = 0;
    for (int k = 0; k < 4; ++k) sum += std::fabs(loc.cpu_diff()[4 * row + k]);
    if (sum > 0) rows.push_back(row);
  }
  return rows;
}

TEST(MultiBoxCenterLossLayerTest, FeaturesLearnWhereLocationsLearn) {
  MultiBoxCase c = CenterCase();
  c.SetUp();
  c.Forward();
  c.top[0]->mutable_cpu_diff()[0] = 1;
  c.BackwardAll();
  vector<int> rows;
  for (int row = 0; row < kImages * kPriors; ++row) {
    double sum = 0;
    for (int k = 0; k < kFeatures; ++k)
      sum += std::fabs(c.bottom[4]->cpu_diff()[kFeatures * row + k]);
    if (sum > 0) rows.push_back(row);
  }
  EXPECT_EQ(rows, MatchedRows(*c.bottom[0]));
  EXPECT_GT(rows.back(), 2 * kPriors) << "the third image has matches of its own";
}

TEST(MultiBoxCenterLossLayerTest, FeaturesOfOneImageNeverTouchAnothers) {
  MultiBoxCase c = CenterCase();
  c.SetUp();
  c.Forward();
  c.top[0]->mutable_cpu_diff()[0] = 1;
  c.BackwardAll();
  const vector<double> before = DiffOf(*c.bottom[4]);
  const int width = c.bottom[4]->count(1);
  for (int i = 0; i < width; ++i) c.bottom[4]->mutable_cpu_data()[i] += 10;
  c.Forward();
  c.BackwardAll();
  const vector<double> after = DiffOf(*c.bottom[4]);
  for (int i = width; i < 3 * width; ++i) EXPECT_EQ(after[i], before[i]) << i;
  EXPECT_NE(vector<double>(after.begin(), after.begin() + width),
            vector<double>(before.begin(), before.begin() + width));
}

TEST(MultiBoxCenterLossLayerTest, CentersStepByTheClosedForm) {
  // The gradient of a feature is w (x − c) / normalizer, so x − c can be read off it: the step
  // of a center is −Σ (x − c) / (1 + n), whatever the weight and the normalizer.
  for (const char* fields : {"weight: 1", "weight: 0.125"}) {
    const double weight = string(fields) == "weight: 1" ? 1 : 0.125;
    MultiBoxCase c = CenterCase(kMining, fields);
    c.SetUp();
    c.Forward();
    c.top[0]->mutable_cpu_diff()[0] = 1;
    Blob<double>& centers = *c.layer->blobs()[0];
    caffe_set(centers.count(), 0.25, centers.mutable_cpu_diff());
    c.BackwardAll();
    const vector<int> rows = MatchedRows(*c.bottom[0]);
    vector<double> sums(kClasses * kFeatures, 0);
    vector<int> counts(kClasses, 0);
    for (const int row : rows) {
      const double* x = c.bottom[4]->cpu_data() + row * kFeatures;
      const double* slope = c.bottom[4]->cpu_diff() + row * kFeatures;
      int label = -1;
      for (int j = 1; j < kClasses; ++j) {
        const double expected = weight * (x[0] - centers.cpu_data()[j * kFeatures]) / rows.size();
        if (std::fabs(expected - slope[0]) < 1e-12) label = j;
      }
      ASSERT_GE(label, 1) << "the gradient points from no center";
      ++counts[label];
      for (int k = 0; k < kFeatures; ++k) {
        sums[label * kFeatures + k] += centers.cpu_data()[label * kFeatures + k] - x[k];
      }
    }
    for (int i = 0; i < kClasses * kFeatures; ++i) {
      // The layer adds to the diff; sums of a dozen numbers near 1.
      EXPECT_NEAR(centers.cpu_diff()[i], 0.25 + sums[i] / (1 + counts[i / kFeatures]), 1e-13);
    }
  }
}

TEST(MultiBoxCenterLossLayerTest, CenterLrMovesTheCentersByItself) {
  MultiBoxCase by_solver = CenterCase(), by_itself = CenterCase(kMining, "center_lr: 0.5");
  for (MultiBoxCase* c : {&by_solver, &by_itself}) {
    Caffe::set_random_seed(4);  // for the filler: both start from the same centers
    c->SetUp();
    c->layer->OnClearParamDiffs();
    c->Forward();
    c->BackwardAll();
  }
  Blob<double>& expected = *by_solver.layer->blobs()[0];
  caffe_axpy(expected.count(), -0.5, expected.cpu_diff(), expected.mutable_cpu_data());
  EXPECT_EQ(by_itself.layer->blobs()[0]->asum_diff(), 0);
  by_itself.layer->OnUpdate();
  EXPECT_EQ(by_itself.layer->layer_param().param(0).lr_mult(), 0);
  for (int i = 0; i < expected.count(); ++i) {
    EXPECT_NEAR(by_itself.layer->blobs()[0]->cpu_data()[i], expected.cpu_data()[i], 1e-14);
  }
}

TEST(MultiBoxCenterLossLayerTest, FurtherTopsAreTheTerms) {
  MultiBoxCase c = CenterCase(kMining, "", 4);
  c.SetUp();
  c.Forward();
  double sum = 0;
  for (int i = 1; i < 4; ++i) {
    EXPECT_GT(c.top[i]->cpu_data()[0], 0) << i;
    sum += c.top[i]->cpu_data()[0];
  }
  EXPECT_NEAR(c.top[0]->cpu_data()[0], sum, 1e-14 * sum);
}

TEST(MultiBoxCenterLossLayerTest, SetsUpFromTheFieldsOfSSDCenterloss) {
  MultiBoxCase c("MultiBoxCenterLoss", string(kMining) + " center_loss_weight: 0.1",
                 "multibox_center_loss_param { center_features: 5 }", 4);
  c.SetUp();
  c.Forward();
  MultiBoxCase whole("MultiBoxCenterLoss", kMining,
                     "multibox_center_loss_param { center_features: 5 }", 4);
  whole.SetUp();
  whole.Forward();
  EXPECT_FLOAT_EQ(c.top[3]->cpu_data()[0], 0.1f * whole.top[3]->cpu_data()[0]);
}

TEST(MultiBoxCenterLossLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(MultiBoxCase("MultiBoxCenterLoss", kMining).SetUp(),
                     "multibox_center_loss_param needs center_features");
  EXPECT_CAFFE_ERROR(CenterCase(kMining, "weight: -1").SetUp(),
                     "the weight of the center loss must not be negative, got -1");
  EXPECT_CAFFE_ERROR(CenterCase(kMining, "center_lr: -1").SetUp(),
                     "center_lr must not be negative");
  MultiBoxCase narrow = CenterCase();
  narrow.bottom[4]->Reshape({kImages, 64});
  EXPECT_CAFFE_ERROR(narrow.SetUp(),
                     "mbox_loss (MultiBoxCenterLoss): bottom[4] has 64 values per image, expected "
                     "14 priors × 5 center_features = 70");
}

}  // namespace
}  // namespace caffe
