//===- Compiler.h - from an ffn module to a program ---------------------------------------------------------------===//

#ifndef WINNOW_JIT_COMPILER_H
#define WINNOW_JIT_COMPILER_H

#include "winnow/Runtime/Program.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <string>

namespace winnow::jit {

/// Registers every dialect that a spec may use.
void registerDialects(mlir::DialectRegistry &registry);

/// The levels at which compilation may stop, in order; `--emit` and the documentation read this list.
enum class Level { ffn, kern, cuda, ptx, cubin, sass };

struct CompileOptions {
  std::string target = "sm_90a";
  std::string entry;  ///< function to compile; empty: the only one
  int64_t tokens = 0; ///< expected token count, for the choice of layouts and schedules; 0: unknown
  std::string tuning; ///< user's database of tuned schedules; "none": not even the shipped one
  bool useCache = true;
  unsigned threads = 0;     ///< NVRTC compilations at once; 0: as many as cores
  std::string dumpPhasesTo; ///< folder that receives the module after each phase; empty: none
  std::function<void(const std::string &kernel, size_t done, size_t total)> progress;
};

/// Lowers `module` in place through the ffn phases; diagnostics go to the context's handler.
mlir::LogicalResult lowerToKernels(mlir::ModuleOp module, const CompileOptions &options);
/// Lowers `module` in place to kern.
mlir::LogicalResult lowerToKern(mlir::ModuleOp module, const CompileOptions &options);
/// CUDA C++ of every kernel and the launch plan; `plan.images` hold source only.
mlir::FailureOr<rt::Plan> translateToPlan(mlir::ModuleOp kernModule, const CompileOptions &options);
/// Compiles the sources of `plan` to PTX and cubin through NVRTC and the kernel cache.
mlir::LogicalResult compileImages(rt::Plan &plan, const CompileOptions &options, mlir::Location loc);
/// All of the above. The module is left at the kern level.
mlir::FailureOr<rt::Program> compile(mlir::ModuleOp module, const CompileOptions &options);

} // namespace winnow::jit

#endif // WINNOW_JIT_COMPILER_H
