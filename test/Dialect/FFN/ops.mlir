// RUN: winnow-opt %s | winnow-opt | FileCheck %s
// RUN: winnow-opt %s -mlir-print-op-generic | winnow-opt | FileCheck %s
// RUN: winnow-opt %s -emit-bytecode | winnow-opt | FileCheck %s

// CHECK-LABEL: func.func @matmul_plain
func.func @matmul_plain(%a: tensor<?x64xbf16>, %b: tensor<64x32xbf16>) -> tensor<?x32xf32> {
  // CHECK: ffn.matmul %{{.*}}, %{{.*}} : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xf32>
  %0 = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @matmul_scaled
// CHECK-SAME: (%[[A:.*]]: tensor<?x64xf8E4M3FN>, %[[SA:.*]]: tensor<?xf32>, %[[B:.*]]: tensor<32x64xf8E5M2>, %[[SB:.*]]: tensor<32xf32>)
func.func @matmul_scaled(%a: tensor<?x64xf8E4M3FN>, %sa: tensor<?xf32>, %b: tensor<32x64xf8E5M2>, %sb: tensor<32xf32>)
    -> tensor<?x32xbf16> {
  // CHECK: ffn.matmul %[[A]] scaled %[[SA]], %[[B]] scaled %[[SB]] {transpose_rhs}
  // CHECK-SAME: (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<32x64xf8E5M2>, tensor<32xf32>) -> tensor<?x32xbf16>
  %0 = ffn.matmul %a scaled %sa, %b scaled %sb {transpose_rhs}
     : (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<32x64xf8E5M2>, tensor<32xf32>) -> tensor<?x32xbf16>
  return %0 : tensor<?x32xbf16>
}

// CHECK-LABEL: func.func @matmul_one_scale
// CHECK-SAME: (%[[A:.*]]: tensor<?x64xf16>, %[[B:.*]]: tensor<64x32xf16>, %[[S:.*]]: tensor<f32>)
func.func @matmul_one_scale(%a: tensor<?x64xf16>, %b: tensor<64x32xf16>, %s: tensor<f32>) -> (tensor<?x32xf16>, tensor<?x32xf16>) {
  // CHECK: ffn.matmul %[[A]] scaled %[[S]], %[[B]] : (tensor<?x64xf16>, tensor<f32>, tensor<64x32xf16>)
  %0 = ffn.matmul %a scaled %s, %b : (tensor<?x64xf16>, tensor<f32>, tensor<64x32xf16>) -> tensor<?x32xf16>
  // CHECK: ffn.matmul %[[A]], %[[B]] scaled %[[S]] : (tensor<?x64xf16>, tensor<64x32xf16>, tensor<f32>)
  %1 = ffn.matmul %a, %b scaled %s : (tensor<?x64xf16>, tensor<64x32xf16>, tensor<f32>) -> tensor<?x32xf16>
  return %0, %1 : tensor<?x32xf16>, tensor<?x32xf16>
}

// CHECK-LABEL: func.func @matmul_sparse
func.func @matmul_sparse(%a: !ffn.sparse24<?x64xf8E4M3FN, axis = 1>, %b: tensor<64x32xf8E4M3FN>,
                         %c: !ffn.sparse24<?x64xbf16, axis = 0>, %d: tensor<?x32xbf16>) -> (tensor<?x32xbf16>, tensor<64x32xf32>) {
  // CHECK: ffn.matmul %{{.*}}, %{{.*}} : (!ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<64x32xf8E4M3FN>) -> tensor<?x32xbf16>
  %0 = ffn.matmul %a, %b : (!ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<64x32xf8E4M3FN>) -> tensor<?x32xbf16>
  // CHECK: ffn.matmul %{{.*}}, %{{.*}} {transpose_lhs} : (!ffn.sparse24<?x64xbf16, axis = 0>, tensor<?x32xbf16>) -> tensor<64x32xf32>
  %1 = ffn.matmul %c, %d {transpose_lhs} : (!ffn.sparse24<?x64xbf16, axis = 0>, tensor<?x32xbf16>) -> tensor<64x32xf32>
  return %0, %1 : tensor<?x32xbf16>, tensor<64x32xf32>
}

// CHECK-LABEL: func.func @activations
func.func @activations(%x: tensor<?x64xbf16>) -> (tensor<?x64xf32>, tensor<?x64xbf16>, tensor<?x64xf16>, tensor<?x64xbf16>) {
  // CHECK: ffn.relu2 %{{.*}} : tensor<?x64xbf16> -> tensor<?x64xf32>
  %0 = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xf32>
  // CHECK: ffn.relu %{{.*}} : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %1 = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  // CHECK: ffn.gelu %{{.*}} : tensor<?x64xbf16> -> tensor<?x64xf16>
  %2 = ffn.gelu %x : tensor<?x64xbf16> -> tensor<?x64xf16>
  // CHECK: ffn.silu %{{.*}} : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %3 = ffn.silu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %0, %1, %2, %3 : tensor<?x64xf32>, tensor<?x64xbf16>, tensor<?x64xf16>, tensor<?x64xbf16>
}

// CHECK-LABEL: func.func @quantize
func.func @quantize(%x: tensor<?x64xf32>, %row: tensor<?xf32>, %one: tensor<f32>)
    -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xf8E5M2>, tensor<64xf32>, tensor<?x64xf8E4M3FN>, tensor<f32>) {
  // CHECK: ffn.quantize %{{.*}} by row : (tensor<?x64xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %0, %s0 = ffn.quantize %x by row : (tensor<?x64xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  // CHECK: ffn.quantize %{{.*}} by column : (tensor<?x64xf32>) -> (tensor<?x64xf8E5M2>, tensor<64xf32>)
  %1, %s1 = ffn.quantize %x by column : (tensor<?x64xf32>) -> (tensor<?x64xf8E5M2>, tensor<64xf32>)
  // CHECK: ffn.quantize %{{.*}} by tensor : (tensor<?x64xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<f32>)
  %2, %s2 = ffn.quantize %x by tensor : (tensor<?x64xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<f32>)
  // CHECK: ffn.quantize %{{.*}} scaled %{{.*}} by row : (tensor<?x64xf32>, tensor<?xf32>) -> tensor<?x64xf8E4M3FN>
  %3 = ffn.quantize %x scaled %row by row : (tensor<?x64xf32>, tensor<?xf32>) -> tensor<?x64xf8E4M3FN>
  // CHECK: ffn.quantize %{{.*}} scaled %{{.*}} by tensor : (tensor<?x64xf32>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
  %4 = ffn.quantize %x scaled %one by tensor : (tensor<?x64xf32>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
  // CHECK: ffn.dynamic_scale %{{.*}} by tensor to f8E5M2 : (tensor<?x64xf32>) -> tensor<f32>
  %5 = ffn.dynamic_scale %x by tensor to f8E5M2 : (tensor<?x64xf32>) -> tensor<f32>
  return %0, %s0, %1, %s1, %3, %5
    : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xf8E5M2>, tensor<64xf32>, tensor<?x64xf8E4M3FN>, tensor<f32>
}

// CHECK-LABEL: func.func @select_and_compress
func.func @select_and_compress(%x: tensor<?x64xbf16>) -> (!ffn.sparse24<?x64xbf16, axis = 1>, tensor<?x64xbf16>) {
  // CHECK: %[[V:.*]], %[[M:.*]] = ffn.sparsify %{{.*}} along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  // CHECK: ffn.sparsify %{{.*}} along 0 under %[[M]] : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %x along 0 under %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  // CHECK: ffn.compress %[[V]], %[[M]] : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  %c = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  %e = ffn.compress %u, %n : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 0>
  // CHECK: ffn.decompress %{{.*}} : !ffn.sparse24<?x64xbf16, axis = 0> -> tensor<?x64xbf16>
  %d = ffn.decompress %e : !ffn.sparse24<?x64xbf16, axis = 0> -> tensor<?x64xbf16>
  return %c, %d : !ffn.sparse24<?x64xbf16, axis = 1>, tensor<?x64xbf16>
}

// CHECK-LABEL: func.func @count
func.func @count(%x: tensor<?x64xf32>, %q: tensor<64x?xf8E5M2>) -> (tensor<64xi32>, tensor<?xi32>) {
  // CHECK: ffn.count_nonzero %{{.*}} : tensor<?x64xf32> -> tensor<64xi32>
  %0 = ffn.count_nonzero %x : tensor<?x64xf32> -> tensor<64xi32>
  // CHECK: ffn.count_nonzero %{{.*}} : tensor<64x?xf8E5M2> -> tensor<?xi32>
  %1 = ffn.count_nonzero %q : tensor<64x?xf8E5M2> -> tensor<?xi32>
  return %0, %1 : tensor<64xi32>, tensor<?xi32>
}

// CHECK-LABEL: func.func @kernel
func.func @kernel(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  // CHECK: ffn.kernel(%{{.*}}) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  // CHECK-NEXT: ^bb0(%[[X:.*]]: tensor<?x64xbf16>):
  // CHECK-NEXT:   %[[Q:.*]], %[[S:.*]] = ffn.quantize %[[X]] by row
  // CHECK-NEXT:   ffn.yield %[[Q]], %[[S]] : tensor<?x64xf8E4M3FN>, tensor<?xf32>
  // CHECK-NEXT: }
  %q, %s = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  ^bb0(%arg0: tensor<?x64xbf16>):
    %0, %1 = ffn.quantize %arg0 by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
    ffn.yield %0, %1 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
  }
  return %q, %s : tensor<?x64xf8E4M3FN>, tensor<?xf32>
}
