#include "tools/command.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "caffe/caffe.hpp"
#include "tools/subcommand.hpp"

#ifndef CAFFE_VERSION
#define CAFFE_VERSION "unknown"
#endif

namespace caffe {

namespace {

/** The flags that every subcommand takes: ours, and those of glog that scripts pass to Caffe. */
vector<Flag> CommonFlags() {
  return {
      {"log", Flag::kString, "", "also append the log to this file"},
      {"plugin", Flag::kString, "", "shared libraries with further layers, comma-separated"},
      {"log_dir", Flag::kString, "", "as -log, to a new file in this folder, named by glog's rule"},
      {"minloglevel", Flag::kInt, "0", "drop log lines below: 0 info, 1 warnings, 2 errors"},
      {"logtostderr", Flag::kBool, "true", "accepted: the log always goes to stderr"},
      {"alsologtostderr", Flag::kBool, "true", "accepted: the log always goes to stderr"},
      {"help", Flag::kBool, "false", "show this help"}};
}

vector<Flag> FlagsOf(const Subcommand& command) {
  vector<Flag> flags(command.flags);
  const vector<Flag> common = CommonFlags();
  flags.insert(flags.end(), common.begin(), common.end());
  return flags;
}

void PrintHelp() {
  std::cout << "caffe: trains, tests and times nets\n\n"
            << "usage: caffe COMMAND [-flag value ...]\n\ncommands:\n";
  for (const Subcommand& command : AllSubcommands()) {
    std::cout << "  " << std::left << std::setw(28) << command.name << command.summary << "\n";
  }
  std::cout << "\n`caffe COMMAND --help` shows its flags, with examples; `caffe --version` the "
            << "version.\n";
}

void PrintHelp(const Subcommand& command) {
  std::cout << "caffe " << command.name << ": " << command.summary << "\n\n"
            << "usage: caffe " << command.name << " " << command.usage << "\n\nflags:\n";
  for (const Flag& flag : FlagsOf(command)) {
    std::cout << "  -" << std::left << std::setw(18) << flag.name << flag.help;
    if (!flag.default_value.empty() && flag.type != Flag::kBool) {
      std::cout << " (default: " << flag.default_value << ")";
    }
    std::cout << "\n";
  }
  std::cout << "\nexamples:\n" << command.examples;
}

/** glog names its files PROGRAM.HOST.USER.log.SEVERITY.DATE-TIME.PID; people's scripts glob that.
 */
string LogFileIn(const string& folder) {
  char host[256] = "unknown";
  gethostname(host, sizeof host - 1);
  const char* user = std::getenv("USER");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::ostringstream name;
  name << "caffe." << host << "." << (user != nullptr ? user : "unknown") << ".log.INFO."
       << std::put_time(&local, "%Y%m%d-%H%M%S") << "." << getpid();
  return (std::filesystem::path(folder) / name.str()).string();
}

/** A new log begins with glog's header: log parsers take the year from it. */
void StartLogFile(const string& file) {
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(file, ignored);
  logging::SetLogFile(file);
  if (!is_new) return;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::ofstream(file, std::ios::app)
      << "Log file created at: " << std::put_time(&local, "%Y/%m/%d %H:%M:%S") << "\n"
      << "Log line format: [IWEF]mmdd hh:mm:ss.uuuuuu threadid file:line] msg\n";
}

void ApplyCommonFlags(const Arguments& arguments) {
  if (arguments.given("minloglevel")) {
    logging::SetMinSeverity(static_cast<LogSeverity>(arguments.number("minloglevel")));
  }
  if (arguments.given("log_dir")) StartLogFile(LogFileIn(arguments.text("log_dir")));
  if (arguments.given("log")) StartLogFile(arguments.text("log"));
  for (const string& plugin : arguments.list("plugin")) {
    std::ostringstream types;
    for (const string& type : LoadPlugin(plugin)) types << " " << type;
    LOG(INFO) << "Loaded " << plugin << " with the layer types" << types.str();
  }
}

const Subcommand& FindSubcommand(const vector<Subcommand>& commands, const string& name) {
  vector<string> names;
  for (const Subcommand& command : commands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  std::ostringstream nearest;
  for (const string& known : NearestNames(name, names)) nearest << " " << known;
  throw Error("unknown command \"" + name + "\"; the nearest known ones are" + nearest.str() +
              "; `caffe --help` lists all");
}

/** gflags takes flags before the command too: the command is the first word that is no flag. */
string TakeCommandName(const vector<Subcommand>& commands, vector<string>* words) {
  vector<Flag> flags = CommonFlags();
  for (const Subcommand& command : commands) {
    flags.insert(flags.end(), command.flags.begin(), command.flags.end());
  }
  size_t first = 0;
  if (words->front()[0] == '-') {
    const Arguments arguments(*words, flags);
    CHECK(!arguments.positional().empty()) << "no command is given; `caffe --help` lists them";
    first = std::find(words->begin(), words->end(), arguments.positional()[0]) - words->begin();
  }
  const string name = (*words)[first];
  words->erase(words->begin() + static_cast<std::ptrdiff_t>(first));
  return name;
}

int RunCommand(vector<string> words) {
  const vector<Subcommand> commands = AllSubcommands();
  if (words.empty()) {
    PrintHelp();
    return 1;
  }
  const string& first = words[0];
  if (first == "-help" || first == "--help" || first == "-h" || first == "help") {
    PrintHelp();
    return 0;
  }
  if (first == "-version" || first == "--version") {
    std::cout << "caffe version " << CAFFE_VERSION << "\n";
    return 0;
  }
  const Subcommand& command = FindSubcommand(commands, TakeCommandName(commands, &words));
  const Arguments arguments(words, FlagsOf(command));
  if (arguments.flag("help")) {
    PrintHelp(command);
    return 0;
  }
  const size_t given = arguments.positional().size();
  CHECK(given >= command.min_positional && given <= command.max_positional)
      << "usage: caffe " << command.name << " " << command.usage << "; got " << given
      << " word(s) beside the flags"
      << (given > command.max_positional
              ? ", from \"" + arguments.positional()[command.max_positional] + "\" on too many"
              : "");
  ApplyCommonFlags(arguments);
  return command.run(arguments);
}

bool IsMissingPythonLayer(const Error& error) {
  return error.message().find("unknown layer type \"Python\"") == 0 &&
         LayerRegistry<float>::Registry().count("Python") == 0;
}

void LogError(const Error& error) {
  const size_t colon = error.where().rfind(':');
  if (colon == string::npos) {
    LOG(ERROR) << error.what();
    return;
  }
  logging::Write(LOG_ERROR, error.where().substr(0, colon).c_str(),
                 static_cast<int>(std::strtol(error.where().c_str() + colon + 1, nullptr, 10)),
                 error.what());
}

}  // namespace

int CommandMain(int argc, char** argv) {
  int status = 1;
  const LogSeverity severity = logging::MinSeverity();
  try {
    status = RunCommand(vector<string>(argv + std::min(argc, 1), argv + argc));
  } catch (const Error& error) {
    logging::SetStatusLine("");
    if (IsMissingPythonLayer(error)) return kExitNeedsPython;
    LogError(error);
  } catch (const std::bad_alloc&) {
    logging::SetStatusLine("");
    LOG(ERROR) << "the memory does not suffice";
  } catch (const std::exception& error) {
    logging::SetStatusLine("");
    LOG(ERROR) << error.what();
  }
  logging::SetLogFile("");
  logging::SetMinSeverity(severity);
  return status;
}

}  // namespace caffe
