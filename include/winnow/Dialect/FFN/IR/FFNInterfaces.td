//===- FFNInterfaces.td - interfaces of the ffn dialect -----------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_IR_FFNINTERFACES_TD
#define WINNOW_DIALECT_FFN_IR_FFNINTERFACES_TD

include "mlir/IR/OpBase.td"

def FFN_ActivationOpInterface : OpInterface<"ActivationOpInterface"> {
  let cppNamespace = "::winnow::ffn";
  let description = [{
    An element-wise activation function of one variable. Everything that the compiler knows of an activation it asks
    here, so that adding one means adding one operation: a matrix of f32, bf16 or f16 in, one of the same shape out
    (E1).
  }];
  let verify = [{ return ::winnow::ffn::verifyActivation($_op); }];
  let methods = [
    InterfaceMethod<"True if the function is zero on an interval, so that its output can be sparse.",
      "bool", "producesZeros", (ins)>,
    InterfaceMethod<"Expected density of the output where nothing is annotated: 0.5 for the ReLU family, 1 for others.",
      "double", "getDefaultDensity", (ins)>,
    InterfaceMethod<"True if f(x) is never negative and never decreases with x.",
      "bool", "isMonotoneNonNegative", (ins)>,
    InterfaceMethod<"True if every machine computes the same bits; false where a library function such as exp is involved.",
      "bool", "isExact", (ins)>,
    InterfaceMethod<"The value at x, in f32 arithmetic exactly as docs/ffn-spec.md defines it.",
      "float", "evaluate", (ins "float":$x)>,
    InterfaceMethod<"Builds the function of an f32 by arith and math operations that compute what `evaluate` does.",
      "::mlir::Value", "buildScalarBody",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$x)>,
  ];
}

#endif // WINNOW_DIALECT_FFN_IR_FFNINTERFACES_TD
