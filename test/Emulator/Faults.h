//===- Faults.h - what a kernel must not do to memory -------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_FAULTS_H
#define WINNOW_TEST_EMULATOR_FAULTS_H

namespace emulator {

/// While it exists, a fault of a kernel on the calling thread of the host ends the launch with a message. Faults of
/// anything else go to whoever handled them before.
class FaultGuard {
public:
  FaultGuard();
  ~FaultGuard();
  FaultGuard(const FaultGuard &) = delete;
  FaultGuard &operator=(const FaultGuard &) = delete;

private:
  char *stack; ///< of the handler: the kernel's own may have overflown
};

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_FAULTS_H
