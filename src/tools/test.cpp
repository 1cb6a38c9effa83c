// caffe test
#include "caffe/caffe.hpp"
#include "caffe/solvers/test_evaluator.hpp"
#include "tools/net_flags.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

void RunTest(Net<float>* net, int iterations, const SolverParameter& evaluation) {
  const auto evaluator = MakeTestEvaluator<float>(evaluation, *net);
  double loss = 0;
  for (int i = 0; i < iterations; ++i) {
    float batch_loss;
    net->Forward(&batch_loss);
    loss += batch_loss;
    evaluator->AddBatch(*net);
    for (const string& result : evaluator->BatchResults(*net)) {
      LOG(INFO) << "Batch " << i << ", " << result;
    }
  }
  LOG(INFO) << "Loss: " << loss / iterations;
  for (const string& line : evaluator->Details(*net)) LOG(INFO) << "    " << line;
  for (const string& result : evaluator->Results(*net)) LOG(INFO) << result;
}

int Test(const Arguments& arguments) {
  RequiredText(arguments, "model");
  const vector<string> weights = arguments.list("weights");
  CHECK(!weights.empty()) << "the flag -weights is missing: a test needs trained weights";
  const int iterations = arguments.number("iterations");
  CHECK(iterations > 0) << "-iterations is " << iterations << ", expected 1 or more";
  UseDevice(arguments);
  Net<float> net(ReadNet(arguments, TEST));
  for (const string& file : weights) LOG(INFO) << net.CopyTrainedLayersFrom(file).Summary();
  net.set_release_memory(true);
  LOG(INFO) << "Running for " << iterations << " iterations.";
  SolverParameter evaluation;
  evaluation.set_ap_version(arguments.text("ap_version"));
  RunTest(&net, iterations, evaluation);
  return 0;
}

}  // namespace

Subcommand TestCommand() {
  Subcommand command;
  command.name = "test";
  command.summary = "run a trained net over test data and log its mean outputs";
  command.usage = "-model FILE -weights FILE [flags]";
  command.examples =
      "  caffe test -model train_val.prototxt -weights net_iter_5000.caffemodel -iterations 100\n";
  command.flags = WithNetFlags({
      {"model", Flag::kString, "", "the net's prototxt"},
      {"weights", Flag::kString, "", "files of trained weights, comma-separated"},
      {"iterations", Flag::kInt, "50", "how many batches to run"},
      {"ap_version", Flag::kString, "Integral",
       "average precision of a detector: 11point, MaxIntegral or Integral"},
  });
  command.run = Test;
  return command;
}

}  // namespace caffe
