//===- Passes.td - passes on the ffn dialect ----------------------------------------------------------------------===//
//
// All run on a module: remarks are not safe to emit from several threads at once. The first block of a description is a
// program before the pass, the second the same after it; where there is one block, the pass rejects it with the message
// of its `error:` comment. test/Docs/passes.test runs them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_TRANSFORMS_PASSES_TD
#define WINNOW_DIALECT_FFN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FormKernelsPass : Pass<"ffn-form-kernels", "::mlir::ModuleOp"> {
  let summary = "give every operation that is left a kernel of its own";
  let description = [{
    Input: any function. Output: every operation except constants and `func.return` is in exactly one `ffn.kernel`.
    Constants stay outside and are operands. Numeric effect: none. Never declines.

    ```mlir
    func.func @f(%a: tensor<?x64xbf16>, %b: tensor<64x32xbf16>) -> tensor<?x32xbf16> {
      %y = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
      return %y : tensor<?x32xbf16>
    }
    ```
    becomes
    ```mlir
    func.func @f(%a: tensor<?x64xbf16>, %b: tensor<64x32xbf16>) -> tensor<?x32xbf16> {
      %y = ffn.kernel(%a, %b) : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16> {
      ^bb0(%l: tensor<?x64xbf16>, %r: tensor<64x32xbf16>):
        %p = ffn.matmul %l, %r : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
        ffn.yield %p : tensor<?x32xbf16>
      }
      return %y : tensor<?x32xbf16>
    }
    ```
  }];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}

def FuseActivationPass : Pass<"ffn-fuse-activation", "::mlir::ModuleOp"> {
  let summary = "one kernel for activation, selection, quantisation and compression of a matrix";
  let description = [{
    Input: after `ffn-split-dynamic-scale`. Output: activation, sparsify, quantize, compress, dynamic_scale and
    count_nonzero are inside kernels of form F3, F4 or F5 (docs/passes.md). Each value that a matrix product, a result
    of the function or another kernel needs gets a kernel that starts from a stored matrix: a function argument, the
    result of a product, or a value where a chain is longer than one kernel can hold. Element-wise producers are
    cloned into each kernel that needs them: computing them again costs less than storing them.

    A selection under the mask of an earlier selection of the same matrix becomes a selection of what the earlier one
    left, which is the same by definition (unless the earlier one was under a mask itself and its input is selected from:
    it may have chosen what that mask had cleared).

    Numeric effect: none. Declines, leaving an operation outside any kernel for `ffn-verify-kernel-form` to report:
    selection under a foreign mask; compression under the mask of other values.

    ```mlir
    func.func @f(%y: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
      %a = ffn.relu2 %y : tensor<?x64xbf16> -> tensor<?x64xf32>
      %q, %s = ffn.quantize %a by row : (tensor<?x64xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
      return %q, %s : tensor<?x64xf8E4M3FN>, tensor<?xf32>
    }
    ```
    becomes
    ```mlir
    func.func @f(%y: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
      %k:2 = ffn.kernel(%y) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
      ^bb0(%in: tensor<?x64xbf16>):
        %0 = ffn.relu2 %in : tensor<?x64xbf16> -> tensor<?x64xf32>
        %1, %2 = ffn.quantize %0 by row : (tensor<?x64xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
        ffn.yield %1, %2 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
      }
      return %k#0, %k#1 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
    }
    ```
    Remarks: passed `FusedChain`, one per kernel.
  }];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}

