//===- Grid.h - one launch ----------------------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_GRID_H
#define WINNOW_TEST_EMULATOR_GRID_H

#include "Gpu.h"

#include <functional>
#include <string>

namespace emulator {

struct GridShape {
  unsigned blocks, threads, sharedBytes, cluster;
};

/// Runs all blocks, as many at a time as the device has multiprocessors. `before` carries out the launches that this
/// one overlaps, when the first thread waits for them; null if it overlaps none. Returns what went wrong, or "".
std::string runGrid(const Kernel &kernel, void **parameters, const GridShape &shape, unsigned multiprocessors,
                    uint64_t seed, const std::function<std::string()> &before);

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_GRID_H
