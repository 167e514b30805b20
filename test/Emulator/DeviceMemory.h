//===- DeviceMemory.h - memory of the emulated device -------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_DEVICEMEMORY_H
#define WINNOW_TEST_EMULATOR_DEVICEMEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace emulator {

/// At a multiple of 256, its end (rounded up to that) in front of a page that nobody may touch, and another in front of
/// the page where it begins. Filled with 0xFF, a NaN of every type. Null if there is none.
void *allocate(size_t bytes);
/// False if `address` is not of `allocate`.
bool release(void *address);
/// Whether all bytes are of one allocation.
bool isDeviceMemory(const void *address, size_t bytes);
/// Where an address lies that could not be accessed: "0x…, 16 bytes behind an allocation of 256 bytes".
std::string describeAddress(const void *address);

/// Whether somebody has written between an allocation and the pages around it: where, or "". The next call does not
/// find it again.
std::string findDamage();

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_DEVICEMEMORY_H
