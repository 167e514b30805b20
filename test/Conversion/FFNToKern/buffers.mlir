// RUN: winnow-opt --split-input-file --convert-ffn-to-kern %s | FileCheck %s

// What a function returns besides kernel results: an argument, a constant, one value twice.
// CHECK-LABEL: kern.program @returns
// CHECK-SAME: (%[[X:.*]]: !kern.buffer<?x64xbf16>) -> (%[[R0:.*]]: !kern.buffer<?x64xbf16>, %[[R1:.*]]: !kern.buffer<?x64xf32>, %[[R2:.*]]: !kern.buffer<?x64xf32>, %[[R3:.*]]: !kern.buffer<f32>)
// CHECK-SAME: names = ["arg0", "result0", "result1", "result2", "result3"], output_stages = array<i64: -1, 0, 0, 0, -1, 0, -1, 0>
// CHECK-NEXT: kern.launch @returns_0_map(%[[X]], %[[R1]])
// CHECK-NEXT: kern.copy %[[X]] to %[[R0]]
// CHECK-NEXT: kern.copy %[[R1]] to %[[R2]]
// CHECK-NEXT: %[[C:.*]] = kern.constant dense<2.500000e-01> : tensor<f32> as !kern.buffer<f32>
// CHECK-NEXT: kern.copy %[[C]] to %[[R3]]
// CHECK-NEXT: kern.return
func.func @returns(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<f32>) {
  %c = arith.constant dense<0.25> : tensor<f32>
  %y = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xf32> {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.relu2 %a : tensor<?x64xbf16> -> tensor<?x64xf32>
    ffn.yield %0 : tensor<?x64xf32>
  }
  return %x, %y, %y, %c : tensor<?x64xbf16>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<f32>
}

// -----

// A kernel whose results nobody reads is not launched; a result that nobody reads has no buffer, except a scale that the
// values need.
// CHECK-LABEL: kern.program @unused
// CHECK-SAME: output_stages = array<i64: 1, 0>
// CHECK-NEXT: %[[S:.*]] = kern.alloc : !kern.buffer<?xf32>
// CHECK-NEXT: kern.launch @unused_1_map(%{{.*}}, %[[S]], %{{.*}})
// CHECK-NEXT: kern.return
// CHECK-NOT: @unused_0
// CHECK: kern.map @unused_1_map
func.func @unused(%x: tensor<?x64xbf16>) -> tensor<?x64xf8E4M3FN> {
  %y = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xf32> {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.relu2 %a : tensor<?x64xbf16> -> tensor<?x64xf32>
    ffn.yield %0 : tensor<?x64xf32>
  }
  %q, %s = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  ^bb0(%a: tensor<?x64xbf16>):
    %0, %1 = ffn.quantize %a by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
    ffn.yield %0, %1 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
  }
  return %q : tensor<?x64xf8E4M3FN>
}

// -----

// Operands whose columns run along the reduction axis are wanted transposed: an argument gets an identity kernel, a map
// writes that form directly, beside the row-major one that is returned.
// CHECK-LABEL: kern.program @transposes
// CHECK-SAME: (%[[X:.*]]: !kern.buffer<?x64xbf16>, %[[W:.*]]: !kern.buffer<64x96xbf16>)
// CHECK-NEXT: %[[WT:.*]] = kern.alloc : !kern.buffer<64x96xbf16, #kern.transposed>
// CHECK-NEXT: kern.launch @transposes_transpose_arg1(%[[W]], %[[WT]])
// CHECK-NEXT: kern.launch @transposes_0_gemm(%[[X]], %[[WT]], %[[Y:.*]]) :
// CHECK-NEXT: %[[YT:.*]] = kern.alloc : !kern.buffer<?x96xbf16, #kern.transposed>
// CHECK-NEXT: kern.launch @transposes_0_transpose(%[[Y]], %[[YT]])
// CHECK-NEXT: %[[ZT:.*]] = kern.alloc {stage = array<i64: 1, 0>} : !kern.buffer<?x96xbf16, #kern.transposed>
// CHECK-NEXT: kern.launch @transposes_1_map(%[[Y]], %{{.*}}, %[[ZT]]) :
// CHECK-NEXT: kern.launch @transposes_2_gemm(%[[ZT]], %[[YT]], %{{.*}}) :
func.func @transposes(%x: tensor<?x64xbf16>, %w: tensor<64x96xbf16>) -> (tensor<?x96xbf16>, tensor<?x96xbf16>, tensor<96x96xf32>) {
  %y = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<64x96xbf16>) -> tensor<?x96xbf16> {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<64x96xbf16>):
    %0 = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x96xbf16>) -> tensor<?x96xbf16>
    ffn.yield %0 : tensor<?x96xbf16>
  }
  %z = ffn.kernel(%y) : (tensor<?x96xbf16>) -> tensor<?x96xbf16> {
  ^bb0(%a: tensor<?x96xbf16>):
    %0 = ffn.relu %a : tensor<?x96xbf16> -> tensor<?x96xbf16>
    ffn.yield %0 : tensor<?x96xbf16>
  }
  %g = ffn.kernel(%z, %y) : (tensor<?x96xbf16>, tensor<?x96xbf16>) -> tensor<96x96xf32> {
  ^bb0(%a: tensor<?x96xbf16>, %b: tensor<?x96xbf16>):
    %0 = ffn.matmul %a, %b {transpose_lhs} : (tensor<?x96xbf16>, tensor<?x96xbf16>) -> tensor<96x96xf32>
    ffn.yield %0 : tensor<96x96xf32>
  }
  return %y, %z, %g : tensor<?x96xbf16>, tensor<?x96xbf16>, tensor<96x96xf32>
}

