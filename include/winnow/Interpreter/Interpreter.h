//===- Interpreter.h - the reference meaning of the ffn dialect ---------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_INTERPRETER_H
#define WINNOW_INTERPRETER_INTERPRETER_H

#include "winnow/Interpreter/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

namespace winnow::interp {

/// Evaluates `function` (ffn, arith.constant and ffn.kernel operations, at any stage of the ffn pipeline) on `inputs`,
/// whose shapes and types must fit the arguments; all dynamic extents must agree on one token count. Implements
/// docs/ffn-spec.md literally. Errors carry the operation's location.
llvm::Expected<llvm::SmallVector<Tensor>> interpret(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> inputs);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_INTERPRETER_H
