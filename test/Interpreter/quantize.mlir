// RUN: winnow-translate --interpret %s | FileCheck %s

// CHECK: @by_row: passed
func.func @by_row() {
  // Second row all zero (of both signs): scale 1. Third: amax 2^-140, so tiny that the scale is clamped to 2^-126.
  %x = arith.constant dense<[[896.0, -448.0], [0.0, -0.0], [7.174648e-43, 0.0]]> : tensor<3x2xf32>
  %q, %s = ffn.quantize %x by row : (tensor<3x2xf32>) -> (tensor<3x2xf8E4M3FN>, tensor<3xf32>)
  %eq = arith.constant dense<[[0x7E, 0xF6], [0x00, 0x80], [0x00, 0x00]]> : tensor<3x2xf8E4M3FN>
  %es = arith.constant dense<[0x40000000, 0x3F800000, 0x00800000]> : tensor<3xf32>
  check.expect_eq %q, %eq : tensor<3x2xf8E4M3FN>, tensor<3x2xf8E4M3FN>
  check.expect_eq %s, %es : tensor<3xf32>, tensor<3xf32>
  return
}

// CHECK: @by_column_and_tensor: passed
func.func @by_column_and_tensor() {
  %x = arith.constant dense<[[57344.0, 28672.0], [1.0, -114688.0]]> : tensor<2x2xbf16>
  %q, %s = ffn.quantize %x by column : (tensor<2x2xbf16>) -> (tensor<2x2xf8E5M2>, tensor<2xf32>)
  %eq = arith.constant dense<[[57344.0, 14336.0], [1.0, -57344.0]]> : tensor<2x2xf8E5M2>
  %es = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  check.expect_eq %q, %eq : tensor<2x2xf8E5M2>, tensor<2x2xf8E5M2>
  check.expect_eq %s, %es : tensor<2xf32>, tensor<2xf32>
  %p, %t = ffn.quantize %x by tensor : (tensor<2x2xbf16>) -> (tensor<2x2xf8E5M2>, tensor<f32>)
  %ep = arith.constant dense<[[28672.0, 14336.0], [0.5, -57344.0]]> : tensor<2x2xf8E5M2>
  %et = arith.constant dense<2.0> : tensor<f32>
  check.expect_eq %p, %ep : tensor<2x2xf8E5M2>, tensor<2x2xf8E5M2>
  check.expect_eq %t, %et : tensor<f32>, tensor<f32>
  return
}

// With a given scale: ties to even, saturation, infinities saturate, NaN is 0x7F, -0.0 keeps its sign.
// CHECK: @given: passed
func.func @given() {
  // 1.0625 and 1.1875 lie halfway between codes; 464 would be halfway to 480, which is not there; inf; -NaN; -0.0; 2^-10
  // is halfway between zero and the smallest subnormal.
  %x = arith.constant dense<[[0x3F880000, 0x3F980000, 0x43E80000, 0xFF800000, 0xFFC00000, 0x80000000, 0x3A800000]]> : tensor<1x7xf32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %q = ffn.quantize %x scaled %one by tensor : (tensor<1x7xf32>, tensor<f32>) -> tensor<1x7xf8E4M3FN>
  %e = arith.constant dense<[[0x38, 0x3A, 0x7E, 0xFE, 0x7F, 0x80, 0x00]]> : tensor<1x7xf8E4M3FN>
  check.expect_eq %q, %e : tensor<1x7xf8E4M3FN>, tensor<1x7xf8E4M3FN>
  return
}

// x * (1 / s), not x / s: 1/63 rounded to f32 is a little too large, which lifts 66.9375 / 63 = 1.0625 above the tie.
// CHECK: @reciprocal: passed
func.func @reciprocal() {
  %x = arith.constant dense<66.9375> : tensor<1x1xf32>
  %s = arith.constant dense<63.0> : tensor<f32>
  %q = ffn.quantize %x scaled %s by tensor : (tensor<1x1xf32>, tensor<f32>) -> tensor<1x1xf8E4M3FN>
  %e = arith.constant dense<1.125> : tensor<1x1xf8E4M3FN>
  check.expect_eq %q, %e : tensor<1x1xf8E4M3FN>, tensor<1x1xf8E4M3FN>
  return
}

// NaN anywhere makes the scale NaN, and so every value of that row; an infinity makes the scale infinite: inf * 0 = NaN.
// CHECK: @not_finite: passed
func.func @not_finite() {
  %x = arith.constant dense<[[0x3F80, 0x7FC0], [0x3F80, 0x7F80], [0x3F80, 0x0000]]> : tensor<3x2xbf16>
  %q, %s = ffn.quantize %x by row : (tensor<3x2xbf16>) -> (tensor<3x2xf8E4M3FN>, tensor<3xf32>)
  %eq = arith.constant dense<[[0x7F, 0x7F], [0x00, 0x7F], [0x7E, 0x00]]> : tensor<3x2xf8E4M3FN>
  check.expect_eq %q, %eq : tensor<3x2xf8E4M3FN>, tensor<3x2xf8E4M3FN>
  %es = arith.constant dense<[0x7FC00000, 0x7F800000, 0x3B124925]> : tensor<3xf32>
  check.expect_eq %s, %es : tensor<3xf32>, tensor<3xf32>
  return
}

// dynamic_scale and a given scale make the dynamic quantisation.
// CHECK: @dynamic_scale: passed
func.func @dynamic_scale() {
  %x = check.random {seed = 1 : i64, special_rows} : tensor<9x20xbf16>
  %q, %s = ffn.quantize %x by column : (tensor<9x20xbf16>) -> (tensor<9x20xf8E4M3FN>, tensor<20xf32>)
  %t = ffn.dynamic_scale %x by column to f8E4M3FN : (tensor<9x20xbf16>) -> tensor<20xf32>
  %p = ffn.quantize %x scaled %t by column : (tensor<9x20xbf16>, tensor<20xf32>) -> tensor<9x20xf8E4M3FN>
  check.expect_eq %t, %s : tensor<20xf32>, tensor<20xf32>
  check.expect_eq %p, %q : tensor<9x20xf8E4M3FN>, tensor<9x20xf8E4M3FN>
  return
}
