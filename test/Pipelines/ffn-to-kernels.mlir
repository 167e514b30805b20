// RUN: winnow-opt %s -ffn-to-kernels | FileCheck %s
// RUN: winnow-opt %examples/minitron-8b.mlir -ffn-to-kernels | FileCheck %s --check-prefix=MODEL
// RUN: winnow-opt %examples/training-products.mlir -ffn-to-kernels | FileCheck %s --check-prefix=TRAINING
// RUN: winnow-opt %examples/minitron-8b.mlir "-ffn-to-kernels=target=cpu" | FileCheck %s --check-prefix=CPU
// RUN: winnow-opt %examples/training-products.mlir -ffn-to-kernels -o %t.once
// RUN: winnow-opt %t.once -ffn-to-kernels -o %t.twice
// RUN: diff %t.once %t.twice
// RUN: not winnow-opt %s "-ffn-to-kernels=entry=nowhere" 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not winnow-opt %s "-ffn-to-kernels=target=sm_12" 2>&1 | FileCheck %s --check-prefix=TARGET

// ENTRY: error: expects a function @nowhere, got @constant_scale
// TARGET: error: unknown target 'sm_12', expected one of sm_80, sm_86, sm_89, sm_90a, sm_120a, cpu

// A forward with row scales is four kernels, with a known scale three (x is quantised), in bf16 two.
// MODEL-LABEL: func.func @forward(
// MODEL-COUNT-4: = ffn.kernel(
// MODEL-NOT:     ffn.kernel(
// MODEL-LABEL: func.func @forward_static(
// MODEL-COUNT-3: = ffn.kernel(
// MODEL-NOT:     ffn.kernel(
// MODEL-LABEL: func.func @forward_bf16(
// MODEL-COUNT-2: = ffn.kernel(
// MODEL-NOT:     ffn.kernel(

// One activation, both layouts.
// TRAINING: ffn.matmul {{.*}} {ffn.layout = #ffn.layout<token_wise>, transpose_rhs} : (!ffn.sparse24<?x16384xf8E4M3FN, axis = 1>
// TRAINING: ffn.matmul {{.*}} {ffn.layout = #ffn.layout<feature_wise>, transpose_lhs} : (!ffn.sparse24<?x16384xf8E4M3FN, axis = 0>

// CPU-NOT: ffn.sparsify
// CPU: ffn.layout = #ffn.layout<dense>

// A constant scale stays outside the kernels and is an operand of both.
// CHECK-LABEL: func.func @constant_scale(
// CHECK:         %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
// CHECK-NEXT:    %[[Q:.*]] = ffn.kernel(%{{.*}}, %[[S]])
// CHECK:         ffn.kernel(%[[Q]], %[[S]], %{{.*}})
func.func @constant_scale(%x: tensor<?x64xbf16>, %w: tensor<32x64xf8E4M3FN>) -> tensor<?x32xbf16> {
  %s = arith.constant dense<0.5> : tensor<f32>
  %q = ffn.quantize %x scaled %s by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
  %y = ffn.matmul %q scaled %s, %w {transpose_rhs} : (tensor<?x64xf8E4M3FN>, tensor<f32>, tensor<32x64xf8E4M3FN>) -> tensor<?x32xbf16>
  return %y : tensor<?x32xbf16>
}
