//===- Check.h - expectations in tests ----------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_CHECK_IR_CHECK_H
#define WINNOW_DIALECT_CHECK_IR_CHECK_H

#include "winnow/Interpreter/Interpreter.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "winnow/Dialect/Check/IR/CheckDialect.h.inc"

#define GET_OP_CLASSES
#include "winnow/Dialect/Check/IR/CheckOps.h.inc"

namespace winnow::check {

/// Evaluates an operation of the check dialect: the hook for InterpreterOptions::evaluateUnknown. Any other operation
/// is an error, a failed expectation too.
llvm::Expected<llvm::SmallVector<interp::TensorRef>> evaluate(mlir::Operation *op,
                                                              llvm::ArrayRef<interp::TensorRef> operands);

} // namespace winnow::check

#endif // WINNOW_DIALECT_CHECK_IR_CHECK_H
