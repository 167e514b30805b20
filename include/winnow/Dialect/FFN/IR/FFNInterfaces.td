//===- FFNInterfaces.td - interfaces of the ffn dialect -----------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_IR_FFNINTERFACES_TD
#define WINNOW_DIALECT_FFN_IR_FFNINTERFACES_TD

include "mlir/IR/OpBase.td"

def FFN_ActivationOpInterface : OpInterface<"ActivationOpInterface"> {
  let cppNamespace = "::winnow::ffn";
  let description = [{
    An element-wise activation function of one variable. Everything that the compiler knows of an activation it asks
    here, so that adding one means adding one operation: a matrix of f32, bf16 or f16 in, one of the same shape out (E1).
  }];
  let verify = [{ return ::winnow::ffn::verifyActivation($_op); }];
  let methods = [
    InterfaceMethod<"True if the function is exactly zero on a set of inputs of positive measure, so that its output can be sparse.",
      "bool", "producesZeros", (ins)>,
    InterfaceMethod<"Expected density of the output where nothing is annotated (0.5 for the ReLU family at initialisation, 1 for smooth functions).",
      "double", "getDefaultDensity", (ins)>,
    InterfaceMethod<"True if f(x) is non-negative and non-decreasing in x, so that selection may compare x clamped at zero instead of f(x).",
      "bool", "isMonotoneNonNegative", (ins)>,
    InterfaceMethod<"The value at x, in f32 arithmetic exactly as docs/ffn-spec.md defines it.",
      "float", "evaluate", (ins "float":$x)>,
    InterfaceMethod<"Builds the function on the f32 scalar `x` with arith and math operations; same arithmetic as `evaluate`.",
      "::mlir::Value", "buildScalarBody", (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$x)>,
  ];
}

#endif // WINNOW_DIALECT_FFN_IR_FFNINTERFACES_TD
