//===- FFNOps.td - operations of the ffn dialect ------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_IR_FFNOPS_TD
#define WINNOW_DIALECT_FFN_IR_FFNOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "winnow/Dialect/FFN/IR/FFNAttrs.td"
include "winnow/Dialect/FFN/IR/FFNInterfaces.td"
include "winnow/Dialect/FFN/IR/FFNTypes.td"

//===--------------------------------------------------------------------------------------------------------------===//
// Types that operands may have
//===--------------------------------------------------------------------------------------------------------------===//


// G1: every static extent of every tensor of the dialect lies in [1, 2^31 - 1].
def FFN_LegalExtents : CPred<"::winnow::ffn::hasLegalExtents(::llvm::cast<::mlir::ShapedType>($_self).getShape())">;
class FFN_TensorOf<list<int> ranks, list<Type> elements, string what>
    : Type<And<[RankedTensorOf<elements, [HasAnyRankOfPred<ranks>]>.predicate, FFN_LegalExtents]>,
           what # " with extents from 1 to 2147483647", "::mlir::RankedTensorType">;
def FFN_Matrix : FFN_TensorOf<[2], [F32, BF16, F16, F8E4M3FN, F8E5M2],
                              "matrix (rank-2 tensor) of f32, bf16, f16, f8E4M3FN or f8E5M2">;
def FFN_WideMatrix : FFN_TensorOf<[2], [F32, BF16, F16], "matrix (rank-2 tensor) of f32, bf16 or f16">;
def FFN_QuantMatrix : FFN_TensorOf<[2], [F8E4M3FN, F8E5M2], "matrix (rank-2 tensor) of f8E4M3FN or f8E5M2">;
def FFN_Mask : FFN_TensorOf<[2], [I1], "mask (rank-2 tensor of i1)">;
def FFN_Scale : FFN_TensorOf<[0, 1], [F32], "scale (tensor of f32 of rank 0 or 1)">;
def FFN_Counts : FFN_TensorOf<[1], [I32], "counts (rank-1 tensor of i32)">;
def FFN_MatrixOrSparse : AnyTypeOf<[FFN_Matrix, FFN_Sparse24Type]>;

class FFN_Op<string mnemonic, list<Trait> traits = []> : Op<FFN_Dialect, mnemonic, traits>;

//===--------------------------------------------------------------------------------------------------------------===//
// Matrix product
//===--------------------------------------------------------------------------------------------------------------===//

