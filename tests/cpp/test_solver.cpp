// The training loop: order of events, tests, the log, what it refuses.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "caffe/solver.hpp"
#include "caffe/util/signal_handler.hpp"
#include "solver_test_util.hpp"

namespace caffe {
namespace {

const char kPlain[] = "lr_policy: 'fixed' base_lr: 0.1 ";

/** How often `part` occurs in a text. */
int Count(const string& text, const string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

#define EXPECT_LOGGED(log, part) \
  EXPECT_NE((log).find(part), string::npos) << "not in the log: " << (part) << "\n" << (log)

class SolverTest : public SolverTestBase {
 protected:
  /** A train net and, with other coefficients, two test nets. */
  SolverParameter WithTests(const string& fields) const {
    SolverParameter param = this->Solver(kPlain + fields);
    for (int i = 0; i < 2; ++i) {
      *param.add_test_net_param() = FromText<NetParameter>(LinearNet());
    }
    return param;
  }
};

TEST_F(SolverTest, LogsInTheShapeThatParsersRead) {
  const auto solver =
      MakeSolver<float>(this->Solver(string(kPlain) + "display: 2 max_iter: 4", LinearNet()));
  const string log = LogOf([&] { solver->Solve(); });
  EXPECT_LOGGED(log, "] Solving linear\n");
  EXPECT_LOGGED(log, "] Learning Rate Policy: fixed\n");
  EXPECT_LOGGED(log, "] Iteration 0 (0 iter/s, ");
  EXPECT_LOGGED(log, "s/2 iters), loss = ");
  EXPECT_LOGGED(log, "] Iteration 2 (");
  EXPECT_LOGGED(log, "]     Train net output #0: loss = ");
  EXPECT_LOGGED(log, " loss)\n");
  EXPECT_LOGGED(log, "sgd_solver.cpp:");
  EXPECT_LOGGED(log, "] Iteration 2, lr = 0.1\n");
  EXPECT_LOGGED(log, "]     problem (LinearProblem): forwards 3\n");
  EXPECT_LOGGED(log, "] Iteration 4, loss = ");
  EXPECT_LOGGED(log, "] Optimization Done.\n");
  EXPECT_EQ(Count(log, "Train net output"), 2);
}

TEST_F(SolverTest, ShowsTheMeanOfTheLastLosses) {
  const auto solver =
      MakeSolver<double>(this->Solver("lr_policy: 'fixed' base_lr: 0 average_loss: 3"));
  // The rate is 0, so the loss of forward t is the same sum with other coefficients.
  const vector<double> params = ParamsOf(solver->net().get());
  vector<double> losses;
  for (int t = 0; t < 7; ++t) {
    double loss = 0;
    for (int i = 0; i < 5; ++i) loss += LinearCoefficient(t, i) * params[i];
    losses.push_back(loss);
  }
  EXPECT_EQ(solver->smoothed_loss(), 0);
  for (int t = 0; t < 7; ++t) {
    solver->Step(1);
    const int first = std::max(0, t - 2);
    double sum = 0;
    for (int k = first; k <= t; ++k) sum += losses[k];
    // The window holds floats.
    EXPECT_NEAR(solver->smoothed_loss(), sum / (t - first + 1), 1e-6) << t;
  }
}

TEST_F(SolverTest, ManyStepsAreOneLongStep) {
  const string fields =
      "lr_policy: 'plateau' base_lr: 0.1 gamma: 0.5 plateau_winsize: 2 plateau_winsize: 2 "
      "average_loss: 3 momentum: 0.9 ";
  const auto once = MakeSolver<double>(this->Solver(fields));
  const auto often = MakeSolver<double>(this->Solver(fields));
  once->Step(12);
  for (int i = 0; i < 12; ++i) often->Step(1);
  EXPECT_EQ(ParamsOf(once->net().get()), ParamsOf(often->net().get()));
  EXPECT_EQ(once->iter(), 12);
}

class Recorder : public caffe::Solver<double>::Callback {
 public:
  Recorder(caffe::Solver<double>* solver, vector<string>* events)
      : solver_(solver), events_(events) {}

 protected:
  void on_start() override { events_->push_back("start " + std::to_string(solver_->iter())); }
  void on_gradients_ready() override {
    const double diff = solver_->net()->learnable_params()[0]->cpu_diff()[0];
    events_->push_back(diff == 0 ? "no gradient" : "gradient");
  }

 private:
  caffe::Solver<double>* solver_;
  vector<string>* events_;
};

TEST_F(SolverTest, CallsBackAroundTheGradients) {
  const auto solver = MakeSolver<double>(this->Solver(kPlain));
  vector<string> events;
  Recorder recorder(solver.get(), &events);
  solver->add_callback(&recorder);
  solver->Step(2);
  EXPECT_EQ(events, (vector<string>{"start 0", "gradient", "start 1", "gradient"}));
  EXPECT_EQ(ProblemOf(solver->net().get())->num_updates, 2);
}

TEST_F(SolverTest, TestsWhenItIsTimeWithTheTrainNetsParameters) {
  const auto solver = MakeSolver<double>(
      WithTests("test_interval: 2 test_iter: 3 test_iter: 1 test_compute_loss: true max_iter: 4"));
  const string log = LogOf([&] { solver->Solve(); });
  for (const string iter : {"0", "2", "4"}) {
    EXPECT_LOGGED(log, "] Iteration " + iter + ", Testing net (#0)\n");
    EXPECT_LOGGED(log, "] Iteration " + iter + ", Testing net (#1)\n");
  }
  EXPECT_EQ(Count(log, "Testing net"), 6);
  EXPECT_EQ(Count(log, "Test loss: "), 6);
  EXPECT_EQ(Count(log, "    Test net output #0: loss = "), 6);
  EXPECT_EQ(ParamsOf(solver->test_nets()[1].get()), ParamsOf(solver->net().get()));

  // The last test of net 0 ran its forwards 6, 7 and 8.
  const vector<double> params = ParamsOf(solver->net().get());
  double mean = 0;
  for (int t = 6; t < 9; ++t) {
    for (int i = 0; i < 5; ++i) mean += LinearCoefficient(t, i) * params[i] / 3;
  }
  const size_t last = log.rfind("Testing net (#0)");
  const size_t value = log.find("loss = ", log.find("output #0", last));
  // Six digits are printed.
  EXPECT_NEAR(std::stod(log.substr(value + 7)), mean, 1e-5 * std::max(1., std::fabs(mean)));
}

TEST_F(SolverTest, LeavesOutTheFirstTestIfToldTo) {
  const auto solver = MakeSolver<double>(
      WithTests("test_interval: 2 test_iter: 1 test_iter: 1 test_initialization: false"));
  const string log = LogOf([&] { solver->Step(3); });
  EXPECT_EQ(Count(log, "Testing net"), 2);
  EXPECT_LOGGED(log, "Iteration 2, Testing net (#0)");
}

TEST_F(SolverTest, StopsWhenAskedTo) {
  const auto solver = MakeSolver<double>(this->Solver(string(kPlain) + "max_iter: 100"));
  int asked = 0;
  solver->SetActionFunction([&] { return ++asked == 3 ? SolverAction::STOP : SolverAction::NONE; });
  const string log = LogOf([&] { solver->Solve(); });
  EXPECT_EQ(solver->iter(), 3);
  EXPECT_LOGGED(log, "Optimization stopped early.");
  EXPECT_EQ(Count(log, "Optimization Done."), 0);
}

TEST_F(SolverTest, WritesASnapshotWhenAskedTo) {
  const auto solver = MakeSolver<double>(this->Solver(string(kPlain) + "max_iter: 5"));
  int asked = 0;
  solver->SetActionFunction(
      [&] { return ++asked == 3 ? SolverAction::SNAPSHOT : SolverAction::NONE; });
  solver->Solve();
  EXPECT_EQ(solver->iter(), 5);
  EXPECT_TRUE(Exists("run_iter_3.caffemodel"));
  EXPECT_TRUE(Exists("run_iter_3.solverstate"));
  EXPECT_FALSE(Exists("run_iter_5.caffemodel"));
}

TEST_F(SolverTest, ATestIsInterrupted) {
  const auto solver =
      MakeSolver<double>(WithTests("test_interval: 1 test_iter: 1000 test_iter: 1 max_iter: 5"));
  int asked = 0;
  solver->SetActionFunction(
      [&] { return ++asked == 10 ? SolverAction::STOP : SolverAction::NONE; });
  const string log = LogOf([&] { solver->Solve(); });
  EXPECT_LOGGED(log, "Test interrupted.");
  EXPECT_EQ(Count(log, "Testing net"), 1);
  EXPECT_EQ(solver->iter(), 0);
}

TEST_F(SolverTest, SignalsBecomeActions) {
  {
    SignalHandler handler(SolverAction::STOP, SolverAction::SNAPSHOT);
    const ActionCallback ask = handler.GetActionFunction();
    EXPECT_EQ(ask(), SolverAction::NONE);
    raise(SIGHUP);
    EXPECT_EQ(ask(), SolverAction::SNAPSHOT);
    EXPECT_EQ(ask(), SolverAction::NONE);
    raise(SIGINT);
    EXPECT_EQ(ask(), SolverAction::STOP);
    EXPECT_EQ(ask(), SolverAction::NONE);
    EXPECT_CAFFE_ERROR(SignalHandler(SolverAction::STOP, SolverAction::STOP),
                       "another signal handler is alive");
  }
  SignalHandler again(SolverAction::NONE, SolverAction::STOP);
  raise(SIGINT);
  raise(SIGINT);
  EXPECT_EQ(again.GetActionFunction()(), SolverAction::NONE);
}

TEST_F(SolverTest, ALossThatIsNotFiniteStopsTraining) {
  const auto solver = MakeSolver<double>(this->Solver(string(kPlain) + "snapshot: 2 max_iter: 9"));
  solver->Step(3);
  solver->net()->learnable_params()[0]->mutable_cpu_data()[1] =
      std::numeric_limits<double>::quiet_NaN();
  const vector<double> before = ParamsOf(solver->net().get());
  EXPECT_CAFFE_ERROR(solver->Step(3),
                     "iteration 3: the loss is nan, expected a finite number; the first values "
                     "that are not finite are in the parameter 0 of layer problem (LinearProblem)");
  EXPECT_CAFFE_ERROR(solver->Step(3), "the last snapshot is " + Path("run_iter_2.solverstate"));
  EXPECT_EQ(solver->iter(), 3);
  EXPECT_EQ(ParamsOf(solver->net().get())[4], before[4]);
  EXPECT_FALSE(Exists("run_iter_4.caffemodel"));
}

/** Spoils the gradient of the third iteration. */
class Spoiler : public caffe::Solver<double>::Callback {
 public:
  explicit Spoiler(caffe::Solver<double>* solver) : solver_(solver) {}

 protected:
  void on_start() override {}
  void on_gradients_ready() override {
    if (solver_->iter() != 2) return;
    solver_->net()->learnable_params()[1]->mutable_cpu_diff()[1] =
        std::numeric_limits<double>::infinity();
  }

 private:
  caffe::Solver<double>* solver_;
};

TEST_F(SolverTest, ParametersThatAreNotFiniteAreNotWritten) {
  const auto solver = MakeSolver<double>(this->Solver(string(kPlain) + "snapshot: 1 max_iter: 9"));
  Spoiler spoiler(solver.get());
  solver->add_callback(&spoiler);
  EXPECT_CAFFE_ERROR(solver->Solve(),
                     "iteration 3: parameter 1 of problem (LinearProblem) is -inf at index 1, "
                     "expected a finite number; no snapshot was written, the last one is " +
                         Path("run_iter_2.solverstate"));
  EXPECT_TRUE(Exists("run_iter_2.caffemodel"));
  EXPECT_FALSE(Exists("run_iter_3.caffemodel"));
  EXPECT_FALSE(Exists("run_iter_3.solverstate"));
}

TEST_F(SolverTest, LoadsWeightsFromSeveralFiles) {
  const auto source = MakeSolver<double>(this->Solver(kPlain));
  source->Step(3);
  source->Snapshot();
  NetParameter other = FromText<NetParameter>(
      "layer { name: 'other' type: 'X' blobs { "
      "shape { dim: 1 } double_data: 1 } }");
  WriteProtoToBinaryFile(other, Path("other.caffemodel"));
  SolverParameter param = WithTests("test_interval: 9 test_iter: 1 test_iter: 1");
  param.add_weights(Path("other.caffemodel") + "," + Path("run_iter_3.caffemodel"));
  std::unique_ptr<caffe::Solver<double>> solver;
  const string log = LogOf([&] { solver = MakeSolver<double>(param); });
  EXPECT_EQ(ParamsOf(solver->net().get()), ParamsOf(source->net().get()));
  EXPECT_EQ(ParamsOf(solver->test_nets()[0].get()), ParamsOf(source->net().get()));
  EXPECT_LOGGED(log, "Finetuning from " + Path("other.caffemodel"));
  EXPECT_LOGGED(log, "only in the file: other");
  EXPECT_LOGGED(log, "1 layer(s) loaded");
}

TEST_F(SolverTest, SaysWhatIsWrongWithItsNets) {
  const auto make = [](const string& fields) {
    return MakeSolver<double>(FromText<SolverParameter>(fields));
  };
  const string net = "net_param { " + LinearNet() + " } ";
  EXPECT_CAFFE_ERROR(make(""),
                     "from exactly one of net, net_param, train_net and "
                     "train_net_param; this one gives 0");
  EXPECT_CAFFE_ERROR(make(net + "train_net: 'a.prototxt'"), "this one gives 2");
  EXPECT_CAFFE_ERROR(make("net: '" + Path("missing.prototxt") + "'"), "missing.prototxt");
  EXPECT_CAFFE_ERROR(make(net + "test_iter: 1"),
                     "there are 1 test net(s), but test_interval is not given");
  EXPECT_CAFFE_ERROR(make("train_net_param { " + LinearNet() +
                          " } test_iter: 1 test_iter: 2 "
                          "test_interval: 1 test_net: '" +
                          Path("missing.prototxt") + "'"),
                     "missing.prototxt");
  EXPECT_CAFFE_ERROR(make("train_net_param { " + LinearNet() +
                          " } test_iter: 1 test_iter: 2 "
                          "test_interval: 1 test_net_param { " +
                          LinearNet() + " }"),
                     "test_iter is given 2 time(s) for 1 test net(s)");
  EXPECT_CAFFE_ERROR(make(net + "test_iter: 1 test_interval: 1 test_state {} test_state {}"),
                     "test_state is given 2 time(s) for 1 test net(s)");
  EXPECT_CAFFE_ERROR(make(net + "test_iter: 1 test_interval: 1 eval_type: 'magic'"),
                     "eval_type is \"magic\", expected \"classification\" or \"detection\"");
  EXPECT_CAFFE_ERROR(make(net + "average_loss: 0"), "average_loss is 0, expected 1 or more");
}

TEST_F(SolverTest, TakesNetsInCaffesOrderWithTheirStates) {
  const string rules =
      "layer { name: 'a' type: 'LinearProblem' top: 'a' include { phase: TEST stage: 'first' } "
      "inner_product_param { num_output: 1 } } ";
  SolverParameter param = FromText<SolverParameter>(
      "net_param { " + LinearNet() + rules + " } test_net_param { " + LinearNet() +
      " } test_iter: 1 test_iter: 1 test_interval: 1 test_state {} "
      "test_state { stage: 'first' }");
  const auto solver = MakeSolver<double>(param);
  ASSERT_EQ(solver->test_nets().size(), 2U);
  EXPECT_EQ(solver->test_nets()[0]->num_layers(), 1);
  EXPECT_EQ(solver->test_nets()[1]->num_layers(), 2);
  EXPECT_EQ(solver->test_nets()[1]->phase(), TEST);
  EXPECT_EQ(solver->net()->num_layers(), 1);
  EXPECT_EQ(solver->net()->phase(), TRAIN);
}

TEST_F(SolverTest, ABadPolicyIsFoundBeforeTheFirstIteration) {
  const auto solver = MakeSolver<double>(this->Solver("base_lr: 0.1 lr_policy: 'stepp'"));
  EXPECT_CAFFE_ERROR(solver->Step(1), "unknown lr_policy \"stepp\"");
  EXPECT_EQ(ProblemOf(solver->net().get())->num_updates, 0);
}

TEST_F(SolverTest, AFolderThatIsMissingIsFoundBeforeTheFirstIteration) {
  SolverParameter param = this->Solver(string(kPlain) + "max_iter: 2 snapshot: 1");
  param.set_snapshot_prefix(Path("no/such/folder/run"));
  EXPECT_CAFFE_ERROR(
      MakeSolver<double>(param),
      "cannot write snapshots to " + Path("no/such/folder/run") + "* (No such file or directory)");
  param.set_snapshot(0);
  param.set_snapshot_after_train(true);
  const auto solver = MakeSolver<double>(param);
  EXPECT_CAFFE_ERROR(solver->Solve(), "cannot write snapshots to");
  EXPECT_EQ(solver->iter(), 0);
}

}  // namespace
}  // namespace caffe
