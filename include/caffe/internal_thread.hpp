#ifndef CAFFE_INTERNAL_THREAD_HPP_
#define CAFFE_INTERNAL_THREAD_HPP_

#include <atomic>
#include <thread>

#include "caffe/common.hpp"

namespace caffe {

/**
 * @brief A thread that runs a virtual method, for layers written for Caffe.
 *
 * It inherits the mode, solver rank and solver count of the thread that starts
 * it, and a seed drawn there. A derived class's destructor calls
 * StopInternalThread. Unlike Caffe's it cannot be interrupted while it blocks:
 * its entry must ask must_stop() often enough. An exception that leaves the
 * entry is logged, and ends the thread.
 */
class InternalThread {
 public:
  InternalThread() = default;
  virtual ~InternalThread();

  /** @throws Error if it runs already, or cannot be started. */
  void StartInternalThread();
  /** @brief Waits until the thread has ended; does nothing if there is none. */
  void StopInternalThread();
  bool is_started() const { return thread_.joinable(); }

 protected:
  virtual void InternalThreadEntry() {}
  bool must_stop() const { return must_stop_; }

 private:
  std::thread thread_;
  std::atomic<bool> must_stop_{false};

  DISABLE_COPY_AND_ASSIGN(InternalThread);
};

}  // namespace caffe

#endif  // CAFFE_INTERNAL_THREAD_HPP_
