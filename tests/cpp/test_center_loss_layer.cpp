#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "caffe/sgd_solvers.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

constexpr int kSamples = 6, kFeatures = 4, kClasses = 3;
const vector<double> kLabels = {0, 2, 2, 0, 2, 0};  // class 1 does not come

string CenterText(const string& center_param, const string& rest = "") {
  return "name: 'center' type: 'CenterLoss' bottom: 'x' bottom: 'y' " + rest +
         " center_loss_param { num_output: 3 center_filler { type: 'gaussian' std: 0.5 } " +
         center_param + " }";
}

/** Six features of 2×2 values, their labels, and three centers. */
struct CenterCase : LayerCase<double> {
  explicit CenterCase(const string& text = CenterText(""), int num_top = 1)
      : LayerCase<double>(text, {{kSamples, 2, 2}, {kSamples}}, num_top) {
    SetData(kLabels, bottom[1]);
    Caffe::set_random_seed(3);
    SetUp();
    layer->OnClearParamDiffs();
  }
  Blob<double>& centers() { return *layer->blobs()[0]; }
  double x(int i, int k) const { return bottom[0]->cpu_data()[i * kFeatures + k]; }
  double c(int j, int k) { return centers().cpu_data()[j * kFeatures + k]; }
  int label(int i) const { return static_cast<int>(bottom[1]->cpu_data()[i]); }

  /** Δ from its definition, over the labels other than `ignored`. */
  vector<double> Step(int ignored = -1) {
    vector<double> step;
    for (int j = 0; j < kClasses; ++j) {
      for (int k = 0; k < kFeatures; ++k) {
        double sum = 0, count = 0;
        for (int i = 0; i < kSamples; ++i) {
          if (label(i) != j || j == ignored) continue;
          sum += c(j, k) - x(i, k);
          count += 1;
        }
        step.push_back(sum / (1 + count));
      }
    }
    return step;
  }
};

// Values of about 1, a few roundings each.
constexpr double kRounding = 1e-14;

void ExpectNear(const vector<double>& a, const vector<double>& b, double tolerance = kRounding) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance) << i;
}

TEST(CenterLossLayerTest, LossDistanceAndStepByHand) {
  LayerCase<double> c(
      "type: 'CenterLoss' loss_param { ignore_label: 9 } "
      "center_loss_param { num_output: 2 center_filler { value: 1 } }",
      {{3, 2}, {3, 1, 1, 1}}, 3);
  SetData<double>({4, 5, 1, 3, 70, 70}, c.bottom[0]);
  SetData<double>({0, 0, 9}, c.bottom[1]);
  c.SetUp();
  EXPECT_EQ(c.Forward(), (9 + 16 + 0 + 4) / 4.0);
  EXPECT_EQ(c.top[1]->cpu_data()[0], (5 + 2) / 2.0);
  EXPECT_EQ(c.top[2]->cpu_data()[0], 0);
  c.Backward(1);
  EXPECT_EQ(DiffOf(*c.bottom[0]), (vector<double>{1.5, 2, 0, 1, 0, 0}));
  ExpectNear(DiffOf(*c.layer->blobs()[0]), {-3 / 3.0, -6 / 3.0, 0, 0});
}

/** The layer without its centers: their diff is a step, not the loss's gradient. */
class FeaturesOnlyLayer : public Layer<double> {
 public:
  explicit FeaturesOnlyLayer(Layer<double>* center) : Layer(LayerParameter()), center_(center) {}
  void LayerSetUp(const vector<Blob<double>*>& bottom, const vector<Blob<double>*>& top) override {
    center_->SetUp(bottom, top);
  }
  void Reshape(const vector<Blob<double>*>&, const vector<Blob<double>*>&) override {}

 protected:
  void Forward_cpu(const vector<Blob<double>*>& bottom, const vector<Blob<double>*>& top) override {
    center_->Forward(bottom, top);
  }
  void Backward_cpu(const vector<Blob<double>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<double>*>& bottom) override {
    center_->Backward(top, propagate_down, bottom);
  }
  Layer<double>* center_;
};

