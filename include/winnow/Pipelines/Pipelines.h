//===- Pipelines.h - the phases of compilation --------------------------------------------------------------------===//
//
// Phases are listed here once; dumps, the command line and the documentation read this list.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_PIPELINES_PIPELINES_H
#define WINNOW_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace winnow {

struct PipelineOptions {
  std::string target = "sm_90a";
  /// Token count to decide for where it is dynamic. The kernels take any.
  int64_t tokens = 8192;
  /// Function that must be there; empty: none in particular.
  std::string entry;
  /// A user's database of tuned schedules, asked before the shipped one; "none": neither (docs/tuning.md).
  std::string tuning;
};

/// One step from a specification to kernels. Passes are added to a manager of a module.
struct Phase {
  llvm::StringLiteral name;        ///< also the name of its dump
  llvm::StringLiteral description; ///< one sentence: what holds afterwards
  void (*build)(mlir::OpPassManager &manager, const PipelineOptions &options);
};

/// The phases of the ffn level, in order. Afterwards every operation of a function is in one `ffn.kernel` of a form
/// that docs/passes.md lists, except `arith.constant`, which stays outside kernels and is an operand of theirs (scales,
/// mostly), and `func.return`.
llvm::ArrayRef<Phase> ffnPhases();

/// Adds all of `ffnPhases()`.
void buildKernelPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

/// The phases from kernels of the ffn level to the kern level, in order. Afterwards CUDA can be emitted.
llvm::ArrayRef<Phase> kernPhases();

/// Adds all of `kernPhases()`.
void buildKernPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

/// Makes `ffn-to-kernels{target=… tokens=… entry=…}` and `kernels-to-kern{tokens=… tuning=…}` known to command lines.
void registerPipelines();

} // namespace winnow

#endif // WINNOW_PIPELINES_PIPELINES_H
