//===- Executable.h - run a program on a GPU ----------------------------------------------------------------------===//
//
// Everything here is thread-safe except where said. No function throws, prints or exits.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_EXECUTABLE_H
#define WINNOW_RUNTIME_EXECUTABLE_H

#include "winnow/Runtime/Device.h"
#include "winnow/Runtime/Program.h"
#include "winnow/Support/Result.h"

#include <memory>
#include <string>
#include <vector>

namespace winnow::rt {

/// Whether `device` runs code for `target` ("sm_90a": compute capability 9.0 exactly; "sm_80": 8.0 and later of major
/// 8). The error says what was expected and found.
Status checkTarget(const std::string &target, const DeviceInfo &device);

class Executable {
public:
  /// Alignment of the workspace and of each piece of it.
  static constexpr int64_t kWorkspaceAlignment = 256;
  /// Alignment of inputs and outputs.
  static constexpr int64_t kArgumentAlignment = 16;

  ~Executable();
  /// Loads the kernels and constants of every plan of `program` on a device, machine code that several have once. Fails
  /// with a message when the program is malformed or not compiled, when there is no driver, no such device, or the
  /// device cannot run the program's target. A plan is a program of one.
  static Result<std::shared_ptr<Executable>> load(Program program, int ordinal = 0);
  static Result<std::shared_ptr<Executable>> load(Program program, std::shared_ptr<const Device> device);

  const Program &program() const;
  /// The plan of a call with so many tokens. Inputs and outputs are the same in all.
  const Plan &plan(int64_t tokens = Program::kDefaultTokens) const;
  const DeviceInfo &device() const;
  std::shared_ptr<const Device> owner() const; ///< the device itself

  /// How many pointers `execute` takes: the inputs and outputs.
  size_t argumentCount() const;

  /// Bytes of workspace that `execute` needs for this token count, 256-byte aligned pieces included.
  Result<int64_t> workspaceBytes(int64_t tokens) const;
  /// The same of a program that is not on a device.
  static Result<int64_t> workspaceBytes(const Program &program, int64_t tokens);

  /// Where buffer `index` of `plan(tokens)` lies in a call with these arguments: for looking at intermediate values.
  Result<DevicePointer> bufferAddress(size_t index, int64_t tokens, const std::vector<DevicePointer> &arguments,
                                      DevicePointer workspace) const;

  /// Enqueues the plan for `tokens` on `stream` of the device's primary context (null: the default stream). `arguments`
  /// are the inputs, then the outputs, in plan order; each 16-byte aligned. `workspace` is 256-byte aligned. No
  /// allocation on the device, no synchronisation, capturable in a CUDA graph. Several threads may call it at once,
  /// each with its own workspace. After an error some launches may have been enqueued.
  Status execute(Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments, DevicePointer workspace,
                 int64_t workspaceBytes) const;

  /// As `execute`, for launch `index` of `plan(tokens)` alone: for timing kernel by kernel.
  Status executeLaunch(size_t index, Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments,
                       DevicePointer workspace, int64_t workspaceBytes) const;

private:
  struct Impl;
  explicit Executable(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_EXECUTABLE_H
