// eval_type "detection": mean average precision.
#ifndef CAFFE_SOLVERS_DETECTION_EVALUATOR_HPP_
#define CAFFE_SOLVERS_DETECTION_EVALUATOR_HPP_

#include <map>
#include <string>
#include <vector>

#include "caffe/detection/average_precision.hpp"
#include "caffe/solvers/test_evaluator.hpp"
#include "caffe/util/label_map.hpp"

namespace caffe {

/** @brief Whether an output of the net is a top of DetectionEvaluate. */
template <typename Dtype>
bool EvaluatesDetections(const Net<Dtype>& net);

/**
 * @brief Gathers the rows of every output of DetectionEvaluate and makes of them,
 * with ap_version, the average precision of each class and their mean, mAP.
 *
 * Details: a table with a line for each class (label, name, objects,
 * detections, AP), and with show_per_class_result the lines "class1: 0.81" that
 * Caffe-SSD prints. Results: "detection_eval = 0.73" for such an output; the
 * mean over the batches for another output of one value; nothing for larger ones.
 *
 * The mean is over the classes that have ground truth. Caffe-SSD takes a class
 * without any as 0; the AP of such a class is not defined, so here it is left
 * out, and the log says so. A class with ground truth and no detection has AP 0.
 */
template <typename Dtype>
class DetectionEvaluator : public TestEvaluator<Dtype> {
 public:
  /**
   * @throws Error for an unknown ap_version; for a net without an output of
   * DetectionEvaluate; where num_classes of DetectionOutput and
   * DetectionEvaluate differ; and for a label map without one of the classes.
   */
  DetectionEvaluator(const SolverParameter& param, const Net<Dtype>& net);
  void AddBatch(const Net<Dtype>& net) override;
  vector<string> BatchResults(const Net<Dtype>& /*net*/) const override { return {}; }
  vector<string> Details(const Net<Dtype>& net) const override;
  vector<string> Results(const Net<Dtype>& net) const override;

 private:
  struct ClassResult {
    int num_objects = 0;
    vector<ScoredDetection> detections;
  };
  struct Output {
    bool is_evaluation = false;
    std::map<int, ClassResult> classes;  // by label
    double sum = 0;                      // of an output of one value
  };

  void AddRows(const Blob<Dtype>& rows, Output* output) const;
  double ClassAp(const ClassResult& result) const;
  double MeanAp(const Output& output) const;
  void AppendTable(const string& name, const Output& output, vector<string>* lines) const;
  string NameOf(int label) const;

  ApVersion ap_version_;
  string ap_version_name_;
  bool show_per_class_;
  ClassNames names_;
  vector<Output> outputs_;
  int num_batches_ = 0;
};

}  // namespace caffe

#endif  // CAFFE_SOLVERS_DETECTION_EVALUATOR_HPP_
