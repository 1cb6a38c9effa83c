#ifndef CAFFE_UTIL_SIGNAL_HANDLER_HPP_
#define CAFFE_UTIL_SIGNAL_HANDLER_HPP_

#include "caffe/solver.hpp"

namespace caffe {

/**
 * @brief Turns Ctrl-C (SIGINT) and SIGHUP into actions of a solver while it lives.
 *
 * A signal is noticed when the solver asks, after its iteration. A second
 * Ctrl-C while the first one's stop is under way ends the process at once
 * with status 130; snapshots are atomic, so no file is left half-written.
 * One handler lives at a time; its end restores what was set before.
 */
class SignalHandler {
 public:
  /** @throws Error if another one is alive. */
  SignalHandler(SolverAction::Enum SIGINT_action, SolverAction::Enum SIGHUP_action);
  ~SignalHandler();
  ActionCallback GetActionFunction();

 private:
  SolverAction::Enum CheckForSignals() const;

  SolverAction::Enum SIGINT_action_;
  SolverAction::Enum SIGHUP_action_;
  DISABLE_COPY_AND_ASSIGN(SignalHandler);
};

}  // namespace caffe

#endif  // CAFFE_UTIL_SIGNAL_HANDLER_HPP_
