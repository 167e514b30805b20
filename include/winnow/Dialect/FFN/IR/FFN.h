//===- FFN.h - the ffn dialect ------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_IR_FFN_H
#define WINNOW_DIALECT_FFN_IR_FFN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "winnow/Dialect/FFN/IR/FFNDialect.h.inc"

namespace winnow::ffn {

/// Constraint G1: every static extent lies in [1, 2^31 - 1].
bool hasLegalExtents(llvm::ArrayRef<int64_t> shape);

/// Constraint E1: the result of an element-wise operation has the shape of its operand.
mlir::LogicalResult verifyActivation(mlir::Operation *op);

} // namespace winnow::ffn

#include "winnow/Dialect/FFN/IR/FFNEnums.h.inc"
#include "winnow/Dialect/FFN/IR/FFNInterfaces.h.inc"

#define GET_TYPEDEF_CLASSES
#include "winnow/Dialect/FFN/IR/FFNTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "winnow/Dialect/FFN/IR/FFNAttrs.h.inc"

#define GET_OP_CLASSES
#include "winnow/Dialect/FFN/IR/FFNOps.h.inc"

namespace winnow::ffn {

/// Names of the discardable attributes that the dialect defines.
inline constexpr llvm::StringLiteral kSparsityAttrName = "ffn.sparsity";
inline constexpr llvm::StringLiteral kLayoutAttrName = "ffn.layout";
inline constexpr llvm::StringLiteral kWeightAttrName = "ffn.weight";

} // namespace winnow::ffn

#endif // WINNOW_DIALECT_FFN_IR_FFN_H
