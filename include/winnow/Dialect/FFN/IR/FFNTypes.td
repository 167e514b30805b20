//===- FFNTypes.td - types of the ffn dialect ---------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_IR_FFNTYPES_TD
#define WINNOW_DIALECT_FFN_IR_FFNTYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "winnow/Dialect/FFN/IR/FFNDialect.td"

def FFN_Sparse24Type : TypeDef<FFN_Dialect, "Sparse24"> {
  let mnemonic = "sparse24";
  let summary = "a matrix compressed 2:4 along one axis";
  let description = [{
    The two kept values and the two 2-bit positions of every group of four consecutive elements along `axis`. The shape
    is the logical one, before compression. How it lies in memory is the business of the `kern` dialect.

    Constraints (T1): rank 2. (T2): element type f8E4M3FN, f8E5M2, bf16 or f16. (T3): axis 0 or 1. (T4): a static extent
    along the axis is a multiple of 4; a dynamic one is completed with zeros to the next multiple of 4.

    Example: `!ffn.sparse24<?x28672xf8E4M3FN, axis = 1>` (token-wise: groups of four features of one token).
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType, "int64_t":$axis);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    /// The dense tensor type of the same shape and element type.
    ::mlir::RankedTensorType getDenseType() const;
  }];
}

#endif // WINNOW_DIALECT_FFN_IR_FFNTYPES_TD
