#ifndef CAFFE_UTIL_BENCHMARK_HPP_
#define CAFFE_UTIL_BENCHMARK_HPP_

#include <chrono>

namespace caffe {

/** @brief A stopwatch. A time asked for while it runs stops it, as in Caffe. */
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void Start() {
    if (running_) return;
    start_ = Clock::now();
    running_ = true;
    has_run_at_least_once_ = true;
  }
  virtual void Stop() {
    if (!running_) return;
    stop_ = Clock::now();
    running_ = false;
  }
  virtual float MicroSeconds() {
    if (!has_run_at_least_once_) return 0;
    Stop();
    return std::chrono::duration<float, std::micro>(stop_ - start_).count();
  }
  virtual float MilliSeconds() { return MicroSeconds() / 1e3F; }
  virtual float Seconds() { return MicroSeconds() / 1e6F; }

  bool initted() const { return true; }
  bool running() const { return running_; }
  bool has_run_at_least_once() const { return has_run_at_least_once_; }

 protected:
  typedef std::chrono::steady_clock Clock;
  bool running_ = false;
  bool has_run_at_least_once_ = false;
  Clock::time_point start_, stop_;
};

/** @brief Caffe's name for a Timer that never measures a device. */
class CPUTimer : public Timer {};

}  // namespace caffe

#endif  // CAFFE_UTIL_BENCHMARK_HPP_