def FuseEpiloguePass : Pass<"ffn-fuse-epilogue", "::mlir::ModuleOp"> {
  let summary = "move a kernel into the epilogue of the product that it reads";
  let description = [{
    Input: after `ffn-fuse-activation`. Output: where a kernel of form F3 is the only reader of a matrix product, has one
    result, a given scale or none, and selects along the features only (and then compresses), the product moves into it:
    form F2. A kernel of form F5 that counts non-zeros of what activations make of the product moves there too, and then
    is no reader; where the product has to be stored it moves to the product itself, form F1. Numeric effect: none; the
    product is still rounded to its own element type first.

    Declines, each with a missed remark `KeptApart` that says why: several readers; a dynamic row scale (needs the whole
    row before the first value can be written); a dynamic scale kernel; feature-wise selection (crosses tokens, which lie
    in different tiles); more than one result; a compressed result of a product that the tensor cores cannot take; a
    second count of a product, and one of what is selected. A count that does not follow from what the kernel makes, or
    that is read before it, moves to the stored product.

    ```mlir
    func.func @f(%x: tensor<?x64xbf16>, %w: tensor<64x32xbf16>) -> tensor<?x32xbf16> {
      %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
      %r = ffn.kernel(%y) : (tensor<?x32xbf16>) -> tensor<?x32xbf16> {
      ^bb0(%in: tensor<?x32xbf16>):
        %0 = ffn.relu2 %in : tensor<?x32xbf16> -> tensor<?x32xbf16>
        ffn.yield %0 : tensor<?x32xbf16>
      }
      return %r : tensor<?x32xbf16>
    }
    ```
    becomes
    ```mlir
    func.func @f(%x: tensor<?x64xbf16>, %w: tensor<64x32xbf16>) -> tensor<?x32xbf16> {
      %r = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16> {
      ^bb0(%l: tensor<?x64xbf16>, %k: tensor<64x32xbf16>):
        %y = ffn.matmul %l, %k : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
        %0 = ffn.relu2 %y : tensor<?x32xbf16> -> tensor<?x32xbf16>
        ffn.yield %0 : tensor<?x32xbf16>
      }
      return %r : tensor<?x32xbf16>
    }
    ```
    Remarks: passed `FusedEpilogue`, `FusedCount`; missed `KeptApart`.
  }];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}

def InferSparsityPass : Pass<"ffn-infer-sparsity", "::mlir::ModuleOp"> {
  let summary = "say what is expected of the zeros of every matrix";
  let description = [{
    Input: any function. Output: `ffn.sparsity` stands on every operation whose result's density is known.
    - An annotation of the user wins.
    - An activation that produces zeros has its default density; any activation with f(0) = 0 is at most as dense as its
      input.
    - `quantize` hands on density, profile and max_drop of its input.
    - `sparsify` keeps density * (1 - expected drop), at most 0.5. max_drop ends there: a permission to drop from a
      matrix is none to drop from what a selection left.
    - Products, compressed tensors and masks say nothing.

    Numeric effect: none. Never declines. Remarks: analysis `Sparsity` for what was inferred; missed `OddAnnotation` for an
    annotation that contradicts what is known.

    ```mlir
    func.func @f(%y: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %a = ffn.relu2 %y : tensor<?x64xbf16> -> tensor<?x64xbf16>
      return %a : tensor<?x64xbf16>
    }
    ```
    becomes
    ```mlir
    func.func @f(%y: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.5>} : tensor<?x64xbf16> -> tensor<?x64xbf16>
      return %a : tensor<?x64xbf16>
    }
    ```
  }];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}

