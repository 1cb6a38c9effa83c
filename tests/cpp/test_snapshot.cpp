// Snapshots: a resumed run gives the bits of an unbroken one, and bad files are refused.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "solver_test_util.hpp"

namespace caffe {
namespace {

template <typename Dtype>
vector<Dtype> HistoryOf(const Solver<Dtype>& solver) {
  vector<Dtype> values;
  for (const auto& blob : dynamic_cast<const SGDSolver<Dtype>&>(solver).history()) {
    values.insert(values.end(), blob->cpu_data(), blob->cpu_data() + blob->count());
  }
  return values;
}

class SnapshotTest : public SolverTestBase {
 protected:
  /** Draws random numbers, counts its forwards, waits for a plateau, and has a test net. */
  SolverParameter Hard(const string& fields) const {
    SolverParameter param = this->Solver(
        "lr_policy: 'plateau' base_lr: 0.1 gamma: 0.5 plateau_winsize: 2 plateau_winsize: 3 "
        "average_loss: 4 weight_decay: 0.01 iter_size: 2 random_seed: 3 "
        "test_iter: 2 test_interval: 3 " +
            fields,
        LinearNet("dropout_param {}"));
    *param.add_test_net_param() = FromText<NetParameter>(LinearNet());
    return param;
  }

  template <typename Dtype>
  void ExpectResumesExactly(const SolverParameter& param) {
    const string extension = param.snapshot_format() == SolverParameter::HDF5 ? ".h5" : "";
    const auto whole = MakeSolver<Dtype>(param);
    whole->Step(11);
    {
      const auto first = MakeSolver<Dtype>(param);
      first->Step(6);
      first->Snapshot();
    }
    Caffe::set_random_seed(99);
    const auto second = MakeSolver<Dtype>(param);
    second->Restore(Path("run_iter_6.solverstate" + extension).c_str());
    EXPECT_EQ(second->iter(), 6);
    second->Step(5);
    EXPECT_EQ(ParamsOf(second->net().get()), ParamsOf(whole->net().get()));
    EXPECT_EQ(HistoryOf(*second), HistoryOf(*whole));
    EXPECT_EQ(second->smoothed_loss(), whole->smoothed_loss());
    const auto position = [](Net<Dtype>* net) { return ProblemOf(net)->Report(); };
    EXPECT_EQ(position(second->net().get()), "forwards 22");
    EXPECT_EQ(position(second->test_nets()[0].get()), position(whole->test_nets()[0].get()));
  }

  /** A solver at iteration 3 with its snapshot on disk. */
  std::unique_ptr<caffe::Solver<double>> Written(const string& fields = "",
                                                 const string& net = LinearNet()) const {
    auto solver =
        MakeSolver<double>(this->Solver("lr_policy: 'fixed' base_lr: 0.1 " + fields, net));
    solver->Step(3);
    solver->Snapshot();
    return solver;
  }

