#include "tools/subcommand.hpp"

namespace caffe {

std::vector<Subcommand> AllSubcommands() {
  return {TrainCommand(),
          TestCommand(),
          TimeCommand(),
          DeviceQueryCommand(),
          UpgradeNetProtoTextCommand(),
          UpgradeNetProtoBinaryCommand(),
          UpgradeSolverProtoTextCommand(),
          ConvertImagesetCommand(),
          ComputeImageMeanCommand(),
          ExtractFeaturesCommand()};
}

}  // namespace caffe