TEST(CenterLossLayerTest, GradientOfTheFeatures) {
  for (const char* text : {"", "center_lr: 0.5", "axis: 2"}) {
    for (const char* loss_param : {"", "loss_param { ignore_label: 2 }"}) {
      LayerCase<double> c(CenterText(text, loss_param), {{kSamples, 2, 2}, {kSamples}});
      if (string(text) == "axis: 2") c.bottom[1]->Reshape({kSamples, 2});
      for (int i = 0; i < c.bottom[1]->count(); ++i) {
        c.bottom[1]->mutable_cpu_data()[i] = i % kClasses;
      }
      FeaturesOnlyLayer layer(c.layer.get());
      // The loss is a square, so central differences are exact up to rounding, 1e-16 / step.
      GradientChecker<double>(1e-2, 1e-9).CheckGradient(&layer, c.bottom, c.top, 0);
    }
  }
}

TEST(CenterLossLayerTest, StepIsAddedToTheDiffWhateverTheLossWeight) {
  for (const char* weight : {"loss_weight: 1", "loss_weight: 0.003", "loss_weight: -7"}) {
    CenterCase c(CenterText("", weight));
    caffe_set(12, 0.25, c.centers().mutable_cpu_diff());
    c.Forward();
    c.Backward(1);
    vector<double> expected = c.Step();
    for (double& value : expected) value += 0.25;
    ExpectNear(DiffOf(c.centers()), expected);
  }
}

TEST(CenterLossLayerTest, StepNeedsNoGradientOfTheFeatures) {
  CenterCase c;
  caffe_set(24, 5.0, c.bottom[0]->mutable_cpu_diff());
  c.Forward();
  c.Backward(0);
  ExpectNear(DiffOf(c.centers()), c.Step());
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(24, 5.0));
}

TEST(CenterLossLayerTest, NoStepWhereTheParameterIsNotLearned) {
  CenterCase c;
  c.layer->set_param_propagate_down(0, false);
  c.Forward();
  c.Backward(1);
  EXPECT_EQ(DiffOf(c.centers()), vector<double>(12, 0));
}

/** Runs the six samples in sub-batches of the given sizes, as iter_size does. */
void RunInParts(const vector<int>& sizes, CenterCase* c) {
  const vector<double> features = DataOf(*c->bottom[0]);
  int first = 0;
  for (const int size : sizes) {
    c->bottom[0]->Reshape({size, 2, 2});
    c->bottom[1]->Reshape({size});
    std::copy_n(features.begin() + first * kFeatures, size * kFeatures,
                c->bottom[0]->mutable_cpu_data());
    std::copy_n(kLabels.begin() + first, size, c->bottom[1]->mutable_cpu_data());
    c->Forward();
    c->Backward(1);
    first += size;
  }
}

TEST(CenterLossLayerTest, SubBatchesGiveTheStepOfTheirUnion) {
  CenterCase whole;
  const vector<double> step = whole.Step();
  for (const vector<int>& sizes : {vector<int>{6}, {1, 5}, {3, 3}, {2, 2, 2}, {1, 1, 1, 1, 1, 1}}) {
    CenterCase parts;
    RunInParts(sizes, &parts);
    ExpectNear(DiffOf(parts.centers()), step);
    EXPECT_TRUE(parts.layer->ParamDiffIsStep(0)) << "or the solver divides by iter_size";

    CenterCase exact(CenterText("center_lr: 0.5"));
    const vector<double> before = DataOf(exact.centers());
    RunInParts(sizes, &exact);
    EXPECT_EQ(DataOf(exact.centers()), before) << "centers stay within an iteration";
    exact.layer->OnUpdate();
    for (int i = 0; i < 12; ++i) {
      EXPECT_NEAR(exact.centers().cpu_data()[i], before[i] - 0.5 * step[i], kRounding);
    }
  }
}

