//===- MatrixUnit.h - wgmma and tensor maps -----------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_MATRIXUNIT_H
#define WINNOW_TEST_EMULATOR_MATRIXUNIT_H

#include "Gpu.h"

#include <cstdint>
#include <functional>
#include <string>

namespace emulator {

/// Executes one warpgroup instruction: `threads` points to 128 operations, one per thread, which differ in accumulators
/// and metadata only. `read` gives the shared memory at an address. Returns what is wrong, or "". Layouts: PTX ISA,
/// "Asynchronous warpgroup level matrix instructions"; sums are in f64, rounded once.
std::string multiply(const MatrixOperation *threads, const std::function<const char *(uint32_t, uint32_t)> &read);

/// A tensor map as this driver encodes it (CUtensorMap is opaque).
struct TensorMap {
  uint64_t address;
  uint64_t extents[5];
  uint64_t strides[4]; ///< bytes, from the second dimension on
  uint32_t box[5];
  uint8_t rank, elementBytes, swizzled, valid;
};

/// Bytes that a load of the whole box writes.
uint32_t boxBytes(const TensorMap &map);
/// Bytes from the first element of the tensor to behind its last.
uint64_t spanBytes(const TensorMap &map);
/// Copies the box at `coordinates` (innermost first) to `destination`, which lies at `address`; zeros outside.
void loadBox(const TensorMap &map, const int (&coordinates)[5], char *destination, uint32_t address);
/// The other way; what is outside of the tensor is not written.
void storeBox(const TensorMap &map, const int (&coordinates)[5], const char *source, uint32_t address);

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_MATRIXUNIT_H
