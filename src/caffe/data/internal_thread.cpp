#include "caffe/internal_thread.hpp"

#include <exception>
#include <system_error>

#include "caffe/data/thread_context.hpp"

namespace caffe {

InternalThread::~InternalThread() { StopInternalThread(); }

void InternalThread::StartInternalThread() {
  CHECK(!is_started()) << "the thread runs already";
  must_stop_ = false;
  const ThreadContext context = ThreadContext::OfThisThread();
  try {
    thread_ = std::thread([this, context] {
      LeaveSignalsToMainThread();
      context.Apply();
      try {
        InternalThreadEntry();
      } catch (const std::exception& error) {
        LOG(ERROR) << "a layer's thread ended: " << error.what();
      }
    });
  } catch (const std::system_error& error) {
    LOG(FATAL) << "no thread can be started: " << error.what();
  }
}

void InternalThread::StopInternalThread() {
  must_stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace caffe
