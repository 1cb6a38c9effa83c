#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "caffe/util/io.hpp"
#include "test_util.hpp"

namespace caffe {

/** Scores 2×4×3, six labels, and a 4×4 matrix as the third bottom. */
LayerCase<double> InfogainCase(const string& param, int num_bottom = 3, int num_top = 1) {
  vector<vector<int>> shapes = {{2, 4, 3}, {2, 3}, {1, 1, 4, 4}};
  shapes.resize(num_bottom);
  LayerCase<double> c("name: 'loss' type: 'InfogainLoss' " + param, shapes, num_top);
  SetData<double>({0, 2, 3, 2, 1, 2}, c.bottom[1]);
  return c;
}

double NaiveLoss(const LayerCase<double>& c, const double* infogain, int ignore_label,
                 double normalizer) {
  double loss = 0;
  for (int i = 0; i < 6; ++i) {
    const int y = static_cast<int>(c.bottom[1]->cpu_data()[i]);
    if (y == ignore_label) continue;
    const auto score = [&](int k) { return c.bottom[0]->cpu_data()[(i / 3 * 4 + k) * 3 + i % 3]; };
    double total = 0;
    for (int k = 0; k < 4; ++k) total += std::exp(score(k));
    for (int k = 0; k < 4; ++k) loss -= infogain[y * 4 + k] * std::log(std::exp(score(k)) / total);
  }
  return loss / normalizer;
}

TEST(InfogainLossLayerTest, LossAndGradientWithTheMatrixAsABottom) {
  const struct {
    const char* param;
    int ignore_label;
    double normalizer;
  } cases[] = {{"", -9, 6},
               {"loss_param { ignore_label: 2 }", 2, 3},
               {"loss_param { ignore_label: 2 normalize: false }", 2, 2},
               {"loss_param { ignore_label: 2 normalization: FULL }", 2, 6}};
  for (const auto& expected : cases) {
    LayerCase<double> c = InfogainCase(expected.param);
    c.SetUp();
    EXPECT_NEAR(c.Forward(),
                NaiveLoss(c, c.bottom[2]->cpu_data(), expected.ignore_label, expected.normalizer),
                1e-13)
        << expected.param;
    LayerCase<double> weighted = InfogainCase(string("loss_weight: 0.7 ") + expected.param);
    GradientChecker<double>(1e-4, 1e-7)
        .CheckGradient(weighted.layer.get(), weighted.bottom, weighted.top, 0);
  }
}

TEST(InfogainLossLayerTest, MatrixFromAFile) {
  string file;
  MakeTempFilename(&file);
  BlobProto proto;
  Blob<double> matrix({4, 4});
  FillUniform<double>(0, 1, 9, 16, matrix.mutable_cpu_data());
  matrix.ToProto(&proto);
  WriteProtoToBinaryFile(proto, file.c_str());
  LayerCase<double> c = InfogainCase("infogain_loss_param { source: '" + file + "' }", 2);
  c.SetUp();
  EXPECT_NEAR(c.Forward(), NaiveLoss(c, matrix.cpu_data(), -9, 6), 1e-13);
  EXPECT_CAFFE_ERROR(InfogainCase("infogain_loss_param { source: '" + file + ".none' }", 2).SetUp(),
                     ".none");
}

TEST(InfogainLossLayerTest, IdentityIsSoftmaxWithLoss) {
  LayerCase<double> c("type: 'InfogainLoss' infogain_loss_param { axis: 2 }",
                      {{2, 3, 4}, {2, 3}, {4, 4}}, 2);
  LayerCase<double> softmax("type: 'SoftmaxWithLoss' softmax_param { axis: 2 }",
                            {{2, 3, 4}, {2, 3}}, 2);
  for (int i = 0; i < 16; ++i) c.bottom[2]->mutable_cpu_data()[i] = i % 5 == 0;
  for (LayerCase<double>* each : {&c, &softmax}) {
    SetData<double>({0, 1, 2, 3, 0, 1}, each->bottom[1]);
    each->SetUp();
    each->Forward();
    each->Backward(1);
  }
  EXPECT_NEAR(c.top[0]->cpu_data()[0], softmax.top[0]->cpu_data()[0], 1e-15);
  EXPECT_EQ(DataOf(*c.top[1]), DataOf(*softmax.top[1]));
  for (int i = 0; i < 24; ++i) {
    EXPECT_NEAR(c.bottom[0]->cpu_diff()[i], softmax.bottom[0]->cpu_diff()[i], 1e-15);
  }
}

TEST(InfogainLossLayerTest, WarnsOfProbabilities) {
  LayerCase<double> c("type: 'InfogainLoss'", {{1, 2}, {1}, {2, 2}});
  SetData<double>({0.25, 0.75}, c.bottom[0]);
  SetData<double>({1}, c.bottom[1]);
  c.SetUp();
  testing::internal::CaptureStderr();
  c.Forward();
  c.Forward();
  const string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("the scores look like probabilities"), string::npos) << log;
  EXPECT_EQ(log.find("probabilities"), log.rfind("probabilities")) << "once: " << log;
  LayerCase<double> scores = InfogainCase("");
  scores.SetUp();
  testing::internal::CaptureStderr();
  scores.Forward();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(InfogainLossLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(InfogainCase("", 2).SetUp(), "expected the infogain matrix as bottom[2]");
  LayerCase<double> size("name: 'l' type: 'InfogainLoss'", {{2, 4}, {2}, {4, 3}});
  EXPECT_CAFFE_ERROR(size.SetUp(), "l (InfogainLoss): the infogain matrix has the shape 4 3 (12)");
  LayerCase<double> counts("type: 'InfogainLoss'", {{2, 4, 3}, {2}, {4, 4}});
  EXPECT_CAFFE_ERROR(counts.SetUp(), "bottom[1] has 2 labels, expected 6");
  EXPECT_CAFFE_ERROR(InfogainCase("loss_weight: 1 loss_weight: 2", 3, 2).SetUp(),
                     "expected the loss_weight 0, got 2");
  LayerCase<double> c = InfogainCase("bottom: 'x' bottom: 'y' bottom: 'h'");
  c.SetUp();
  c.bottom[1]->mutable_cpu_data()[2] = 4;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[2] is 4, out of the range 0 to 3");
  c.bottom[1]->mutable_cpu_data()[2] = 0.5;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[2] is 0.5");
  c.bottom[1]->mutable_cpu_data()[2] = 0;
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(2), "bottom[1] \"y\" holds labels");
  EXPECT_CAFFE_ERROR(c.layer->Backward(c.top, {true, false, true}, c.bottom), "bottom[2] \"h\"");
}

}  // namespace caffe
