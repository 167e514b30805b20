//===- Grid.h - one launch ----------------------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_GRID_H
#define WINNOW_TEST_EMULATOR_GRID_H

#include "Gpu.h"

#include <string>

namespace emulator {

struct GridShape {
  unsigned blocks, threads, sharedBytes, cluster;
};

/// Runs all blocks, as many at a time as the device has multiprocessors. Returns what went wrong, or "".
std::string runGrid(const Kernel &kernel, void **parameters, const GridShape &shape, unsigned multiprocessors,
                    uint64_t seed);

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_GRID_H
