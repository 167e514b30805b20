// RUN: winnow-opt %s -split-input-file -verify-diagnostics -ffn-split-preparation --mlir-use-nameloc-as-prefix | FileCheck %s
// RUN: not winnow-opt %s -split-input-file -ffn-split-preparation --remarks-filter=ffn-split-preparation 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Two weights quantised inside, one used as it is, and x, which is no weight. A weight that is also read as it is stays.
// REMARK: remark: [Passed] SplitPreparation | Category:ffn-split-preparation | Function=quantised | Operations=2, Tensors=4
// CHECK-LABEL: func.func @quantised_prepare(
// CHECK-SAME:    %[[W1:.*]]: tensor<128x64xbf16> {ffn.weight}, %[[W2:.*]]: tensor<64x128xbf16> {ffn.weight})
// CHECK-SAME:    -> (tensor<128x64xf8E4M3FN>, tensor<128xf32>, tensor<64x128xf8E4M3FN>, tensor<64xf32>)
// CHECK-NEXT:    %[[Q1:.*]], %[[S1:.*]] = ffn.quantize %[[W1]] by row
// CHECK-NEXT:    %[[Q2:.*]], %[[S2:.*]] = ffn.quantize %[[W2]] by row
// CHECK-NEXT:    return %[[Q1]], %[[S1]], %[[Q2]], %[[S2]]
// CHECK-LABEL: func.func @quantised(
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xbf16>
// CHECK-SAME:    %arg1_values: tensor<128x64xf8E4M3FN> {ffn.weight}, %arg1_scale: tensor<128xf32> {ffn.weight}
// CHECK-SAME:    %[[W2:.*]]: tensor<64x128xbf16> {ffn.weight}
// CHECK-SAME:    %arg2_values: tensor<64x128xf8E4M3FN> {ffn.weight}, %arg2_scale: tensor<64xf32> {ffn.weight}
// CHECK-SAME:    %[[W3:.*]]: tensor<64x64xbf16> {ffn.weight})
// CHECK-NEXT:    %[[XQ:.*]], %[[XS:.*]] = ffn.quantize %[[X]] by row
// CHECK-NEXT:    ffn.matmul %[[XQ]] scaled %[[XS]], %arg1_values scaled %arg1_scale
// CHECK-NEXT:    ffn.matmul %{{.*}}, %[[W2]] {transpose_rhs}
// CHECK-NEXT:    ffn.matmul %{{.*}}, %[[W3]]
// CHECK-NEXT:    return %{{.*}}, %arg2_values, %arg2_scale
func.func @quantised(%x: tensor<?x64xbf16>, %w1: tensor<128x64xbf16> {ffn.weight},
                     %w2: tensor<64x128xbf16> {ffn.weight}, %w3: tensor<64x64xbf16> {ffn.weight})
    -> (tensor<?x64xbf16>, tensor<64x128xf8E4M3FN>, tensor<64xf32>) {
  %q1, %s1 = ffn.quantize %w1 by row : (tensor<128x64xbf16>) -> (tensor<128x64xf8E4M3FN>, tensor<128xf32>)
  %q2, %s2 = ffn.quantize %w2 by row : (tensor<64x128xbf16>) -> (tensor<64x128xf8E4M3FN>, tensor<64xf32>)
  %xq, %xs = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %xs, %q1 scaled %s1 {transpose_rhs}
      : (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<128x64xf8E4M3FN>, tensor<128xf32>) -> tensor<?x128xbf16>
  %y2 = ffn.matmul %y1, %w2 {transpose_rhs} : (tensor<?x128xbf16>, tensor<64x128xbf16>) -> tensor<?x64xbf16>
  %y3 = ffn.matmul %y2, %w3 : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
  return %y3, %q2, %s2 : tensor<?x64xbf16>, tensor<64x128xf8E4M3FN>, tensor<64xf32>
}

// -----

