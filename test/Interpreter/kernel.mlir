// RUN: winnow-translate --interpret %s | FileCheck %s

// A kernel means what its body means.
// CHECK: @kernel: passed
func.func @kernel() {
  %x = check.random {seed = 5 : i64, tokens = 3 : i64} : tensor<?x64xbf16>
  %w = check.random {seed = 6 : i64} : tensor<32x64xbf16>
  %q, %s = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<32x64xbf16>) -> (tensor<?x32xf8E4M3FN>, tensor<?xf32>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<32x64xbf16>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (tensor<?x64xbf16>, tensor<32x64xbf16>) -> tensor<?x32xbf16>
    %1 = ffn.relu2 %0 : tensor<?x32xbf16> -> tensor<?x32xf32>
    %2, %3 = ffn.quantize %1 by row : (tensor<?x32xf32>) -> (tensor<?x32xf8E4M3FN>, tensor<?xf32>)
    ffn.yield %2, %3 : tensor<?x32xf8E4M3FN>, tensor<?xf32>
  }
  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<?x64xbf16>, tensor<32x64xbf16>) -> tensor<?x32xbf16>
  %z = ffn.relu2 %y : tensor<?x32xbf16> -> tensor<?x32xf32>
  %p, %t = ffn.quantize %z by row : (tensor<?x32xf32>) -> (tensor<?x32xf8E4M3FN>, tensor<?xf32>)
  check.expect_eq %q, %p : tensor<?x32xf8E4M3FN>, tensor<?x32xf8E4M3FN>
  check.expect_eq %s, %t : tensor<?xf32>, tensor<?xf32>
  return
}

// A kernel whose block arguments are yielded, one of them twice, one not at all.
// CHECK: @forwarding: passed
func.func @forwarding() {
  %a = arith.constant dense<1.0> : tensor<2x2xf32>
  %b = arith.constant dense<2.0> : tensor<2x2xf32>
  %c:2 = ffn.kernel(%a, %b) : (tensor<2x2xf32>, tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  ^bb0(%x: tensor<2x2xf32>, %y: tensor<2x2xf32>):
    ffn.yield %y, %y : tensor<2x2xf32>, tensor<2x2xf32>
  }
  check.expect_eq %c#0, %b : tensor<2x2xf32>, tensor<2x2xf32>
  check.expect_eq %c#1, %b : tensor<2x2xf32>, tensor<2x2xf32>
  return
}

// Constants of every element type, splat, listed and empty.
// CHECK: @constants: passed
func.func @constants() {
  %a = arith.constant dense<0x38> : tensor<2x2xf8E4M3FN>
  %b = arith.constant dense<1.0> : tensor<2x2xf8E4M3FN>
  check.expect_eq %a, %b : tensor<2x2xf8E4M3FN>, tensor<2x2xf8E4M3FN>
  %c = arith.constant dense<[[0x3C, 0xBC]]> : tensor<1x2xf8E5M2>
  %d = arith.constant dense<[[1.0, -1.0]]> : tensor<1x2xf8E5M2>
  check.expect_eq %c, %d : tensor<1x2xf8E5M2>, tensor<1x2xf8E5M2>
  %e = arith.constant dense<"0x01000100"> : tensor<2xf16>
  %f = arith.constant dense<[0x0001, 0x0001]> : tensor<2xf16>
  check.expect_eq %e, %f : tensor<2xf16>, tensor<2xf16>
  %g = arith.constant dense<true> : tensor<5xi1>
  %h = arith.constant dense<[true, true, true, true, true]> : tensor<5xi1>
  check.expect_eq %g, %h : tensor<5xi1>, tensor<5xi1>
  %i = arith.constant dense_resource<ones> : tensor<2xf32>
  %j = arith.constant dense<1.0> : tensor<2xf32>
  check.expect_eq %i, %j : tensor<2xf32>, tensor<2xf32>
  %k = arith.constant dense<> : tensor<0x4xbf16>
  check.expect_eq %k, %k : tensor<0x4xbf16>, tensor<0x4xbf16>
  return
}

{-#
  dialect_resources: {
    builtin: {
      ones: "0x040000000000803F0000803F"
    }
  }
#-}
