#ifndef CAFFE_TOOLS_PROGRESS_HPP_
#define CAFFE_TOOLS_PROGRESS_HPP_

#include <chrono>
#include <cstdint>
#include <string>

namespace caffe {

/**
 * @brief Tells how far a tool has come: a line in the log for every thousand
 * things, and on a terminal one that is rewritten, with rate and time left.
 */
class Progress {
 public:
  /** @param unit what is counted, as a plural: "files" */
  Progress(const std::string& unit, uint64_t total);
  ~Progress();
  void Advance(uint64_t count = 1);
  uint64_t done() const { return done_; }

 private:
  std::string Describe() const;

  std::string unit_;
  uint64_t total_;
  uint64_t done_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point shown_;
};

/** @brief "40 s", "5 min", "2 h 10 min". */
std::string DescribeSeconds(double seconds);

}  // namespace caffe

#endif  // CAFFE_TOOLS_PROGRESS_HPP_
