//===- Scratch.h - where temporary files of the emulator lie ------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_SCRATCH_H
#define WINNOW_TEST_EMULATOR_SCRATCH_H

#include <cstdlib>
#include <string>

namespace emulator {

/// A pattern for mkstemp and mkdtemp: in TMPDIR, or /tmp. Kernels are run from there.
inline std::string scratchPattern() {
  const char *folder = std::getenv("TMPDIR");
  return std::string(folder && *folder ? folder : "/tmp") + "/winnow-emulator-XXXXXX";
}

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_SCRATCH_H
