//===- Evaluate.cpp - expectations during interpretation ----------------------------------------------------------===//

#include "winnow/Dialect/Check/IR/Check.h"
#include "winnow/Interpreter/Compare.h"
#include "winnow/Interpreter/RandomInputs.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace winnow::check {

using interp::TensorRef;
using Results = llvm::Expected<llvm::SmallVector<TensorRef>>;

static llvm::Error failure(Operation *op, const llvm::Twine &message) {
  return interp::errorAt(op->getLoc(), "'" + op->getName().getStringRef() + "' " + message);
}

static Results expectEq(ExpectEqOp op, const interp::Tensor &actual, const interp::Tensor &expected) {
  Result<interp::Comparison> comparison = interp::compare(actual, expected);
  if (!comparison)
    return failure(op, comparison.message());
  if (!comparison->identical())
    return failure(op, "failed: " + interp::describe(*comparison, actual, expected));
  return llvm::SmallVector<TensorRef>();
}

static Results expectClose(ExpectCloseOp op, const interp::Tensor &actual, const interp::Tensor &expected) {
  Result<interp::Comparison> comparison = interp::compare(actual, expected);
  if (!comparison)
    return failure(op, comparison.message());
  // Negated, so that an error that is NaN fails too.
  if (comparison->nanMismatches != 0 || !(comparison->relative <= op.getMaxRelative().convertToDouble()))
    return failure(op, "failed: " + interp::describe(*comparison, actual, expected));
  return llvm::SmallVector<TensorRef>();
}

static Results random(RandomOp op) {
  llvm::Expected<interp::InputType> type = interp::inputTypeFor(op.getResult().getType(), "random", op.getLoc());
  if (!type)
    return type.takeError();
  interp::RandomOptions options;
  options.seed = op.getSeed();
  options.tokens = op.getTokens();
  options.exact = op.getExact();
  options.specialRows = op.getSpecialRows();
  Result<std::vector<interp::Tensor>> tensors = interp::randomInputs({*type}, options);
  if (!tensors)
    return failure(op, tensors.message());
  return llvm::SmallVector<TensorRef>{std::make_shared<const interp::Tensor>(std::move(tensors->front()))};
}

Results evaluate(Operation *op, llvm::ArrayRef<TensorRef> operands) {
  return llvm::TypeSwitch<Operation *, Results>(op)
      .Case([&](ExpectEqOp known) { return expectEq(known, *operands[0], *operands[1]); })
      .Case([&](ExpectCloseOp known) { return expectClose(known, *operands[0], *operands[1]); })
      .Case([&](RandomOp known) { return random(known); })
      .Default([](Operation *unknown) -> Results { return failure(unknown, "is not known to the interpreter"); });
}

} // namespace winnow::check
