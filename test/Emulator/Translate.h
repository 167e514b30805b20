//===- Translate.h - from the source of a kernel to C++ for this machine ------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_TRANSLATE_H
#define WINNOW_TEST_EMULATOR_TRANSLATE_H

#include <string>

namespace emulator {

/// With Prelude.h in front, Ptx.h in place of the device library's ptx.cuh and a call of the emulator in place of the
/// matrix instruction; mutated, if WINNOW_EMULATOR_REPLACE is set. Throws std::runtime_error, with a text for the log
/// of the compilation, if the source is not as expected.
std::string translateKernel(std::string source);

/// All of a file; "" if it cannot be read.
std::string readFile(const std::string &path);

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_TRANSLATE_H
