// What `caffe NAME …` can be; each one is a function in a file of this folder.
#ifndef CAFFE_TOOLS_SUBCOMMAND_HPP_
#define CAFFE_TOOLS_SUBCOMMAND_HPP_

#include <string>
#include <vector>

#include "tools/arguments.hpp"

namespace caffe {

/**
 * @brief One subcommand of the caffe command.
 *
 * A file NAME.cpp defines `Subcommand NameCommand()`, declared below and listed
 * in AllSubcommands (subcommand.cpp). `run` returns the exit status; it throws
 * Error for whatever is wrong, which the command turns into one line and status 1.
 */
struct Subcommand {
  std::string name;
  std::string summary;   ///< one line, for `caffe --help`
  std::string usage;     ///< what follows "caffe NAME": "[flags] LISTFILE DB_NAME"
  std::string examples;  ///< lines for `caffe NAME --help`, after the flags
  std::vector<Flag> flags;
  size_t min_positional = 0;  ///< how many words beside the flags it takes, at least and at most
  size_t max_positional = 0;
  int (*run)(const Arguments& arguments) = nullptr;
};

Subcommand TrainCommand();
Subcommand TestCommand();
Subcommand TimeCommand();
Subcommand DeviceQueryCommand();
Subcommand UpgradeNetProtoTextCommand();
Subcommand UpgradeNetProtoBinaryCommand();
Subcommand UpgradeSolverProtoTextCommand();
Subcommand ConvertImagesetCommand();
Subcommand ComputeImageMeanCommand();
Subcommand ExtractFeaturesCommand();

std::vector<Subcommand> AllSubcommands();

}  // namespace caffe

#endif  // CAFFE_TOOLS_SUBCOMMAND_HPP_