def SelectLayoutPass : Pass<"ffn-select-layout", "::mlir::ModuleOp"> {
  let summary = "choose dense, token-wise or feature-wise 2:4 for every product";
  let description = [{
    Input: after `ffn-infer-sparsity`. Output: every `ffn.matmul` carries `ffn.layout`; where that is not `dense`, its left
    operand is `!ffn.sparse24` along the reduction axis (1: token-wise; 0: feature-wise, with `transpose_lhs`).

    The choice is made by one cost model (CostModel.h) from extents, element type, density, expected drop and target.
    Where a selection along the reduction axis already feeds the product, its mask is used and nothing more is lost.
    Otherwise, and only where `max_drop` of the annotation allows the expected drop, a selection is inserted on the value
    before quantisation; the quantisation is cloned, so that other consumers of the value stay as they are. A product
    whose left operand already is compressed is kept. An `ffn.layout` that the spec already carries decides in place of
    the predicted time, and is an error where it cannot be.

    Numeric effect: with an explicit selection, none as long as the right operand is finite and given scales are finite and
    positive (a dropped zero times infinity would have been NaN). With an inserted one, elements are dropped as docs/ffn-spec.md, "Relaxation",
    says.

    Declines, with a missed remark `DenseProduct` and one of the causes: target, element type, shape, axis, not sparse,
    drop forbidden, drop too large, cost.

    ```mlir
    func.func @f(%y: tensor<?x16384xbf16>, %w: tensor<4096x16384xbf16>) -> tensor<?x4096xbf16> {
      %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
         : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
      %z = ffn.matmul %a, %w {transpose_rhs} : (tensor<?x16384xbf16>, tensor<4096x16384xbf16>) -> tensor<?x4096xbf16>
      return %z : tensor<?x4096xbf16>
    }
    ```
    becomes
    ```mlir
    func.func @f(%y: tensor<?x16384xbf16>, %w: tensor<4096x16384xbf16>) -> tensor<?x4096xbf16> {
      %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
         : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
      %v, %m = ffn.sparsify %a along 1 {ffn.sparsity = #ffn.sparsity<density = 0.0795>}
             : (tensor<?x16384xbf16>) -> (tensor<?x16384xbf16>, tensor<?x16384xi1>)
      %c = ffn.compress %v, %m : (tensor<?x16384xbf16>, tensor<?x16384xi1>) -> !ffn.sparse24<?x16384xbf16, axis = 1>
      %z = ffn.matmul %c, %w {ffn.layout = #ffn.layout<token_wise>, transpose_rhs}
         : (!ffn.sparse24<?x16384xbf16, axis = 1>, tensor<4096x16384xbf16>) -> tensor<?x4096xbf16>
      return %z : tensor<?x4096xbf16>
    }
    ```
    Remarks: passed `SparseProduct`; missed `DenseProduct`.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_90a\"", "chip to choose for">,
    Option<"tokens", "tokens", "int64_t", "8192", "token count to assume where it is dynamic">,
  ];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}

def SplitDynamicScalePass : Pass<"ffn-split-dynamic-scale", "::mlir::ModuleOp"> {
  let summary = "separate dynamic scales that one kernel cannot compute on the way";
  let description = [{
    Input: any function. Output: a dynamic `ffn.quantize` is by row, follows at most one selection along 1, and its values
    are read along rows. Any other (by tensor, by column, after a feature-wise selection, or stored compressed along the
    tokens) becomes an `ffn.dynamic_scale` and a quantisation with a given scale, because the whole matrix has to be read
    before the first value can be written. A quantisation of which only the scale is used becomes `ffn.dynamic_scale`.
    Selections nested by their masks are counted as `ffn-fuse-activation` will write them: one of what another left.
    Numeric effect: none, by the definition of `ffn.dynamic_scale`. Never declines.

    ```mlir
    func.func @f(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>) {
      %q, %s = ffn.quantize %x by column : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>)
      return %q, %s : tensor<?x64xf8E4M3FN>, tensor<64xf32>
    }
    ```
    becomes
    ```mlir
    func.func @f(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>) {
      %s = ffn.dynamic_scale %x by column to f8E4M3FN : (tensor<?x64xbf16>) -> tensor<64xf32>
      %q = ffn.quantize %x scaled %s by column : (tensor<?x64xbf16>, tensor<64xf32>) -> tensor<?x64xf8E4M3FN>
      return %q, %s : tensor<?x64xf8E4M3FN>, tensor<64xf32>
    }
    ```
    Remarks: passed `SplitScale`.
  }];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}

def SplitPreparationPass : Pass<"ffn-split-preparation", "::mlir::ModuleOp"> {
  let summary = "move what depends on weights alone into a function of its own";
  let description = [{
    Input: a specification, before the phases of docs/passes.md. Output: where a function computes something from its
    weights (`ffn.weight`) and constants alone, a function `@NAME_prepare` before it computes that, and the function
    itself takes the results as weights, each behind the first weight that it depends on. A weight that nothing else
    reads is an argument no longer; one that is used as it is stays. An argument is called after that weight with
    `_values`, `_scale` or `_product` behind it, and has the annotation that the value had.

    Numeric effect: none. Declines, leaving a function alone, where there is no such work. Within a function these stay:
    - `ffn.compress` of a weight that a product reads, with the selection whose mask it takes: a compressed matrix has no
      form outside of a call.
    - A selection, and a quantisation that a selection may precede (`max_drop`), of the left operand of a product: the
      layout of the product follows from it.

    Fails where the name `@NAME_prepare` is taken.

    ```mlir
    func.func @f(%x: tensor<?x64xf8E4M3FN>, %w: tensor<32x64xbf16> {ffn.weight}) -> tensor<?x32xbf16> {
      %q, %s = ffn.quantize %w by row : (tensor<32x64xbf16>) -> (tensor<32x64xf8E4M3FN>, tensor<32xf32>)
      %y = ffn.matmul %x, %q scaled %s {transpose_rhs}
         : (tensor<?x64xf8E4M3FN>, tensor<32x64xf8E4M3FN>, tensor<32xf32>) -> tensor<?x32xbf16>
      return %y : tensor<?x32xbf16>
    }
    ```
    becomes
    ```mlir
    func.func @f_prepare(%w: tensor<32x64xbf16> {ffn.weight}) -> (tensor<32x64xf8E4M3FN>, tensor<32xf32>) {
      %q, %s = ffn.quantize %w by row : (tensor<32x64xbf16>) -> (tensor<32x64xf8E4M3FN>, tensor<32xf32>)
      return %q, %s : tensor<32x64xf8E4M3FN>, tensor<32xf32>
    }
    func.func @f(%x: tensor<?x64xf8E4M3FN>, %w_values: tensor<32x64xf8E4M3FN> {ffn.weight},
                 %w_scale: tensor<32xf32> {ffn.weight}) -> tensor<?x32xbf16> {
      %y = ffn.matmul %x, %w_values scaled %w_scale {transpose_rhs}
         : (tensor<?x64xf8E4M3FN>, tensor<32x64xf8E4M3FN>, tensor<32xf32>) -> tensor<?x32xbf16>
      return %y : tensor<?x32xbf16>
    }
    ```
    Remarks: passed `SplitPreparation`.
  }];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}

def VerifyKernelFormPass : Pass<"ffn-verify-kernel-form", "::mlir::ModuleOp"> {
  let summary = "gate: every operation is in a kernel of a known form";
  let description = [{
    Input and output: after `ffn-form-kernels`. Changes nothing. Fails at an operation outside a kernel and at a kernel of
    none of the forms F1 to F5 of docs/passes.md; the error names the operation, the rule, and the pass that should have
    seen to it. What passes here is what the conversion to the kern dialect accepts.

    ```mlir
    // error: 'ffn.relu' op expects to be inside an ffn.kernel (ffn-form-kernels puts it there)
    func.func @f(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
      %y = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
      return %y : tensor<?x64xbf16>
    }
    ```
  }];
}

def VerifySpecPass : Pass<"ffn-verify-spec", "::mlir::ModuleOp"> {
  let summary = "gate: the module is a specification that can be compiled";
  let description = [{
    Input and output: a specification. Changes nothing. Fails unless every function has a body of one block made of ffn
    operations, constants and `func.return`, every matrix has at most one dynamic extent (the token count) and no extent
    of 0, and, if the option `entry` is given, there is a function of that name.

    ```mlir
    // error: 'func.func' op expects at most one dynamic extent, the token count, got 'tensor<?x?xbf16>' for argument 0
    func.func @f(%x: tensor<?x?xbf16>) -> tensor<?x?xbf16> {
      return %x : tensor<?x?xbf16>
    }
    ```
  }];
  let options = [Option<"entry", "entry", "std::string", "\"\"", "function that must be there">];
}

#endif // WINNOW_DIALECT_FFN_TRANSFORMS_PASSES_TD
