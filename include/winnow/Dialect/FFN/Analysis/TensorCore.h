//===- TensorCore.h - which products the tensor cores can take ----------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_ANALYSIS_TENSORCORE_H
#define WINNOW_DIALECT_FFN_ANALYSIS_TENSORCORE_H

#include "winnow/Dialect/FFN/Analysis/CostModel.h"
#include "winnow/Dialect/FFN/IR/FFN.h"

#include <optional>
#include <string>

namespace winnow::ffn {

/// Shape and element type of a dense or compressed matrix.
llvm::ArrayRef<int64_t> getMatrixShape(mlir::Type type);
mlir::Type getMatrixElementType(mlir::Type type);

/// The precision class of an element type of the dialect.
Precision getPrecision(mlir::Type elementType);

struct Obstacle {
  Cause cause;
  std::string reason;
};

/// What keeps `op` from the warpgroup matrix instructions, or nothing. They take f8 with f8 of either kind, bf16 with
/// bf16, f16 with f16; and the tensor memory accelerator needs rows of a multiple of 16 bytes where an operand is read
/// as it lies, that is with the reduction axis contiguous. `sparseLhs`: the left operand is, or is to be, compressed.
std::optional<Obstacle> findTensorCoreObstacle(MatmulOp op, bool sparseLhs);

} // namespace winnow::ffn

#endif // WINNOW_DIALECT_FFN_ANALYSIS_TENSORCORE_H
