// What a test makes of its batches.
#ifndef CAFFE_SOLVERS_TEST_EVALUATOR_HPP_
#define CAFFE_SOLVERS_TEST_EVALUATOR_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/net.hpp"

namespace caffe {

/**
 * @brief Gathers the outputs of a test net batch by batch and says what they
 * amount to; SolverParameter.eval_type chooses which one.
 */
template <typename Dtype>
class TestEvaluator {
 public:
  virtual ~TestEvaluator() = default;
  /** @brief One batch has run: its results are the net's outputs. */
  virtual void AddBatch(const Net<Dtype>& net) = 0;
  /** @brief What the batches amount to, after the last one: "accuracy = 0.97", a text a value. */
  virtual vector<string> Results(const Net<Dtype>& net) const = 0;
};

/**
 * @brief "classification": the mean of each output value over the batches.
 * @throws Error for any other eval_type.
 */
template <typename Dtype>
std::unique_ptr<TestEvaluator<Dtype>> MakeTestEvaluator(const SolverParameter& param);

/**
 * @brief A text for each value of the net's outputs: "loss = 0.69 (* 1 = 0.69 loss)",
 * the bracket only where the output has a loss weight.
 */
template <typename Dtype>
vector<string> DescribeOutputs(const Net<Dtype>& net, const vector<double>& values);

/** @brief The net's output values, one after the other. */
template <typename Dtype>
vector<double> OutputValues(const Net<Dtype>& net);

}  // namespace caffe

#endif  // CAFFE_SOLVERS_TEST_EVALUATOR_HPP_
