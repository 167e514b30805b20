// RUN: winnow-opt %s -split-input-file -ffn-infer-sparsity -ffn-select-layout | FileCheck %s
// RUN: winnow-opt %s -split-input-file -ffn-infer-sparsity -ffn-select-layout --remarks-filter=ffn-select-layout 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// A selection is inserted in front of a clone of the quantisation, whose new scale the product then takes.
// CHECK-LABEL: func.func @token_wise(
// CHECK-SAME:    %[[Y:.*]]: tensor<?x16384xbf16>, %[[W:[^:]*]]:
func.func @token_wise(%y: tensor<?x16384xbf16>, %w: tensor<4096x16384xf8E4M3FN>) -> tensor<?x4096xbf16> {
  // CHECK-NEXT: %[[A:.*]] = ffn.relu2 %[[Y]]
  %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>} : tensor<?x16384xbf16> -> tensor<?x16384xf32>
  %q, %s = ffn.quantize %a by row : (tensor<?x16384xf32>) -> (tensor<?x16384xf8E4M3FN>, tensor<?xf32>)
  // CHECK-NEXT: %[[V:.*]], %[[M:.*]] = ffn.sparsify %[[A]] along 1
  // CHECK-NEXT: %[[Q:.*]], %[[S:.*]] = ffn.quantize %[[V]] by
  // CHECK-NEXT: %[[C:.*]] = ffn.compress %[[Q]], %[[M]] : {{.*}} -> !ffn.sparse24<?x16384xf8E4M3FN, axis = 1>
  // CHECK-NEXT: ffn.matmul %[[C]] scaled %[[S]], %[[W]] {ffn.layout = #ffn.layout<token_wise>, transpose_rhs}
  // REMARK: remark: [Passed] SparseProduct | Category:ffn-select-layout | Function=token_wise | Cause=faster, Layout=token_wise, Reason="2:4 is predicted to take {{.*}} us against {{.*}} us dense ({{.*}}x); expected drop 0.61 % of at most 5.00 %", Shape=8192x4096x16384
  %z = ffn.matmul %q scaled %s, %w {transpose_rhs} : (tensor<?x16384xf8E4M3FN>, tensor<?xf32>, tensor<4096x16384xf8E4M3FN>) -> tensor<?x4096xbf16>
  return %z : tensor<?x4096xbf16>
}

// -----

// An explicit selection is used as it stands, even where no annotation allows dropping.
// CHECK-LABEL: func.func @explicit(
func.func @explicit(%y: tensor<?x16384xbf16>, %w: tensor<4096x16384xbf16>) -> tensor<?x4096xbf16> {
  // CHECK: %[[V:.*]], %[[M:.*]] = ffn.sparsify
  // CHECK-NOT: ffn.sparsify
  // CHECK: ffn.compress %[[V]], %[[M]]
  // CHECK-NEXT: ffn.layout = #ffn.layout<token_wise>
  // REMARK: SparseProduct | {{.*}} | Function=explicit | Cause=faster, Layout=token_wise, Reason="{{.*}}; already 2:4"
  %v, %m = ffn.sparsify %y along 1 : (tensor<?x16384xbf16>) -> (tensor<?x16384xbf16>, tensor<?x16384xi1>)
  %z = ffn.matmul %v, %w {transpose_rhs} : (tensor<?x16384xbf16>, tensor<4096x16384xbf16>) -> tensor<?x4096xbf16>
  return %z : tensor<?x4096xbf16>
}

// -----

// One value, two products that reduce along different axes: both layouts, each with a selection of its own.
// CHECK-LABEL: func.func @fan_out(
func.func @fan_out(%y: tensor<?x16384xbf16>, %w: tensor<4096x16384xbf16>, %d: tensor<?x4096xbf16>) -> (tensor<?x4096xbf16>, tensor<16384x4096xf32>) {
  // CHECK: %[[A:.*]] = ffn.relu2
  %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>} : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
  // CHECK: ffn.sparsify %[[A]] along 1
  // CHECK: -> !ffn.sparse24<?x16384xbf16, axis = 1>
  // CHECK: ffn.layout = #ffn.layout<token_wise>
  // REMARK: Function=fan_out | Cause=faster, Layout=token_wise
  %z = ffn.matmul %a, %w {transpose_rhs} : (tensor<?x16384xbf16>, tensor<4096x16384xbf16>) -> tensor<?x4096xbf16>
  // CHECK: ffn.sparsify %[[A]] along 0
  // CHECK: -> !ffn.sparse24<?x16384xbf16, axis = 0>
  // CHECK: ffn.layout = #ffn.layout<feature_wise>
  // REMARK: Function=fan_out | Cause=faster, Layout=feature_wise
  %g = ffn.matmul %a, %d {transpose_lhs} : (tensor<?x16384xbf16>, tensor<?x4096xbf16>) -> tensor<16384x4096xf32>
  return %z, %g : tensor<?x4096xbf16>, tensor<16384x4096xf32>
}

