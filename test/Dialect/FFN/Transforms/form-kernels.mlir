// RUN: winnow-opt %s -ffn-form-kernels | FileCheck %s

// Each operand of a kernel once; constants stay outside; kernels that are there are left alone.
// CHECK-LABEL: func.func @square(
// CHECK-SAME:    %[[X:.*]]: tensor
func.func @square(%x: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant
  %one = arith.constant dense<1.0> : tensor<f32>
  // CHECK-NEXT: %[[Y:.*]] = ffn.kernel(%[[X]], %[[ONE]])
  // CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<64x64xbf16>, %[[S:.*]]: tensor<f32>):
  // CHECK-NEXT:   %[[P:.*]] = ffn.matmul %[[A]] scaled %[[S]], %[[A]] {transpose_rhs}
  // CHECK-NEXT:   ffn.yield %[[P]]
  // CHECK-NEXT: }
  %y = ffn.matmul %x scaled %one, %x {transpose_rhs} : (tensor<64x64xbf16>, tensor<f32>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
  // CHECK-NEXT: %[[Z:.*]] = ffn.kernel(%[[Y]])
  // CHECK-NEXT: ^bb0(
  // CHECK-NEXT:   ffn.relu
  // CHECK-NEXT:   ffn.yield
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[Z]]
  %z = ffn.kernel(%y) : (tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  ^bb0(%in: tensor<64x64xbf16>):
    %0 = ffn.relu %in : tensor<64x64xbf16> -> tensor<64x64xbf16>
    ffn.yield %0 : tensor<64x64xbf16>
  }
  return %z : tensor<64x64xbf16>
}
