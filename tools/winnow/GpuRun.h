//===- GpuRun.h - a program on a GPU, with its buffers ------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_GPURUN_H
#define WINNOW_TOOLS_WINNOW_GPURUN_H

#include "winnow/Interpreter/Tensor.h"
#include "winnow/Runtime/Device.h"
#include "winnow/Runtime/Executable.h"
#include "winnow/Support/Result.h"

#include "llvm/ADT/StringRef.h"

#include <memory>
#include <optional>
#include <vector>

namespace winnow::tool {

/// The target that a device of this compute capability needs, "sm_90a" for 9.0.
std::string targetOf(const rt::DeviceInfo &device);

/// The GPU that --target ("" for any, "cpu" for none) and --device ask for; null for the CPU reference, which is noted
/// on standard error where "" has led to it.
Result<std::shared_ptr<const rt::Device>> openDevice(llvm::StringRef target, int ordinal);

/// The memory that one call of a program needs, on the device, and the calls themselves.
class GpuRun {
public:
  /// Loads the program and allocates everything for `tokens`.
  static Result<std::unique_ptr<GpuRun>> create(rt::Program program, std::shared_ptr<const rt::Device> device,
                                                int64_t tokens);

  /// The plan for that many tokens.
  const rt::Plan &plan() const { return executable->plan(tokenCount); }
  /// What it was decided for; 0: not known.
  int64_t decidedFor() const;
  const rt::DeviceInfo &device() const { return executable->device(); }
  int64_t tokens() const { return tokenCount; }
  int64_t workspaceBytes() const { return workspace.bytes(); }

  Status setInput(size_t index, const interp::Tensor &tensor);

  /// Sets every byte of outputs and workspace to 0xFF, a NaN in every type, so that nothing can look right that was not
  /// written.
  Status poison();
  /// Enqueues the whole plan, or one launch, and does not wait.
  Status enqueue(rt::Stream stream = nullptr);
  Status enqueueLaunch(size_t index, rt::Stream stream = nullptr);
  Status synchronize() const { return owner->synchronize(); }
  /// One call whose results cannot be those of an earlier one, waited for.
  Status runPoisoned();

  /// Where a buffer of the plan lies on the device.
  Result<rt::DevicePointer> address(size_t buffer) const {
    return executable->bufferAddress(buffer, tokenCount, arguments, workspace.address());
  }
  /// The bytes of a buffer of the plan, as they lie on the device, once everything before is done.
  Result<std::vector<uint8_t>> bytes(size_t buffer) const;
  /// The tensor in them.
  Result<interp::Tensor> tensor(size_t buffer) const;
  /// The results, in order.
  Result<std::vector<interp::Tensor>> outputs() const;

  std::shared_ptr<const rt::Device> owningDevice() const { return owner; }

private:
  GpuRun() = default;

  std::shared_ptr<const rt::Device> owner;
  std::shared_ptr<rt::Executable> executable;
  int64_t tokenCount = 0;
  std::vector<rt::DeviceBuffer> buffers; ///< inputs, then outputs
  std::vector<rt::DevicePointer> arguments;
  rt::DeviceBuffer workspace;
};

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_GPURUN_H
