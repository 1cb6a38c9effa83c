// caffe train
#include <memory>

#include "caffe/caffe.hpp"
#include "caffe/util/signal_handler.hpp"
#include "tools/net_flags.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

SolverAction::Enum ActionFrom(const Arguments& arguments, const string& flag) {
  const string effect = arguments.text(flag);
  if (effect == "stop") return SolverAction::STOP;
  if (effect == "snapshot") return SolverAction::SNAPSHOT;
  CHECK(effect == "none") << "-" << flag << " is \"" << effect
                          << "\", expected stop, snapshot or none";
  return SolverAction::NONE;
}

SolverParameter ReadSolver(const Arguments& arguments) {
  SolverParameter param;
  ReadSolverParamsFromTextFileOrDie(RequiredText(arguments, "solver"), &param);
  if (arguments.given("level")) param.mutable_train_state()->set_level(arguments.number("level"));
  for (const string& stage : arguments.list("stage")) param.mutable_train_state()->add_stage(stage);
  Precision precision;
  if (PrecisionFrom(arguments, &precision)) param.set_precision(precision);
  if (param.solver_mode() == SolverParameter::GPU) {
    LOG(WARNING) << "solver_mode is GPU" << (param.has_solver_mode() ? "" : " by default")
                 << ", but this build has no CUDA: training on the CPU";
    param.set_solver_mode(SolverParameter::CPU);
  }
  return param;
}

int Train(const Arguments& arguments) {
  const string snapshot = arguments.text("snapshot");
  CHECK(snapshot.empty() || arguments.list("weights").empty())
      << "give -snapshot to resume a training or -weights to start another one, not both";
  const SolverAction::Enum sigint_action = ActionFrom(arguments, "sigint_effect");
  const SolverAction::Enum sighup_action = ActionFrom(arguments, "sighup_effect");
  SolverParameter param = ReadSolver(arguments);
  UseDevice(arguments);
  vector<string> weights(param.weights().begin(), param.weights().end());
  if (arguments.given("weights")) weights = arguments.list("weights");
  param.clear_weights();

  SignalHandler signal_handler(sigint_action, sighup_action);
  const std::unique_ptr<Solver<float>> solver(SolverRegistry<float>::CreateSolver(param));
  solver->SetActionFunction(signal_handler.GetActionFunction());
  if (!snapshot.empty()) {
    LOG(INFO) << "Resuming from " << snapshot;
    solver->Restore(snapshot.c_str());
  } else {
    for (const string& file : weights) {
      solver->LoadWeights(file, arguments.flag("skip_mismatched"));
    }
  }
  solver->set_release_memory(true);
  LOG(INFO) << "Starting Optimization";
  solver->Solve();
  return 0;
}

}  // namespace

Subcommand TrainCommand() {
  Subcommand command;
  command.name = "train";
  command.summary = "train a net, fine-tune it, or resume its training";
  command.usage = "-solver FILE [flags]";
  command.examples =
      "  caffe train -solver solver.prototxt\n"
      "  caffe train -solver solver.prototxt -snapshot net_iter_5000.solverstate\n"
      "  caffe train -solver solver.prototxt -weights vgg16.caffemodel -skip_mismatched\n"
      "  caffe train -solver solver.prototxt -plugin ./libmylayer.so -log train.log\n"
      "Ctrl-C stops after the iteration and writes a snapshot; a second Ctrl-C leaves at once.\n";
  command.flags = WithNetFlags({
      {"solver", Flag::kString, "", "the solver's prototxt"},
      {"snapshot", Flag::kString, "", "the .solverstate to resume from"},
      {"weights", Flag::kString, "", "files of weights to start from, comma-separated"},
      {"skip_mismatched", Flag::kBool, "false", "leave out weights whose shapes differ"},
      {"sigint_effect", Flag::kString, "stop", "what Ctrl-C does: stop, snapshot or none"},
      {"sighup_effect", Flag::kString, "snapshot", "what SIGHUP does: stop, snapshot or none"},
  });
  command.run = Train;
  return command;
}

}  // namespace caffe
