//===- FFNDialect.td - the ffn dialect ----------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_IR_FFNDIALECT_TD
#define WINNOW_DIALECT_FFN_IR_FFNDIALECT_TD

include "mlir/IR/OpBase.td"

def FFN_Dialect : Dialect {
  let name = "ffn";
  let cppNamespace = "::winnow::ffn";
  let summary = "transformer feed-forward networks with sparse activations";
  let description = [{
    What is computed, on tensors, with no word on how. The meaning of every operation is docs/ffn-spec.md, which the CPU
    reference interpreter implements literally; constraints are numbered there and quoted here and in the tests.

    The discardable attribute `ffn.sparsity` (a `#ffn.sparsity`) may stand on any operation with exactly one matrix of
    floating-point numbers among its results (it speaks of that result) and on any function argument that is such a
    matrix (A5). It promises nothing about meaning except through `max_drop`: see "Relaxation" in the specification.

    The discardable attribute `ffn.layout` (a `#ffn.layout`) on an `ffn.matmul` records the layout that was chosen for
    its left operand (L1).

    The unit attribute `ffn.weight` on a function argument (W1), a tensor of static shape (W2), says that its contents
    stay the same from call to call, so that they may be laid out once.

    Everywhere: (G1) static extents lie in [1, 2^31 - 1]. (G2) where two extents must agree, they are the same number,
    or both dynamic: every dynamic extent of a function is the same number, its token count.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif // WINNOW_DIALECT_FFN_IR_FFNDIALECT_TD
