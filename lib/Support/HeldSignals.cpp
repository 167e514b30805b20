//===- HeldSignals.cpp - interrupts kept away from code that cannot bear them -------------------------------------===//

#include "winnow/Support/HeldSignals.h"

#include <ctime>
#include <unistd.h>

using namespace winnow;

static constexpr int kSignals[] = {SIGINT, SIGTERM};

/// Ends the process as `signal` does where nothing handles it.
static void die(int signal) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  sigset_t open;
  sigemptyset(&open);
  sigaddset(&open, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &open, nullptr);
  ::raise(signal);
}

HeldSignals::HeldSignals() {
  sigemptyset(&held);
  sigemptyset(&fatal);
  sigemptyset(&arrived);
  ::pthread_sigmask(SIG_SETMASK, nullptr, &previousMask);
  for (int signal : kSignals) {
    struct sigaction action;
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN)
      continue;
    sigaddset(&held, signal);
    // Where the host blocks a signal it wants to fetch it, or has another thread that does.
    if (action.sa_handler == SIG_DFL && !sigismember(&previousMask, signal))
      sigaddset(&fatal, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

HeldSignals::~HeldSignals() {
  ::pthread_sigmask(SIG_SETMASK, &previousMask, nullptr);
  for (int signal : kSignals)
    if (sigismember(&arrived, signal))
      ::kill(::getpid(), signal);
}

void HeldSignals::wait(std::chrono::microseconds time) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  timespec limit = {};
  limit.tv_sec = static_cast<time_t>(seconds.count());
  limit.tv_nsec = static_cast<long>(std::chrono::nanoseconds(time - seconds).count());
  int signal = ::sigtimedwait(&held, nullptr, &limit);
  if (signal <= 0)
    return;
  if (sigismember(&fatal, signal))
    die(signal);
  sigaddset(&arrived, signal);
}