// A chain over two weights and a constant: only its end is handed on, behind the first weight that it depends on. The
// constant is copied where both need it. What nobody reads is dropped. Names that are taken get a number, here that of
// an argument.
// CHECK-LABEL: func.func @chain_prepare(
// CHECK-SAME:    %a: tensor<32x16xbf16> {ffn.weight}, %b: tensor<16x8xbf16> {ffn.weight}) -> tensor<32x8xf8E4M3FN>
// CHECK-NEXT:    %[[C:.*]] = arith.constant dense<2.000000e+00> : tensor<f32>
// CHECK-NEXT:    %[[R:.*]] = ffn.relu %a
// CHECK-NEXT:    %[[P:.*]] = ffn.matmul %[[R]], %b
// CHECK-NEXT:    %[[Q:.*]] = ffn.quantize %[[P]] scaled %[[C]] by tensor
// CHECK-NEXT:    return %[[Q]]
// CHECK-LABEL: func.func @chain(
// CHECK-SAME:    %a_values_2: tensor<32x8xf8E4M3FN> {ffn.sparsity = #ffn.sparsity<density = 2.500000e-01>, ffn.weight}
// CHECK-SAME:    %x: tensor<?x32xf8E4M3FN>, %a_values: tensor<f32>)
// CHECK-NEXT:    %[[D:.*]] = arith.constant dense<2.000000e+00> : tensor<f32>
// CHECK-NEXT:    ffn.matmul %x scaled %a_values, %a_values_2 scaled %[[D]]
// CHECK-NEXT:    return
func.func @chain(%a: tensor<32x16xbf16> {ffn.weight} loc("a"), %x: tensor<?x32xf8E4M3FN> loc("x"),
                 %b: tensor<16x8xbf16> {ffn.weight} loc("b"), %s: tensor<f32> loc("a_values")) -> tensor<?x8xf32> {
  %two = arith.constant dense<2.0> : tensor<f32>
  %r = ffn.relu %a : tensor<32x16xbf16> -> tensor<32x16xbf16>
  %p = ffn.matmul %r, %b : (tensor<32x16xbf16>, tensor<16x8xbf16>) -> tensor<32x8xf32>
  %unread = ffn.gelu %p : tensor<32x8xf32> -> tensor<32x8xf32>
  %q = ffn.quantize %p scaled %two by tensor {ffn.sparsity = #ffn.sparsity<density = 0.25>}
     : (tensor<32x8xf32>, tensor<f32>) -> tensor<32x8xf8E4M3FN>
  %y = ffn.matmul %x scaled %s, %q scaled %two
     : (tensor<?x32xf8E4M3FN>, tensor<f32>, tensor<32x8xf8E4M3FN>, tensor<f32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// What is known of the zeros of a weight holds for its quantised values.
// CHECK-LABEL: func.func @annotated_prepare(
// CHECK-SAME:    {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01>, ffn.weight}
// CHECK-LABEL: func.func @annotated(
// CHECK-SAME:    %arg1_values: tensor<32x64xf8E4M3FN> {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01>, ffn.weight}
// CHECK-SAME:    %arg1_scale: tensor<32xf32> {ffn.weight})
func.func @annotated(%x: tensor<?x64xf8E4M3FN>,
                     %w: tensor<32x64xbf16> {ffn.weight, ffn.sparsity = #ffn.sparsity<density = 0.5>})
    -> tensor<?x32xbf16> {
  %q, %s = ffn.quantize %w by row : (tensor<32x64xbf16>) -> (tensor<32x64xf8E4M3FN>, tensor<32xf32>)
  %y = ffn.matmul %x, %q scaled %s {transpose_rhs}
     : (tensor<?x64xf8E4M3FN>, tensor<32x64xf8E4M3FN>, tensor<32xf32>) -> tensor<?x32xbf16>
  return %y : tensor<?x32xbf16>
}

// -----

// Declines: nothing is computed from weights alone; the weight is not marked as one; no weight at all; and what is
// computed, nobody reads.
// REMARK-NOT: Function=as_it_is
// CHECK-NOT: _prepare
// CHECK: func.func @as_it_is(
func.func @as_it_is(%x: tensor<?x64xbf16>, %w: tensor<64x32xbf16> {ffn.weight}) -> tensor<?x32xbf16> {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
  return %y : tensor<?x32xbf16>
}
// CHECK-NOT: _prepare
// CHECK: func.func @not_a_weight(
// CHECK: ffn.quantize
func.func @not_a_weight(%v: tensor<64x32xbf16> {ffn.weight}, %w: tensor<64x32xbf16>) -> tensor<64x32xf8E4M3FN> {
  %q, %s = ffn.quantize %w by row : (tensor<64x32xbf16>) -> (tensor<64x32xf8E4M3FN>, tensor<64xf32>)
  return %q : tensor<64x32xf8E4M3FN>
}
// CHECK-NOT: _prepare
// CHECK: func.func @constant_only(
// CHECK: ffn.relu
func.func @constant_only(%x: tensor<?x64xbf16>) -> tensor<4x4xf32> {
  %c = arith.constant dense<1.0> : tensor<4x4xf32>
  %r = ffn.relu %c : tensor<4x4xf32> -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}
// CHECK-NOT: _prepare
// CHECK: func.func @unread(
// CHECK: ffn.quantize
func.func @unread(%w: tensor<64x32xbf16> {ffn.weight}) -> tensor<64x32xbf16> {
  %q, %s = ffn.quantize %w by row : (tensor<64x32xbf16>) -> (tensor<64x32xf8E4M3FN>, tensor<64xf32>)
  return %w : tensor<64x32xbf16>
}

// -----

// A compressed matrix has no form outside of a call: the selection stays with it, what comes before does not.
// CHECK-LABEL: func.func @compressed_prepare(
// CHECK-NEXT:    ffn.relu
// CHECK-NEXT:    return
// CHECK-LABEL: func.func @compressed(
// CHECK-SAME:    %arg0_values: tensor<32x64xbf16>
// CHECK:         ffn.sparsify %arg0_values along 1
// CHECK:         ffn.compress
func.func @compressed(%w: tensor<32x64xbf16> {ffn.weight}, %x: tensor<64x?xbf16>) -> tensor<32x?xf32> {
  %r = ffn.relu %w : tensor<32x64xbf16> -> tensor<32x64xbf16>
  %v, %m = ffn.sparsify %r along 1 : (tensor<32x64xbf16>) -> (tensor<32x64xbf16>, tensor<32x64xi1>)
  %c = ffn.compress %v, %m : (tensor<32x64xbf16>, tensor<32x64xi1>) -> !ffn.sparse24<32x64xbf16, axis = 1>
  %y = ffn.matmul %c, %x : (!ffn.sparse24<32x64xbf16, axis = 1>, tensor<64x?xbf16>) -> tensor<32x?xf32>
  return %y : tensor<32x?xf32>
}

// -----

// The layout of a product follows from the selection of its left operand, or from the permission to select before it is
// quantised; on the right nothing follows.
// CHECK-NOT: _prepare
// CHECK: func.func @left_selected(
func.func @left_selected(%w: tensor<32x64xbf16> {ffn.weight}, %x: tensor<64x?xf8E4M3FN>) -> tensor<32x?xf32> {
  %v, %m = ffn.sparsify %w along 1 : (tensor<32x64xbf16>) -> (tensor<32x64xbf16>, tensor<32x64xi1>)
  %q, %s = ffn.quantize %v by row : (tensor<32x64xbf16>) -> (tensor<32x64xf8E4M3FN>, tensor<32xf32>)
  %y = ffn.matmul %q scaled %s, %x : (tensor<32x64xf8E4M3FN>, tensor<32xf32>, tensor<64x?xf8E4M3FN>) -> tensor<32x?xf32>
  return %y : tensor<32x?xf32>
}
// CHECK-NOT: _prepare
// CHECK: func.func @left_droppable(
func.func @left_droppable(%w: tensor<32x64xbf16> {ffn.weight, ffn.sparsity = #ffn.sparsity<density = 0.1, max_drop = 0.5>},
                          %x: tensor<64x?xf8E4M3FN>) -> tensor<32x?xf32> {
  %q, %s = ffn.quantize %w by row : (tensor<32x64xbf16>) -> (tensor<32x64xf8E4M3FN>, tensor<32xf32>)
  %y = ffn.matmul %q scaled %s, %x : (tensor<32x64xf8E4M3FN>, tensor<32xf32>, tensor<64x?xf8E4M3FN>) -> tensor<32x?xf32>
  return %y : tensor<32x?xf32>
}
// CHECK: func.func @right_selected_prepare(
// CHECK: ffn.sparsify
// CHECK: func.func @right_selected(
// CHECK-NOT: ffn.sparsify
func.func @right_selected(%w: tensor<64x32xbf16> {ffn.weight}, %x: tensor<?x64xbf16>) -> tensor<?x32xf32> {
  %v, %m = ffn.sparsify %w along 0 : (tensor<64x32xbf16>) -> (tensor<64x32xbf16>, tensor<64x32xi1>)
  %y = ffn.matmul %x, %v : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// Counts are no arguments: what a function returns of them it counts itself.
// CHECK: func.func @counts_prepare(
// CHECK-NOT: ffn.count_nonzero
// CHECK: func.func @counts(%{{.*}}: tensor<?x64xf8E4M3FN>, %[[Q:.*]]: tensor<32x64xf8E4M3FN> {ffn.weight}
// CHECK: ffn.count_nonzero %[[Q]]
func.func @counts(%x: tensor<?x64xf8E4M3FN>, %w: tensor<32x64xbf16> {ffn.weight}) -> (tensor<?x32xf32>, tensor<64xi32>) {
  %q, %s = ffn.quantize %w by row : (tensor<32x64xbf16>) -> (tensor<32x64xf8E4M3FN>, tensor<32xf32>)
  %n = ffn.count_nonzero %q : tensor<32x64xf8E4M3FN> -> tensor<64xi32>
  %y = ffn.matmul %x, %q scaled %s {transpose_rhs}
     : (tensor<?x64xf8E4M3FN>, tensor<32x64xf8E4M3FN>, tensor<32xf32>) -> tensor<?x32xf32>
  return %y, %n : tensor<?x32xf32>, tensor<64xi32>
}

// -----

// expected-note @below {{it is here}}
func.func @taken_prepare(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  return %x : tensor<?x64xbf16>
}
// expected-error @below {{expects the name @taken_prepare to be free for what depends on weights alone; rename the function that has it}}
func.func @taken(%w: tensor<64x32xbf16> {ffn.weight}) -> tensor<64x32xbf16> {
  %r = ffn.relu %w : tensor<64x32xbf16> -> tensor<64x32xbf16>
  return %r : tensor<64x32xbf16>
}