TEST(CenterLossLayerTest, AnIterationStartsAnew) {
  CenterCase c;
  c.Forward();
  c.Backward(1);
  for (int iteration = 0; iteration < 3; ++iteration) {
    caffe_set(12, 0.0, c.centers().mutable_cpu_diff());
    c.layer->OnClearParamDiffs();
    c.Forward();
    c.Backward(1);
    ExpectNear(DiffOf(c.centers()), c.Step());
    c.centers().Update();
    c.layer->OnUpdate();
  }
}

TEST(CenterLossLayerTest, CenterLrMovesExactlyAndLeavesTheDiffAlone) {
  CenterCase c(CenterText("center_lr: 0.5", "param { name: 'shared' lr_mult: 3 }"));
  EXPECT_EQ(c.layer->layer_param().param(0).lr_mult(), 0);
  EXPECT_EQ(c.layer->layer_param().param(0).decay_mult(), 0);
  EXPECT_EQ(c.layer->layer_param().param(0).name(), "shared");
  // The net says so for lr_mult 0; the exact step does not depend on it.
  c.layer->set_param_propagate_down(0, false);
  caffe_set(12, 5.0, c.centers().mutable_cpu_diff());
  for (int iteration = 0; iteration < 2; ++iteration) {
    vector<double> expected = DataOf(c.centers());
    const vector<double> step = c.Step();
    c.layer->OnClearParamDiffs();
    c.Forward();
    c.Backward(1);
    c.layer->OnUpdate();
    for (int i = 0; i < 12; ++i) expected[i] -= 0.5 * step[i];
    ExpectNear(DataOf(c.centers()), expected);
    EXPECT_EQ(DiffOf(c.centers()), vector<double>(12, 5.0));
    c.layer->OnUpdate();  // nothing new was seen: nothing moves
    ExpectNear(DataOf(c.centers()), expected);
  }
  CenterCase without(CenterText("center_lr: 1"));
  EXPECT_EQ(without.layer->layer_param().param_size(), 1);
}

TEST(CenterLossLayerTest, IgnoredSamplesDoNotCount) {
  CenterCase c(CenterText("", "loss_param { ignore_label: 2 }"), 2);
  double squared = 0, distance = 0;
  for (int i = 0; i < kSamples; ++i) {
    if (c.label(i) == 2) continue;
    double of_sample = 0;
    for (int k = 0; k < kFeatures; ++k) of_sample += std::pow(c.x(i, k) - c.c(0, k), 2);
    squared += of_sample;
    distance += std::sqrt(of_sample);
  }
  EXPECT_NEAR(c.Forward(), squared / 6, kRounding);
  EXPECT_NEAR(c.top[1]->cpu_data()[0], distance / 3, kRounding);
  c.Backward(1);
  ExpectNear(DiffOf(c.centers()), c.Step(2));
  EXPECT_EQ(c.bottom[0]->cpu_diff()[1 * kFeatures], 0);
  EXPECT_NE(c.bottom[0]->cpu_diff()[0], 0);
}

TEST(CenterLossLayerTest, NothingCountsGivesZero) {
  CenterCase c(CenterText("", "loss_param { ignore_label: -1 }"), 3);
  caffe_set(kSamples, -1.0, c.bottom[1]->mutable_cpu_data());
  caffe_set(24, std::nan(""), c.bottom[0]->mutable_cpu_diff());
  EXPECT_EQ(c.Forward(), 0);
  c.Backward(1);
  EXPECT_EQ(c.top[1]->cpu_data()[0], 0);
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(24, 0));
  EXPECT_EQ(DiffOf(c.centers()), vector<double>(12, 0));
}

