// RUN: winnow-opt %s | winnow-opt | FileCheck %s
// RUN: winnow-opt %s -emit-bytecode | winnow-opt | FileCheck %s

// CHECK-LABEL: func.func @annotations
// CHECK-SAME: (%{{.*}}: tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01>},
// CHECK-SAME:  %{{.*}}: tensor<4x8xbf16> {ffn.weight})
func.func @annotations(%x: tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5>}, %w: tensor<4x8xbf16> {ffn.weight})
    -> (tensor<?x4xbf16>, tensor<?x8xf32>) {
  // CHECK: ffn.relu {{.*}} {ffn.sparsity = #ffn.sparsity<density = 8.000000e-02, max_drop = 1.000000e-01, profile = [0.000000e+00, 1.000000e+00, 2.500000e-01, 5.000000e-01]>}
  %y = ffn.relu %x {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.1, profile = [0.0, 1.0, 0.25, 0.5]>}
     : tensor<?x4xbf16> -> tensor<?x4xbf16>
  // The order of the fields is free.
  // CHECK: ffn.sparsify {{.*}} {ffn.sparsity = #ffn.sparsity<density = 1.000000e+00, max_drop = 1.000000e+00>}
  %v, %m = ffn.sparsify %y along 1 {ffn.sparsity = #ffn.sparsity<max_drop = 1.0, density = 1.0>}
         : (tensor<?x4xbf16>) -> (tensor<?x4xbf16>, tensor<?x4xi1>)
  // CHECK: ffn.matmul {{.*}} {ffn.layout = #ffn.layout<token_wise>}
  %z = ffn.matmul %v, %w {ffn.layout = #ffn.layout<token_wise>} : (tensor<?x4xbf16>, tensor<4x8xbf16>) -> tensor<?x8xf32>
  return %v, %z : tensor<?x4xbf16>, tensor<?x8xf32>
}

// A long profile is printed as a tensor, of f16 where that loses nothing, else of f32. Either form is read.
// CHECK-LABEL: func.func private @tensors
// CHECK-SAME: profile = dense<2.500000e-01> : tensor<17xf16>>
// CHECK-SAME: profile = dense<1.000000e-01> : tensor<17xf32>>
// CHECK-SAME: profile = [5.000000e-01, 5.000000e-01, 5.000000e-01, 5.000000e-01]>
func.func private @tensors(
    tensor<?x17xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.25, profile = [0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25,
                       0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]>},
    tensor<?x17xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.1, profile = dense<0.1> : tensor<17xf32>>},
    tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, profile = dense<0.5> : tensor<4xbf16>>})
