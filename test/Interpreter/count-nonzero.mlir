// RUN: winnow-translate --interpret %s | FileCheck %s

// Columns: zeros of both signs; NaN and infinity; the least subnormal numbers; all of it.
// CHECK: @f32: passed
func.func @f32() {
  %x = arith.constant dense<[[0.0, 0x7FC00000, 0x00000001, 1.0],
                             [-0.0, 0x7F800000, 0.0, -1.0],
                             [0.0, 0.0, 0x80000001, 0xFFC00000]]> : tensor<3x4xf32>
  %n = ffn.count_nonzero %x : tensor<3x4xf32> -> tensor<4xi32>
  %e = arith.constant dense<[0, 2, 2, 3]> : tensor<4xi32>
  check.expect_eq %n, %e : tensor<4xi32>, tensor<4xi32>
  return
}

// CHECK: @narrow: passed
func.func @narrow() {
  %b = arith.constant dense<[[0x0001, 0x8000], [0x7FFF, 0x0000]]> : tensor<2x2xbf16>
  %n = ffn.count_nonzero %b : tensor<2x2xbf16> -> tensor<2xi32>
  %e = arith.constant dense<[2, 0]> : tensor<2xi32>
  check.expect_eq %n, %e : tensor<2xi32>, tensor<2xi32>
  %q = arith.constant dense<[[0x01, 0x80, 0x7F]]> : tensor<1x3xf8E4M3FN>
  %m = ffn.count_nonzero %q : tensor<1x3xf8E4M3FN> -> tensor<3xi32>
  %f = arith.constant dense<[1, 0, 1]> : tensor<3xi32>
  check.expect_eq %m, %f : tensor<3xi32>, tensor<3xi32>
  return
}

// What is counted is the rounded value: the square of 2^-75 is half of the least number of f32, and becomes zero.
// CHECK: @underflow: passed
func.func @underflow() {
  %x = arith.constant dense<[[0x1A00, 0x1A01, 0x9A01]]> : tensor<1x3xbf16>
  %y = ffn.relu2 %x : tensor<1x3xbf16> -> tensor<1x3xf32>
  %n = ffn.count_nonzero %y : tensor<1x3xf32> -> tensor<3xi32>
  %e = arith.constant dense<[0, 1, 0]> : tensor<3xi32>
  check.expect_eq %n, %e : tensor<3xi32>, tensor<3xi32>
  return
}
