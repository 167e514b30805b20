// RUN: winnow-opt %s -ffn-fuse-activation | FileCheck %s
// RUN: winnow-opt %s -ffn-fuse-activation --remarks-filter=ffn-fuse-activation 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// The whole chain, with a scale by row: scale and compressed values are the results, the dense values are not stored.
// CHECK-LABEL: func.func @row_chain(
// CHECK-SAME:    %[[Y:.*]]: tensor<?x64xbf16>,
func.func @row_chain(%y: tensor<?x64xbf16>, %w: tensor<32x64xf8E4M3FN>) -> tensor<?x32xbf16> {
  // CHECK-NEXT: %[[K:.*]]:2 = ffn.kernel(%[[Y]]) : (tensor<?x64xbf16>) -> (tensor<?xf32>, !ffn.sparse24<?x64xf8E4M3FN, axis = 1>) {
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: tensor<?x64xbf16>):
  // CHECK-NEXT:   %[[A:.*]] = ffn.relu2 %[[IN]]
  // CHECK-NEXT:   %[[V:.*]], %[[M:.*]] = ffn.sparsify %[[A]] along 1
  // CHECK-NEXT:   %[[Q:.*]], %[[S:.*]] = ffn.quantize %[[V]] by{{ +}}row
  // CHECK-NEXT:   %[[C:.*]] = ffn.compress %[[Q]], %[[M]]
  // CHECK-NEXT:   ffn.yield %[[S]], %[[C]]
  // CHECK-NEXT: }
  // CHECK-NEXT: %[[Z:.*]] = ffn.matmul %[[K]]#1 scaled %[[K]]#0,
  // CHECK-NEXT: return %[[Z]]
  // REMARK: remark: [Passed] FusedChain | Category:ffn-fuse-activation | Function=row_chain | Reason="relu2 -> sparsify -> quantize -> compress"
  %a = ffn.relu2 %y : tensor<?x64xbf16> -> tensor<?x64xf32>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xi1>)
  %q, %s = ffn.quantize %v by row : (tensor<?x64xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %c = ffn.compress %q, %m : (tensor<?x64xf8E4M3FN>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
  %z = ffn.matmul %c scaled %s, %w {transpose_rhs} : (!ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<?xf32>, tensor<32x64xf8E4M3FN>) -> tensor<?x32xbf16>
  return %z : tensor<?x32xbf16>
}

// A given scale is an operand of the kernel; a dynamic one by itself is a kernel of its own.
// CHECK-LABEL: func.func @given_scale(
// CHECK-SAME:    %[[Y:.*]]: tensor<?x64xbf16>)
func.func @given_scale(%y: tensor<?x64xbf16>) -> tensor<?x64xf8E4M3FN> {
  // CHECK-NEXT: %[[S:.*]] = ffn.kernel(%[[Y]]) : (tensor<?x64xbf16>) -> tensor<f32> {
  // CHECK:        ffn.relu2
  // CHECK-NEXT:   ffn.dynamic_scale
  // CHECK-NEXT:   ffn.yield
  // CHECK:      %[[Q:.*]] = ffn.kernel(%[[Y]], %[[S]])
  // CHECK:        ffn.relu2
  // CHECK-NEXT:   ffn.quantize {{.*}} scaled
  // CHECK-NEXT:   ffn.yield
  // CHECK:      return %[[Q]]
  %a = ffn.relu2 %y : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %s = ffn.dynamic_scale %a by tensor to f8E4M3FN : (tensor<?x64xbf16>) -> tensor<f32>
  %q = ffn.quantize %a scaled %s by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
  return %q : tensor<?x64xf8E4M3FN>
}

// The value that both read is not stored: each kernel computes it again from the product's result.
// CHECK-LABEL: func.func @recompute(
// CHECK-NEXT:   %[[Y:.*]] = ffn.matmul
// CHECK-NEXT:   ffn.kernel(%[[Y]]) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
// CHECK:          ffn.relu2
// CHECK:        ffn.kernel(%[[Y]]) : (tensor<?x64xbf16>) -> !ffn.sparse24<?x64xbf16, axis = 1>
// CHECK:          ffn.relu2
// CHECK-NEXT:     ffn.sparsify
// CHECK-NEXT:     ffn.compress
// CHECK:        return
func.func @recompute(%x: tensor<?x64xbf16>, %w: tensor<64x64xbf16>) -> (tensor<?x64xbf16>, !ffn.sparse24<?x64xbf16, axis = 1>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
  %a = ffn.relu2 %y : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  return %a, %c : tensor<?x64xbf16>, !ffn.sparse24<?x64xbf16, axis = 1>
}

// Values, mask and compressed form of one chain are one kernel.
// CHECK-LABEL: func.func @all_results(
// CHECK:         ffn.kernel({{.*}}) : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>, !ffn.sparse24<?x64xbf16, axis = 1>)
// CHECK-NOT:     ffn.kernel
func.func @all_results(%x: tensor<?x64xbf16>) -> (!ffn.sparse24<?x64xbf16, axis = 1>, tensor<?x64xi1>, tensor<?x64xbf16>) {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  return %c, %m, %v : !ffn.sparse24<?x64xbf16, axis = 1>, tensor<?x64xi1>, tensor<?x64xbf16>
}

// A mask joins the kernel that makes the same selection on the way to something else.
// CHECK-LABEL: func.func @mask_joins(
// CHECK:         ffn.kernel({{.*}}) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xi1>)
// CHECK-NOT:     ffn.kernel
func.func @mask_joins(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xi1>) {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %q, %s = ffn.quantize %v by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  return %q, %s, %m : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xi1>
}

// Compressed values do not: they would not be those of the other kernel, which quantises.
// CHECK-LABEL: func.func @compressed_stays(
// CHECK:         ffn.kernel({{.*}}) : (tensor<?x64xbf16>) -> !ffn.sparse24<?x64xbf16, axis = 1>
// CHECK:         ffn.kernel({{.*}}) : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
func.func @compressed_stays(%x: tensor<?x64xbf16>, %s: tensor<f32>) -> (!ffn.sparse24<?x64xbf16, axis = 1>, tensor<?x64xf8E4M3FN>) {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  %q = ffn.quantize %v scaled %s by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
  return %c, %q : !ffn.sparse24<?x64xbf16, axis = 1>, tensor<?x64xf8E4M3FN>
}

// A mask by itself has a kernel of its own.
// CHECK-LABEL: func.func @mask_alone(
// CHECK:         ffn.kernel({{.*}}) : (tensor<?x64xbf16>) -> tensor<?x64xi1>
func.func @mask_alone(%x: tensor<?x64xbf16>) -> tensor<?x64xi1> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %m : tensor<?x64xi1>
}

