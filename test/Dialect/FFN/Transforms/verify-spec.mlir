// RUN: winnow-opt %s -split-input-file -verify-diagnostics -ffn-verify-spec
// RUN: not winnow-opt %s -split-input-file "-ffn-verify-spec=entry=backward" 2>&1 | FileCheck %s

// CHECK: error: expects a function @backward, got @forward, @other
func.func @forward(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %s = arith.constant dense<1.0> : tensor<f32>
  %y = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}
func.func @other(%x: !ffn.sparse24<?x64xbf16, axis = 1>) {
  return
}

// -----

// expected-error @below {{expects a function (func.func), got none}}
module {
}

// -----

// expected-error @below {{'func.func' op expects a body}}
func.func private @external(%x: tensor<?x64xbf16>)

// -----

// expected-error @below {{'func.func' op expects at most one dynamic extent, the token count, got 'tensor<?x?xbf16>' for argument 1}}
func.func @two_dynamic(%x: tensor<?x64xbf16>, %y: tensor<?x?xbf16>) {
  return
}

// -----

// expected-error @below {{'func.func' op expects extents of at least 1, got 'tensor<0x64xbf16>' for argument 0}}
func.func @empty(%x: tensor<0x64xbf16>) {
  return
}

// -----

// expected-error @below {{'func.func' op expects ranked tensors and !ffn.sparse24, got 'f32' for argument 0}}
func.func @scalar(%x: f32) {
  return
}

// -----

func.func @product_of_tokens(%x: tensor<?x64xbf16>) -> tensor<?x?xf32> {
  // expected-error @below {{'ffn.matmul' op expects at most one dynamic extent, the token count, got 'tensor<?x?xf32>' for result 0}}
  %y = ffn.matmul %x, %x {transpose_rhs} : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

// expected-error @below {{'func.func' op expects counts (i32) to come from ffn.count_nonzero, got 'tensor<64xi32>' for argument 1}}
func.func @count_argument(%x: tensor<?x64xbf16>, %n: tensor<64xi32>) -> tensor<64xi32> {
  return %n : tensor<64xi32>
}

// -----

func.func @count_constant() -> tensor<2xi32> {
  // expected-error @below {{'arith.constant' op expects counts (i32) to come from ffn.count_nonzero, got 'tensor<2xi32>' for a constant}}
  %n = arith.constant dense<[1, 2]> : tensor<2xi32>
  return %n : tensor<2xi32>
}

// -----

func.func private @callee(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  return %x : tensor<?x64xbf16>
}
func.func @call(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  // expected-error @below {{'func.call' op is not part of a specification, expected operations of the ffn dialect, arith.constant and func.return}}
  %y = func.call @callee(%x) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// -----

// expected-error @below {{'builtin.module' op is not part of a specification, expected functions (func.func) only}}
module {
}
func.func @f() {
  return
}
