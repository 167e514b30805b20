//===- TranslateToPlan.h - the kern level as a launch plan --------------------------------------------------------===//

#ifndef WINNOW_TARGET_CUDA_TRANSLATETOPLAN_H
#define WINNOW_TARGET_CUDA_TRANSLATETOPLAN_H

#include "winnow/Runtime/Plan.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace winnow::cuda {

/// The plan of the program `entry` (empty: the only one): buffers with sizes, one image per kernel with its source, and
/// launches with tensor maps, grids and shared memory. Workspace that only launches need (pacing counters) is added
/// here. `target`, `compiler` and `spec` are left to the caller. The module is one that kern-verify-emittable accepts;
/// errors are emitted at the operation at fault.
mlir::FailureOr<rt::Plan> translateToPlan(mlir::ModuleOp module, llvm::StringRef entry = "");

/// Readable text, one line per buffer, kernel, launch and tensor map. Sources are left out.
void printPlan(const rt::Plan &plan, llvm::raw_ostream &stream);

} // namespace winnow::cuda

#endif // WINNOW_TARGET_CUDA_TRANSLATETOPLAN_H
