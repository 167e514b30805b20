//===- StageCheck.h - every kernel's output against the reference -------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_STAGECHECK_H
#define WINNOW_TOOLS_WINNOW_STAGECHECK_H

#include "Sampling.h"

#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Support/Result.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>
#include <vector>

namespace winnow::tool {

class GpuRun;
class ProgressLine;

/// Relative error (Frobenius) that a selection may add behind an inexact sum: two candidates that lie closer together
/// than the sum is exact may change places, and then a whole value moves to another feature. Seen: 4e-3 with two such
/// values in 64 rows of 18432 features.
inline constexpr double kNearTies = 3e-2;

/// How far `got` may be from `want`. Sums on tensor cores round differently from the reference's, which sums in f64.
struct Tolerance {
  bool exact = false;       ///< bit for bit, any NaN like any other
  double relative = 0;      ///< of ||got - want|| / ||want||
  double element = 0;       ///< of |got - want| / (|want| + rms(want)), for every element
  double maskMismatch = 0;  ///< fraction of the kept positions that may differ, of a compressed tensor
  double countMismatch = 0; ///< of sum |got - want| / sum |want|, of counts, to which nothing else applies
};

/// The outcome of one comparison.
struct Agreement {
  std::string what;     ///< "stage 1, matmul", "result 0"
  std::string compared; ///< "37 of 8192 rows"
  Tolerance tolerance;
  double maxError = 0, relative = 0, element = 0, maskMismatch = 0, countMismatch = 0;
  bool counts = false;   ///< i32, compared by `countMismatch`
  int64_t differing = 0; ///< elements whose bits differ
  int64_t count = 0;
  std::string problem; ///< why nothing could be compared; then it does not pass

  bool passed() const;
};

/// `want` and `got` must have one shape and type.
Agreement compareTensors(std::string what, std::string compared, const interp::Tensor &got, const interp::Tensor &want,
                         const Tolerance &tolerance);

/// What code that contains the operations inside `root` owes the reference: bit for bit, unless there is a product
/// whose sums are not known to be exact on the device.
Tolerance toleranceFor(mlir::Operation *root, mlir::Type result, int64_t tokens, bool sumsAreExact);

/// For each ffn.kernel of `lowered` applies the reference to the kernel's inputs, `arguments` and what the GPU has
/// computed from them, and compares the result with what the GPU has written.
std::vector<Agreement> checkStages(mlir::func::FuncOp lowered, llvm::ArrayRef<interp::TensorRef> arguments,
                                   const GpuRun &run, double secondsPerReference, ProgressLine &progress);

/// A table of agreements, one line each.
std::string agreementTable(const std::vector<Agreement> &agreements);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_STAGECHECK_H