TEST(CenterLossLayerTest, OrderOfTheBatchDoesNotMatter) {
  CenterCase c, permuted;
  const int order[kSamples] = {4, 0, 5, 3, 1, 2};
  for (int i = 0; i < kSamples; ++i) {
    std::copy_n(c.bottom[0]->cpu_data() + order[i] * kFeatures, kFeatures,
                permuted.bottom[0]->mutable_cpu_data() + i * kFeatures);
    permuted.bottom[1]->mutable_cpu_data()[i] = kLabels[order[i]];
  }
  EXPECT_NEAR(c.Forward(), permuted.Forward(), kRounding);
  c.Backward(1);
  permuted.Backward(1);
  ExpectNear(DiffOf(c.centers()), DiffOf(permuted.centers()));
  for (int i = 0; i < kSamples; ++i) {
    for (int k = 0; k < kFeatures; ++k) {
      EXPECT_NEAR(permuted.bottom[0]->cpu_diff()[i * kFeatures + k],
                  c.bottom[0]->cpu_diff()[order[i] * kFeatures + k], kRounding);
    }
  }
}

TEST(CenterLossLayerTest, TranslationOfFeaturesAndCentersDoesNotMatter) {
  CenterCase c, moved;
  for (int i = 0; i < 24; ++i) moved.bottom[0]->mutable_cpu_data()[i] += i % kFeatures - 1.5;
  for (int i = 0; i < 12; ++i) moved.centers().mutable_cpu_data()[i] += i % kFeatures - 1.5;
  EXPECT_NEAR(c.Forward(), moved.Forward(), kRounding);
  c.Backward(1);
  moved.Backward(1);
  ExpectNear(DiffOf(c.centers()), DiffOf(moved.centers()));
  ExpectNear(DiffOf(*c.bottom[0]), DiffOf(*moved.bottom[0]));
}

TEST(CenterLossLayerTest, RepeatedStepsReachTheMeanOfEachClass) {
  CenterCase c(CenterText("center_lr: 0.5"));
  const vector<double> unseen(c.centers().cpu_data() + kFeatures,
                              c.centers().cpu_data() + 2 * kFeatures);
  for (int iteration = 0; iteration < 100; ++iteration) {
    c.layer->OnClearParamDiffs();
    c.Forward();
    c.Backward(1);
    c.layer->OnUpdate();
  }
  for (int k = 0; k < kFeatures; ++k) {
    // An update leaves 1 − 0.5 · 3/4 of the way: (5/8)^100 < 1e-20 of it in the end.
    EXPECT_NEAR(c.c(0, k), (c.x(0, k) + c.x(3, k) + c.x(5, k)) / 3, kRounding);
    EXPECT_NEAR(c.c(2, k), (c.x(1, k) + c.x(2, k) + c.x(4, k)) / 3, kRounding);
    EXPECT_EQ(c.c(1, k), unseen[k]);
  }
}

TEST(CenterLossLayerTest, CentersSurviveASnapshot) {
  CenterCase c;
  FillUniform<double>(-2, 2, 77, 12, c.centers().mutable_cpu_data());
  LayerParameter stored;
  c.layer->ToProto(&stored);
  ASSERT_EQ(stored.blobs_size(), 1);
  CenterCase restored(stored.DebugString());
  EXPECT_EQ(DataOf(restored.centers()), DataOf(c.centers()));
  EXPECT_EQ(restored.Forward(), c.Forward());
}

TEST(CenterLossLayerTest, ThirdTopIsTheMovementOfTheLastUpdate) {
  for (const char* text : {"", "center_lr: 0.25"}) {
    CenterCase c(CenterText(text), 3);
    c.Forward();
    EXPECT_EQ(c.top[2]->cpu_data()[0], 0);
    c.Backward(1);
    const vector<double> before = DataOf(c.centers());
    if (string(text).empty()) c.centers().Update();
    c.layer->OnUpdate();
    double expected = 0;
    for (int j = 0; j < kClasses; ++j) {
      double squared = 0;
      for (int k = 0; k < kFeatures; ++k) squared += std::pow(c.c(j, k) - before[j * 4 + k], 2);
      expected += std::sqrt(squared) / kClasses;
    }
    EXPECT_GT(expected, 0);
    for (int sub_batch = 0; sub_batch < 2; ++sub_batch) {
      c.layer->OnClearParamDiffs();
      c.Forward();
      EXPECT_NEAR(c.top[2]->cpu_data()[0], expected, kRounding);
    }
    EXPECT_EQ(c.layer->loss(1), 0);
    EXPECT_EQ(c.layer->loss(2), 0);
  }
}

