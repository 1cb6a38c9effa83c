// caffe upgrade_net_proto_text, upgrade_net_proto_binary, upgrade_solver_proto_text
#include "caffe/caffe.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

int UpgradeNetText(const Arguments& arguments) {
  const string& input = arguments.positional()[0];
  const string& output = arguments.positional()[1];
  NetParameter net;
  ReadProtoFromTextFileOrDie(input, &net);
  if (!NetNeedsUpgrade(net)) LOG(INFO) << "File already in latest proto format: " << input;
  UpgradeNetAsNeeded(input, &net);
  WriteProtoToTextFile(net, output);
  LOG(INFO) << "Wrote upgraded NetParameter text proto to " << output;
  return 0;
}

int UpgradeNetBinary(const Arguments& arguments) {
  const string& input = arguments.positional()[0];
  const string& output = arguments.positional()[1];
  NetParameter net;
  ReadProtoFromBinaryFileOrDie(input, &net);
  if (!NetNeedsUpgrade(net)) LOG(INFO) << "File already in latest proto format: " << input;
  UpgradeNetAsNeeded(input, &net);
  WriteProtoToBinaryFile(net, output);
  LOG(INFO) << "Wrote upgraded NetParameter binary proto to " << output;
  return 0;
}

int UpgradeSolverText(const Arguments& arguments) {
  const string& input = arguments.positional()[0];
  const string& output = arguments.positional()[1];
  SolverParameter solver;
  ReadProtoFromTextFileOrDie(input, &solver);
  if (!SolverNeedsTypeUpgrade(solver)) {
    LOG(INFO) << "File already in latest proto format: " << input;
  }
  UpgradeSolverAsNeeded(input, &solver);
  WriteProtoToTextFile(solver, output);
  LOG(INFO) << "Wrote upgraded SolverParameter text proto to " << output;
  return 0;
}

Subcommand UpgradeCommand(const string& name, const string& summary, const string& example,
                          int (*run)(const Arguments&)) {
  Subcommand command;
  command.name = name;
  command.summary = summary;
  command.usage = "OLD_FILE NEW_FILE";
  command.examples = "  caffe " + name + " " + example + "\n";
  command.min_positional = command.max_positional = 2;
  command.run = run;
  return command;
}

}  // namespace

Subcommand UpgradeNetProtoTextCommand() {
  return UpgradeCommand("upgrade_net_proto_text", "bring an old net's prototxt up to date",
                        "old.prototxt new.prototxt", UpgradeNetText);
}

Subcommand UpgradeNetProtoBinaryCommand() {
  return UpgradeCommand("upgrade_net_proto_binary", "bring old weights up to date",
                        "old.caffemodel new.caffemodel", UpgradeNetBinary);
}

Subcommand UpgradeSolverProtoTextCommand() {
  return UpgradeCommand("upgrade_solver_proto_text", "bring an old solver's prototxt up to date",
                        "old_solver.prototxt new_solver.prototxt", UpgradeSolverText);
}

}  // namespace caffe
