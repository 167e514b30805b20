//===- HeldSignals.h - interrupts kept away from code that cannot bear them ---------------------------------------===//
//
// While NVRTC's front end works, SIGINT and SIGTERM of the whole process belong to a handler of its own, which calls
// exit(3) from within: wherever the interrupted thread holds the lock of malloc, the process hangs for good.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_HELDSIGNALS_H
#define WINNOW_SUPPORT_HELDSIGNALS_H

#include <chrono>
#include <csignal>

namespace winnow {

/// Holds SIGINT and SIGTERM back from the calling thread, and for good from threads that it starts meanwhile. What
/// arrives is sent to the process again when this ends, so that the host's own handler sees it; a signal that would have
/// ended the process ends it at once, from `wait`. Signals that the process ignores stay ignored. May be nested.
///
/// Threads of the host that were there before, and leave these signals open, can still run NVRTC's handler.
class HeldSignals {
public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals &) = delete;
  HeldSignals &operator=(const HeldSignals &) = delete;

  /// Sleeps for `time`, or less if a signal arrives.
  void wait(std::chrono::microseconds time);

private:
  sigset_t held, previousMask;
  sigset_t fatal;   ///< those of `held` that end the process
  sigset_t arrived; ///< those of `held` that `wait` took and that are still to be sent on
};

} // namespace winnow

#endif // WINNOW_SUPPORT_HELDSIGNALS_H
