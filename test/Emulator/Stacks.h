//===- Stacks.h - stacks of fibers --------------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_STACKS_H
#define WINNOW_TEST_EMULATOR_STACKS_H

#include <cstddef>

namespace emulator {

/// Stacks for the threads of one block, each behind a page that nobody may touch (the first 16384 of the process). They
/// are kept for the next block that asks for as many: mapping them would take longer than many kernels do.
class Stacks {
public:
  static constexpr size_t kBytes = 128 << 10;

  explicit Stacks(size_t count);
  ~Stacks();
  Stacks(const Stacks &) = delete;
  Stacks &operator=(const Stacks &) = delete;

  /// The lowest byte of a stack of kBytes; null if there is no memory.
  char *operator[](size_t index) const;
  /// Whether `address` lies in front of one of these stacks.
  bool overflown(const void *address) const;

private:
  size_t count;
  char *memory;
};

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_STACKS_H
