//===- ProgramCache.h - whole programs in the kernel cache --------------------------------------------------------===//
//
// Opening NVRTC and lowering a spec take longer than reading the result of a compilation. So the artifact of a program
// is an entry of the kernel cache, too, under everything that it depends on.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_LIB_JIT_PROGRAMCACHE_H
#define WINNOW_LIB_JIT_PROGRAMCACHE_H

#include "winnow/Jit/Compiler.h"

#include "mlir/IR/Location.h"

#include <functional>

namespace winnow::jit {

/// The program of `spec` (the text of one function, named `entry`) under `options`: from the cache, or what `compile`
/// returns, which is then stored, unless diagnostics were emitted meanwhile. Nothing is looked up where somebody wants
/// to see how it comes about, with remarks or dumps of phases, nor with a library that WINNOW_NVRTC names.
mlir::FailureOr<rt::Program> getOrCompileProgram(const std::string &spec, const std::string &entry,
                                                 const CompileOptions &options, mlir::Location loc,
                                                 const std::function<mlir::FailureOr<rt::Program>()> &compile);

} // namespace winnow::jit

#endif // WINNOW_LIB_JIT_PROGRAMCACHE_H