def FFN_MatmulOp : FFN_Op<"matmul", [Pure, AttrSizedOperandSegments]> {
  let summary = "matrix product with scales";
  let description = [{
    result[m, n] = round(acc[m, n] * (lhs_scale[m] * rhs_scale[n])), acc[m, n] = sum over k of L[m, k] * R[k, n]

    where L is `lhs`, transposed if `transpose_lhs` is present, R likewise, and an absent scale is 1. The sum is
    accumulated in f32, in f64 or as the tensor core does it, in any order; the scales are multiplied with each other
    first, in f32, then with the sum, in f32; `round` is round-to-nearest-even to the element type of the result.

    A scale of rank 0 speaks of the whole operand; of rank 1, of the rows of L or the columns of R.

    Constraints: (M1) L and R agree along the reduction axis. (M2) The result is M x N. (M3) A rank-1 `lhs_scale` has M
    elements, a rank-1 `rhs_scale` N. (M4) A `sparse24` operand stands on the left and its axis is the reduction axis:
    1 without `transpose_lhs`, 0 with it. (M5) lhs and rhs are both f8 (either kind), or have the same element type.
    (M6) The result is f32, bf16 or f16.

    Example:
    ```mlir
    func.func @product(%x: tensor<?x4096xf8E4M3FN>, %sx: tensor<?xf32>, %w: tensor<16384x4096xf8E4M3FN>,
                       %sw: tensor<16384xf32>) -> tensor<?x16384xbf16> {
      %y = ffn.matmul %x scaled %sx, %w scaled %sw {transpose_rhs}
       : (tensor<?x4096xf8E4M3FN>, tensor<?xf32>, tensor<16384x4096xf8E4M3FN>, tensor<16384xf32>)
       -> tensor<?x16384xbf16>
      return %y : tensor<?x16384xbf16>
    }
    ```
    Lowers to one `kern.gemm`.
  }];
  let arguments = (ins FFN_MatrixOrSparse:$lhs, Optional<FFN_Scale>:$lhs_scale, FFN_Matrix:$rhs,
                       Optional<FFN_Scale>:$rhs_scale, UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs);
  let results = (outs FFN_WideMatrix:$result);
  let assemblyFormat = [{
    $lhs (`scaled` $lhs_scale^)? `,` $rhs (`scaled` $rhs_scale^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Extents of the product; `ShapedType::kDynamic` where dynamic.
    int64_t getM();
    int64_t getN();
    int64_t getK();
    /// The axis of `lhs` (0 or 1) that is summed over.
    int64_t getLhsReductionAxis() { return getTransposeLhs() ? 0 : 1; }
    bool isSparse() { return ::mlir::isa<Sparse24Type>(getLhs().getType()); }
  }];
}

//===--------------------------------------------------------------------------------------------------------------===//
// Activations
//===--------------------------------------------------------------------------------------------------------------===//

class FFN_ActivationOp<string mnemonic> : FFN_Op<mnemonic,
    [Pure, DeclareOpInterfaceMethods<FFN_ActivationOpInterface>]> {
  let arguments = (ins FFN_WideMatrix:$input);
  let results = (outs FFN_WideMatrix:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def FFN_Relu2Op : FFN_ActivationOp<"relu2"> {
  let summary = "squared rectifier";
  let description = [{
    result = round(r * r), r = maximum(x, 0) in f32; NaN stays NaN.

    Constraints, as for every activation: (E1) the result has the shape of the operand. (E2) operand and result are f32,
    bf16 or f16, not necessarily the same.

    Example:
    ```mlir
    func.func @activation(%x: tensor<?x16384xbf16>) -> tensor<?x16384xf32> {
      %y = ffn.relu2 %x : tensor<?x16384xbf16> -> tensor<?x16384xf32>
      return %y : tensor<?x16384xf32>
    }
    ```
  }];
}
def FFN_ReluOp : FFN_ActivationOp<"relu"> {
  let summary = "rectifier";
  let description = [{
    result = round(maximum(x, 0)); NaN stays NaN; -0.0 becomes 0.0.

    Example:
    ```mlir
    func.func @activation(%x: tensor<?x16384xbf16>) -> tensor<?x16384xbf16> {
      %y = ffn.relu %x : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
      return %y : tensor<?x16384xbf16>
    }
    ```
  }];
  let hasFolder = 1;
}
def FFN_GeluOp : FFN_ActivationOp<"gelu"> {
  let summary = "Gaussian error linear unit (exact, by erf)";
  let description = [{
    result = round(0.5 * x * (1 + erf(x * 0.70710678))) in f32. Never exactly zero on an interval: the compiler leaves
    products that consume it dense.

    Example:
    ```mlir
    func.func @activation(%x: tensor<?x16384xbf16>) -> tensor<?x16384xbf16> {
      %y = ffn.gelu %x : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
      return %y : tensor<?x16384xbf16>
    }
    ```
  }];
}
def FFN_SiluOp : FFN_ActivationOp<"silu"> {
  let summary = "sigmoid linear unit";
  let description = [{
    result = round(x / (1 + exp(-x))) in f32. Not sparse, as `ffn.gelu`.

    Example:
    ```mlir
    func.func @activation(%x: tensor<?x16384xbf16>) -> tensor<?x16384xbf16> {
      %y = ffn.silu %x : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
      return %y : tensor<?x16384xbf16>
    }
    ```
  }];
}

//===--------------------------------------------------------------------------------------------------------------===//
// Quantisation, selection, compression
//===--------------------------------------------------------------------------------------------------------------===//

def FFN_QuantizeOp : FFN_Op<"quantize", [Pure]> {
  let summary = "quantise to f8 with one scale per tensor, row or column";
  let description = [{
    values = saturate_round(x * (1 / s)) with s the scale of the element's tensor, row or column, in f32.

    With `given_scale` (static or delayed scaling) s is that operand and there is one result. Without it s is dynamic
    and is the second result: s = 1 where amax = 0, else max(amax / F, 2^-126), with amax the largest |x| over the
    tensor, row or column (NaN if any is NaN) and F = 448 for f8E4M3FN, 57344 for f8E5M2.

    Constraints: (Q1) values have the shape of the input and type f8E4M3FN or f8E5M2. (Q2) the scale has rank 0 for
    `tensor`, else rank 1 and the extent of the rows or columns. (Q3) exactly one of `given_scale` and the result
    `scale` is present.

    Example:
    ```mlir
    func.func @quantised(%x: tensor<?x64xbf16>, %t: tensor<f32>)
        -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xf8E4M3FN>) {
      %q, %s = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
      %p = ffn.quantize %x scaled %t by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
      return %q, %s, %p : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xf8E4M3FN>
    }
    ```
  }];
  let arguments = (ins FFN_WideMatrix:$input, Optional<FFN_Scale>:$given_scale, FFN_GranularityAttr:$granularity);
  let results = (outs FFN_QuantMatrix:$values, Optional<FFN_Scale>:$scale);
  let assemblyFormat = [{
    $input (`scaled` $given_scale^)? `by` custom<Granularity>($granularity) attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The scale in force: the result where dynamic, else the operand.
    ::mlir::Value getScaleInForce() { return getGivenScale() ? getGivenScale() : getScale(); }
    bool isDynamic() { return !getGivenScale(); }
  }];
}

def FFN_DynamicScaleOp : FFN_Op<"dynamic_scale", [Pure]> {
  let summary = "the scale that a dynamic quantisation would use";
  let description = [{
    The second result of a dynamic `ffn.quantize` to `element` of the same input, by itself: the compiler splits dynamic
    quantisation by tensor or column into this and a quantisation with a given scale, because the whole tensor has to be
    read before the first value can be written.

    Constraints: (N1) the result has rank 0 for `tensor`, else rank 1 and the extent of the rows or columns. (N2)
    element is f8E4M3FN or f8E5M2.

    Example:
    ```mlir
    func.func @column_scales(%x: tensor<?x4096xbf16>) -> tensor<4096xf32> {
      %s = ffn.dynamic_scale %x by column to f8E4M3FN : (tensor<?x4096xbf16>) -> tensor<4096xf32>
      return %s : tensor<4096xf32>
    }
    ```
  }];
  let arguments = (ins FFN_WideMatrix:$input, FFN_GranularityAttr:$granularity, TypeAttr:$element);
  let results = (outs FFN_Scale:$scale);
  let assemblyFormat = [{
    $input `by` custom<Granularity>($granularity) `to` $element attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def FFN_SparsifyOp : FFN_Op<"sparsify", [Pure]> {
  let summary = "keep the two largest of every four along one axis";
  let description = [{
    In every group of four consecutive elements along `axis` (1: token-wise, four features of one token; 0:
    feature-wise, four tokens of one feature) keeps the two of largest magnitude, lowest index first among equals, and
    sets the others to +0.0. `mask` is true at the two kept positions of every group, also where they hold zeros. -0.0
    is as small as +0.0; NaN is larger than anything, all NaNs alike.

    With `under`, elements where the earlier mask is false count as +0.0, and come out as +0.0 (mask nesting).

    A dynamic extent that is not a multiple of 4 is completed with zeros for the choice, which stand last and never win
    a tie: all of one or two elements are kept, two of three.

    Constraints: (S1) input, result and masks have one shape; result and input one type. (S2) axis 0 or 1. (S3) a static
    extent along the axis is a multiple of 4.

    Example:
    ```mlir
    func.func @nested(%y: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
      %v, %m = ffn.sparsify %y along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
      %u, %n = ffn.sparsify %y along 0 under %m
             : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
      return %v, %u : tensor<?x64xbf16>, tensor<?x64xbf16>
    }
    ```
  }];
  let arguments = (ins FFN_WideMatrix:$input, Optional<FFN_Mask>:$under, I64Attr:$axis);
  let results = (outs FFN_WideMatrix:$result, FFN_Mask:$mask);
  let assemblyFormat = [{
    $input `along` $axis (`under` $under^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def FFN_CompressOp : FFN_Op<"compress", [Pure]> {
  let summary = "compress a 2:4 matrix";
  let description = [{
    Keeps the values at the true positions of `mask`, in order of index, with their positions.

    Constraints: (C1) values and mask have the shape of the result. (C2) the element types agree. (C3) the mask holds
    exactly two true values in every group of four along the result's axis, and min(2, n) in the last group if that has
    but n (checked by the interpreter; `ffn.sparsify` along that axis guarantees it).

    Example:
    ```mlir
    func.func @compressed(%x: tensor<?x64xbf16>) -> !ffn.sparse24<?x64xbf16, axis = 1> {
      %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
      %c = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
      return %c : !ffn.sparse24<?x64xbf16, axis = 1>
    }
    ```
  }];
  let arguments = (ins FFN_Matrix:$values, FFN_Mask:$mask);
  let results = (outs FFN_Sparse24Type:$result);
  let assemblyFormat = "$values `,` $mask attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def FFN_DecompressOp : FFN_Op<"decompress", [Pure]> {
  let summary = "the dense matrix of a compressed one";
  let description = [{
    Elements that were not kept are +0.0.

    Constraint: (D1) the result has the shape and element type of the operand.

    Example:
    ```mlir
    func.func @dense(%c: !ffn.sparse24<?x64xbf16, axis = 1>) -> tensor<?x64xbf16> {
      %d = ffn.decompress %c : !ffn.sparse24<?x64xbf16, axis = 1> -> tensor<?x64xbf16>
      return %d : tensor<?x64xbf16>
    }
    ```
  }];
  let arguments = (ins FFN_Sparse24Type:$input);
  let results = (outs FFN_Matrix:$result);
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Counts
//===--------------------------------------------------------------------------------------------------------------===//

def FFN_CountNonzeroOp : FFN_Op<"count_nonzero", [Pure]> {
  let summary = "how many elements of every column are not zero";
  let description = [{
    counts[n] = number of rows m with input[m, n] != 0. -0.0 is zero, NaN is not.

    Counts of what a product's epilogue makes are a by-product of that epilogue (`ffn-fuse-epilogue`); others take a
    kernel that reads the matrix.

    Constraint: (O1) the result has as many elements as the input has columns.

    Example:
    ```mlir
    func.func @activity(%y: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<64xi32>) {
      %a = ffn.relu2 %y : tensor<?x64xbf16> -> tensor<?x64xbf16>
      %n = ffn.count_nonzero %a : tensor<?x64xbf16> -> tensor<64xi32>
      return %a, %n : tensor<?x64xbf16>, tensor<64xi32>
    }
    ```
  }];
  let arguments = (ins FFN_Matrix:$input);
  let results = (outs FFN_Counts:$counts);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($counts)";
  let hasVerifier = 1;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Kernels
//===--------------------------------------------------------------------------------------------------------------===//

def FFN_KernelOp : FFN_Op<"kernel", [IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "the work of one launch";
  let description = [{
    A region that becomes exactly one GPU kernel. Operands and block arguments correspond one to one (K1), and so do the
    operands of the `ffn.yield` and the results (K2). Kernels do not nest (K3). The region computes what its body
    computes: this operation has no meaning of its own.

    Example:
    ```mlir
    func.func @one_launch(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
      %q, %s = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
      ^bb0(%arg0: tensor<?x64xbf16>):
        %0, %1 = ffn.quantize %arg0 by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
        ffn.yield %0, %1 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
      }
      return %q, %s : tensor<?x64xf8E4M3FN>, tensor<?xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$inputs);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs) $body";
  let hasVerifier = 1;
}

def FFN_YieldOp : FFN_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"KernelOp">]> {
  let summary = "results of a kernel region";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // WINNOW_DIALECT_FFN_IR_FFNOPS_TD
