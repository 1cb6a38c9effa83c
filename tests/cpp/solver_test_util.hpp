// A net whose gradients are known in closed form, and what tests of solvers share.
#ifndef CAFFE_TESTS_SOLVER_TEST_UTIL_HPP_
#define CAFFE_TESTS_SOLVER_TEST_UTIL_HPP_

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/sgd_solvers.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/rng.hpp"
#include "test_util.hpp"

namespace caffe {

/** @brief The gradient of element i of the parameter at the layer's forward number t. */
inline double LinearCoefficient(int t, int i) { return std::sin(1 + 7.0 * t + 3.0 * i); }

/**
 * @brief Type "LinearProblem": loss = Σ_i c(t, i) · w_i, where t counts the
 * forwards. Two parameters, one of inner_product_param.num_output values and
 * one of two. With dropout_param every c is kept or zeroed by the random
 * generator. A name that begins with "step" makes the diffs steps.
 */
template <typename Dtype>
class LinearProblemLayer : public Layer<Dtype> {
 public:
  explicit LinearProblemLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  const char* type() const override { return "LinearProblem"; }
  void LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                  const vector<Blob<Dtype>*>& /*top*/) override {
    const int size = static_cast<int>(this->layer_param_.inner_product_param().num_output());
    for (const int count : {size, 2}) {
      this->blobs_.push_back(std::make_shared<Blob<Dtype>>(vector<int>{count}));
      for (int i = 0; i < count; ++i) {
        this->blobs_.back()->mutable_cpu_data()[i] = static_cast<Dtype>(0.5 * i - 0.75);
      }
    }
    this->param_propagate_down_.assign(2, true);
    coefficients_.resize(size + 2);
  }
  void Reshape(const vector<Blob<Dtype>*>& /*bottom*/, const vector<Blob<Dtype>*>& top) override {
    top[0]->Reshape(vector<int>());
  }
  bool ParamDiffIsStep(int /*param_id*/) const override {
    return this->layer_param_.name().compare(0, 4, "step") == 0;
  }
  void OnUpdate() override { ++num_updates; }
  void SaveState(LayerState* state) const override { state->set_records(forwards_); }
  void LoadState(const LayerState& state) override {
    forwards_ = static_cast<int>(state.records());
  }
  string Report() const override { return "forwards " + std::to_string(forwards_); }

  int num_updates = 0;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& /*bottom*/,
                   const vector<Blob<Dtype>*>& top) override {
    Dtype loss = 0;
    const int size = this->blobs_[0]->count();
    for (int i = 0; i < size + 2; ++i) {
      coefficients_[i] = static_cast<Dtype>(LinearCoefficient(forwards_, i));
      if (this->layer_param_.has_dropout_param() && (*caffe_rng())() % 2 == 0) coefficients_[i] = 0;
      const Blob<Dtype>& blob = *this->blobs_[i < size ? 0 : 1];
      loss += coefficients_[i] * blob.cpu_data()[i < size ? i : i - size];
    }
    top[0]->mutable_cpu_data()[0] = loss;
    ++forwards_;
  }
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& /*propagate_down*/,
                    const vector<Blob<Dtype>*>& /*bottom*/) override {
    const int size = this->blobs_[0]->count();
    for (int i = 0; i < size + 2; ++i) {
      Blob<Dtype>& blob = *this->blobs_[i < size ? 0 : 1];
      blob.mutable_cpu_diff()[i < size ? i : i - size] += top[0]->cpu_diff()[0] * coefficients_[i];
    }
  }

 private:
  int forwards_ = 0;
  vector<Dtype> coefficients_;
};

template <typename Dtype>
shared_ptr<Layer<Dtype>> MakeLinearProblem(const LayerParameter& param) {
  return std::make_shared<LinearProblemLayer<Dtype>>(param);
}

/** @brief A fixture with the layer registered and a folder that goes away with it. */
class SolverTestBase : public ::testing::Test {
 protected:
  SolverTestBase() {
    if (LayerRegistry<double>::Registry().count("LinearProblem") == 0) {
      LayerRegistry<double>::AddCreator("LinearProblem", MakeLinearProblem<double>);
      LayerRegistry<float>::AddCreator("LinearProblem", MakeLinearProblem<float>);
    }
    MakeTempDir(&folder_);
  }
  ~SolverTestBase() override {
    logging::SetLogFile("");
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  string Path(const string& name) const { return folder_ + "/" + name; }
  bool Exists(const string& name) const { return std::filesystem::exists(Path(name)); }

  string Read(const string& name) const {
    std::ifstream in(Path(name), std::ios::binary);
    return string(std::istreambuf_iterator<char>(in), {});
  }
  void Write(const string& name, const string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
  }

  /** @brief A net of LinearProblem layers called `name`, with further fields for each. */
  static string LinearNet(const string& fields = "", const string& name = "problem", int size = 3) {
    return "layer { name: '" + name + "' type: 'LinearProblem' top: 'loss' " +
           "loss_weight: 1 inner_product_param { num_output: " + std::to_string(size) + " } " +
           fields + " }";
  }

  /** @brief Solver parameters: the fields, the train net, snapshots in the folder. */
  SolverParameter Solver(const string& fields, const string& net = LinearNet()) const {
    SolverParameter param = FromText<SolverParameter>(fields + " train_net_param { " + net + " }");
    param.mutable_train_net_param()->set_name("linear");
    param.set_snapshot_prefix(Path("run"));
    if (!param.has_snapshot_after_train()) param.set_snapshot_after_train(false);
    return param;
  }

  /** @brief What was logged while `run` ran. */
  template <typename Function>
  string LogOf(Function run) {
    const string file = Path("log." + std::to_string(num_logs_++));
    logging::SetLogFile(file);
    run();
    logging::SetLogFile("");
    return Read(file.substr(folder_.size() + 1));
  }

  string folder_;
  int num_logs_ = 0;
};

template <typename Dtype>
std::unique_ptr<Solver<Dtype>> MakeSolver(const SolverParameter& param) {
  return std::unique_ptr<Solver<Dtype>>(SolverRegistry<Dtype>::CreateSolver(param));
}

template <typename Dtype>
LinearProblemLayer<Dtype>* ProblemOf(Net<Dtype>* net) {
  return dynamic_cast<LinearProblemLayer<Dtype>*>(net->layers()[0].get());
}

/** @brief All learnable parameters, one after the other. */
template <typename Dtype>
vector<Dtype> ParamsOf(Net<Dtype>* net) {
  vector<Dtype> values;
  for (const Blob<Dtype>* param : net->learnable_params()) {
    values.insert(values.end(), param->cpu_data(), param->cpu_data() + param->count());
  }
  return values;
}

}  // namespace caffe

#endif  // CAFFE_TESTS_SOLVER_TEST_UTIL_HPP_
