// RUN: winnow-translate --interpret %s | FileCheck %s

// Largest magnitudes; ties to the lowest index; zeros of both signs alike; NaN above infinity, all NaNs alike.
// CHECK: @along_features: passed
func.func @along_features() {
  %x = arith.constant dense<[[1.0, -5.0, 3.0, 2.0], [1.0, -1.0, 1.0, 1.0], [0.0, -0.0, 7.0, -0.0],
                             [0x7F800000, 0x7FC00000, 0x7F800000, 1.0], [-2.0, 0xFFC00000, 0x7FC00000, 0x7FC00000]]> : tensor<5x4xf32>
  %v, %m = ffn.sparsify %x along 1 : (tensor<5x4xf32>) -> (tensor<5x4xf32>, tensor<5x4xi1>)
  %ev = arith.constant dense<[[0.0, -5.0, 3.0, 0.0], [1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 7.0, 0.0],
                              [0x7F800000, 0x7FC00000, 0.0, 0.0], [0.0, 0x7FC00000, 0x7FC00000, 0.0]]> : tensor<5x4xf32>
  %em = arith.constant dense<[[false, true, true, false], [true, true, false, false], [true, false, true, false],
                              [true, true, false, false], [false, true, true, false]]> : tensor<5x4xi1>
  check.expect_eq %v, %ev : tensor<5x4xf32>, tensor<5x4xf32>
  check.expect_eq %m, %em : tensor<5x4xi1>, tensor<5x4xi1>
  return
}

// A kept -0.0 keeps its sign, a dropped one becomes +0.0.
// CHECK: @negative_zero: passed
func.func @negative_zero() {
  %x = arith.constant dense<-0.0> : tensor<1x4xbf16>
  %v, %m = ffn.sparsify %x along 1 : (tensor<1x4xbf16>) -> (tensor<1x4xbf16>, tensor<1x4xi1>)
  %ev = arith.constant dense<[[-0.0, -0.0, 0.0, 0.0]]> : tensor<1x4xbf16>
  check.expect_eq %v, %ev : tensor<1x4xbf16>, tensor<1x4xbf16>
  return
}

// CHECK: @along_tokens: passed
func.func @along_tokens() {
  %x = arith.constant dense<[[1.0, 8.0], [2.0, 7.0], [3.0, 6.0], [4.0, 5.0]]> : tensor<4x2xf16>
  %v, %m = ffn.sparsify %x along 0 : (tensor<4x2xf16>) -> (tensor<4x2xf16>, tensor<4x2xi1>)
  %ev = arith.constant dense<[[0.0, 8.0], [0.0, 7.0], [3.0, 0.0], [4.0, 0.0]]> : tensor<4x2xf16>
  check.expect_eq %v, %ev : tensor<4x2xf16>, tensor<4x2xf16>
  return
}

// The second choice sees only what the first one kept; positions that it keeps beyond that hold zeros.
// CHECK: @nested: passed
func.func @nested() {
  %x = arith.constant dense<[[9.0, 8.0, 1.0, 2.0], [1.0, 2.0, 9.0, 8.0], [3.0, 4.0, 5.0, 6.0], [7.0, 1.0, 6.0, 2.0]]> : tensor<4x4xf32>
  %t, %tm = ffn.sparsify %x along 1 : (tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xi1>)
  %f, %fm = ffn.sparsify %x along 0 under %tm : (tensor<4x4xf32>, tensor<4x4xi1>) -> (tensor<4x4xf32>, tensor<4x4xi1>)
  %ef = arith.constant dense<[[9.0, 8.0, 0.0, 0.0], [0.0, 0.0, 9.0, 8.0], [0.0, 0.0, 0.0, 6.0], [7.0, 0.0, 6.0, 0.0]]> : tensor<4x4xf32>
  %em = arith.constant dense<[[true, true, false, false], [false, true, true, true], [false, false, false, true],
                              [true, false, true, false]]> : tensor<4x4xi1>
  check.expect_eq %f, %ef : tensor<4x4xf32>, tensor<4x4xf32>
  check.expect_eq %fm, %em : tensor<4x4xi1>, tensor<4x4xi1>
  // Choosing among the values that the first choice left is the same.
  %g, %gm = ffn.sparsify %t along 0 : (tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xi1>)
  check.expect_eq %g, %f : tensor<4x4xf32>, tensor<4x4xf32>
  check.expect_eq %gm, %fm : tensor<4x4xi1>, tensor<4x4xi1>
  return
}

// Six tokens: the second group of four has two elements and is completed with zeros, so both are kept.
// CHECK: @incomplete_group: passed
func.func @incomplete_group() {
  %x = check.random {seed = 2 : i64, tokens = 6 : i64} : tensor<?x8xbf16>
  %v, %m = ffn.sparsify %x along 0 : (tensor<?x8xbf16>) -> (tensor<?x8xbf16>, tensor<?x8xi1>)
  %c = ffn.compress %v, %m : (tensor<?x8xbf16>, tensor<?x8xi1>) -> !ffn.sparse24<?x8xbf16, axis = 0>
  %d = ffn.decompress %c : !ffn.sparse24<?x8xbf16, axis = 0> -> tensor<?x8xbf16>
  check.expect_eq %d, %v : tensor<?x8xbf16>, tensor<?x8xbf16>
  return
}

// One token: the only element of its group is kept, also if it is zero.
// CHECK: @one_token: passed
func.func @one_token() {
  %x = check.random {seed = 2 : i64, tokens = 1 : i64, special_rows} : tensor<?x4xf32>
  %v, %m = ffn.sparsify %x along 0 : (tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xi1>)
  %e = arith.constant dense<true> : tensor<1x4xi1>
  check.expect_eq %m, %e : tensor<?x4xi1>, tensor<1x4xi1>
  return
}

// CHECK: @compress: passed
func.func @compress() {
  %q = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf8E4M3FN>
  %m = arith.constant dense<[[true, false, false, true]]> : tensor<1x4xi1>
  %c = ffn.compress %q, %m : (tensor<1x4xf8E4M3FN>, tensor<1x4xi1>) -> !ffn.sparse24<1x4xf8E4M3FN, axis = 1>
  %d = ffn.decompress %c : !ffn.sparse24<1x4xf8E4M3FN, axis = 1> -> tensor<1x4xf8E4M3FN>
  %e = arith.constant dense<[[1.0, 0.0, 0.0, 4.0]]> : tensor<1x4xf8E4M3FN>
  check.expect_eq %d, %e : tensor<1x4xf8E4M3FN>, tensor<1x4xf8E4M3FN>
  return
}
