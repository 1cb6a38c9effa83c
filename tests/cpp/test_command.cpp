// The caffe command, called as a function.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"
#include "solver_test_util.hpp"
#include "tools/arguments.hpp"
#include "tools/command.hpp"
#include "tools/subcommand.hpp"

namespace caffe {
namespace {

#define EXPECT_IN(text, part) \
  EXPECT_NE((text).find(part), string::npos) << "missing: " << (part) << "\nin: " << (text)

const vector<Flag> kFlags = {{"solver", Flag::kString, "", ""},
                             {"weights", Flag::kString, "a,b", ""},
                             {"iterations", Flag::kInt, "50", ""},
                             {"shuffle", Flag::kBool, "false", ""}};

TEST(ArgumentsTest, TakesFlagsInAllSpellingsOfGflags) {
  for (const vector<string>& words : vector<vector<string>>{{"-solver", "x", "-iterations", "7"},
                                                            {"--solver", "x", "--iterations", "7"},
                                                            {"-solver=x", "-iterations=7"},
                                                            {"--solver=x", "--iterations=7"}}) {
    const Arguments arguments(words, kFlags);
    EXPECT_EQ(arguments.text("solver"), "x");
    EXPECT_EQ(arguments.number("iterations"), 7);
    EXPECT_TRUE(arguments.positional().empty());
  }
  EXPECT_TRUE(Arguments({"-shuffle"}, kFlags).flag("shuffle"));
  EXPECT_TRUE(Arguments({"--shuffle=true"}, kFlags).flag("shuffle"));
  EXPECT_FALSE(Arguments({"-shuffle", "-noshuffle"}, kFlags).flag("shuffle"));
  EXPECT_FALSE(Arguments({"-shuffle=0"}, kFlags).flag("shuffle"));
  // A value may look like a flag, as negative numbers do.
  EXPECT_EQ(Arguments({"-iterations", "-1"}, kFlags).number("iterations"), -1);
  EXPECT_EQ(Arguments({"-solver=a=b"}, kFlags).text("solver"), "a=b");
}

TEST(ArgumentsTest, HasDefaultsListsAndOtherWords) {
  const Arguments arguments({"in", "-weights", "x,y", "out", "-weights=z", "--", "-solver"},
                            kFlags);
  EXPECT_EQ(arguments.list("weights"), (vector<string>{"x", "y", "z"}));
  EXPECT_EQ(arguments.text("weights"), "z");
  EXPECT_EQ(arguments.positional(), (vector<string>{"in", "out", "-solver"}));
  EXPECT_EQ(arguments.number("iterations"), 50);
  EXPECT_FALSE(arguments.given("iterations"));
  EXPECT_EQ(Arguments({}, kFlags).list("weights"), (vector<string>{"a", "b"}));
  EXPECT_TRUE(Arguments({}, kFlags).list("solver").empty());
}

TEST(ArgumentsTest, SaysWhatIsWrong) {
  EXPECT_CAFFE_ERROR(Arguments({"-slover", "x"}, kFlags),
                     "unknown flag -slover; the nearest known ones are -solver");
  EXPECT_CAFFE_ERROR(Arguments({"-nosolver"}, kFlags), "unknown flag -nosolver");
  EXPECT_CAFFE_ERROR(Arguments({"-solver"}, kFlags), "the flag -solver needs a value");
  EXPECT_CAFFE_ERROR(Arguments({"-iterations", "ten"}, kFlags), "takes an integer, got \"ten\"");
  EXPECT_CAFFE_ERROR(Arguments({"-iterations", "99999999999"}, kFlags), "takes an integer");
  EXPECT_CAFFE_ERROR(Arguments({"-iterations="}, kFlags), "takes an integer, got \"\"");
  EXPECT_CAFFE_ERROR(Arguments({"-shuffle=maybe"}, kFlags), "true or false, got \"maybe\"");
}

class CommandTest : public SolverTestBase {
 protected:
  CommandTest() {
    Write("net.prototxt",
          "name: 'tiny' layer { name: 'problem' type: 'LinearProblem' top: 'loss' loss_weight: 2 "
          "inner_product_param { num_output: 3 } }");
    WriteSolver("");
  }

  void WriteSolver(const string& fields) const {
    Write("solver.prototxt", "net: '" + Path("net.prototxt") + "' snapshot_prefix: '" +
                                 Path("run") + "' base_lr: 0.1 lr_policy: 'fixed' max_iter: 4 " +
                                 "display: 2 " + fields);
  }

  /** Runs `caffe WORDS`; out and err hold what it wrote. */
  int Run(const vector<string>& words) {
    vector<string> all = {"caffe"};
    all.insert(all.end(), words.begin(), words.end());
    vector<char*> argv;
    for (string& word : all) argv.push_back(&word[0]);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status = CommandMain(static_cast<int>(argv.size()), argv.data());
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return status;
  }

