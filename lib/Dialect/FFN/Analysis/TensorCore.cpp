//===- TensorCore.cpp - which products the tensor cores can take --------------------------------------------------===//

#include "winnow/Dialect/FFN/Analysis/TensorCore.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace winnow::ffn;

ArrayRef<int64_t> winnow::ffn::getMatrixShape(Type type) {
  if (auto sparse = dyn_cast<Sparse24Type>(type))
    return sparse.getShape();
  return cast<RankedTensorType>(type).getShape();
}

Type winnow::ffn::getMatrixElementType(Type type) {
  if (auto sparse = dyn_cast<Sparse24Type>(type))
    return sparse.getElementType();
  return cast<RankedTensorType>(type).getElementType();
}

Precision winnow::ffn::getPrecision(Type elementType) {
  switch (elementType.getIntOrFloatBitWidth()) {
  case 8:
    return Precision::f8;
  case 16:
    return Precision::b16;
  default:
    return Precision::f32;
  }
}

/// Bytes between rows that the tensor memory accelerator can step by (CUDA driver API, cuTensorMapEncodeTiled).
static constexpr int64_t kRowAlignment = 16;

static std::optional<Obstacle> findRowObstacle(StringRef operand, int64_t k, Type elementType) {
  if (ShapedType::isDynamic(k))
    return Obstacle{Cause::shape, llvm::formatv("the rows of {0} have a dynamic length, and must be known to be a "
                                                "multiple of {1} bytes",
                                                operand, kRowAlignment)};
  int64_t bytes = k * (elementType.getIntOrFloatBitWidth() / 8);
  if (bytes % kRowAlignment != 0)
    return Obstacle{Cause::shape, llvm::formatv("the rows of {0} are {1} bytes long, not a multiple of {2}", operand,
                                                bytes, kRowAlignment)};
  return std::nullopt;
}

std::optional<Obstacle> winnow::ffn::findTensorCoreObstacle(MatmulOp op, bool sparseLhs) {
  Type lhsElement = getMatrixElementType(op.getLhs().getType());
  if (getPrecision(lhsElement) == Precision::f32)
    return Obstacle{Cause::elementType, "the tensor cores take no operands of f32"};
  if (!sparseLhs && !op.getTransposeLhs())
    if (auto obstacle = findRowObstacle("the left operand", op.getK(), lhsElement))
      return obstacle;
  if (op.getTransposeRhs())
    return findRowObstacle("the right operand", getMatrixShape(op.getRhs().getType())[1],
                           getMatrixElementType(op.getRhs().getType()));
  return std::nullopt;
}
