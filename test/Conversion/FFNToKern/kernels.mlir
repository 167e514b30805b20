// RUN: winnow-opt --split-input-file --convert-ffn-to-kern %s | FileCheck %s

// The element-wise part of a product: its own rounding, then each activation with the rounding of its result.
// CHECK-LABEL: kern.gemm @epilogue_0_gemm
// CHECK-SAME: out = !kern.buffer<?x96xf16>
// CHECK-SAME: transpose_rhs
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32):
// CHECK-NEXT: %[[A:.*]] = arith.truncf %[[X]] : f32 to bf16
// CHECK-NEXT: %[[B:.*]] = arith.extf %[[A]] : bf16 to f32
// CHECK-NEXT: %[[Z:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT: %[[R:.*]] = arith.maximumf %[[B]], %[[Z]] : f32
// CHECK-NEXT: %[[C:.*]] = arith.truncf %[[R]] : f32 to f16
// CHECK-NEXT: %[[D:.*]] = arith.extf %[[C]] : f16 to f32
// CHECK-NEXT: kern.yield %[[D]] : f32
func.func @epilogue(%x: tensor<?x64xbf16>, %w: tensor<96x64xbf16>) -> tensor<?x96xf16> {
  %y = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xf16> {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<96x64xbf16>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xbf16>
    %1 = ffn.relu %0 : tensor<?x96xbf16> -> tensor<?x96xf16>
    ffn.yield %1 : tensor<?x96xf16>
  }
  return %y : tensor<?x96xf16>
}

// -----

// A dynamic row scale beside a transposed output: the launch that finds the scale writes what lies along rows, another the
// rest with the scale given.
// CHECK-LABEL: kern.program @dynamic_and_transposed
// CHECK: %[[Q:.*]] = kern.alloc {stage = array<i64: 0, 0>} : !kern.buffer<?x64xf8E4M3FN, #kern.transposed>
// CHECK-NEXT: kern.launch @dynamic_and_transposed_0_map(%{{.*}}, %[[S:.*]], %{{.*}}) : !kern.buffer<?x64xbf16>, !kern.buffer<?xf32>, !kern.buffer<?x64xf8E4M3FN>
// CHECK-NEXT: kern.launch @dynamic_and_transposed_0_map_1(%{{.*}}, %[[S]], %[[Q]])
// CHECK: kern.map @dynamic_and_transposed_0_map attributes {granularity = "row", {{.*}}scale_mode = "dynamic"
// CHECK: kern.map @dynamic_and_transposed_0_map_1 attributes {granularity = "row", {{.*}}scale_mode = "given"
func.func @dynamic_and_transposed(%x: tensor<?x64xbf16>, %w: tensor<?x96xf8E4M3FN>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<64x96xf32>) {
  %q, %s = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  ^bb0(%a: tensor<?x64xbf16>):
    %0, %1 = ffn.quantize %a by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
    ffn.yield %0, %1 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
  }
  %g = ffn.kernel(%q, %w) : (tensor<?x64xf8E4M3FN>, tensor<?x96xf8E4M3FN>) -> tensor<64x96xf32> {
  ^bb0(%a: tensor<?x64xf8E4M3FN>, %b: tensor<?x96xf8E4M3FN>):
    %0 = ffn.matmul %a, %b {transpose_lhs} : (tensor<?x64xf8E4M3FN>, tensor<?x96xf8E4M3FN>) -> tensor<64x96xf32>
    ffn.yield %0 : tensor<64x96xf32>
  }
  return %q, %s, %g : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<64x96xf32>
}

// -----

// A dynamic row scale of a feature-wise selection: no row family can select across rows, so the scale comes first.
// CHECK-LABEL: kern.program @dynamic_feature_wise
// CHECK: kern.fill_zero %[[S:.*]] : !kern.buffer<?xf32>
// CHECK-NEXT: kern.fill_zero %[[N:.*]] : !kern.buffer<1xi32>
// CHECK-NEXT: kern.launch @dynamic_feature_wise_0_scale(%[[X:.*]], %[[S]], %[[N]])
// CHECK-NEXT: kern.launch @dynamic_feature_wise_0_map(%[[X]], %[[S]], %{{.*}}, %{{.*}}) : !kern.buffer<?x64xbf16>, !kern.buffer<?xf32>, !kern.buffer<?x64xf8E4M3FN>, !kern.buffer<?x64xi1>
// CHECK: kern.map @dynamic_feature_wise_0_scale attributes {granularity = "row", {{.*}}scale_element = f8E4M3FN, scale_mode = "scale_only", select = array<i64: 1, 0>}
// CHECK: kern.map @dynamic_feature_wise_0_map attributes {granularity = "row", {{.*}}scale_mode = "given", select = array<i64: 1, 0>}
func.func @dynamic_feature_wise(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xi1>) {
  %q, %s, %m = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xi1>) {
  ^bb0(%a: tensor<?x64xbf16>):
    %0, %1 = ffn.sparsify %a along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    %2, %3 = ffn.sparsify %a along 0 under %1 : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    %4, %5 = ffn.quantize %2 by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
    ffn.yield %4, %5, %3 : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xi1>
  }
  return %q, %s, %m : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xi1>
}

