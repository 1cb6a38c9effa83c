#include "tools/net_flags.hpp"

#include "caffe/common.hpp"

namespace caffe {

vector<Flag> WithNetFlags(vector<Flag> flags) {
  flags.push_back({"gpu", Flag::kString, "", "devices to run on; this build has no CUDA"});
  flags.push_back({"level", Flag::kInt, "0", "the net's level, for include and exclude rules"});
  flags.push_back({"stage", Flag::kString, "", "the net's stages, comma-separated, for the same"});
  return flags;
}

void UseDevice(const Arguments& arguments) {
  CHECK(!arguments.given("gpu") || arguments.text("gpu").empty())
      << "-gpu " << arguments.text("gpu") << ": this build has no CUDA. Without -gpu it runs on "
      << "the CPU";
  LOG(INFO) << "Use CPU.";
  Caffe::set_mode(Caffe::CPU);
}

Phase PhaseFrom(const Arguments& arguments, Phase default_phase) {
  const string phase = arguments.text("phase");
  if (phase.empty()) return default_phase;
  CHECK(phase == "TRAIN" || phase == "TEST")
      << "-phase is \"" << phase << "\", expected TRAIN or TEST";
  return phase == "TRAIN" ? TRAIN : TEST;
}

string RequiredText(const Arguments& arguments, const string& flag) {
  const string value = arguments.text(flag);
  CHECK(!value.empty()) << "the flag -" << flag << " is missing";
  return value;
}

}  // namespace caffe