  std::unique_ptr<caffe::Solver<double>> Fresh(const string& fields = "",
                                               const string& net = LinearNet()) const {
    return MakeSolver<double>(this->Solver("lr_policy: 'fixed' base_lr: 0.1 " + fields, net));
  }
};

TEST_F(SnapshotTest, ResumesToTheBitUnderEveryRule) {
  for (const string rule : {"type: 'SGD' momentum: 0.9", "type: 'Nesterov' momentum: 0.9",
                            "type: 'AdaGrad'", "type: 'RMSProp'", "type: 'AdaDelta' momentum: 0.9",
                            "type: 'Adam' momentum: 0.9", "type: 'AdamW' momentum: 0.9"}) {
    SCOPED_TRACE(rule);
    ExpectResumesExactly<double>(Hard(rule));
    ExpectResumesExactly<float>(Hard(rule + " snapshot_format: HDF5"));
  }
}

TEST_F(SnapshotTest, ResumesToTheBitInBothFormatsAndTypes) {
  ExpectResumesExactly<float>(Hard("momentum: 0.9"));
  ExpectResumesExactly<double>(Hard("momentum: 0.9 snapshot_format: HDF5"));
}

TEST_F(SnapshotTest, ASnapshotInTheMiddleOfATestResumesWithAllOfTheTest) {
  const auto whole = MakeSolver<double>(Hard(""));
  const string whole_log = LogOf([&] { whole->Step(4); });
  const auto first = MakeSolver<double>(Hard(""));
  int asked = 0;
  // Asked once an iteration and once a test batch: the seventh time is in the test at iteration 3.
  first->SetActionFunction([&] {
    ++asked;
    return asked == 7 ? SolverAction::SNAPSHOT : SolverAction::NONE;
  });
  first->Step(4);
  ASSERT_TRUE(Exists("run_iter_3.solverstate"));
  const auto second = MakeSolver<double>(Hard(""));
  second->Restore(Path("run_iter_3.solverstate").c_str());
  const string log = LogOf([&] { second->Step(1); });
  EXPECT_EQ(ParamsOf(second->net().get()), ParamsOf(whole->net().get()));
  const auto result = [](const string& text) {
    return text.substr(text.find("Test net output", text.find("Iteration 3, Testing")), 40);
  };
  EXPECT_EQ(result(log), result(whole_log));
}

TEST_F(SnapshotTest, AResumedRunSolvesToItsEnd) {
  Written();
  const auto solver = Fresh("max_iter: 8 snapshot: 4");
  const string log = LogOf([&] { solver->Solve(Path("run_iter_3.solverstate")); });
  EXPECT_EQ(solver->iter(), 8);
  EXPECT_TRUE(Exists("run_iter_4.caffemodel"));
  EXPECT_TRUE(Exists("run_iter_8.solverstate"));
  EXPECT_NE(log.find("Snapshotting to binary proto file " + Path("run_iter_8.caffemodel")),
            string::npos);
  EXPECT_NE(log.find("Snapshotting solver state to binary proto file "), string::npos);
}

TEST_F(SnapshotTest, WritesTheLastIterationOnce) {
  const auto solver = Fresh("max_iter: 4 snapshot: 2 snapshot_after_train: true");
  const string log = LogOf([&] { solver->Solve(); });
  EXPECT_EQ(log.find("run_iter_4.caffemodel"), log.rfind("run_iter_4.caffemodel"));
  EXPECT_TRUE(Exists("run_iter_4.caffemodel"));
}

TEST_F(SnapshotTest, FindsTheWeightsBesideAStateThatWasMoved) {
  const auto source = Written();
  std::filesystem::create_directory(Path("moved"));
  for (const string extension : {".caffemodel", ".solverstate"}) {
    std::filesystem::rename(Path("run_iter_3" + extension), Path("moved/run_iter_3" + extension));
  }
  const auto solver = Fresh();
  solver->Restore(Path("moved/run_iter_3.solverstate").c_str());
  EXPECT_EQ(ParamsOf(solver->net().get()), ParamsOf(source->net().get()));
}

TEST_F(SnapshotTest, AStateOfCaffeIsRestoredWithoutOurFields) {
  const auto source = Written("momentum: 0.9");
  SolverState state;
  ReadProtoFromBinaryFileOrDie(Path("run_iter_3.solverstate"), &state);
  state.clear_loss_window();
  state.clear_layer_state();
  state.clear_random_state();
  WriteProtoToBinaryFile(state, Path("caffe.solverstate"));
  const auto solver = Fresh("momentum: 0.9");
  const string log = LogOf([&] { solver->Restore(Path("caffe.solverstate").c_str()); });
  EXPECT_EQ(HistoryOf(*solver), HistoryOf(*source));
  EXPECT_NE(log.find("problem (LinearProblem): the solver state holds no position"), string::npos)
      << log;
}

TEST_F(SnapshotTest, RefusesFilesThatAreNoSolverState) {
  Written();
  Written("snapshot_format: HDF5");
  const auto solver = Fresh();
  const auto restore = [&](const string& name) { solver->Restore(Path(name).c_str()); };
  EXPECT_CAFFE_ERROR(restore("run_iter_3.caffemodel"),
                     "run_iter_3.caffemodel: this is the weights of a net (.caffemodel), expected "
                     "a solver state");
  EXPECT_CAFFE_ERROR(restore("run_iter_3.caffemodel.h5"),
                     "run_iter_3.caffemodel.h5: this HDF5 file holds the weights of a net");
  EXPECT_CAFFE_ERROR(restore("missing.solverstate"), "missing.solverstate: cannot be read");
  Write("empty.solverstate", "");
  EXPECT_CAFFE_ERROR(restore("empty.solverstate"), "empty.solverstate: ");
  Write("text.solverstate", "net: 'a.prototxt'\nbase_lr: 0.1\n");
  EXPECT_CAFFE_ERROR(restore("text.solverstate"), "text.solverstate: ");
  std::filesystem::create_directory(Path("folder.solverstate"));
  EXPECT_CAFFE_ERROR(restore("folder.solverstate"), "folder.solverstate: ");
  EXPECT_EQ(solver->iter(), 0);
}

TEST_F(SnapshotTest, RefusesAStateOfAnotherNetOrRule) {
  const string second =
      "layer { name: 'second' type: 'LinearProblem' top: 'b' inner_product_param { num_output: 3 } "
      "}";
  Written();
  const auto restore = [&](const std::unique_ptr<caffe::Solver<double>>& solver) {
    const vector<double> before = ParamsOf(solver->net().get());
    try {
      solver->Restore(Path("run_iter_3.solverstate").c_str());
    } catch (const Error&) {
      EXPECT_EQ(ParamsOf(solver->net().get()), before);
      EXPECT_EQ(solver->iter(), 0);
      throw;
    }
  };
  EXPECT_CAFFE_ERROR(
      restore(Fresh("", LinearNet() + second)),
      "run_iter_3.solverstate: the state holds 2 history blob(s), the type SGD has 4 "
      "for this net");
  EXPECT_CAFFE_ERROR(restore(Fresh("type: 'Adam'")),
                     "the state holds 2 history blob(s), the type Adam has 4 for this net");
  EXPECT_CAFFE_ERROR(restore(Fresh("", LinearNet("", "problem", 4))),
                     "history blob 0 has the shape 3 (3) in the state, 4 (4) in this net");
  // The same shapes under another name: the history fits, the weights do not.
  EXPECT_CAFFE_ERROR(restore(Fresh("", LinearNet("", "renamed"))),
                     "run_iter_3.caffemodel: holds no parameters for the layer renamed");
}

TEST_F(SnapshotTest, RefusesAStateWithoutItsWeights) {
  Written();
  std::filesystem::remove(Path("run_iter_3.caffemodel"));
  const auto solver = Fresh();
  EXPECT_CAFFE_ERROR(
      solver->Restore(Path("run_iter_3.solverstate").c_str()),
      "the weights of the state are missing: they are neither at " + Path("run_iter_3.caffemodel"));
  SolverState state;
  ReadProtoFromBinaryFileOrDie(Path("run_iter_3.solverstate"), &state);
  state.clear_learned_net();
  WriteProtoToBinaryFile(state, Path("nameless.solverstate"));
  EXPECT_CAFFE_ERROR(solver->Restore(Path("nameless.solverstate").c_str()),
                     "does not name the file of its weights");
}

TEST_F(SnapshotTest, RefusesATruncatedStateWhereverItIsCut) {
  Written("momentum: 0.9");
  const string whole = Read("run_iter_3.solverstate");
  SolverState state;
  ASSERT_TRUE(state.ParseFromString(whole));
  for (size_t size = 0; size < whole.size(); size += size < 400 ? 1 : 97) {
    Write("cut.solverstate", whole.substr(0, size));
    const auto solver = Fresh("momentum: 0.9");
    try {
      solver->Restore(Path("cut.solverstate").c_str());
      // What is left is a whole state of Caffe's, which has none of our fields.
      SolverState left;
      ASSERT_TRUE(left.ParseFromString(whole.substr(0, size))) << size;
      EXPECT_EQ(left.history_size(), 2) << size;
      EXPECT_EQ(left.loss_window_size() + left.layer_state_size(), 0) << size;
    } catch (const Error& error) {
      EXPECT_NE(string(error.what()).find("cut.solverstate: "), string::npos) << error.what();
      EXPECT_EQ(solver->iter(), 0);
    }
  }
}

TEST_F(SnapshotTest, RefusesATruncatedHdf5State) {
  Written("snapshot_format: HDF5");
  const string whole = Read("run_iter_3.solverstate.h5");
  for (const size_t size : {whole.size() / 8, whole.size() / 2, whole.size() - 1}) {
    Write("cut.solverstate.h5", whole.substr(0, size));
    EXPECT_CAFFE_ERROR(Fresh()->Restore(Path("cut.solverstate.h5").c_str()), "cut.solverstate.h5");
  }
}

/** No file may grow beyond `bytes` while this lives: writing fails as on a full disk. */
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_;
};

TEST_F(SnapshotTest, AFailedWriteLeavesTheFilesThatWereThere) {
  for (const string format : {"BINARYPROTO", "HDF5"}) {
    const auto solver = Written("snapshot_format: " + format, LinearNet("", "problem", 5000));
    const string extension = format == "HDF5" ? ".h5" : "";
    const string model = Read("run_iter_3.caffemodel" + extension);
    const string state = Read("run_iter_3.solverstate" + extension);
    solver->net()->learnable_params()[0]->mutable_cpu_data()[0] = 7;
    {
      const FullDisk full(10000);
      EXPECT_CAFFE_ERROR(solver->Snapshot(), "run_iter_3.caffemodel" + extension);
    }
    EXPECT_EQ(Read("run_iter_3.caffemodel" + extension), model);
    EXPECT_EQ(Read("run_iter_3.solverstate" + extension), state);
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      EXPECT_EQ(entry.path().filename().string().find("run_iter_3"), 0U) << entry.path();
    }
    // With room again the same solver goes on.
    solver->Snapshot();
    EXPECT_NE(Read("run_iter_3.caffemodel" + extension), model);
  }
}

}  // namespace
}  // namespace caffe
