//===- Interpreter.h - the reference meaning of the ffn dialect ---------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_INTERPRETER_H
#define WINNOW_INTERPRETER_INTERPRETER_H

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Interpreter/RandomInputs.h"
#include "winnow/Interpreter/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <memory>
#include <optional>

namespace winnow::interp {

/// A value during interpretation; shared, because large weights are neither copied nor kept longer than needed.
using TensorRef = std::shared_ptr<const Tensor>;

struct InterpreterOptions {
  /// Evaluates an operation that the interpreter does not know (the check operations of the tests): its results, or an
  /// error, which ends the interpretation. Absent: an unknown operation is an error.
  std::function<llvm::Expected<llvm::SmallVector<TensorRef>>(mlir::Operation *op, llvm::ArrayRef<TensorRef> operands)>
      evaluateUnknown;
};

/// Evaluates `function` (ffn, arith.constant and ffn.kernel operations, at any stage of the ffn pipeline) on `inputs`,
/// whose shapes and types must fit the arguments; all dynamic extents must agree on one token count. Implements
/// docs/ffn-spec.md literally. Errors carry the operation's location.
llvm::Expected<llvm::SmallVector<TensorRef>> interpret(mlir::func::FuncOp function, llvm::ArrayRef<TensorRef> inputs,
                                                       const InterpreterOptions &options = {});

/// The same with tensors that the caller keeps alive during the call, and results of its own.
llvm::Expected<llvm::SmallVector<Tensor>> interpret(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> inputs);

/// Evaluates the body of one kernel on its operands.
llvm::Expected<llvm::SmallVector<TensorRef>> interpretKernel(ffn::KernelOp kernel, llvm::ArrayRef<TensorRef> inputs);

/// The interpreter's name of an element type; none if it has no values of that type.
std::optional<rt::ElementType> elementTypeFor(mlir::Type type);

/// What a value of `type` takes; `loc` is where an unfit type is reported.
llvm::Expected<InputType> inputTypeFor(mlir::Type type, const llvm::Twine &name, mlir::Location loc);

/// What the arguments of `function` take, named as NameLoc names them (else "arg" and the number).
llvm::Expected<std::vector<InputType>> argumentTypes(mlir::func::FuncOp function);

/// The tensor that a constant of tensor type holds.
llvm::Expected<Tensor> tensorFromAttribute(mlir::TypedAttr attribute, mlir::Location loc);

/// An error at a location. Its text starts with the location as file:line:column.
class LocatedError : public llvm::ErrorInfo<LocatedError> {
public:
  LocatedError(mlir::Location loc, std::string text) : loc(loc), text(std::move(text)) {}
  mlir::Location getLoc() const { return loc; }
  /// Without the location.
  llvm::StringRef getText() const { return text; }
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

  static char ID;

private:
  mlir::Location loc;
  std::string text;
};

llvm::Error errorAt(mlir::Location loc, const llvm::Twine &message);

/// Hands `error` to the diagnostics of the context, at its own location or else at `fallback`.
void emitDiagnostic(llvm::Error error, mlir::Location fallback);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_INTERPRETER_H
