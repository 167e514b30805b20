// RUN: winnow-translate --interpret %s | FileCheck %s

// CHECK: @relu2: passed
func.func @relu2() {
  // 1.5, -2.0, -0.0, NaN, -inf, inf
  %x = arith.constant dense<[[0x3FC0, 0xC000, 0x8000, 0x7FC0, 0xFF80, 0x7F80]]> : tensor<1x6xbf16>
  %y = ffn.relu2 %x : tensor<1x6xbf16> -> tensor<1x6xf32>
  %e = arith.constant dense<[[0x40100000, 0x00000000, 0x00000000, 0x7FC00000, 0x00000000, 0x7F800000]]> : tensor<1x6xf32>
  check.expect_eq %y, %e : tensor<1x6xf32>, tensor<1x6xf32>
  return
}

// The square is rounded once, to the type of the result: 1.0078125^2 = 1.0156860 in bf16 is 1.015625.
// CHECK: @relu2_rounds: passed
func.func @relu2_rounds() {
  %x = arith.constant dense<[[1.0078125, 300.0]]> : tensor<1x2xf16>
  %y = ffn.relu2 %x : tensor<1x2xf16> -> tensor<1x2xbf16>
  %e = arith.constant dense<[[1.015625, 9.011200e+04]]> : tensor<1x2xbf16>
  check.expect_eq %y, %e : tensor<1x2xbf16>, tensor<1x2xbf16>
  %z = ffn.relu2 %x : tensor<1x2xf16> -> tensor<1x2xf16>
  %f = arith.constant dense<[[0x3C10, 0x7C00]]> : tensor<1x2xf16>
  check.expect_eq %z, %f : tensor<1x2xf16>, tensor<1x2xf16>
  return
}

// CHECK: @relu: passed
func.func @relu() {
  %x = arith.constant dense<[[0x3FC0, 0xC000, 0x8000, 0x7FC0, 0x0000]]> : tensor<1x5xbf16>
  %y = ffn.relu %x : tensor<1x5xbf16> -> tensor<1x5xbf16>
  %e = arith.constant dense<[[0x3FC0, 0x0000, 0x0000, 0x7FC0, 0x0000]]> : tensor<1x5xbf16>
  check.expect_eq %y, %e : tensor<1x5xbf16>, tensor<1x5xbf16>
  return
}

// 0.5 * (1 + erf(1 / sqrt 2)) = 0.841344746, 1 / (1 + e^-1) = 0.731058579.
// CHECK: @gelu_silu: passed
func.func @gelu_silu() {
  %x = arith.constant dense<[[1.0, -1.0, 0.0]]> : tensor<1x3xf32>
  %g = ffn.gelu %x : tensor<1x3xf32> -> tensor<1x3xf32>
  %s = ffn.silu %x : tensor<1x3xf32> -> tensor<1x3xf32>
  %eg = arith.constant dense<[[0.841344746, -0.158655254, 0.0]]> : tensor<1x3xf32>
  %es = arith.constant dense<[[0.731058579, -0.268941421, 0.0]]> : tensor<1x3xf32>
  check.expect_close %g, %eg {max_relative = 2.0e-7 : f64} : tensor<1x3xf32>, tensor<1x3xf32>
  check.expect_close %s, %es {max_relative = 2.0e-7 : f64} : tensor<1x3xf32>, tensor<1x3xf32>
  %n = arith.constant dense<0x7FC00000> : tensor<1x1xf32>
  %gn = ffn.gelu %n : tensor<1x1xf32> -> tensor<1x1xf32>
  %sn = ffn.silu %n : tensor<1x1xf32> -> tensor<1x1xf32>
  check.expect_eq %gn, %n : tensor<1x1xf32>, tensor<1x1xf32>
  check.expect_eq %sn, %n : tensor<1x1xf32>, tensor<1x1xf32>
  return
}
