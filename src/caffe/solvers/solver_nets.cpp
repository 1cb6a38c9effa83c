#include "caffe/solvers/solver_nets.hpp"

#include "caffe/common.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

void CheckSolverParameter(const SolverParameter& param) {
  CHECK(param.iter_size() > 0) << "iter_size is " << param.iter_size() << ", expected 1 or more";
  CHECK(param.average_loss() > 0) << "average_loss is " << param.average_loss()
                                  << ", expected 1 or more";
  CHECK(param.max_iter() >= 0) << "max_iter is " << param.max_iter() << ", expected 0 or more";
  CHECK(param.snapshot() >= 0) << "snapshot is " << param.snapshot() << ", expected 0 or more";
  CHECK(param.test_interval() >= 0)
      << "test_interval is " << param.test_interval() << ", expected 0 or more";
  CHECK(param.regularization_type() == "L2" || param.regularization_type() == "L1")
      << "regularization_type is \"" << param.regularization_type()
      << "\", expected \"L1\" or \"L2\"";
}

namespace {

NetParameter ReadNet(const string& file) {
  NetParameter net;
  ReadNetParamsFromTextFileOrDie(file, &net);
  return net;
}

/** The phase, then what the net says of its state, then what the solver says. */
void SetState(Phase phase, const NetState* solver_state, NetParameter* net) {
  NetState state;
  state.MergeFrom(net->state());
  if (solver_state != nullptr) state.MergeFrom(*solver_state);
  state.set_phase(phase);
  *net->mutable_state() = std::move(state);
}

void SetPrecision(const SolverParameter& param, NetParameter* net) {
  if (param.has_precision() && !net->has_precision()) net->set_precision(param.precision());
}

}  // namespace

NetParameter TrainNetParameter(const SolverParameter& param) {
  const int sources =
      param.has_net() + param.has_net_param() + param.has_train_net() + param.has_train_net_param();
  CHECK(sources == 1) << "a solver takes its train net from exactly one of net, net_param, "
                      << "train_net and train_net_param; this one gives " << sources;
  NetParameter net;
  if (param.has_train_net_param()) {
    net = param.train_net_param();
  } else if (param.has_train_net()) {
    net = ReadNet(param.train_net());
  } else if (param.has_net_param()) {
    net = param.net_param();
  } else {
    net = ReadNet(param.net());
  }
  SetState(TRAIN, &param.train_state(), &net);
  SetPrecision(param, &net);
  return net;
}

vector<TestNetSource> TestNetParameters(const SolverParameter& param) {
  vector<TestNetSource> nets;
  for (const NetParameter& net : param.test_net_param()) nets.push_back({"test_net_param", net});
  for (const string& file : param.test_net()) {
    nets.push_back({"test_net file: " + file, ReadNet(file)});
  }
  const bool has_generic = param.has_net_param() || param.has_net();
  const size_t num_tests = param.test_iter_size();
  CHECK(has_generic ? num_tests >= nets.size() : num_tests == nets.size())
      << "test_iter is given " << num_tests << " time(s) for " << nets.size()
      << " test net(s): each test net needs one";
  while (has_generic && nets.size() < num_tests) {
    nets.push_back({param.has_net_param() ? "net_param" : "net file: " + param.net(),
                    param.has_net_param() ? param.net_param() : ReadNet(param.net())});
  }
  CHECK(nets.empty() || param.test_interval() > 0)
      << "there are " << nets.size() << " test net(s), but test_interval is not given";
  CHECK(param.test_state_size() == 0 || param.test_state_size() == static_cast<int>(nets.size()))
      << "test_state is given " << param.test_state_size() << " time(s) for " << nets.size()
      << " test net(s): give it for each of them or not at all";
  for (size_t i = 0; i < nets.size(); ++i) {
    const int id = static_cast<int>(i);
    SetState(TEST, param.test_state_size() > 0 ? &param.test_state(id) : nullptr, &nets[i].net);
    SetPrecision(param, &nets[i].net);
  }
  return nets;
}

}  // namespace caffe
