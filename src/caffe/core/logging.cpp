#include "caffe/util/logging.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <mutex>

namespace caffe {
namespace logging {
namespace {

/** The process has one log; function-local so that static initializers may write to it. */
struct Sink {
  std::mutex mutex;
  int min_severity = LOG_INFO;
  bool is_terminal = false;
  std::string status;
  std::ofstream file;

  Sink() {
    if (const char* level = std::getenv("GLOG_minloglevel")) {
      min_severity = static_cast<int>(std::strtol(level, nullptr, 10));
    }
    is_terminal = isatty(STDERR_FILENO) != 0;
  }
  void EraseStatus() const {
    if (is_terminal && !status.empty()) std::fputs("\r\033[K", stderr);
  }
  void DrawStatus() const {
    if (is_terminal && !status.empty()) std::fputs(status.c_str(), stderr);
    std::fflush(stderr);
  }
};

Sink& GetSink() {
  static Sink* sink = new Sink;  // never destroyed: threads may log during exit
  return *sink;
}

std::string Prefix(LogSeverity severity, const char* file, int line) {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() %
      1000000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%c%02d%02d %02d:%02d:%02d.%06d %5ld ", "IWEF"[severity],
                local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                static_cast<int>(micros), static_cast<long>(syscall(SYS_gettid)));
  return buffer + SourcePosition(file, line) + "] ";
}

}  // namespace

std::string SourcePosition(const char* file, int line) {
  const std::string path(file);
  return path.substr(path.find_last_of('/') + 1) + ":" + std::to_string(line);
}

void SetMinSeverity(LogSeverity severity) {
  std::lock_guard<std::mutex> lock(GetSink().mutex);
  GetSink().min_severity = severity;
}

LogSeverity MinSeverity() {
  std::lock_guard<std::mutex> lock(GetSink().mutex);
  return static_cast<LogSeverity>(GetSink().min_severity);
}

void SetLogFile(const std::string& path) {
  Sink& sink = GetSink();
  std::lock_guard<std::mutex> lock(sink.mutex);
  if (sink.file.is_open()) sink.file.close();
  if (path.empty()) return;
  sink.file.clear();
  sink.file.open(path, std::ios::app);
  if (!sink.file) throw Error("cannot open the log file for writing", "", path);
}

void SetStatusLine(const std::string& text) {
  Sink& sink = GetSink();
  std::lock_guard<std::mutex> lock(sink.mutex);
  sink.EraseStatus();
  sink.status = text;
  sink.DrawStatus();
}

bool HasStatusLine() { return GetSink().is_terminal; }

void Write(LogSeverity severity, const char* file, int line, const std::string& message) {
  Sink& sink = GetSink();
  std::lock_guard<std::mutex> lock(sink.mutex);
  if (severity < sink.min_severity) return;
  const std::string text = Prefix(severity, file, line) + message + "\n";
  sink.EraseStatus();
  std::fputs(text.c_str(), stderr);
  sink.DrawStatus();
  if (sink.file.is_open()) sink.file << text << std::flush;
}

Error ErrorLine::ToError() const {
  std::string text = stream_.str();
  if (text.empty()) text = check_.empty() ? "failed" : "check failed: " + check_;
  if (!values_.empty()) text += " (" + (stream_.str().empty() ? "" : check_ + ": ") + values_ + ")";
  return Error(text, where_);
}

}  // namespace logging
}  // namespace caffe
