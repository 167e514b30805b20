//===- Executable.h - run a plan on a GPU -------------------------------------------------------------------------===//
//
// Everything here is thread-safe except where said. No function throws, prints or exits.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_EXECUTABLE_H
#define WINNOW_RUNTIME_EXECUTABLE_H

#include "winnow/Runtime/Plan.h"
#include "winnow/Support/Result.h"

#include <memory>
#include <string>
#include <vector>

namespace winnow::rt {

/// Device address (CUdeviceptr) and stream handle (CUstream), as the driver defines them.
using DevicePointer = uint64_t;
using Stream = void *;

/// A CUDA device with its primary context retained.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  int computeMajor = 0, computeMinor = 0;
  int multiprocessors = 0;
  int64_t memoryBytes = 0;
};

class Executable {
public:
  ~Executable();
  /// Loads the kernels of `plan` on device `ordinal`. Fails with a message when there is no driver, no such device, or
  /// the device cannot run the plan's target.
  static Result<std::shared_ptr<Executable>> load(Plan plan, int ordinal = 0);

  const Plan &plan() const;
  const DeviceInfo &device() const;

  /// Bytes of workspace that `execute` needs for this token count, 256-byte aligned pieces included.
  Result<int64_t> workspaceBytes(int64_t tokens) const;

  /// Enqueues the plan on `stream` of the device's primary context (null: the default stream). `arguments` are the
  /// inputs, then the outputs, in plan order; each 16-byte aligned. `workspace` is 256-byte aligned. No allocation on the
  /// device, no synchronisation, capturable in a CUDA graph. Several threads may call it at once, each with its own
  /// workspace.
  Status execute(Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments, DevicePointer workspace,
                 int64_t workspaceBytes) const;

  /// As `execute`, for launch `index` alone: for timing kernel by kernel.
  Status executeLaunch(size_t index, Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments,
                       DevicePointer workspace, int64_t workspaceBytes) const;

private:
  struct Impl;
  explicit Executable(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_EXECUTABLE_H
