// caffe time
#include <iomanip>

#include "caffe/caffe.hpp"
#include "tools/net_flags.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

struct LayerTimes {
  vector<double> forward, backward;  ///< microseconds, summed over the iterations
  double forward_total = 0, backward_total = 0;
};

// A layer that does the work of others in its own is timed with them.
void TimeForward(Net<float>* net, LayerTimes* times) {
  Timer pass;
  pass.Start();
  for (int i = 0; i < net->num_layers(); ++i) {
    const int first = i;
    if (!net->absorbed(i).empty()) i = net->absorbed(i).back();
    Timer layer;
    layer.Start();
    net->ForwardFromTo(first, i);
    times->forward[first] += layer.MicroSeconds();
  }
  times->forward_total += pass.MicroSeconds();
}

void TimeBackward(const Net<float>& net, LayerTimes* times) {
  Timer pass;
  pass.Start();
  for (int i = net.num_layers() - 1; i >= 0; --i) {
    Timer layer;
    layer.Start();
    if (net.layer_need_backward()[i]) {
      net.layers()[i]->Backward(net.top_vecs()[i], net.bottom_need_backward()[i],
                                net.bottom_vecs()[i]);
    }
    times->backward[i] += layer.MicroSeconds();
  }
  times->backward_total += pass.MicroSeconds();
}

void LogTimes(const Net<float>& net, const LayerTimes& times, int iterations) {
  LOG(INFO) << "Average time per layer: ";
  const double to_ms = 1e-3 / iterations;
  for (int i = 0; i < net.num_layers(); ++i) {
    LOG(INFO) << std::setw(10) << net.layer_names()[i] << "\tforward: " << times.forward[i] * to_ms
              << " ms.";
    LOG(INFO) << std::setw(10) << net.layer_names()[i]
              << "\tbackward: " << times.backward[i] * to_ms << " ms.";
  }
  LOG(INFO) << "Average Forward pass: " << times.forward_total * to_ms << " ms.";
  LOG(INFO) << "Average Backward pass: " << times.backward_total * to_ms << " ms.";
  const double total = times.forward_total + times.backward_total;
  LOG(INFO) << "Average Forward-Backward: " << total * to_ms << " ms.";
  LOG(INFO) << "Total Time: " << total * 1e-3 << " ms.";
}

int Time(const Arguments& arguments) {
  RequiredText(arguments, "model");
  const int iterations = arguments.number("iterations");
  CHECK(iterations > 0) << "-iterations is " << iterations << ", expected 1 or more";
  const Phase phase = PhaseFrom(arguments, TRAIN);
  UseDevice(arguments);
  Net<float> net(ReadNet(arguments, phase));

  // A first pass allocates and fills caches, so that the iterations measure the work alone.
  LOG(INFO) << "Performing Forward";
  float initial_loss;
  net.Forward(&initial_loss);
  LOG(INFO) << "Initial loss: " << initial_loss;
  LOG(INFO) << "Performing Backward";
  net.Backward();

  LOG(INFO) << "*** Benchmark begins ***";
  LOG(INFO) << "Testing for " << iterations << " iterations.";
  LayerTimes times;
  times.forward.assign(net.num_layers(), 0);
  times.backward.assign(net.num_layers(), 0);
  for (int i = 0; i < iterations; ++i) {
    Timer iteration;
    iteration.Start();
    TimeForward(&net, &times);
    TimeBackward(net, &times);
    LOG(INFO) << "Iteration: " << i + 1 << " forward-backward time: " << iteration.MilliSeconds()
              << " ms.";
  }
  LogTimes(net, times, iterations);
  LOG(INFO) << "*** Benchmark ends ***";
  return 0;
}

}  // namespace

Subcommand TimeCommand() {
  Subcommand command;
  command.name = "time";
  command.summary = "measure each layer's forward and backward milliseconds";
  command.usage = "-model FILE [flags]";
  command.examples = "  caffe time -model deploy.prototxt -phase TEST -iterations 10\n";
  command.flags = WithNetFlags({
      {"model", Flag::kString, "", "the net's prototxt"},
      {"iterations", Flag::kInt, "50", "how often to run it"},
      {"phase", Flag::kString, "", "TRAIN (the default) or TEST"},
  });
  command.run = Time;
  return command;
}

}  // namespace caffe