// -----

// A product that already has a compressed operand is kept, and a decompression in between is skipped.
// CHECK-LABEL: func.func @compressed(
// CHECK-SAME:    %[[C:[^:]*]]: !ffn.sparse24<
func.func @compressed(%c: !ffn.sparse24<?x4096xbf16, axis = 1>, %w: tensor<4096x4096xbf16>) -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  // CHECK-NEXT: ffn.matmul %[[C]], %{{.*}} {ffn.layout = #ffn.layout<token_wise>}
  // REMARK: SparseProduct | {{.*}} | Function=compressed | Cause=given, Layout=token_wise, Reason="the left operand is given compressed"
  %z = ffn.matmul %c, %w : (!ffn.sparse24<?x4096xbf16, axis = 1>, tensor<4096x4096xbf16>) -> tensor<?x4096xbf16>
  %d = ffn.decompress %c : !ffn.sparse24<?x4096xbf16, axis = 1> -> tensor<?x4096xbf16>
  // CHECK-NEXT: ffn.matmul %[[C]], %{{.*}} {ffn.layout = #ffn.layout<token_wise>, transpose_rhs}
  // REMARK: Function=compressed | Cause=faster
  %y = ffn.matmul %d, %w {transpose_rhs} : (tensor<?x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<?x4096xbf16>
  return %z, %y : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}

// -----

