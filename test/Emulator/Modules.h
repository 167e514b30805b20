//===- Modules.h - images of kernels, and kernels in them ---------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_MODULES_H
#define WINNOW_TEST_EMULATOR_MODULES_H

#include "Gpu.h"

#include <memory>
#include <string>
#include <vector>

namespace emulator {

struct LoadedFunction {
  Kernel kernel;
  unsigned cluster; ///< blocks of a cluster, 1 without
  std::string name;
  unsigned mostSharedBytes; ///< dynamic, that a launch may ask for
};

/// A shared library of the host, which the stand-in for NVRTC made.
class Module {
public:
  /// `image` is an ELF file. Null, and why, if it is not one of the emulator's.
  static std::unique_ptr<Module> load(const void *image, std::string &why);
  ~Module();
  Module(const Module &) = delete;
  Module &operator=(const Module &) = delete;

  /// Lives as long as the module; null if there is no such kernel.
  LoadedFunction *find(const char *name);

private:
  explicit Module(void *library) : library(library) {}
  void *library;
  std::vector<std::unique_ptr<LoadedFunction>> functions;
};

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_MODULES_H
