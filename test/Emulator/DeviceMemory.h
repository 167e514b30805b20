//===- DeviceMemory.h - memory of the emulated device -------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_DEVICEMEMORY_H
#define WINNOW_TEST_EMULATOR_DEVICEMEMORY_H

#include <cstddef>
#include <cstdint>

namespace emulator {

/// At a multiple of 256, its end (rounded up to that) in front of a page that nobody may touch. Null if there is none.
void *allocate(size_t bytes);
/// False if `address` is not of `allocate`.
bool release(void *address);
/// Whether all bytes are of one allocation.
bool isDeviceMemory(const void *address, size_t bytes);

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_DEVICEMEMORY_H