// Every way to stay dense, each with its reason.
// CHECK-LABEL: func.func @dense(
// CHECK-NOT: sparse24
// CHECK-COUNT-8: ffn.layout = #ffn.layout<dense>
// CHECK-NOT: ffn.matmul
func.func @dense(%x: tensor<?x4096xbf16>, %w: tensor<4096x4096xbf16>, %f: tensor<?x4096xf32>, %wf: tensor<4096x4096xf32>,
                 %o: tensor<?x4100xbf16>, %wo: tensor<4096x4100xbf16>, %odd: tensor<?x4098xbf16>, %wodd: tensor<4098x4096xbf16>,
                 %q: tensor<?x4096xf8E4M3FN> {ffn.sparsity = #ffn.sparsity<density = 0.1, max_drop = 0.5>}, %wq: tensor<4096x4096xf8E4M3FN>)
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xf32>, tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  // REMARK: remark: [Missed] DenseProduct | Category:ffn-select-layout | Function=dense | Cause="not sparse", Layout=dense, Reason="the left operand is not sparse: expected density 1", Shape=8192x4096x4096
  %a = ffn.gelu %x : tensor<?x4096xbf16> -> tensor<?x4096xbf16>
  %0 = ffn.matmul %a, %w : (tensor<?x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<?x4096xbf16>
  // REMARK: Cause="drop forbidden", Layout=dense, Reason="2:4 would lose 18.75 % of the non-zeros at density 0.5, and max_drop allows none"
  %b = ffn.relu2 %x : tensor<?x4096xbf16> -> tensor<?x4096xbf16>
  %1 = ffn.matmul %b, %w : (tensor<?x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<?x4096xbf16>
  // REMARK: Cause="drop too large", Layout=dense, Reason="2:4 would lose 18.75 % of the non-zeros at density 0.5, more than max_drop = 5.00 %"
  %c = ffn.relu2 %x {ffn.sparsity = #ffn.sparsity<density = 0.5, max_drop = 0.05>} : tensor<?x4096xbf16> -> tensor<?x4096xbf16>
  %2 = ffn.matmul %c, %w : (tensor<?x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<?x4096xbf16>
  // REMARK: Cause="element type", Layout=dense, Reason="there is no 2:4 instruction for operands of f32"
  %d = ffn.relu2 %f {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>} : tensor<?x4096xf32> -> tensor<?x4096xf32>
  %3 = ffn.matmul %d, %wf : (tensor<?x4096xf32>, tensor<4096x4096xf32>) -> tensor<?x4096xf32>
  // REMARK: Cause=shape, Layout=dense, Reason="the rows of the right operand are 8200 bytes long, not a multiple of 16", Shape=8192x4096x4100
  %e = ffn.relu2 %o {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>} : tensor<?x4100xbf16> -> tensor<?x4100xbf16>
  %4 = ffn.matmul %e, %wo {transpose_rhs} : (tensor<?x4100xbf16>, tensor<4096x4100xbf16>) -> tensor<?x4096xbf16>
  // REMARK: Cause=shape, Layout=dense, Reason="the reduction extent, 4098, is not a multiple of 4"
  %g = ffn.relu2 %odd {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>} : tensor<?x4098xbf16> -> tensor<?x4098xbf16>
  %5 = ffn.matmul %g, %wodd : (tensor<?x4098xbf16>, tensor<4098x4096xbf16>) -> tensor<?x4096xbf16>
  // REMARK: Cause=shape, Layout=dense, Reason="the left operand is given in f8: there is no value before quantisation to select from"
  %6 = ffn.matmul %q, %wq : (tensor<?x4096xf8E4M3FN>, tensor<4096x4096xf8E4M3FN>) -> tensor<?x4096xbf16>
  // REMARK: Cause=axis, Layout=dense, Reason="the left operand has a scale that varies along the reduction axis, 1"
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x4096xbf16>) -> (tensor<?x4096xbf16>, tensor<?x4096xi1>)
  %k, %s = ffn.quantize %v by column : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<4096xf32>)
  %7 = ffn.matmul %k, %wq : (tensor<?x4096xf8E4M3FN>, tensor<4096x4096xf8E4M3FN>) -> tensor<?x4096xbf16>
  return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xf32>, tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>
}

// -----

// A selection along the other axis is none for this product.
// CHECK-LABEL: func.func @other_axis(
// CHECK: ffn.matmul {{.*}} {ffn.layout = #ffn.layout<dense>, transpose_lhs}
// REMARK: Function=other_axis | Cause="drop forbidden", Layout=dense
func.func @other_axis(%y: tensor<?x4096xbf16>, %d: tensor<?x4096xbf16>) -> tensor<4096x4096xf32> {
  %v, %m = ffn.sparsify %y along 1 : (tensor<?x4096xbf16>) -> (tensor<?x4096xbf16>, tensor<?x4096xi1>)
  %g = ffn.matmul %v, %d {transpose_lhs} : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<4096x4096xf32>
  return %g : tensor<4096x4096xf32>
}

// -----

// A profile decides in place of the mean density: here every fourth feature is always on, which costs nothing along
// the features, while half of such a feature is lost along the tokens. (Asked for, since so
// short a reduction gains no time.)
// CHECK-LABEL: func.func @profile(
// CHECK: ffn.layout = #ffn.layout<token_wise>
// CHECK: ffn.layout = #ffn.layout<dense>
// REMARK: Function=profile | Cause=given, Layout=token_wise, Reason="the specification asks for it"
// REMARK: Function=profile | Cause="drop too large", Layout=dense, Reason="2:4 would lose 50.00 % of the non-zeros at density 0.25, more than max_drop = 10.00 %"
func.func @profile(%y: tensor<?x8xbf16>, %w: tensor<8x4096xbf16>, %d: tensor<?x4096xbf16>) -> (tensor<?x4096xbf16>, tensor<8x4096xf32>) {
  %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.25, max_drop = 0.1, profile = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]>}
     : tensor<?x8xbf16> -> tensor<?x8xbf16>
  %z = ffn.matmul %a, %w {ffn.layout = #ffn.layout<token_wise>} : (tensor<?x8xbf16>, tensor<8x4096xbf16>) -> tensor<?x4096xbf16>
  %g = ffn.matmul %a, %d {transpose_lhs} : (tensor<?x8xbf16>, tensor<?x4096xbf16>) -> tensor<8x4096xf32>
  return %z, %g : tensor<?x4096xbf16>, tensor<8x4096xf32>
}

// -----

// A layout that the specification asks for decides in place of the predicted time.
// CHECK-LABEL: func.func @pinned(
// CHECK-NOT: sparse24
// CHECK: ffn.layout = #ffn.layout<dense>
// REMARK: Function=pinned | Cause=given, Layout=dense, Reason="the specification asks for it"
func.func @pinned(%y: tensor<?x16384xbf16>, %w: tensor<4096x16384xbf16>) -> tensor<?x4096xbf16> {
  %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>} : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
  %z = ffn.matmul %a, %w {ffn.layout = #ffn.layout<dense>, transpose_rhs} : (tensor<?x16384xbf16>, tensor<4096x16384xbf16>) -> tensor<?x4096xbf16>
  return %z : tensor<?x4096xbf16>
}
