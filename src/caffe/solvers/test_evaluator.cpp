#include "caffe/solvers/test_evaluator.hpp"

#include "caffe/solvers/detection_evaluator.hpp"

namespace caffe {

template <typename Dtype>
vector<double> OutputValues(const Net<Dtype>& net) {
  vector<double> values;
  for (const Blob<Dtype>* output : net.output_blobs()) {
    values.insert(values.end(), output->cpu_data(), output->cpu_data() + output->count());
  }
  return values;
}

template <typename Dtype>
vector<string> DescribeOutputs(const Net<Dtype>& net, const vector<double>& values) {
  vector<string> lines;
  for (int i = 0; i < net.num_outputs(); ++i) {
    const int blob_id = net.output_blob_indices()[i];
    const Dtype weight = net.blob_loss_weights()[blob_id];
    for (int k = 0; k < net.output_blobs()[i]->count(); ++k) {
      const Dtype value = static_cast<Dtype>(values[lines.size()]);
      std::ostringstream line;
      line << net.blob_names()[blob_id] << " = " << value;
      if (weight != Dtype(0)) line << " (* " << weight << " = " << weight * value << " loss)";
      lines.push_back(line.str());
    }
  }
  return lines;
}

namespace {

template <typename Dtype>
class ClassificationEvaluator : public TestEvaluator<Dtype> {
 public:
  void AddBatch(const Net<Dtype>& net) override {
    const vector<double> values = OutputValues(net);
    if (num_batches_ == 0) sums_.assign(values.size(), 0);
    CHECK(values.size() == sums_.size())
        << "batch " << num_batches_ << " of the test has " << values.size()
        << " output values, those before it had " << sums_.size() << ": their mean is not defined";
    for (size_t i = 0; i < values.size(); ++i) sums_[i] += values[i];
    ++num_batches_;
  }

  vector<string> BatchResults(const Net<Dtype>& net) const override {
    return DescribeOutputs(net, OutputValues(net));
  }

  vector<string> Results(const Net<Dtype>& net) const override {
    vector<double> means(sums_);
    for (double& mean : means) mean /= num_batches_;
    return DescribeOutputs(net, means);
  }

 private:
  vector<double> sums_;
  int num_batches_ = 0;
};

}  // namespace

template <typename Dtype>
std::unique_ptr<TestEvaluator<Dtype>> MakeTestEvaluator(const SolverParameter& param,
                                                        const Net<Dtype>& net) {
  const string& type = param.eval_type();
  CHECK(type == "classification" || type == "detection")
      << "eval_type is \"" << type << "\", expected \"classification\" or \"detection\"";
  const bool is_detection = param.has_eval_type() ? type == "detection" : EvaluatesDetections(net);
  if (is_detection) return std::make_unique<DetectionEvaluator<Dtype>>(param, net);
  return std::make_unique<ClassificationEvaluator<Dtype>>();
}

#define CAFFE_INSTANTIATE_EVALUATION(Dtype)                                                \
  template vector<double> OutputValues(const Net<Dtype>&);                                 \
  template vector<string> DescribeOutputs(const Net<Dtype>&, const vector<double>&);       \
  template std::unique_ptr<TestEvaluator<Dtype>> MakeTestEvaluator(const SolverParameter&, \
                                                                   const Net<Dtype>&)
CAFFE_INSTANTIATE_EVALUATION(float);
CAFFE_INSTANTIATE_EVALUATION(double);

}  // namespace caffe
