//===- Module.h - what a winnow_module holds ----------------------------------------------------------------------===//

#ifndef WINNOW_LIB_CAPI_MODULE_H
#define WINNOW_LIB_CAPI_MODULE_H

#include "Context.h"

#include "winnow/Jit/Compiler.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace winnow::capi {

/// An input or output; `problem` says why it cannot be handed over, where it cannot.
struct ArgumentInfo {
  rt::Buffer buffer;
  std::string problem;
};

struct FunctionInfo {
  std::string name;
  std::vector<ArgumentInfo> arguments; ///< inputs, then outputs
  size_t inputs = 0;
  bool tokenWise = false; ///< ffn::isTokenWise
};

std::vector<FunctionInfo> describeFunctions(mlir::ModuleOp module);

/// Reads options of any size that a caller may have been compiled with.
Result<jit::CompileOptions> readOptions(const winnow_compile_options *options);

} // namespace winnow::capi

struct winnow_module {
  winnow_module(std::shared_ptr<winnow::capi::ContextState> state, mlir::OwningOpRef<mlir::ModuleOp> module,
                std::vector<winnow::capi::FunctionInfo> functions, winnow_level level)
      : state(std::move(state)), module(std::move(module)), functions(std::move(functions)), level(level) {}
  ~winnow_module();

  std::shared_ptr<winnow::capi::ContextState> state;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<winnow::capi::FunctionInfo> functions;
  winnow_level level;
};

namespace winnow::capi {

/// `module` lowered to `level`; it stays as it is. For use within inContext().
winnow_error *lowered(const winnow_module &module, winnow_level level, const jit::CompileOptions &options,
                      std::unique_ptr<winnow_module> &result);

} // namespace winnow::capi

#endif // WINNOW_LIB_CAPI_MODULE_H
