// RUN: winnow-translate --interpret %s | FileCheck %s

// CHECK: @plain: passed
func.func @plain() {
  %a = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xbf16>
  %b = arith.constant dense<[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]> : tensor<3x2xbf16>
  %c = ffn.matmul %a, %b : (tensor<2x3xbf16>, tensor<3x2xbf16>) -> tensor<2x2xf32>
  %e = arith.constant dense<[[4.0, 5.0], [10.0, 11.0]]> : tensor<2x2xf32>
  check.expect_eq %c, %e : tensor<2x2xf32>, tensor<2x2xf32>
  return
}

// CHECK: @transposed: passed
func.func @transposed() {
  %a = arith.constant dense<[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]> : tensor<3x2xf16>
  %b = arith.constant dense<[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]> : tensor<2x3xf16>
  %c = ffn.matmul %a, %b {transpose_lhs, transpose_rhs} : (tensor<3x2xf16>, tensor<2x3xf16>) -> tensor<2x2xf32>
  %e = arith.constant dense<[[4.0, 5.0], [10.0, 11.0]]> : tensor<2x2xf32>
  check.expect_eq %c, %e : tensor<2x2xf32>, tensor<2x2xf32>
  return
}

// Scales by row of the left and column of the right, and one number for a whole operand.
// CHECK: @scaled: passed
func.func @scaled() {
  %a = arith.constant dense<[[1.0, 2.0], [4.0, 5.0]]> : tensor<2x2xf8E4M3FN>
  %b = arith.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf8E5M2>
  %rows = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %columns = arith.constant dense<[8.0, 0.5]> : tensor<2xf32>
  %number = arith.constant dense<10.0> : tensor<f32>
  %c = ffn.matmul %a scaled %rows, %b scaled %columns
     : (tensor<2x2xf8E4M3FN>, tensor<2xf32>, tensor<2x2xf8E5M2>, tensor<2xf32>) -> tensor<2x2xf32>
  %e = arith.constant dense<[[16.0, 2.0], [128.0, 10.0]]> : tensor<2x2xf32>
  check.expect_eq %c, %e : tensor<2x2xf32>, tensor<2x2xf32>
  %d = ffn.matmul %a, %b scaled %number : (tensor<2x2xf8E4M3FN>, tensor<2x2xf8E5M2>, tensor<f32>) -> tensor<2x2xf32>
  %f = arith.constant dense<[[10.0, 20.0], [40.0, 50.0]]> : tensor<2x2xf32>
  check.expect_eq %d, %f : tensor<2x2xf32>, tensor<2x2xf32>
  return
}

// 256 + 1 is halfway between two bf16 and goes to the even one, 256; 258 + 1 goes to 260. f16 overflows to infinity.
// CHECK: @result_is_rounded_to_nearest_even: passed
func.func @result_is_rounded_to_nearest_even() {
  %a = arith.constant dense<[[256.0, 1.0], [258.0, 1.0]]> : tensor<2x2xbf16>
  %b = arith.constant dense<[[1.0], [1.0]]> : tensor<2x1xbf16>
  %c = ffn.matmul %a, %b : (tensor<2x2xbf16>, tensor<2x1xbf16>) -> tensor<2x1xbf16>
  %e = arith.constant dense<[[256.0], [260.0]]> : tensor<2x1xbf16>
  check.expect_eq %c, %e : tensor<2x1xbf16>, tensor<2x1xbf16>
  %x = arith.constant dense<[[6.5504e+04, 6.5504e+04]]> : tensor<1x2xf16>
  %y = arith.constant dense<1.0> : tensor<2x1xf16>
  %z = ffn.matmul %x, %y : (tensor<1x2xf16>, tensor<2x1xf16>) -> tensor<1x1xf16>
  %inf = arith.constant dense<0x7C00> : tensor<1x1xf16>
  check.expect_eq %z, %inf : tensor<1x1xf16>, tensor<1x1xf16>
  return
}

