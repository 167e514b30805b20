//===- FFNAttrs.td - attributes of the ffn dialect ----------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_IR_FFNATTRS_TD
#define WINNOW_DIALECT_FFN_IR_FFNATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "winnow/Dialect/FFN/IR/FFNDialect.td"

def FFN_Granularity : I32EnumAttr<"Granularity", "which elements share one quantisation scale", [
    I32EnumAttrCase<"Tensor", 0, "tensor">, I32EnumAttrCase<"Row", 1, "row">, I32EnumAttrCase<"Column", 2, "column">]> {
  let cppNamespace = "::winnow::ffn";
  let genSpecializedAttr = 0;
}
def FFN_GranularityAttr : EnumAttr<FFN_Dialect, FFN_Granularity, "granularity"> {
  let assemblyFormat = "$value";
}

def FFN_Layout : I32EnumAttr<"Layout", "how the sparse operand of a matrix product is presented to the tensor core", [
    I32EnumAttrCase<"Dense", 0, "dense">, I32EnumAttrCase<"TokenWise", 1, "token_wise">,
    I32EnumAttrCase<"FeatureWise", 2, "feature_wise">]> {
  let cppNamespace = "::winnow::ffn";
  let genSpecializedAttr = 0;
}
def FFN_LayoutAttr : EnumAttr<FFN_Dialect, FFN_Layout, "layout"> {
  let assemblyFormat = "`<` $value `>`";
}

def FFN_SparsityAttr : AttrDef<FFN_Dialect, "Sparsity"> {
  let mnemonic = "sparsity";
  let summary = "what is expected of the zeros of a tensor";
  let description = [{
    - `density`: expected fraction of elements that are not zero, in [0, 1] (A1);
    - `max_drop`: the greatest expected fraction of the non-zero elements that the compiler may drop to reach 2:4, in
      [0, 1] (A2); 0, the default, forbids dropping: then only an explicit `ffn.sparsify` makes a tensor 2:4;
    - `profile`: optional density per feature (column of the matrix), each in [0, 1] (A3), as many as features (A4); the
      latter is checked where the attribute is attached. It is a list, or a dense tensor of rank 1; longer ones are
      printed as the latter.

    Example: `#ffn.sparsity<density = 8.0e-2, max_drop = 5.0e-2>`.
  }];
  let parameters = (ins APFloatParameter<"expected density">:$densityValue,
                        APFloatParameter<"greatest drop">:$maxDropValue,
                        OptionalParameter<"::mlir::DenseF32ArrayAttr">:$profile);
  let builders = [
    AttrBuilder<(ins "double":$density, CArg<"double", "0.0">:$maxDrop,
                     CArg<"::mlir::DenseF32ArrayAttr", "{}">:$profile), [{
      return $_get($_ctxt, ::llvm::APFloat(density), ::llvm::APFloat(maxDrop), profile);
    }]>,
  ];
  let extraClassDeclaration = [{
    double getDensity() const { return getDensityValue().convertToDouble(); }
    double getMaxDrop() const { return getMaxDropValue().convertToDouble(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // WINNOW_DIALECT_FFN_IR_FFNATTRS_TD