// Mask nesting: the later selection sees what the earlier one left.
// CHECK-LABEL: func.func @nested(
// CHECK:         %[[V:.*]], %{{.*}} = ffn.sparsify %{{.*}} along 1 :
// CHECK-NEXT:    %[[U:.*]], %[[N:.*]] = ffn.sparsify %[[V]] along 0 :
// CHECK-NEXT:    ffn.compress %[[U]], %[[N]]
func.func @nested(%x: tensor<?x64xbf16>) -> !ffn.sparse24<?x64xbf16, axis = 0> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %x along 0 under %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %u, %n : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 0>
  return %c : !ffn.sparse24<?x64xbf16, axis = 0>
}

// Three selections, nested: what the first left is stored for a kernel with the other two.
// CHECK-LABEL: func.func @three_selections(
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xbf16>)
// CHECK-NEXT:    %[[V:.*]] = ffn.kernel(%[[X]]) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
// CHECK:           ffn.sparsify {{.*}} along 1
// CHECK-NEXT:      ffn.yield
// CHECK:         ffn.kernel(%[[V]]) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
// CHECK:           ffn.sparsify {{.*}} along 0 :
// CHECK-NEXT:      ffn.sparsify {{.*}} along 1 :
// CHECK-NEXT:      ffn.yield
func.func @three_selections(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %x along 0 under %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %t, %o = ffn.sparsify %u along 1 under %n : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %t : tensor<?x64xbf16>
}

// An activation of what was selected starts a new kernel.
// CHECK-LABEL: func.func @activation_after_selection(
// CHECK:         %[[V:.*]] = ffn.kernel(%{{.*}})
// CHECK:           ffn.relu
// CHECK-NEXT:      ffn.sparsify
// CHECK:         ffn.kernel(%[[V]])
// CHECK:           ffn.gelu
func.func @activation_after_selection(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %a = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %g = ffn.gelu %v : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %g : tensor<?x64xbf16>
}

