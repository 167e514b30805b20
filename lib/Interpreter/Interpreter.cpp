//===- Interpreter.cpp - walks a function and evaluates its operations --------------------------------------------===//

#include "winnow/Interpreter/Interpreter.h"

#include "Evaluate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace winnow::interp {
namespace {

std::string textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

class Interpreter {
public:
  explicit Interpreter(const InterpreterOptions &options) : options(options) {}

  /// Evaluates `block` on `inputs` and gives the operands of its terminator.
  Results runBlock(Block &block, Operands inputs, Location loc) {
    if (inputs.size() != block.getNumArguments())
      return errorAt(loc,
                     "expects " + llvm::Twine(block.getNumArguments()) + " inputs, got " + llvm::Twine(inputs.size()));
    for (auto [index, argument, input] : llvm::enumerate(block.getArguments(), inputs))
      if (llvm::Error error = bind(argument, input, loc, "input " + llvm::Twine(index)))
        return error;
    for (Operation &op : block) {
      llvm::SmallVector<TensorRef> operands;
      if (llvm::Error error = takeOperands(op, operands))
        return error;
      if (op.hasTrait<OpTrait::IsTerminator>())
        return operands;
      Results results = runOperation(&op, operands);
      if (!results)
        return results.takeError();
      if (results->size() != op.getNumResults())
        return errorAt(op.getLoc(), "'" + op.getName().getStringRef() + "' expects " + llvm::Twine(op.getNumResults()) +
                                        " results, got " + llvm::Twine(results->size()));
      for (auto [index, value, result] : llvm::enumerate(op.getResults(), *results))
        if (llvm::Error error =
                bind(value, result, op.getLoc(), "'" + op.getName().getStringRef() + "' result " + llvm::Twine(index)))
          return error;
    }
    return errorAt(loc, "expects a block with a terminator");
  }

private:
  struct Slot {
    TensorRef tensor;
    size_t usesLeft;
  };

  /// Gives `tensor` to `value` after checking that it has the type of `value`, dynamic extents being one token count.
  llvm::Error bind(Value value, TensorRef tensor, Location loc, const llvm::Twine &what) {
    if (llvm::Error error = checkType(value.getType(), *tensor, loc, what))
      return error;
    size_t uses = std::distance(value.use_begin(), value.use_end());
    if (uses != 0)
      slots[value] = {std::move(tensor), uses};
    return llvm::Error::success();
  }

  llvm::Error checkType(Type type, const Tensor &tensor, Location loc, const llvm::Twine &what) {
    llvm::ArrayRef<int64_t> shape;
    Type element;
    int sparseAxis = -1;
    if (auto sparse = dyn_cast<ffn::Sparse24Type>(type)) {
      shape = sparse.getShape();
      element = sparse.getElementType();
      sparseAxis = static_cast<int>(sparse.getAxis());
    } else if (auto dense = dyn_cast<RankedTensorType>(type)) {
      shape = dense.getShape();
      element = dense.getElementType();
    } else {
      return errorAt(loc, what + " expects a ranked tensor or a sparse24 type, got " + textOf(type));
    }
    bool fits = elementTypeFor(element) == tensor.element() && shape.size() == tensor.shape().size() &&
                sparseAxis == tensor.sparseAxis;
    for (size_t i = 0; fits && i < shape.size(); ++i)
      fits = ShapedType::isDynamic(shape[i]) || shape[i] == tensor.shape()[i];
    if (!fits)
      return errorAt(loc, what + " expects " + textOf(type) + ", got " + typeText(tensor));
    for (size_t i = 0; i < shape.size(); ++i) {
      if (!ShapedType::isDynamic(shape[i]))
        continue;
      if (!tokens)
        tokens = tensor.shape()[i];
      if (*tokens != tensor.shape()[i])
        return errorAt(loc, what + " expects " + llvm::Twine(*tokens) +
                                " tokens, as every dynamic extent before it, got " + llvm::Twine(tensor.shape()[i]) +
                                " (" + typeText(tensor) + ")");
    }
    return llvm::Error::success();
  }

  llvm::Error takeOperands(Operation &op, llvm::SmallVectorImpl<TensorRef> &operands) {
    for (Value operand : op.getOperands()) {
      auto slot = slots.find(operand);
      if (slot == slots.end())
        return errorAt(op.getLoc(),
                       "'" + op.getName().getStringRef() + "' uses a value from outside what is interpreted");
      operands.push_back(slot->second.tensor);
      if (--slot->second.usesLeft == 0)
        slots.erase(slot);
    }
    return llvm::Error::success();
  }

  Results runOperation(Operation *op, Operands operands) {
    return llvm::TypeSwitch<Operation *, Results>(op)
        .Case<ffn::MatmulOp, ffn::QuantizeOp, ffn::DynamicScaleOp, ffn::SparsifyOp, ffn::CompressOp, ffn::DecompressOp,
              ffn::CountNonzeroOp, ffn::ActivationOpInterface>([&](auto known) { return evaluate(known, operands); })
        .Case<ffn::KernelOp>(
            [&](ffn::KernelOp kernel) { return runBlock(kernel.getBody().front(), operands, kernel.getLoc()); })
        .Case<arith::ConstantOp>([&](arith::ConstantOp constant) -> Results {
          llvm::Expected<Tensor> tensor = tensorFromAttribute(constant.getValue(), constant.getLoc());
          if (!tensor)
            return tensor.takeError();
          return llvm::SmallVector<TensorRef>{std::make_shared<const Tensor>(std::move(*tensor))};
        })
        .Default([&](Operation *unknown) -> Results {
          if (options.evaluateUnknown)
            return options.evaluateUnknown(unknown, operands);
          return errorAt(unknown->getLoc(), "the interpreter does not know '" + unknown->getName().getStringRef() +
                                                "'; it evaluates ffn operations, arith.constant and ffn.kernel");
        });
  }

  const InterpreterOptions &options;
  std::optional<int64_t> tokens;
  llvm::DenseMap<Value, Slot> slots;
};

} // namespace

llvm::Expected<llvm::SmallVector<TensorRef>> interpret(func::FuncOp function, llvm::ArrayRef<TensorRef> inputs,
                                                       const InterpreterOptions &options) {
  if (!function.getBody().hasOneBlock())
    return errorAt(function.getLoc(), "the interpreter expects function @" + function.getName() +
                                          " to have one block, got " +
                                          llvm::Twine(function.getBody().getBlocks().size()));
  return Interpreter(options).runBlock(function.getBody().front(), inputs, function.getLoc());
}

llvm::Expected<llvm::SmallVector<Tensor>> interpret(func::FuncOp function, llvm::ArrayRef<Tensor> inputs) {
  llvm::SmallVector<TensorRef> references;
  for (const Tensor &input : inputs)
    references.emplace_back(TensorRef(), &input);
  Results results = interpret(function, references, {});
  if (!results)
    return results.takeError();
  llvm::SmallVector<Tensor> tensors;
  for (const TensorRef &result : *results)
    tensors.push_back(*result);
  return tensors;
}

llvm::Expected<llvm::SmallVector<TensorRef>> interpretKernel(ffn::KernelOp kernel, llvm::ArrayRef<TensorRef> inputs) {
  InterpreterOptions options;
  return Interpreter(options).runBlock(kernel.getBody().front(), inputs, kernel.getLoc());
}

} // namespace winnow::interp
