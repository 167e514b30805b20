//===- Evaluate.cpp - from operations to the reference arithmetic -------------------------------------------------===//

#include "Evaluate.h"

#include "winnow/Interpreter/Reference.h"

using namespace mlir;

namespace winnow::interp {

template <typename... Tensors> static llvm::SmallVector<TensorRef> resultsOf(Tensors &&...tensors) {
  return {std::make_shared<const Tensor>(std::move(tensors))...};
}

static llvm::Error failureOf(Operation *op, const Error &error) {
  return errorAt(op->getLoc(), "'" + op->getName().getStringRef() + "' " + error.message);
}

/// The results of an operation with one result.
static Results single(Operation *op, Result<Tensor> result) {
  if (!result)
    return failureOf(op, result.error());
  return resultsOf(std::move(*result));
}

/// The verifiers admit no other element types where results stand.
static rt::ElementType elementOf(Type tensor) {
  return elementTypeFor(cast<RankedTensorType>(tensor).getElementType()).value_or(rt::ElementType::f32);
}

static ScaleGranularity granularityFor(ffn::Granularity granularity) {
  switch (granularity) {
  case ffn::Granularity::Tensor:
    return ScaleGranularity::tensor;
  case ffn::Granularity::Row:
    return ScaleGranularity::row;
  case ffn::Granularity::Column:
    return ScaleGranularity::column;
  }
  return ScaleGranularity::tensor;
}

Results evaluate(ffn::MatmulOp op, Operands operands) {
  size_t next = 0;
  auto take = [&](Value value) { return value ? operands[next++].get() : nullptr; };
  MatmulOperands product;
  product.lhs = take(op.getLhs());
  product.lhsScale = take(op.getLhsScale());
  product.rhs = take(op.getRhs());
  product.rhsScale = take(op.getRhsScale());
  product.transposeLhs = op.getTransposeLhs();
  product.transposeRhs = op.getTransposeRhs();
  return single(op, matmul(product, elementOf(op.getType())));
}

Results evaluate(ffn::ActivationOpInterface op, Operands operands) {
  return resultsOf(
      mapElements(*operands[0], elementOf(op->getResult(0).getType()), [&](float x) { return op.evaluate(x); }));
}

Results evaluate(ffn::QuantizeOp op, Operands operands) {
  ScaleGranularity granularity = granularityFor(op.getGranularity());
  rt::ElementType element = elementOf(op.getValues().getType());
  if (!op.isDynamic())
    return single(op, quantize(*operands[0], *operands[1], granularity, element));
  Result<Tensor> scale = dynamicScale(*operands[0], granularity, element);
  if (!scale)
    return failureOf(op, scale.error());
  Result<Tensor> values = quantize(*operands[0], *scale, granularity, element);
  if (!values)
    return failureOf(op, values.error());
  return resultsOf(std::move(*values), std::move(*scale));
}

Results evaluate(ffn::DynamicScaleOp op, Operands operands) {
  std::optional<rt::ElementType> element = elementTypeFor(op.getElement());
  return single(
      op, dynamicScale(*operands[0], granularityFor(op.getGranularity()), element.value_or(rt::ElementType::f32)));
}

Results evaluate(ffn::SparsifyOp op, Operands operands) {
  const Tensor *under = op.getUnder() ? operands[1].get() : nullptr;
  Result<Sparsified> result = sparsify(*operands[0], static_cast<int>(op.getAxis()), under);
  if (!result)
    return failureOf(op, result.error());
  return resultsOf(std::move(result->values), std::move(result->mask));
}

Results evaluate(ffn::CompressOp op, Operands operands) {
  return single(op, compress(*operands[0], *operands[1], static_cast<int>(op.getResult().getType().getAxis())));
}

Results evaluate(ffn::DecompressOp op, Operands operands) { return single(op, decompress(*operands[0])); }

Results evaluate(ffn::CountNonzeroOp op, Operands operands) { return single(op, countNonzero(*operands[0])); }

} // namespace winnow::interp