// NaN is seen in the rows and columns that it touches and nowhere else; zero times infinity is NaN.
// CHECK: @nan_propagates: passed
func.func @nan_propagates() {
  %a = arith.constant dense<[[0x7F, 0x38], [0x38, 0x38]]> : tensor<2x2xf8E4M3FN>
  %b = arith.constant dense<1.0> : tensor<2x1xf8E4M3FN>
  %c = ffn.matmul %a, %b : (tensor<2x2xf8E4M3FN>, tensor<2x1xf8E4M3FN>) -> tensor<2x1xf32>
  %e = arith.constant dense<[[0x7FC00000], [0x40000000]]> : tensor<2x1xf32>
  check.expect_eq %c, %e : tensor<2x1xf32>, tensor<2x1xf32>
  %zero = arith.constant dense<0.0> : tensor<1x1xbf16>
  %inf = arith.constant dense<0x7F80> : tensor<1x1xbf16>
  %d = ffn.matmul %zero, %inf : (tensor<1x1xbf16>, tensor<1x1xbf16>) -> tensor<1x1xf32>
  %nan = arith.constant dense<0x7FC00000> : tensor<1x1xf32>
  check.expect_eq %d, %nan : tensor<1x1xf32>, tensor<1x1xf32>
  return
}

// A compressed operand contributes where it was kept, and only there: what faces the infinity was dropped.
// CHECK: @sparse: passed
func.func @sparse() {
  %a = arith.constant dense<[[5.0, 0.0, 6.0, 1.0]]> : tensor<1x4xbf16>
  %v, %m = ffn.sparsify %a along 1 : (tensor<1x4xbf16>) -> (tensor<1x4xbf16>, tensor<1x4xi1>)
  %s = ffn.compress %v, %m : (tensor<1x4xbf16>, tensor<1x4xi1>) -> !ffn.sparse24<1x4xbf16, axis = 1>
  %b = arith.constant dense<[[0x3F80], [0x7F80], [0x4000], [0x7F80]]> : tensor<4x1xbf16>
  %c = ffn.matmul %s, %b : (!ffn.sparse24<1x4xbf16, axis = 1>, tensor<4x1xbf16>) -> tensor<1x1xf32>
  %e = arith.constant dense<17.0> : tensor<1x1xf32>
  check.expect_eq %c, %e : tensor<1x1xf32>, tensor<1x1xf32>
  return
}

// Feature-wise: the left operand is reduced over its rows.
// CHECK: @sparse_transposed: passed
func.func @sparse_transposed() {
  %a = arith.constant dense<[[1.0, 9.0], [2.0, 0.0], [3.0, 0.0], [4.0, 7.0]]> : tensor<4x2xf16>
  %v, %m = ffn.sparsify %a along 0 : (tensor<4x2xf16>) -> (tensor<4x2xf16>, tensor<4x2xi1>)
  %s = ffn.compress %v, %m : (tensor<4x2xf16>, tensor<4x2xi1>) -> !ffn.sparse24<4x2xf16, axis = 0>
  %b = arith.constant dense<[[1.0], [1.0], [1.0], [10.0]]> : tensor<4x1xf16>
  %c = ffn.matmul %s, %b {transpose_lhs} : (!ffn.sparse24<4x2xf16, axis = 0>, tensor<4x1xf16>) -> tensor<2x1xf32>
  %e = arith.constant dense<[[43.0], [79.0]]> : tensor<2x1xf32>
  check.expect_eq %c, %e : tensor<2x1xf32>, tensor<2x1xf32>
  return
}

// The sparse product of a matrix that is 2:4 already is the dense one, also at sizes that are not multiples of anything.
// CHECK: @sparse_equals_dense: passed
func.func @sparse_equals_dense() {
  %x = check.random {seed = 3 : i64} : tensor<37x260xbf16>
  %w = check.random {seed = 4 : i64} : tensor<45x260xbf16>
  %v, %m = ffn.sparsify %x along 1 : (tensor<37x260xbf16>) -> (tensor<37x260xbf16>, tensor<37x260xi1>)
  %s = ffn.compress %v, %m : (tensor<37x260xbf16>, tensor<37x260xi1>) -> !ffn.sparse24<37x260xbf16, axis = 1>
  %d = ffn.decompress %s : !ffn.sparse24<37x260xbf16, axis = 1> -> tensor<37x260xbf16>
  check.expect_eq %d, %v : tensor<37x260xbf16>, tensor<37x260xbf16>
  %a = ffn.matmul %s, %w {transpose_rhs}
     : (!ffn.sparse24<37x260xbf16, axis = 1>, tensor<45x260xbf16>) -> tensor<37x45xbf16>
  %b = ffn.matmul %v, %w {transpose_rhs} : (tensor<37x260xbf16>, tensor<45x260xbf16>) -> tensor<37x45xbf16>
  check.expect_eq %a, %b : tensor<37x45xbf16>, tensor<37x45xbf16>
  return
}
