// RUN: winnow-opt %s -ffn-split-dynamic-scale | FileCheck %s
// RUN: winnow-opt %s -ffn-split-dynamic-scale --remarks-filter=ffn-split-dynamic-scale 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: func.func @tensor_and_column(
// CHECK-SAME:    %[[X:.*]]: tensor
func.func @tensor_and_column(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<f32>, tensor<?x64xf8E5M2>, tensor<64xf32>) {
  // CHECK-NEXT: %[[S:.*]] = ffn.dynamic_scale %[[X]] by tensor to f8E4M3FN
  // CHECK-NEXT: %[[Q:.*]] = ffn.quantize %[[X]] scaled %[[S]] by{{ +}}tensor
  // REMARK: remark: [Passed] SplitScale | Category:ffn-split-dynamic-scale | Function=tensor_and_column | Reason="a scale by tensor needs the whole tensor before the first value can be written"
  %q, %s = ffn.quantize %x by tensor : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<f32>)
  // CHECK-NEXT: %[[T:.*]] = ffn.dynamic_scale %[[X]] by column to f8E5M2
  // CHECK-NEXT: %[[P:.*]] = ffn.quantize %[[X]] scaled %[[T]] by{{ +}}column
  // REMARK: Reason="a scale by column needs every row before the first value can be written"
  %p, %t = ffn.quantize %x by column : (tensor<?x64xbf16>) -> (tensor<?x64xf8E5M2>, tensor<64xf32>)
  // CHECK-NEXT: return %[[Q]], %[[S]], %[[P]], %[[T]]
  return %q, %s, %p, %t : tensor<?x64xf8E4M3FN>, tensor<f32>, tensor<?x64xf8E5M2>, tensor<64xf32>
}

// Declines: by row, also after a selection along the row.
// CHECK-LABEL: func.func @row(
// CHECK-NOT: ffn.dynamic_scale
func.func @row(%x: tensor<?x64xbf16>, %w: tensor<32x64xf8E4M3FN>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x32xbf16>) {
  %q, %s = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %p, %t = ffn.quantize %v by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %c = ffn.compress %p, %m : (tensor<?x64xf8E4M3FN>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
  %z = ffn.matmul %c scaled %t, %w {transpose_rhs} : (!ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<?xf32>, tensor<32x64xf8E4M3FN>) -> tensor<?x32xbf16>
  return %q, %s, %z : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x32xbf16>
}

// A kernel that owns rows selects once, along them.
// CHECK-LABEL: func.func @row_after_selections(
func.func @row_after_selections(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  // REMARK: Function=row_after_selections | Reason="a kernel that owns whole rows cannot select across them"
  // CHECK: %[[V:.*]], %{{.*}} = ffn.sparsify {{.*}} along 0
  // CHECK: ffn.dynamic_scale %[[V]] by row
  %v, %m = ffn.sparsify %x along 0 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %q, %s = ffn.quantize %v by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  // REMARK: Function=row_after_selections | Reason="a kernel that owns whole rows makes one selection"
  // CHECK: %[[U:.*]], %{{.*}} = ffn.sparsify {{.*}} along 1 :
  // CHECK: ffn.dynamic_scale %[[U]] by row
  %u, %n = ffn.sparsify %x along 1 under %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %p, %t = ffn.quantize %u by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  return %q, %s, %p, %t : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xf8E4M3FN>, tensor<?xf32>
}

// The values have to be stored the other way round, or under a mask that is not of what is quantised; or not at all.
// CHECK-LABEL: func.func @row_read_otherwise(
func.func @row_read_otherwise(%x: tensor<?x64xbf16>, %y: tensor<?x64xbf16>, %w: tensor<?x32xf8E4M3FN>)
    -> (tensor<64x32xbf16>, !ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<?xf32>) {
  // CHECK: ffn.dynamic_scale %{{.*}} by row
  // REMARK: Function=row_read_otherwise | Reason="a product reduces the values along their rows' index"
  %q, %s = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %g = ffn.matmul %q, %w {transpose_lhs} : (tensor<?x64xf8E4M3FN>, tensor<?x32xf8E4M3FN>) -> tensor<64x32xbf16>
  // CHECK: ffn.dynamic_scale %{{.*}} by row
  // REMARK: Function=row_read_otherwise | Reason="the values are compressed under a mask that is not theirs"
  %v, %m = ffn.sparsify %y along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %p, %t = ffn.quantize %y by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %c = ffn.compress %p, %m : (tensor<?x64xf8E4M3FN>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
  // CHECK: %[[S:.*]] = ffn.dynamic_scale %{{.*}} by row to f8E5M2
  // CHECK-NOT: ffn.quantize
  // REMARK: Function=row_read_otherwise | Reason="only the scale is used"
  %r, %u = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E5M2>, tensor<?xf32>)
  // CHECK: return {{.*}}, %[[S]] :
  return %g, %c, %u : tensor<64x32xbf16>, !ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<?xf32>
}
