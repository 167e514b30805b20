//===- Faults.cpp - what a kernel must not do to memory -----------------------------------------------------------===//

#include "Faults.h"

#include "DeviceMemory.h"
#include "Multiprocessor.h"

#include <csignal>
#include <mutex>
#include <sys/mman.h>

using namespace emulator;

namespace {
constexpr size_t kStackBytes = 64 << 10;
constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL};
struct sigaction before[3];

/// Of SIGILL: what clang's checks end in is `ud1l number(%eax), %eax`, the number that of the check.
std::string describeTrap(const void *address) {
  const auto *code = static_cast<const unsigned char *>(address);
  constexpr int kOutOfBounds = 18, kTypeMismatch = 22; // clang's SanitizerHandler
  if (code[0] == 0x67 && code[1] == 0x0F && code[2] == 0xB9 && code[3] == 0x40) {
    if (code[4] == kOutOfBounds)
      return "an index outside of its array";
    if (code[4] == kTypeMismatch)
      return "an access of memory at an address that is not a multiple of its size";
  }
  return "an illegal instruction";
}

void handle(int signal, siginfo_t *info, void *) {
  // Returns if no kernel runs. It leaves the handler by a jump, which is why signals are not blocked meanwhile. What a
  // kernel does it does outside of the host's allocator, so that text can be made here.
  Multiprocessor::faulted(signal == SIGILL ? describeTrap(info->si_addr)
                          : Multiprocessor::overflewStack(info->si_addr)
                              ? "an access outside of the thread's stack"
                              : "an access of memory at " + describeAddress(info->si_addr));
  for (size_t i = 0; i < std::size(kSignals); ++i)
    if (kSignals[i] == signal)
      ::sigaction(signal, &before[i], nullptr); // a fault comes again
  if (info->si_code <= 0)                       // a signal that somebody sent does not
    ::raise(signal);
}

void install() {
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (size_t i = 0; i < std::size(kSignals); ++i)
    ::sigaction(kSignals[i], &action, &before[i]);
}
} // namespace

FaultGuard::FaultGuard() : stack(new char[kStackBytes]) {
  static std::once_flag installed;
  std::call_once(installed, install);
  stack_t own = {};
  own.ss_sp = stack;
  own.ss_size = kStackBytes;
  ::sigaltstack(&own, nullptr);
}

FaultGuard::~FaultGuard() {
  stack_t none = {};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  delete[] stack;
}