// Compression reads only what the mask keeps, so it may as well read the selected values.
// CHECK-LABEL: func.func @unselected_values(
// CHECK:         ffn.kernel(
// CHECK:           %[[V:.*]], %[[M:.*]] = ffn.sparsify
// CHECK-NEXT:      %[[Q:.*]] = ffn.quantize %[[V]] scaled
// CHECK-NEXT:      ffn.compress %[[Q]], %[[M]]
// CHECK:         ffn.kernel(
// CHECK:           %[[W:.*]], %[[N:.*]] = ffn.sparsify
// CHECK-NEXT:      ffn.compress %[[W]], %[[N]]
func.func @unselected_values(%x: tensor<?x64xbf16>, %s: tensor<f32>) -> (!ffn.sparse24<?x64xf8E4M3FN, axis = 1>, !ffn.sparse24<?x64xbf16, axis = 0>) {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %q = ffn.quantize %x scaled %s by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
  %c = ffn.compress %q, %m : (tensor<?x64xf8E4M3FN>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
  %w, %n = ffn.sparsify %x along 0 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %d = ffn.compress %x, %n : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 0>
  return %c, %d : !ffn.sparse24<?x64xf8E4M3FN, axis = 1>, !ffn.sparse24<?x64xbf16, axis = 0>
}

// Declines: %n may be true where %m is not, and there %x holds what %u lost.
// CHECK-LABEL: func.func @not_what_the_earlier_one_left(
// CHECK:         ffn.sparsify {{.*}} along 1 under
// CHECK-NEXT:    return
func.func @not_what_the_earlier_one_left(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %x along 0 under %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %t, %o = ffn.sparsify %x along 1 under %n : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %t : tensor<?x64xbf16>
}

// Declines: masks of something else.
// CHECK-LABEL: func.func @foreign_masks(
// CHECK-NOT:     ffn.kernel
// CHECK:         ffn.sparsify
// CHECK-NEXT:    ffn.compress
// CHECK-NEXT:    return
func.func @foreign_masks(%x: tensor<?x64xbf16>, %m: tensor<?x64xi1>) -> (tensor<?x64xbf16>, !ffn.sparse24<?x64xbf16, axis = 1>) {
  %v, %n = ffn.sparsify %x along 1 under %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %x, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  return %v, %c : tensor<?x64xbf16>, !ffn.sparse24<?x64xbf16, axis = 1>
}

// What nobody reads goes.
// CHECK-LABEL: func.func @dead(
// CHECK-NEXT:    return
func.func @dead(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %a = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %x : tensor<?x64xbf16>
}

// Counts are a kernel of their own, which computes what it counts: values that nobody else reads are not stored.
// CHECK-LABEL: func.func @counts(
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xbf16>)
// CHECK-NEXT:    %[[N:.*]] = ffn.kernel(%[[X]]) : (tensor<?x64xbf16>) -> tensor<64xi32>
// CHECK:           ffn.relu2
// CHECK-NEXT:      ffn.sparsify
// CHECK-NEXT:      ffn.count_nonzero
// CHECK-NEXT:      ffn.yield
// CHECK:         %[[Q:.*]] = ffn.kernel(%[[X]], %{{.*}})
// CHECK:           ffn.quantize
// CHECK:         %[[P:.*]] = ffn.kernel(%[[Q]]) : (tensor<?x64xf8E4M3FN>) -> tensor<64xi32>
// CHECK-NEXT:    ^bb0
// CHECK-NEXT:      ffn.count_nonzero
// CHECK:         return %[[N]], %[[P]]
func.func @counts(%x: tensor<?x64xbf16>) -> (tensor<64xi32>, tensor<64xi32>) {
  %a = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xf32>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xi1>)
  %n = ffn.count_nonzero %v : tensor<?x64xf32> -> tensor<64xi32>
  %s = arith.constant dense<0.5> : tensor<f32>
  %q = ffn.quantize %x scaled %s by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
  %p = ffn.count_nonzero %q : tensor<?x64xf8E4M3FN> -> tensor<64xi32>
  return %n, %p : tensor<64xi32>, tensor<64xi32>
}
