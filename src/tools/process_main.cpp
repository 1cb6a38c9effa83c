// The caffe command as a process of its own.
#include "tools/process_main.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "caffe/util/logging.hpp"
#include "caffe/util/tiny_numbers.hpp"
#include "tools/command.hpp"

namespace {

const char kGuard[] = "CAFFE_RESTARTED_IN_PYTHON";

/** The interpreter of the environment that this binary is installed in, else the PATH's. */
std::string PythonBesideThisBinary() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path beside = self.parent_path() / "python3";
  return !error && access(beside.c_str(), X_OK) == 0 ? beside.string() : "python3";
}

/** Becomes `python3 -m caffe ARGS`, whose process can run Python layers. Returns if it cannot. */
void RestartInPython(int argc, char** argv) {
  // The process keeps its number across exec, and a child does not have it.
  const std::string self = std::to_string(getpid());
  const char* restarted = std::getenv(kGuard);
  if (restarted != nullptr && restarted == self) {
    LOG(ERROR)
        << "the net has Python layers, but the interpreter's caffe package has no such layer";
    return;
  }
  const std::string python = PythonBesideThisBinary();
  LOG(INFO) << "The net has Python layers: going on as " << python
            << " -m caffe, which needs the caffe package there";
  std::vector<char*> arguments = {const_cast<char*>(python.c_str()), const_cast<char*>("-m"),
                                  const_cast<char*>("caffe")};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  arguments.push_back(nullptr);
  setenv(kGuard, self.c_str(), 1);
  execvp(python.c_str(), arguments.data());
  LOG(ERROR) << "the net has Python layers, which need an interpreter, but " << python
             << " cannot be started (" << std::strerror(errno)
             << "): run `python3 -m caffe` with the same arguments where the caffe package is "
             << "installed";
}

}  // namespace

int CaffeProcessMain(int argc, char** argv) {
  // A file that may not grow further is then a failed write, with its error, and no signal's end.
  std::signal(SIGXFSZ, SIG_IGN);
  const caffe::FlushTinyNumbers flush;  // in the threads that data layers start too
  const int status = caffe::CommandMain(argc, argv);
  if (status != caffe::kExitNeedsPython) return status;
  RestartInPython(argc, argv);
  return 1;
}