// -----

// Selection and compression behind a product that only a simt kernel can compute move to a kernel of their own. A scale
// that is a constant of the body becomes a constant of the program.
// CHECK-LABEL: kern.program @split_selection
// CHECK: kern.launch @split_selection_0_gemm(%{{.*}}, %{{.*}}, %[[Y:.*]]) : !kern.buffer<?x62xbf16>, !kern.buffer<64x62xbf16>, !kern.buffer<?x64xf32>
// CHECK: %[[C:.*]] = kern.constant dense<5.000000e-01> : tensor<f32> as !kern.buffer<f32>
// CHECK: kern.launch @split_selection_0_map(%[[Y]], %[[C]], %{{.*}}) : !kern.buffer<?x64xf32>, !kern.buffer<f32>, !kern.buffer<?x64xf8E4M3FN, #kern.packed24<axis = 1, panel = {{[0-9]+}}>>
// CHECK: kern.gemm @split_selection_0_gemm
// CHECK: arith.mulf
// CHECK: kern.map @split_selection_0_map
// CHECK-SAME: select = array<i64: 1>
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32):
// CHECK-NEXT: kern.yield %[[X]] : f32
func.func @split_selection(%x: tensor<?x62xbf16>, %w: tensor<64x62xbf16>, %v: tensor<96x64xf8E4M3FN>) -> tensor<?x96xbf16> {
  %c = ffn.kernel(%x, %w) : (tensor<?x62xbf16>, tensor<64x62xbf16>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1> {
  ^bb0(%a: tensor<?x62xbf16>, %b: tensor<64x62xbf16>):
    %s = arith.constant dense<0.5> : tensor<f32>
    %0 = ffn.matmul %a, %b {transpose_rhs} : (tensor<?x62xbf16>, tensor<64x62xbf16>) -> tensor<?x64xbf16>
    %1 = ffn.relu2 %0 : tensor<?x64xbf16> -> tensor<?x64xf32>
    %2, %3 = ffn.sparsify %1 along 1 : (tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xi1>)
    %4 = ffn.quantize %2 scaled %s by tensor : (tensor<?x64xf32>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
    %5 = ffn.compress %4, %3 : (tensor<?x64xf8E4M3FN>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
    ffn.yield %5 : !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
  }
  %y = ffn.kernel(%c, %v) : (!ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<96x64xf8E4M3FN>) -> tensor<?x96xbf16> {
  ^bb0(%a: !ffn.sparse24<?x64xf8E4M3FN, axis = 1>, %b: tensor<96x64xf8E4M3FN>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (!ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<96x64xf8E4M3FN>) -> tensor<?x96xbf16>
    ffn.yield %0 : tensor<?x96xbf16>
  }
  return %y : tensor<?x96xbf16>
}

// -----

// What is counted starts from what the epilogue makes; the counts are zeroed before.
// CHECK-LABEL: kern.program @counted
// CHECK-SAME: -> (%[[Y:[^:]*]]: !kern.buffer<?x96xbf16>, %[[N:[^:]*]]: !kern.buffer<96xi32>)
// CHECK-NEXT: kern.fill_zero %[[N]] : !kern.buffer<96xi32>
// CHECK-NEXT: kern.launch @counted_0_gemm(%{{.*}}, %{{.*}}, %[[Y]], %[[N]])
// CHECK: kern.gemm @counted_0_gemm attributes {counts = !kern.buffer<96xi32>
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32):
// CHECK-NEXT: %[[A:.*]] = arith.truncf %[[X]] : f32 to bf16
// CHECK-NEXT: %[[B:.*]] = arith.extf %[[A]] : bf16 to f32
// CHECK-NEXT: kern.yield %[[B]] : f32
// CHECK-NEXT: } counted {
// CHECK-NEXT: ^bb0(%[[V:.*]]: f32):
// CHECK-NEXT: %[[Z:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT: %[[R:.*]] = arith.maximumf %[[V]], %[[Z]] : f32
// CHECK-NEXT: %[[S:.*]] = arith.mulf %[[R]], %[[R]] : f32
// CHECK-NEXT: kern.yield %[[S]] : f32
func.func @counted(%x: tensor<?x64xbf16>, %w: tensor<96x64xbf16>) -> (tensor<?x96xbf16>, tensor<96xi32>) {
  %y:2 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> (tensor<?x96xbf16>, tensor<96xi32>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<96x64xbf16>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xbf16>
    %1 = ffn.relu2 %0 : tensor<?x96xbf16> -> tensor<?x96xf32>
    %2 = ffn.count_nonzero %1 : tensor<?x96xf32> -> tensor<96xi32>
    ffn.yield %0, %2 : tensor<?x96xbf16>, tensor<96xi32>
  }
  return %y#0, %y#1 : tensor<?x96xbf16>, tensor<96xi32>
}

// -----

// Counts that nobody reads are not counted.
// CHECK-LABEL: kern.program @uncounted
// CHECK-NOT: counts
func.func @uncounted(%x: tensor<?x64xbf16>, %w: tensor<96x64xbf16>) -> tensor<?x96xbf16> {
  %y:2 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> (tensor<?x96xbf16>, tensor<96xi32>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<96x64xbf16>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xbf16>
    %1 = ffn.count_nonzero %0 : tensor<?x96xbf16> -> tensor<96xi32>
    ffn.yield %0, %1 : tensor<?x96xbf16>, tensor<96xi32>
  }
  return %y#0 : tensor<?x96xbf16>
}

// -----

// Only the counts are read: nobody says how a compressed result should lie, so it is not compressed.
// CHECK-LABEL: kern.program @only_counts
// CHECK-SAME: -> (%[[N:[^:]*]]: !kern.buffer<96xi32>)
// CHECK-NEXT: %[[Y:.*]] = kern.alloc : !kern.buffer<?x96xbf16>
// CHECK-NEXT: kern.fill_zero %[[N]]
// CHECK-NEXT: kern.launch @only_counts_0_gemm(%{{.*}}, %{{.*}}, %[[Y]], %[[N]])
// CHECK-NEXT: kern.return
func.func @only_counts(%x: tensor<?x64xbf16>, %w: tensor<96x64xbf16>) -> tensor<96xi32> {
  %y:2 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> (!ffn.sparse24<?x96xbf16, axis = 1>, tensor<96xi32>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<96x64xbf16>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xbf16>
    %1, %2 = ffn.sparsify %0 along 1 : (tensor<?x96xbf16>) -> (tensor<?x96xbf16>, tensor<?x96xi1>)
    %3 = ffn.compress %1, %2 : (tensor<?x96xbf16>, tensor<?x96xi1>) -> !ffn.sparse24<?x96xbf16, axis = 1>
    %4 = ffn.count_nonzero %0 : tensor<?x96xbf16> -> tensor<96xi32>
    ffn.yield %3, %4 : !ffn.sparse24<?x96xbf16, axis = 1>, tensor<96xi32>
  }
  return %y#1 : tensor<96xi32>
}

// -----

// A kernel of its own.
// CHECK-LABEL: kern.program @count
// CHECK-NEXT: kern.fill_zero %[[N:.*]] : !kern.buffer<64xi32>
// CHECK-NEXT: kern.launch @count_0_count(%{{.*}}, %[[N]]) : !kern.buffer<?x64xbf16>, !kern.buffer<64xi32>
// CHECK: kern.map @count_0_count attributes {granularity = "column", {{.*}}outputs = [!kern.buffer<64xi32>], scale_mode = "count_only", select = array<i64: 0>}
// CHECK: arith.maximumf
func.func @count(%x: tensor<?x64xbf16>) -> tensor<64xi32> {
  %n = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<64xi32> {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    %1, %2 = ffn.sparsify %0 along 0 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    %3 = ffn.count_nonzero %1 : tensor<?x64xbf16> -> tensor<64xi32>
    ffn.yield %3 : tensor<64xi32>
  }
  return %n : tensor<64xi32>
}

// -----

// A kernel that copies counts.
// CHECK-LABEL: kern.program @copied_counts
// CHECK: kern.launch @copied_counts_0_count(%{{.*}}, %[[N:.*]])
// CHECK-NEXT: kern.copy %[[N]] to %{{.*}} : !kern.buffer<64xi32>
// CHECK-NEXT: kern.return
func.func @copied_counts(%x: tensor<?x64xbf16>) -> tensor<64xi32> {
  %n = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<64xi32> {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.count_nonzero %a : tensor<?x64xbf16> -> tensor<64xi32>
    ffn.yield %0 : tensor<64xi32>
  }
  %m = ffn.kernel(%n) : (tensor<64xi32>) -> tensor<64xi32> {
  ^bb0(%a: tensor<64xi32>):
    ffn.yield %a : tensor<64xi32>
  }
  return %m : tensor<64xi32>
}
