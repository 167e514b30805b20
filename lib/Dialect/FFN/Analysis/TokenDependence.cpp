//===- TokenDependence.cpp - whether tokens are computed by themselves --------------------------------------------===//

#include "winnow/Dialect/FFN/Analysis/TokenDependence.h"

#include "winnow/Dialect/FFN/Analysis/TensorCore.h"
#include "winnow/Dialect/FFN/IR/FFN.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace winnow::ffn;

namespace {

/// What a value depends on. In the order of increasing knowledge lost.
enum class Dependence {
  none,  ///< no token
  row,   ///< row r of the value: token r alone
  mixed, ///< several tokens at once, or tokens that are not the rows
};

class TokenDependence {
public:
  explicit TokenDependence(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      values[argument] = ofInput(argument.getType());
    for (Operation &op : function.getBody().front().without_terminator()) {
      Dependence result = transfer(op);
      for (Value value : op.getResults())
        values[value] = result;
    }
  }

  Dependence of(Value value) const { return value ? values.lookup(value) : Dependence::none; }

private:
  static Dependence ofInput(Type type) {
    if (!isa<RankedTensorType, Sparse24Type>(type))
      return Dependence::mixed;
    ArrayRef<int64_t> shape = getMatrixShape(type);
    if (!ShapedType::isDynamicShape(shape))
      return Dependence::none;
    return ShapedType::isDynamic(shape.front()) && !ShapedType::isDynamicShape(shape.drop_front()) ? Dependence::row
                                                                                                   : Dependence::mixed;
  }

  /// Of an operation that looks at one row at a time if `rowWise`, else at all.
  Dependence join(ValueRange operands, bool rowWise) const {
    Dependence joined = Dependence::none;
    for (Value operand : operands)
      joined = std::max(joined, of(operand));
    return joined == Dependence::row && !rowWise ? Dependence::mixed : joined;
  }

  Dependence transfer(Operation &op) const {
    return TypeSwitch<Operation *, Dependence>(&op)
        .Case<ActivationOpInterface, DecompressOp>([&](auto op) { return join(op->getOperands(), true); })
        .Case([&](SparsifyOp op) { return join(op->getOperands(), op.getAxis() == 1); })
        .Case([&](CompressOp op) { return join(op->getOperands(), op.getResult().getType().getAxis() == 1); })
        .Case([&](QuantizeOp op) {
          // With given scales an element depends on its own scale only. Of these, one by row belongs to the token.
          bool rowWise = op.getGranularity() == Granularity::Row ||
                         (op.getGivenScale() && of(op.getGivenScale()) == Dependence::none);
          return join(op->getOperands(), rowWise);
        })
        .Case([&](DynamicScaleOp op) { return join(op->getOperands(), op.getGranularity() == Granularity::Row); })
        .Case([&](MatmulOp op) {
          // Row m of the product is of row m of the left operand, and of all of the right one.
          bool rowWise = !op.getTransposeLhs() && of(op.getRhs()) == Dependence::none &&
                         of(op.getRhsScale()) == Dependence::none && of(op.getLhs()) == Dependence::row;
          return join(op->getOperands(), rowWise);
        })
        .Default([&](Operation *) { return Dependence::mixed; });
  }

  DenseMap<Value, Dependence> values;
};

} // namespace

bool winnow::ffn::isTokenWise(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return false;
  TokenDependence dependence(function);
  return llvm::none_of(function.getBody().front().getTerminator()->getOperands(),
                       [&](Value result) { return dependence.of(result) == Dependence::mixed; });
}

bool winnow::ffn::hasDynamicTokens(func::FuncOp function) {
  auto isDynamic = [](Type type) {
    if (auto sparse = dyn_cast<Sparse24Type>(type))
      return ShapedType::isDynamicShape(sparse.getShape());
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && shaped.hasRank() && !shaped.hasStaticShape();
  };
  return llvm::any_of(function.getArgumentTypes(), isDynamic) || llvm::any_of(function.getResultTypes(), isDynamic);
}
