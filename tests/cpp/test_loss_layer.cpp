#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "caffe/layers/loss_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/labels.hpp"
#include "test_util.hpp"

namespace caffe {

const auto kFull = LossParameter_NormalizationMode_FULL;
const auto kValid = LossParameter_NormalizationMode_VALID;
const auto kBatchSize = LossParameter_NormalizationMode_BATCH_SIZE;
const auto kNone = LossParameter_NormalizationMode_NONE;

TEST(LossLayerTest, Normalizer) {
  EXPECT_EQ(GetNormalizer<double>(kFull, 3, 4, 5), 12);
  EXPECT_EQ(GetNormalizer<double>(kValid, 3, 4, 5), 5);
  EXPECT_EQ(GetNormalizer<double>(kValid, 3, 4, -1), 12);
  EXPECT_EQ(GetNormalizer<double>(kBatchSize, 3, 4, 5), 3);
  EXPECT_EQ(GetNormalizer<double>(kNone, 3, 4, 5), 1);
  EXPECT_EQ(GetNormalizer<double>(kValid, 3, 4, 0), 1) << "no label counts: the loss is 0, not NaN";
  EXPECT_EQ(GetNormalizer<double>(kFull, 1 << 20, 1 << 20, 0), 1099511627776.0);
  EXPECT_CAFFE_ERROR(GetNormalizer<double>(kFull, -3, 4, 5), "-3 x 4");
}

TEST(LossLayerTest, NormalizationFromTheParameter) {
  const auto mode = [](const string& text, LossParameter_NormalizationMode layer_default) {
    return LossNormalization(FromText<LossParameter>(text), layer_default);
  };
  EXPECT_EQ(mode("", kValid), kValid);
  EXPECT_EQ(mode("", kBatchSize), kBatchSize);
  EXPECT_EQ(mode("normalize: true", kNone), kValid);
  EXPECT_EQ(mode("normalize: false", kNone), kBatchSize);
  EXPECT_EQ(mode("normalize: false normalization: FULL", kNone), kFull);
}

/** The least that a loss layer of a user's own has to do. */
template <typename Dtype>
class FirstElementLossLayer : public LossLayer<Dtype> {
 public:
  explicit FirstElementLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  const char* type() const override { return "FirstElementLoss"; }
  int ExactNumTopBlobs() const override { return -1; }
  Dtype Normalizer() { return this->GetNormalizer(kValid, 2, 3, 4); }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {
    top[0]->mutable_cpu_data()[0] = bottom[0]->cpu_data()[0];
  }
  void Backward_cpu(const vector<Blob<Dtype>*>&, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>&) override {
    CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
  }
};

struct LossLayerRun {
  explicit LossLayerRun(const string& text)
      : layer(FromText<LayerParameter>(text)), predictions({2, 3}), labels({2, 1}) {}
  void SetUp() { layer.SetUp({&predictions, &labels}, {&first, &second}); }

  FirstElementLossLayer<double> layer;
  Blob<double> predictions, labels, first, second;
};

TEST(LossLayerTest, FirstTopHasTheWeightOneByDefault) {
  LossLayerRun run("name: 'l'");
  run.SetUp();
  EXPECT_EQ(run.layer.loss(0), 1);
  EXPECT_EQ(run.layer.loss(1), 0);
  EXPECT_EQ(run.first.num_axes(), 0);
  EXPECT_TRUE(run.layer.AutoTopBlobs());
  EXPECT_TRUE(run.layer.AllowForceBackward(0));
  EXPECT_FALSE(run.layer.AllowForceBackward(1));
  EXPECT_EQ(run.layer.Normalizer(), 4);
}

TEST(LossLayerTest, GivenWeightsStay) {
  LossLayerRun run("name: 'l' loss_weight: 2.5 loss_weight: 0");
  run.SetUp();
  EXPECT_EQ(run.layer.loss(0), 2.5);
  EXPECT_EQ(run.layer.loss(1), 0);
}

TEST(LossLayerTest, Errors) {
  LossLayerRun few("name: 'l' loss_weight: 2");
  EXPECT_CAFFE_ERROR(few.SetUp(), "l (FirstElementLoss): loss_weight must be given for every top");
  LossLayerRun mismatch("name: 'l'");
  mismatch.labels.Reshape({3, 1});
  EXPECT_CAFFE_ERROR(mismatch.SetUp(), "2 3 (6) and 3 1 (3)");
  LossLayerRun scalar("name: 'l'");
  scalar.labels.Reshape(vector<int>());
  EXPECT_CAFFE_ERROR(scalar.SetUp(), "the first axes");
  LossLayerRun named("name: 'l' bottom: 'scores' bottom: 'classes'");
  named.SetUp();
  EXPECT_CAFFE_ERROR(named.layer.Backward({&named.first, &named.second}, {true, true},
                                          {&named.predictions, &named.labels}),
                     "bottom[1] \"classes\" holds labels, which have no gradient");
}

TEST(LabelsTest, IntegersInRangeAndTheIgnoredOne) {
  const LabelRule rule(3, true, -1);
  int label = 7;
  EXPECT_TRUE(ReadLabel(2.0, 0, rule, &label));
  EXPECT_EQ(label, 2);
  EXPECT_FALSE(ReadLabel(-1.0, 0, rule, &label));
  EXPECT_EQ(label, 2);
  EXPECT_TRUE(ReadLabel(-0.0f, 0, rule, &label));
  EXPECT_EQ(label, 0);
}

TEST(LabelsTest, ErrorsNameIndexValueAndRange) {
  const LabelRule rule(3, false, 0);
  int label = 0;
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_CAFFE_ERROR(ReadLabel(3.0, 4, rule, &label), "label[4] is 3, out of the range 0 to 2");
  EXPECT_CAFFE_ERROR(ReadLabel(-1.0, 4, rule, &label), "label[4] is -1, out of the range 0 to 2");
  EXPECT_CAFFE_ERROR(ReadLabel(1.5, 4, rule, &label),
                     "label[4] is 1.5; expected an integer from 0 to 2");
  EXPECT_CAFFE_ERROR(ReadLabel(std::nan(""), 4, rule, &label), "expected an integer");
  EXPECT_CAFFE_ERROR(ReadLabel(infinity, 4, rule, &label), "label[4] is inf");
  EXPECT_CAFFE_ERROR(ReadLabel(1e30f, 4, rule, &label), "out of the range");
  // An ignore_label of 0 does nothing unless it was given.
  EXPECT_TRUE(ReadLabel(0.0, 0, rule, &label));
}

}  // namespace caffe