// -----

// No tensor-core instruction multiplies f32, and a simt kernel reads any order: nothing is transposed.
// CHECK-LABEL: kern.program @simt
// CHECK-NEXT: kern.launch @simt_0_gemm(%{{.*}}, %{{.*}}, %{{.*}}) : !kern.buffer<?x30xf32>, !kern.buffer<30x50xf32>, !kern.buffer<?x50xf32>
// CHECK-NEXT: kern.return
func.func @simt(%x: tensor<?x30xf32>, %w: tensor<30x50xf32>) -> tensor<?x50xf32> {
  %y = ffn.kernel(%x, %w) : (tensor<?x30xf32>, tensor<30x50xf32>) -> tensor<?x50xf32> {
  ^bb0(%a: tensor<?x30xf32>, %b: tensor<30x50xf32>):
    %0 = ffn.matmul %a, %b : (tensor<?x30xf32>, tensor<30x50xf32>) -> tensor<?x50xf32>
    ffn.yield %0 : tensor<?x50xf32>
  }
  return %y : tensor<?x50xf32>
}

// -----

// One compressed operand of two products has one panel.
// CHECK-LABEL: kern.program @shared_panel
// CHECK: kern.alloc {{.*}} : !kern.buffer<?x256xbf16, #kern.packed24<axis = 1, panel = 256>>
// CHECK-NOT: packed24{{.*}}alloc
// CHECK: kern.gemm @shared_panel_1_gemm
// CHECK-SAME: lhs = !kern.buffer<?x256xbf16, #kern.packed24<axis = 1, panel = 256>>
// CHECK: kern.gemm @shared_panel_2_gemm
// CHECK-SAME: lhs = !kern.buffer<?x256xbf16, #kern.packed24<axis = 1, panel = 256>>
func.func @shared_panel(%x: tensor<?x256xbf16>, %w: tensor<8192x256xbf16>, %v: tensor<8192x256xbf16>) -> (tensor<?x8192xbf16>, tensor<?x8192xbf16>) {
  %c = ffn.kernel(%x) : (tensor<?x256xbf16>) -> !ffn.sparse24<?x256xbf16, axis = 1> {
  ^bb0(%a: tensor<?x256xbf16>):
    %0, %1 = ffn.sparsify %a along 1 : (tensor<?x256xbf16>) -> (tensor<?x256xbf16>, tensor<?x256xi1>)
    %2 = ffn.compress %0, %1 : (tensor<?x256xbf16>, tensor<?x256xi1>) -> !ffn.sparse24<?x256xbf16, axis = 1>
    ffn.yield %2 : !ffn.sparse24<?x256xbf16, axis = 1>
  }
  %y = ffn.kernel(%c, %w) : (!ffn.sparse24<?x256xbf16, axis = 1>, tensor<8192x256xbf16>) -> tensor<?x8192xbf16> {
  ^bb0(%a: !ffn.sparse24<?x256xbf16, axis = 1>, %b: tensor<8192x256xbf16>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (!ffn.sparse24<?x256xbf16, axis = 1>, tensor<8192x256xbf16>) -> tensor<?x8192xbf16>
    ffn.yield %0 : tensor<?x8192xbf16>
  }
  %z = ffn.kernel(%c, %v) : (!ffn.sparse24<?x256xbf16, axis = 1>, tensor<8192x256xbf16>) -> tensor<?x8192xbf16> {
  ^bb0(%a: !ffn.sparse24<?x256xbf16, axis = 1>, %b: tensor<8192x256xbf16>):
    %0 = ffn.matmul %a, %b {transpose_rhs} : (!ffn.sparse24<?x256xbf16, axis = 1>, tensor<8192x256xbf16>) -> tensor<?x8192xbf16>
    ffn.yield %0 : tensor<?x8192xbf16>
  }
  return %y, %z : tensor<?x8192xbf16>, tensor<?x8192xbf16>
}
