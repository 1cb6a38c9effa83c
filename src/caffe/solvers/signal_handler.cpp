#include "caffe/util/signal_handler.hpp"

#include <unistd.h>

#include <csignal>

namespace caffe {

namespace {

// A signal reaches the process and not an object, so what it leaves is global.
volatile sig_atomic_t g_got_sigint = 0;
volatile sig_atomic_t g_got_sighup = 0;
volatile sig_atomic_t g_is_stopping = 0;
volatile sig_atomic_t g_second_sigint_exits = 0;
bool g_is_hooked = false;
struct sigaction g_previous_sigint, g_previous_sighup;

void OnSignal(int signal) {
  if (signal == SIGHUP) {
    g_got_sighup = 1;
    return;
  }
  if (g_second_sigint_exits && (g_got_sigint || g_is_stopping)) {
    const char message[] = "\nInterrupted again: leaving at once.\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    _exit(130);
  }
  g_got_sigint = 1;
}

void Hook(int signal, struct sigaction* previous) {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  CHECK(sigaction(signal, &action, previous) == 0) << "cannot handle the signal " << signal;
}

}  // namespace

SignalHandler::SignalHandler(SolverAction::Enum SIGINT_action, SolverAction::Enum SIGHUP_action)
    : SIGINT_action_(SIGINT_action), SIGHUP_action_(SIGHUP_action) {
  CHECK(!g_is_hooked) << "another signal handler is alive";
  g_got_sigint = g_got_sighup = g_is_stopping = 0;
  g_second_sigint_exits = SIGINT_action != SolverAction::NONE;
  Hook(SIGINT, &g_previous_sigint);
  Hook(SIGHUP, &g_previous_sighup);
  g_is_hooked = true;
}

SignalHandler::~SignalHandler() {
  sigaction(SIGINT, &g_previous_sigint, nullptr);
  sigaction(SIGHUP, &g_previous_sighup, nullptr);
  g_is_hooked = false;
}

SolverAction::Enum SignalHandler::CheckForSignals() const {
  if (g_got_sighup) {
    g_got_sighup = 0;
    return SIGHUP_action_;
  }
  if (g_got_sigint) {
    g_is_stopping = SIGINT_action_ == SolverAction::STOP;
    g_got_sigint = 0;
    return SIGINT_action_;
  }
  return SolverAction::NONE;
}

ActionCallback SignalHandler::GetActionFunction() {
  return [this] { return CheckForSignals(); };
}

}  // namespace caffe
