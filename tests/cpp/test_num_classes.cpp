// num_classes of a net's layers against the label map of its data, before any iteration.
#include <fstream>
#include <string>

#include "caffe/solvers/num_classes.hpp"
#include "solver_test_util.hpp"

namespace caffe {
namespace {

class NumClassesTest : public SolverTestBase {
 protected:
  /** A net with a label map of labels 0 to 2, and a layer that has something of num_classes. */
  string NetOf(const string& classes, const string& map = "labelmap.prototxt") {
    std::ofstream file(Path("labelmap.prototxt"));
    for (int label = 0; label < 3; ++label) {
      file << "item { name: 'class" << label << "' label: " << label << " }\n";
    }
    return "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 } } "
           "annotated_data_param { label_map_file: '" +
           Path(map) +
           "' } } "
           "layer { name: 'mbox_loss' type: 'Silence' bottom: 'data' " +
           classes + " } ";
  }
  void Check(const string& net) { CheckNumClasses(Net<double>(FromText<NetParameter>(net))); }
};

TEST_F(NumClassesTest, TakesAllLabelsOfTheMap) {
  Check(NetOf("multibox_loss_param { num_classes: 3 }"));
  Check(NetOf("detection_output_param { num_classes: 21 }"));
  Check(NetOf(""));
}

TEST_F(NumClassesTest, ALabelMoreThanTheNetHasIsAnError) {
  const string message = "mbox_loss (Silence): num_classes is 2, but the label map " +
                         Path("labelmap.prototxt") + " has labels up to 2: expected 3 or more";
  for (const string param : {"multibox_loss", "detection_output", "detection_evaluate"}) {
    EXPECT_CAFFE_ERROR(Check(NetOf(param + "_param { num_classes: 2 }")), message);
  }
}

TEST_F(NumClassesTest, AFileThatIsNotThereIsLeftToItsLayer) {
  Check(NetOf("multibox_loss_param { num_classes: 2 }", "no_such_map"));
}

TEST_F(NumClassesTest, ASolverChecksItsNets) {
  SolverParameter param = this->Solver("lr_policy: 'fixed' base_lr: 0.1 ");
  const NetParameter more = FromText<NetParameter>(NetOf("multibox_loss_param { num_classes: 2 }"));
  param.mutable_train_net_param()->MergeFrom(more);
  EXPECT_CAFFE_ERROR(MakeSolver<double>(param), "mbox_loss (Silence): num_classes is 2");
}

}  // namespace
}  // namespace caffe
