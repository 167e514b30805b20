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
  int64_t tokens = 0; ///< expected token count, for the choice of layouts and schedules; 0: unknown: that of
                      ///< Program::kDefaultTokens, and in a program other plans for other counts
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
/// Lowers `spec`, which is at no level yet, to kern in place and translates it, as above; remarks and dumps are of that.
/// Where the token count is dynamic and the options name none, the spec is lowered for some 20 other token counts too,
/// and the program has a plan for each range of counts that were decided alike. Each range's plan is the one decided for
/// Specialization::decidedFor, a count in that range; a count that was not sampled may have got another plan by itself.
/// A remark of category token-ranges tells each range. `plan.spec` is left empty.
mlir::FailureOr<rt::Program> translateToProgram(mlir::ModuleOp spec, const CompileOptions &options);
/// Compiles the sources of all plans to PTX and cubin through NVRTC and the kernel cache, each distinct one once and
/// several at once. Remarks and dumps are of the default plan; errors of all.
mlir::LogicalResult compileImages(rt::Program &program, const CompileOptions &options, mlir::Location loc);
/// The same for one plan.
mlir::LogicalResult compileImages(rt::Plan &plan, const CompileOptions &options, mlir::Location loc);
/// All of the above, from a spec; a whole program may come from the cache. The module is left as it was or at the kern
/// level.
mlir::FailureOr<rt::Program> compile(mlir::ModuleOp module, const CompileOptions &options);

} // namespace winnow::jit

#endif // WINNOW_JIT_COMPILER_H
