// From a solver's parameters to the nets that they name.
#ifndef CAFFE_SOLVERS_SOLVER_NETS_HPP_
#define CAFFE_SOLVERS_SOLVER_NETS_HPP_

#include <string>
#include <vector>

#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @throws Error for values that no solver can work with. */
void CheckSolverParameter(const SolverParameter& param);

/**
 * @brief The train net, in phase TRAIN and with train_state, read from the one
 * of net, net_param, train_net and train_net_param that is given.
 * @throws Error if none of them is, or more than one.
 */
NetParameter TrainNetParameter(const SolverParameter& param);

struct TestNetSource {
  std::string description;  ///< "test_net file: a.prototxt": for the log
  NetParameter net;
};

/**
 * @brief The test nets, in phase TEST and each with its test_state: first the
 * test_net_params, then the test_nets, then net_param and net as often as
 * test_iter has values left, as in Caffe.
 * @throws Error if the numbers of nets, test_iter and test_state do not fit.
 */
std::vector<TestNetSource> TestNetParameters(const SolverParameter& param);

}  // namespace caffe

#endif  // CAFFE_SOLVERS_SOLVER_NETS_HPP_
