#include "tools/progress.hpp"

#include <cmath>
#include <sstream>

#include "caffe/util/logging.hpp"

namespace caffe {

namespace {

constexpr uint64_t kLogEvery = 1000;
constexpr double kShowEverySeconds = 0.2;

double SecondsBetween(std::chrono::steady_clock::time_point from,
                      std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string DescribeSeconds(double seconds) {
  const long total = std::lround(seconds);
  std::ostringstream out;
  if (total < 90) {
    out << total << " s";
  } else if (total < 5400) {
    out << (total + 30) / 60 << " min";
  } else {
    const long minutes = (total + 30) / 60;
    out << minutes / 60 << " h " << minutes % 60 << " min";
  }
  return out.str();
}

Progress::Progress(const std::string& unit, uint64_t total)
    : unit_(unit), total_(total), start_(std::chrono::steady_clock::now()), shown_(start_) {}

Progress::~Progress() { logging::SetStatusLine(""); }

std::string Progress::Describe() const {
  const double seconds = SecondsBetween(start_, std::chrono::steady_clock::now());
  std::ostringstream out;
  out << "Processed " << done_ << " of " << total_ << " " << unit_;
  if (seconds > 0 && done_ > 0) {
    const double rate = static_cast<double>(done_) / seconds;
    out.precision(3);
    out << " (" << rate << "/s, " << DescribeSeconds(static_cast<double>(total_ - done_) / rate)
        << " left)";
  }
  return out.str();
}

void Progress::Advance(uint64_t count) {
  const uint64_t before = done_;
  done_ += count;
  if (before / kLogEvery != done_ / kLogEvery || done_ == total_) LOG(INFO) << Describe();
  const auto now = std::chrono::steady_clock::now();
  if (!logging::HasStatusLine() || SecondsBetween(shown_, now) < kShowEverySeconds) return;
  shown_ = now;
  logging::SetStatusLine(Describe());
}

}  // namespace caffe