  /** Runs it and expects status 1 and one line of an error with `part` in it. */
  void ExpectFails(const vector<string>& words, const string& part) {
    EXPECT_EQ(Run(words), 1);
    EXPECT_IN(err, part);
    size_t errors = 0;
    for (size_t at = 0; at < err.size(); at = err.find('\n', at) + 1) errors += err[at] == 'E';
    EXPECT_EQ(errors, 1U) << err;
  }

  string out, err;
};

TEST_F(CommandTest, ShowsHelp) {
  EXPECT_EQ(Run({"--help"}), 0);
  for (const Subcommand& command : AllSubcommands()) EXPECT_IN(out, "  " + command.name + " ");
  EXPECT_EQ(Run({}), 1);
  EXPECT_IN(out, "usage: caffe COMMAND");
  for (const Subcommand& command : AllSubcommands()) {
    EXPECT_EQ(Run({command.name, "--help"}), 0) << command.name;
    EXPECT_IN(out, "usage: caffe " + command.name + " ");
    EXPECT_IN(out, "examples:\n  caffe " + command.name);
    for (const Flag& flag : command.flags) EXPECT_IN(out, "  -" + flag.name + " ");
  }
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_EQ(out.find("caffe version "), 0U);
  EXPECT_EQ(out.find("unknown"), string::npos);
}

TEST_F(CommandTest, SaysWhatIsWrongWithTheCommandLine) {
  ExpectFails({"trian"}, "unknown command \"trian\"; the nearest known ones are train");
  ExpectFails({"train", "--slover=x"}, "unknown flag -slover; the nearest known ones are -solver");
  ExpectFails({"train"}, "the flag -solver is missing");
  ExpectFails({"train", "extra", "-solver", "x"}, "from \"extra\" on too many");
  ExpectFails({"train", "-solver", Path("none.prototxt")}, "none.prototxt: cannot be read");
  ExpectFails({"train", "-solver", Path("solver.prototxt"), "-snapshot", "a", "-weights", "b"},
              "-snapshot to resume a training or -weights to start another one, not both");
  ExpectFails({"train", "-solver", Path("solver.prototxt"), "-sigint_effect", "die"},
              "-sigint_effect is \"die\", expected stop, snapshot or none");
  ExpectFails({"train", "-solver", Path("solver.prototxt"), "-gpu", "0"},
              "-gpu 0: this build has no CUDA");
  ExpectFails({"train", "-solver", Path("solver.prototxt"), "-plugin", Path("none.so")},
              "none.so: cannot load the plugin");
  ExpectFails({"train", "-solver", Path("solver.prototxt"), "-log", Path("no/folder.log")},
              "no/folder.log: cannot open the log file");
  ExpectFails({"test", "-model", Path("net.prototxt")}, "the flag -weights is missing");
  ExpectFails({"time", "-model", Path("net.prototxt"), "-iterations", "0"},
              "-iterations is 0, expected 1 or more");
  ExpectFails({"time", "-model", Path("net.prototxt"), "-phase", "train"},
              "-phase is \"train\", expected TRAIN or TEST");
  ExpectFails({"upgrade_net_proto_text", "a"}, "usage: caffe upgrade_net_proto_text");
  ExpectFails({"-solver", "x"}, "no command is given");
}

TEST_F(CommandTest, SaysWhatIsWrongWithAFile) {
  Write("bad.prototxt", "net: 'a'\nbase_lrr: 0.1\n");
  ExpectFails({"train", "-solver", Path("bad.prototxt")}, "bad.prototxt:2:");
  Write("net.prototxt", "layer { name: 'a' type: 'LinearProblen' top: 'a' }");
  ExpectFails({"train", "-solver", Path("solver.prototxt")},
              "unknown layer type \"LinearProblen\"; the nearest known types are LinearProblem");
  ExpectFails({"time", "-model", Path("solver.prototxt")}, "solver.prototxt:1:");
}

TEST_F(CommandTest, TrainsResumesAndTests) {
  WriteSolver("snapshot: 2");
  EXPECT_EQ(Run({"train", "--solver=" + Path("solver.prototxt"), "--log=" + Path("a.log")}), 0);
  EXPECT_IN(err, "solver_mode is GPU by default, but this build has no CUDA");
  EXPECT_IN(err, "] Starting Optimization");
  EXPECT_IN(err, "] Optimization Done.");
  const string log = Read("a.log");
  EXPECT_EQ(log.find("Log file created at: 20"), 0U) << log;
  EXPECT_IN(log, "] Optimization Done.");
  // The command closes its log: a later run in this process does not write there.
  EXPECT_EQ(Run({"--solver", Path("solver.prototxt"), "train", "-snapshot",
                 Path("run_iter_2.solverstate")}),
            0);
  EXPECT_IN(err, "Resuming from " + Path("run_iter_2.solverstate"));
  EXPECT_EQ(err.find("Iteration 0 "), string::npos);
  EXPECT_EQ(Read("a.log"), log);

  EXPECT_EQ(Run({"test", "-model", Path("net.prototxt"), "-weights", Path("run_iter_4.caffemodel"),
                 "-iterations=3"}),
            0);
  EXPECT_IN(err, "Running for 3 iterations.");
  EXPECT_IN(err, "Batch 2, loss = ");
  EXPECT_IN(err, "] Loss: ");
  ExpectFails(
      {"train", "-solver", Path("solver.prototxt"), "-snapshot", Path("run_iter_2.caffemodel")},
      "run_iter_2.caffemodel: this is the weights of a net");
}

TEST_F(CommandTest, TestsADetector) {
  EXPECT_EQ(Run({"train", "-solver", Path("solver.prototxt")}), 0);
  const auto ones = [](const string& name, int width) {
    return " layer { name: '" + name + "' type: 'DummyData' top: '" + name +
           "' dummy_data_param { shape { dim: 1 dim: 1 dim: 1 dim: " + std::to_string(width) +
           " } data_filler { type: 'constant' value: 1 } } }";
  };
  // One object and one detection in each batch, both without area: it finds nothing.
  Write(
      "detector.prototxt",
      Read("net.prototxt") + ones("det", 7) + ones("gt", 8) +
          " layer { name: 'eval' type: 'DetectionEvaluate' bottom: 'det' bottom: 'gt' top: 'eval' "
          "detection_evaluate_param { num_classes: 3 } }");
  const vector<string> command = {"test",
                                  "-model",
                                  Path("detector.prototxt"),
                                  "-weights",
                                  Path("run_iter_4.caffemodel"),
                                  "-iterations=2"};
  EXPECT_EQ(Run(command), 0);
  EXPECT_IN(err, "    eval (Integral): label  class  objects  detections      AP\n");
  EXPECT_IN(err, "        1  -            2           2  0.0000\n");
  EXPECT_IN(err, "] eval = 0\n");
  EXPECT_IN(err, "] loss = ");
  vector<string> other = command;
  other.push_back("-ap_version=11point");
  EXPECT_EQ(Run(other), 0);
  EXPECT_IN(err, "    eval (11point): label");
  other.back() = "-ap_version=best";
  ExpectFails(other, "ap_version is \"best\", expected 11point, MaxIntegral or Integral");
}

TEST_F(CommandTest, StartsFromWeights) {
  EXPECT_EQ(Run({"train", "-solver", Path("solver.prototxt")}), 0);
  EXPECT_EQ(
      Run({"train", "-solver", Path("solver.prototxt"), "-weights", Path("run_iter_4.caffemodel")}),
      0);
  EXPECT_IN(err, "1 layer(s) loaded");
  const string net = Read("net.prototxt");
  Write("net.prototxt", net.substr(0, net.find("num_output: 3")) + "num_output: 4 } }");
  ExpectFails(
      {"train", "-solver", Path("solver.prototxt"), "-weights", Path("run_iter_4.caffemodel")},
      "run_iter_4.caffemodel: the weights do not fit the net: problem[0]: net 4 (4), file "
      "3 (3)");
  EXPECT_EQ(Run({"train", "-solver", Path("solver.prototxt"), "-weights",
                 Path("run_iter_4.caffemodel"), "-skip_mismatched"}),
            0);
  EXPECT_IN(err, "other shapes, left as they were: problem[0]: net 4 (4), file 3 (3)");
}

TEST_F(CommandTest, AcceptsTheFlagsOfGlog) {
  std::filesystem::create_directory(Path("logs"));
  EXPECT_EQ(Run({"train", "-solver", Path("solver.prototxt"), "--log_dir=" + Path("logs"),
                 "--alsologtostderr", "-logtostderr=1"}),
            0);
  const auto entry = *std::filesystem::directory_iterator(Path("logs"));
  EXPECT_EQ(entry.path().filename().string().find("caffe."), 0U);
  EXPECT_IN(entry.path().string(), ".log.INFO.20");
}

TEST_F(CommandTest, TimesTheLayers) {
  EXPECT_EQ(Run({"time", "-model", Path("net.prototxt"), "-iterations", "2"}), 0);
  EXPECT_IN(err, "*** Benchmark begins ***");
  EXPECT_IN(err, "]    problem\tforward: ");
  EXPECT_IN(err, "]    problem\tbackward: ");
  EXPECT_IN(err, "Average Forward pass: ");
  EXPECT_IN(err, "Average Backward pass: ");
  EXPECT_IN(err, "Average Forward-Backward: ");
  EXPECT_IN(err, "Total Time: ");
}

TEST_F(CommandTest, SelectsLayersByLevelAndStage) {
  Write("net.prototxt",
        Read("net.prototxt") +
            " layer { name: 'staged' type: 'LinearProblem' top: 'b' include { stage: 'x' } "
            "inner_product_param { num_output: 1 } } layer { name: 'high' type: 'LinearProblem' "
            "top: 'c' include { min_level: 2 } inner_product_param { num_output: 1 } }");
  EXPECT_EQ(Run({"time", "-model", Path("net.prototxt"), "-iterations=1"}), 0);
  EXPECT_EQ(err.find("\tforward"), err.rfind("\tforward"));
  EXPECT_EQ(Run({"time", "-model", Path("net.prototxt"), "-iterations=1", "-stage", "y,x", "-level",
                 "2"}),
            0);
  EXPECT_IN(err, "staged\tforward");
  EXPECT_IN(err, "high\tforward");
  EXPECT_EQ(Run({"train", "-solver", Path("solver.prototxt"), "-stage", "x"}), 0);
  EXPECT_IN(err, "Train net output #0: b = ");
}

TEST_F(CommandTest, TakesThePrecision) {
  const vector<string> train = {"train", "-solver", Path("solver.prototxt"), "-precision"};
  const auto with = [](vector<string> words, const string& last) {
    words.push_back(last);
    return words;
  };
  EXPECT_EQ(Run(with(train, "bf16")), 0);
  EXPECT_IN(err, "precision: BF16");  // of the solver, in the log
  EXPECT_EQ(Run(with(train, "fp32")), 0);
  EXPECT_IN(err, "precision: FP32");
  ExpectFails(with(train, "fp16"), "-precision is \"fp16\", expected fp32 or bf16");
  const vector<string> time = {"time",          "-model",     Path("net.prototxt"),
                               "-iterations=1", "-precision", "bf16"};
  EXPECT_EQ(Run(time), 0);
  ExpectFails({"time", "-model", Path("net.prototxt"), "-precision=half"},
              "-precision is \"half\", expected fp32 or bf16");
  ExpectFails({"test", "-model", Path("net.prototxt"), "-weights=a", "-precision=half"},
              "-precision is \"half\", expected fp32 or bf16");
}

TEST_F(CommandTest, HandsANetWithPythonLayersOver) {
  if (LayerRegistry<float>::Registry().count("Python") > 0) GTEST_SKIP();
  Write("net.prototxt", "layer { name: 'a' type: 'Python' top: 'a' }");
  EXPECT_EQ(Run({"train", "-solver", Path("solver.prototxt")}), kExitNeedsPython);
  EXPECT_EQ(Run({"time", "-model", Path("net.prototxt")}), kExitNeedsPython);
}

TEST_F(CommandTest, UpgradesOldFiles) {
  Write("v1.prototxt", "layers { name: 'r' type: RELU bottom: 'a' top: 'b' }");
  EXPECT_EQ(Run({"upgrade_net_proto_text", Path("v1.prototxt"), Path("new.prototxt")}), 0);
  NetParameter net;
  ReadProtoFromTextFileOrDie(Path("new.prototxt"), &net);
  EXPECT_EQ(net.layers_size(), 0);
  ASSERT_EQ(net.layer_size(), 1);
  EXPECT_EQ(net.layer(0).type(), "ReLU");

  ReadProtoFromTextFileOrDie(Path("v1.prototxt"), &net);
  net.mutable_layers(0)->add_blobs()->add_data(1);
  WriteProtoToBinaryFile(net, Path("v1.caffemodel"));
  EXPECT_EQ(Run({"upgrade_net_proto_binary", Path("v1.caffemodel"), Path("new.caffemodel")}), 0);
  ReadProtoFromBinaryFileOrDie(Path("new.caffemodel"), &net);
  EXPECT_EQ(net.layer(0).blobs_size(), 1);

  Write("old_solver.prototxt", "net: 'a' solver_type: ADAM");
  EXPECT_EQ(
      Run({"upgrade_solver_proto_text", Path("old_solver.prototxt"), Path("new_solver.prototxt")}),
      0);
  SolverParameter solver;
  ReadProtoFromTextFileOrDie(Path("new_solver.prototxt"), &solver);
  EXPECT_EQ(solver.type(), "Adam");
  EXPECT_FALSE(solver.has_solver_type());

  ExpectFails({"upgrade_net_proto_text", Path("none"), Path("x")}, "none: cannot be read");
  EXPECT_FALSE(Exists("x"));
}

TEST_F(CommandTest, QueriesTheDevice) {
  EXPECT_EQ(Run({"device_query"}), 0);
  EXPECT_IN(err, "This build runs on the CPU");
  ExpectFails({"device_query", "-gpu", "all"}, "-gpu all: this build has no CUDA");
}

}  // namespace
}  // namespace caffe
