//===- Check.h - winnow run --check -------------------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_CHECK_H
#define WINNOW_TOOLS_WINNOW_CHECK_H

#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Support/Result.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>
#include <vector>

namespace winnow::tool {

class GpuRun;
class ProgressLine;

struct CheckReport {
  bool passed = true;
  std::string text; ///< lines for the user
};

/// Compares what the reference makes of the function as written, `results`, with what it makes of it after the ffn
/// passes: bit for bit, except where an annotation allowed a selection that the spec does not contain.
Result<CheckReport> checkLowering(mlir::func::FuncOp spec, mlir::func::FuncOp lowered,
                                  const std::vector<interp::TensorRef> &inputs,
                                  const std::vector<interp::Tensor> &results);

/// Compares `results`, which a device has computed, with the reference on as many rows as it can compute in about
/// `secondsPerReference`; then every kernel's output by itself.
Result<CheckReport> checkDevice(mlir::func::FuncOp spec, mlir::func::FuncOp lowered,
                                const std::vector<interp::TensorRef> &inputs,
                                const std::vector<interp::Tensor> &results, const GpuRun &run,
                                double secondsPerReference, ProgressLine &progress);

/// The bytes of every result and every kernel's output, for comparing runs.
Result<std::vector<std::vector<uint8_t>>> resultBytes(const GpuRun &run);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_CHECK_H
