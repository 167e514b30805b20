// RUN: winnow-translate --interpret --split-input-file --verify-diagnostics %s
// RUN: not winnow-translate --interpret --split-input-file %s 2>&1 | FileCheck %s
// The exit code is a failure, and the message stands at the operation.
// CHECK: errors.mlir{{.*}}:3: error: 'check.expect_eq' failed: 1 of 2 elements differ, first at [1]: expected 3, got 2; max error 1, relative error 0.316228

func.func @unequal() {
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  // expected-error@below {{'check.expect_eq' failed: 1 of 2 elements differ, first at [1]: expected 3, got 2; max error 1, relative error 0.316228}}
  check.expect_eq %a, %b : tensor<2xf32>, tensor<2xf32>
  return
}

// -----

func.func @signs_of_zero() {
  %a = arith.constant dense<0.0> : tensor<f32>
  %b = arith.constant dense<-0.0> : tensor<f32>
  // expected-error@below {{'check.expect_eq' failed: 1 of 1 elements differ, first at []: expected -0, got 0; max error 0, relative error 0}}
  check.expect_eq %a, %b : tensor<f32>, tensor<f32>
  return
}

// -----

func.func @not_close() {
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[1.0, 2.5]> : tensor<2xf32>
  // expected-error@below {{'check.expect_close' failed: 1 of 2 elements differ, first at [1]: expected 2.5, got 2; max error 0.5, relative error 0.185695}}
  check.expect_close %a, %b {max_relative = 1.0e-2 : f64} : tensor<2xf32>, tensor<2xf32>
  return
}

// -----

func.func @nan_is_not_close() {
  %a = arith.constant dense<0x7FC00000> : tensor<f32>
  %b = arith.constant dense<1.0> : tensor<f32>
  // expected-error@below {{'check.expect_close' failed: 1 of 1 elements differ, first at []: expected 1, got nan; 1 NaNs on one side only; max error 0, relative error 0}}
  check.expect_close %a, %b {max_relative = 1.0 : f64} : tensor<f32>, tensor<f32>
  return
}

// -----

func.func @other_types() {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %b = arith.constant dense<1.0> : tensor<2xbf16>
  // expected-error@below {{'check.expect_eq' expects 2xbf16, got 2xf32}}
  check.expect_eq %a, %b : tensor<2xf32>, tensor<2xbf16>
  return
}

// -----

// C3: two of every four.
func.func @mask_is_not_two_of_four() {
  %v = arith.constant dense<1.0> : tensor<1x8xbf16>
  %m = arith.constant dense<[[true, true, false, false, true, false, false, false]]> : tensor<1x8xi1>
  // expected-error@below {{'ffn.compress' the mask expects exactly 2 true values in every group of four along axis 1, got 1 in the group at [0, 4]; make the mask with ffn.sparsify along that axis}}
  %c = ffn.compress %v, %m : (tensor<1x8xbf16>, tensor<1x8xi1>) -> !ffn.sparse24<1x8xbf16, axis = 1>
  return
}

// -----

func.func @two_token_counts() {
  %a = check.random {seed = 1 : i64, tokens = 3 : i64} : tensor<?x4xbf16>
  // expected-error@below {{'check.random' result 0 expects 3 tokens, as every dynamic extent before it, got 5 (5x4xbf16)}}
  %b = check.random {seed = 1 : i64, tokens = 5 : i64} : tensor<?x4xbf16>
  return
}

// -----

func.func @unknown_op() {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  // expected-error@below {{'arith.addf' is not known to the interpreter}}
  %b = arith.addf %a, %a : tensor<2xf32>
  return
}

// -----

func.func @constant_type() {
  // expected-error@below {{the interpreter expects a constant tensor of f32, bf16, f16, f8E4M3FN, f8E5M2, i1 or i32 with static extents, got i32}}
  %a = arith.constant 1 : i32
  return
}

// -----

// expected-error@below {{expects a function without arguments to interpret, got none}}
module {
  func.func @arguments(%x: tensor<2xf32>) {
    return
  }
}