/** A net of the layer alone, run by SGD with the rate 0.5 for one iteration. */
struct CenterSolver {
  CenterSolver(const string& center_text, int iter_size)
      : solver(FromText<SolverParameter>(
            "base_lr: 0.5 lr_policy: 'fixed' weight_decay: 0 snapshot_after_train: false "
            "random_seed: 3 iter_size: " +
            std::to_string(iter_size) +
            " net_param { layer { name: 'in' type: 'Input' top: 'x' top: 'y' input_param { "
            "shape { dim: 6 dim: 2 dim: 2 } shape { dim: 6 } } } layer { top: 'loss' " +
            center_text + " } }")),
        net(*solver.net()) {
    // The reference has the same features; its centers are set to those of the net.
    SetData(DataOf(*reference.bottom[0]), net.input_blobs()[0]);
    SetData(kLabels, net.input_blobs()[1]);
    SetData(DataOf(*net.layers()[1]->blobs()[0]), &reference.centers());
  }
  vector<double> Centers() const { return DataOf(*net.layers()[1]->blobs()[0]); }

  SGDSolver<double> solver;
  Net<double>& net;
  CenterCase reference;
};

TEST(CenterLossLayerTest, SolverMovesTheCentersByTheStepOfAllSubBatches) {
  for (const int iter_size : {1, 2, 5}) {
    for (const char* param : {"", "center_lr: 0.5"}) {
      CenterSolver run(CenterText(param), iter_size);
      vector<double> expected = run.Centers();
      const vector<double> step = run.reference.Step();
      run.solver.Step(1);
      for (int i = 0; i < 12; ++i) {
        // A class comes 3 times in a sub-batch, or not at all: the sums and counts of all of them.
        expected[i] -= 0.5 * step[i] * (1 + 3) * iter_size / (1 + 3 * iter_size);
      }
      ExpectNear(run.Centers(), expected);
    }
  }
}

TEST(CenterLossLayerTest, RateOfTheSolverIsTheRateOfTheCenters) {
  CenterSolver frozen(CenterText("", "param { lr_mult: 0 }"), 1);
  const vector<double> before = frozen.Centers();
  frozen.solver.Step(12);
  EXPECT_EQ(frozen.Centers(), before);
  EXPECT_NE(frozen.net.layers()[1]->Report().find("lr_mult of the centers is 0"), string::npos);
  CenterSolver twice(CenterText("", "param { lr_mult: 2 }"), 1);
  const vector<double> step = twice.reference.Step();
  vector<double> expected = twice.Centers();
  twice.solver.Step(1);
  for (int i = 0; i < 12; ++i) expected[i] -= step[i];
  ExpectNear(twice.Centers(), expected);
}

void RunIterations(int iterations, bool update, CenterCase* c) {
  for (int i = 0; i < iterations; ++i) {
    caffe_set(12, 0.0, c->centers().mutable_cpu_diff());
    c->layer->OnClearParamDiffs();
    c->Forward();
    c->Backward(1);
    if (update) c->centers().Update();
    c->layer->OnUpdate();
  }
}

TEST(CenterLossLayerTest, ReportTellsDistanceAndMovement) {
  CenterCase c;
  EXPECT_EQ(c.layer->Report(), "");
  RunIterations(2, true, &c);
  const string report = c.layer->Report();
  EXPECT_NE(report.find("mean distance to the centers "), string::npos) << report;
  EXPECT_NE(report.find("(12 samples)"), string::npos) << report;
  EXPECT_NE(report.find("an iteration (2 iterations)"), string::npos) << report;
  EXPECT_EQ(report.find("WARNING"), string::npos) << report;
  EXPECT_EQ(c.layer->Report(), "") << "a report is about the time since the last one";
}

