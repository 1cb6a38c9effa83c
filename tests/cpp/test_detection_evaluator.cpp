// eval_type "detection": from the solver, and from `caffe test`.
#include <string>
#include <vector>

#include "caffe/solvers/detection_evaluator.hpp"
#include "solver_test_util.hpp"

namespace caffe {
namespace {

const char kSolver[] = "lr_policy: 'fixed' base_lr: 0.1 test_interval: 1 test_iter: 2 ";

class DetectionEvaluatorTest : public SolverTestBase {
 protected:
  static string TestNet(const string& evaluate = "num_classes: 4", const string& more = "") {
    return "name: 'detector' "
           "layer { name: 'det' type: 'Input' top: 'det' input_param { shape { dim: 1 dim: 1 dim: "
           "4 "
           "dim: 7 } } } "
           "layer { name: 'gt' type: 'Input' top: 'gt' input_param { shape { dim: 1 dim: 1 dim: 3 "
           "dim: 8 } } } " +
           more +
           "layer { name: 'eval' type: 'DetectionEvaluate' bottom: 'det' bottom: 'gt' "
           "top: 'detection_eval' detection_evaluate_param { " +
           evaluate + " } } ";
  }
  SolverParameter WithTest(const string& fields, const string& test_net = TestNet()) const {
    SolverParameter param = this->Solver(kSolver + fields);
    *param.add_test_net_param() = FromText<NetParameter>(test_net);
    return param;
  }
  /** Class 1: two objects, of which one is found, after a false alarm; class 2: missed; 3: none. */
  static void Fill(Net<double>* net) {
    SetData<double>({0, 1, 0.9, 0.6, 0.6, 0.9, 0.9,  //
                     0, 1, 0.8, 0.1, 0.1, 0.5, 0.5,  //
                     0, 3, 0.7, 0.1, 0.1, 0.5, 0.5,  //
                     0, 3, 0.6, 0.1, 0.1, 0.5, 0.5},
                    net->blob_by_name("det").get());
    SetData<double>({0, 1, 0, 0.1, 0.1, 0.5, 0.5, 0,  //
                     0, 1, 1, 0.1, 0.6, 0.3, 0.9, 0,  //
                     0, 2, 0, 0.1, 0.1, 0.5, 0.5, 0},
                    net->blob_by_name("gt").get());
  }
  /** The log of a test of two equal batches. */
  string LogOfTest(const SolverParameter& param) {
    const auto solver = MakeSolver<double>(param);
    Fill(solver->test_nets()[0].get());
    return LogOf([&] { solver->Step(1); });
  }
};

#define EXPECT_LOGGED(log, part) \
  EXPECT_NE((log).find(part), string::npos) << "not in the log: " << (part) << "\n" << (log)

TEST_F(DetectionEvaluatorTest, PrintsTheMeanAndATable) {
  const string log = LogOfTest(WithTest("eval_type: 'detection' show_per_class_result: true"));
  // Class 1, two batches: false, false, true, true of 4 objects; 1/4 · 1/3 + 1/4 · 1/2 = 0.208333.
  EXPECT_LOGGED(log, "]     Test net output #0: detection_eval = 0.104167\n");
  EXPECT_LOGGED(log, "]     class1: 0.208333\n");
  EXPECT_LOGGED(log, "]     class2: 0\n");
  EXPECT_EQ(log.find("class3:"), string::npos) << "its AP is not defined";
  EXPECT_LOGGED(log,
                "]     detection_eval (Integral): label  class  objects  detections      AP\n");
  EXPECT_LOGGED(log, "]         1  -            4           4  0.2083\n");
  EXPECT_LOGGED(log, "]         2  -            2           0  0.0000\n");
  EXPECT_LOGGED(log, "]         3  -            0           4       -\n");
  EXPECT_LOGGED(log, "1 of 3 classes have no ground truth; mAP is the mean over the others");
}

TEST_F(DetectionEvaluatorTest, EveryApVersion) {
  // Precision at recall 1/4 and 1/2 has the envelope 1/2: 6 of 11 points, or half the axis.
  EXPECT_LOGGED(LogOfTest(WithTest("ap_version: '11point' show_per_class_result: true")),
                "class1: 0.272727\n");
  EXPECT_LOGGED(LogOfTest(WithTest("ap_version: 'MaxIntegral' show_per_class_result: true")),
                "class1: 0.25\n");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(WithTest("eval_type: 'detection' ap_version: 'mean'")),
                     "ap_version is \"mean\", expected 11point, MaxIntegral or Integral");
}

TEST_F(DetectionEvaluatorTest, IsChosenByTheNetWhereTheSolverDoesNotSay) {
  const string log = LogOfTest(WithTest(""));
  EXPECT_LOGGED(log, "Test net output #0: detection_eval = 0.104167\n");
  EXPECT_EQ(log.find("class1:"), string::npos);
}

TEST_F(DetectionEvaluatorTest, NothingAtAllIsZero) {
  const auto solver = MakeSolver<double>(WithTest("eval_type: 'detection'"));
  for (const char* name : {"det", "gt"}) {
    Blob<double>* blob = solver->test_nets()[0]->blob_by_name(name).get();
    caffe_set(blob->count(), -1.0, blob->mutable_cpu_data());
  }
  const string log = LogOf([&] { solver->Step(1); });
  EXPECT_LOGGED(log, "detection_eval = 0\n");
  EXPECT_LOGGED(log, "3 of 3 classes have no ground truth");
}

TEST_F(DetectionEvaluatorTest, TakesNamesFromTheLabelMap) {
  Write("map.prototxt",
        "item { name: 'none' label: 0 } item { name: 'cat' label: 1 } "
        "item { name: 'n02' label: 2 display_name: 'lesser panda' } item { name: 'x' label: 3 }");
  SolverParameter param = WithTest("");
  LayerParameter* layer = param.mutable_test_net_param(0)->mutable_layer(2);
  layer->mutable_annotated_data_param()->set_label_map_file(Path("map.prototxt"));
  const string log = LogOfTest(param);
  EXPECT_LOGGED(log, "label  class         objects  detections      AP\n");
  EXPECT_LOGGED(log, "    1  cat                 4           4  0.2083\n");
  EXPECT_LOGGED(log, "    2  lesser panda        2           0  0.0000\n");
  Write("map.prototxt", "item { name: 'none' label: 0 } item { name: 'cat' label: 1 }");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(param), "has no class of label 2; num_classes 4");
}

