#ifndef CAFFE_DATA_THREAD_CONTEXT_HPP_
#define CAFFE_DATA_THREAD_CONTEXT_HPP_

#include <pthread.h>

#include <csignal>

#include "caffe/common.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {

/** @brief Leaves Ctrl-C and its kin to the main thread, where they interrupt what waits. */
inline void LeaveSignalsToMainThread() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGHUP, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

/** @brief What a new thread takes over from the one that starts it; Caffe's state is a thread's
 * own. */
struct ThreadContext {
  Caffe::Brew mode;
  int solver_count;
  int solver_rank;
  unsigned seed;  ///< drawn from the starting thread's generator

  static ThreadContext OfThisThread() {
    return {Caffe::mode(), Caffe::solver_count(), Caffe::solver_rank(), caffe_rng_rand()};
  }
  void Apply() const {
    Caffe::set_mode(mode);
    Caffe::set_solver_count(solver_count);
    Caffe::set_solver_rank(solver_rank);
    Caffe::set_random_seed(seed);
  }
};

}  // namespace caffe

#endif  // CAFFE_DATA_THREAD_CONTEXT_HPP_