TEST(CenterLossLayerTest, ReportWarnsOfCentersThatDoNotMove) {
  CenterCase frozen;
  frozen.layer->set_param_propagate_down(0, false);
  RunIterations(9, false, &frozen);
  EXPECT_EQ(frozen.layer->Report().find("WARNING"), string::npos) << "too early";
  RunIterations(1, false, &frozen);
  const string report = frozen.layer->Report();
  EXPECT_NE(report.find("WARNING: no center has moved during the last 10 iterations"), string::npos)
      << report;
  EXPECT_NE(report.find("lr_mult of the centers is 0"), string::npos) << report;

  CenterCase zero(CenterText("center_lr: 0"));
  RunIterations(10, false, &zero);
  EXPECT_NE(zero.layer->Report().find("center_lr is 0"), string::npos);

  CenterCase no_rate;
  RunIterations(10, false, &no_rate);
  EXPECT_NE(no_rate.layer->Report().find("and the learning rate"), string::npos);

  CenterCase no_weight(CenterText("", "loss_weight: 0"));
  RunIterations(10, false, &no_weight);
  EXPECT_EQ(no_weight.layer->Report().find("WARNING"), string::npos);

  CenterCase moving;
  RunIterations(30, true, &moving);
  EXPECT_EQ(moving.layer->Report().find("WARNING"), string::npos);
}

TEST(CenterLossLayerTest, LabelErrors) {
  CenterCase c;
  const auto forward_with = [&c](double label) {
    c.bottom[1]->mutable_cpu_data()[4] = label;
    c.Forward();
  };
  EXPECT_CAFFE_ERROR(forward_with(3),
                     "center (CenterLoss): label[4] is 3, out of the range 0 to 2");
  EXPECT_CAFFE_ERROR(forward_with(-1), "label[4] is -1, out of the range 0 to 2");
  EXPECT_CAFFE_ERROR(forward_with(0.5), "label[4] is 0.5; expected an integer from 0 to 2");
  EXPECT_CAFFE_ERROR(forward_with(std::nan("")), "label[4] is nan");
  forward_with(0);
  EXPECT_CAFFE_ERROR(c.Backward(2), "bottom[1] \"y\" holds labels, which have no gradient");
  EXPECT_FALSE(c.layer->AllowForceBackward(1));
}

TEST(CenterLossLayerTest, ShapeAndParameterErrors) {
  const auto set_up = [](const string& text, const vector<int>& labels, int num_top = 1) {
    LayerCase<double> c(text, {{kSamples, 2, 2}, labels}, num_top);
    c.SetUp();
  };
  EXPECT_CAFFE_ERROR(set_up("name: 'c' type: 'CenterLoss'", {6}),
                     "c (CenterLoss): center_loss_param.num_output is the number of classes");
  EXPECT_CAFFE_ERROR(set_up(CenterText("center_lr: -0.5"), {6}), "got -0.5");
  EXPECT_CAFFE_ERROR(set_up(CenterText("center_lr: nan"), {6}), "center_lr must not be negative");
  EXPECT_CAFFE_ERROR(set_up(CenterText(""), {7}), "bottom[1] has 7 labels, expected 6");
  EXPECT_CAFFE_ERROR(set_up(CenterText("axis: 2"), {6}), "bottom[1] has 6 labels, expected 12");
  EXPECT_CAFFE_ERROR(set_up(CenterText("axis: 3"), {6}), "axis 3 out of range");
  EXPECT_CAFFE_ERROR(
      set_up(CenterText("", "loss_weight: 1 loss_weight: 0 loss_weight: 2"), {6}, 3),
      "top[2] is for the log and has no gradient; expected the loss_weight 0, got 2");
  EXPECT_CAFFE_ERROR(
      set_up(CenterText("", "blobs { shape { dim: 2 dim: 4 } data: [0, 0, 0, 0, 0, 0, 0, 0] }"),
             {6}),
      "the stored centers have the shape 2 4 (8), expected 3 classes x 4 features");
  CenterCase c;
  c.bottom[0]->Reshape({kSamples, 5});
  EXPECT_CAFFE_ERROR(c.Forward(), "has 5 features from axis 1 on, the centers have 4");
}

}  // namespace caffe