TEST_F(DetectionEvaluatorTest, OtherOutputsOfOneValueAreAveraged) {
  const string more = LinearNet() + " ";
  const string log = LogOfTest(WithTest("", TestNet("num_classes: 4", more)));
  EXPECT_LOGGED(log, "Test net output #1: loss = ");
  EXPECT_LOGGED(log, "Test net output #0: detection_eval = 0.104167\n");
}

TEST_F(DetectionEvaluatorTest, SaysBeforeTheFirstIterationWhatDoesNotFit) {
  EXPECT_CAFFE_ERROR(
      MakeSolver<double>(WithTest("eval_type: 'detection'", "name: 'plain' " + LinearNet())),
      "eval_type \"detection\" needs a test net with an output of DetectionEvaluate; the outputs "
      "of "
      "\"plain\" are: loss");
  const string output =
      "layer { name: 'loc' type: 'Input' top: 'loc' input_param { shape { dim: 1 dim: 4 } } } "
      "layer { name: 'conf' type: 'Input' top: 'conf' input_param { shape { dim: 1 dim: 3 } } } "
      "layer { name: 'prior' type: 'Input' top: 'prior' input_param { shape { dim: 1 dim: 2 dim: 4 "
      "} } } "
      "layer { name: 'found' type: 'DetectionOutput' bottom: 'loc' bottom: 'conf' bottom: 'prior' "
      "top: 'found' detection_output_param { num_classes: 3 } } ";
  EXPECT_CAFFE_ERROR(MakeSolver<double>(WithTest("", TestNet("num_classes: 4", output))),
                     "found (DetectionOutput) has num_classes 3, expected 4, as DetectionEvaluate");
}

}  // namespace
}  // namespace caffe
