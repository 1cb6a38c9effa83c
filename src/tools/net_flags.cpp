#include "tools/net_flags.hpp"

#include "caffe/common.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

vector<Flag> WithNetFlags(vector<Flag> flags) {
  flags.push_back({"gpu", Flag::kString, "", "devices to run on; this build has no CUDA"});
  flags.push_back({"level", Flag::kInt, "0", "the net's level, for include and exclude rules"});
  flags.push_back({"stage", Flag::kString, "", "the net's stages, comma-separated, for the same"});
  flags.push_back({"precision", Flag::kString, "",
                   "numbers between layers of nets that do not say: fp32, or bf16 where the "
                   "processor has it"});
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

bool PrecisionFrom(const Arguments& arguments, Precision* precision) {
  const string word = arguments.text("precision");
  if (word.empty()) return false;
  CHECK(word == "fp32" || word == "bf16")
      << "-precision is \"" << word << "\", expected fp32 or bf16";
  *precision = word == "bf16" ? BF16 : FP32;
  return true;
}

NetParameter ReadNet(const Arguments& arguments, Phase phase) {
  NetParameter net;
  ReadNetParamsFromTextFileOrDie(RequiredText(arguments, "model"), &net);
  for (const string& stage : arguments.list("stage")) net.mutable_state()->add_stage(stage);
  net.mutable_state()->set_phase(phase);
  net.mutable_state()->set_level(arguments.number("level"));
  Precision precision;
  if (PrecisionFrom(arguments, &precision) && !net.has_precision()) net.set_precision(precision);
  return net;
}

string RequiredText(const Arguments& arguments, const string& flag) {
  const string value = arguments.text(flag);
  CHECK(!value.empty()) << "the flag -" << flag << " is missing";
  return value;
}

}  // namespace caffe
