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
  /** @brief What one batch by itself amounts to, as Results; empty where that means nothing. */
  virtual vector<string> BatchResults(const Net<Dtype>& net) const = 0;
  /** @brief Lines of the log that come before the results. */
  virtual vector<string> Details(const Net<Dtype>& /*net*/) const { return {}; }
  /** @brief What the batches amount to, after the last one: "accuracy = 0.97", a text a value. */
  virtual vector<string> Results(const Net<Dtype>& net) const = 0;
};

/**
 * @brief "classification": the mean of each output value over the batches.
 * "detection": see DetectionEvaluator. Where eval_type is not given it is
 * "detection" for a net with an output of DetectionEvaluate, else "classification".
 * @throws Error for any other eval_type, and for a net that cannot be evaluated so.
 */
template <typename Dtype>
std::unique_ptr<TestEvaluator<Dtype>> MakeTestEvaluator(const SolverParameter& param,
                                                        const Net<Dtype>& net);

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
