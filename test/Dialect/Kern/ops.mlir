// RUN: winnow-opt %s | winnow-opt | FileCheck %s
// RUN: winnow-opt %s -mlir-print-op-generic | winnow-opt | FileCheck %s
// RUN: winnow-opt %s -emit-bytecode | winnow-opt | FileCheck %s
// RUN: winnow-opt %s -canonicalize -cse | FileCheck %s

// CHECK-LABEL: kern.gemm @gemm1
// CHECK-SAME: lhs = !kern.buffer<?x64xf8E4M3FN>
// CHECK-SAME: lhs_scale = !kern.buffer<?xf32>
// CHECK-SAME: out = !kern.buffer<?x128xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>
// CHECK-SAME: out_granularity = "tensor"
// CHECK-SAME: schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 4, raster = 8, pacing = 16>
// CHECK-SAME: transpose_rhs
kern.gemm @gemm1 attributes {
    lhs = !kern.buffer<?x64xf8E4M3FN>, rhs = !kern.buffer<128x64xf8E4M3FN>, transpose_rhs,
    out = !kern.buffer<?x128xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>,
    lhs_scale = !kern.buffer<?xf32>, rhs_scale = !kern.buffer<128xf32>, out_scale = !kern.buffer<f32>, out_granularity = "tensor",
    schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 4, raster = 8, pacing = 16>} {
^bb0(%x: f32):
  %zero = arith.constant 0.0 : f32
  %r = arith.maximumf %x, %zero : f32
  %y = arith.mulf %r, %r : f32
  kern.yield %y : f32
}

// CHECK-LABEL: kern.gemm @gemm2
// CHECK-SAME: lhs = !kern.buffer<?x128xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>
// CHECK:        arith.truncf
// CHECK-NEXT:   arith.extf
// CHECK-NEXT:   kern.yield %{{.*}} : f32
kern.gemm @gemm2 attributes {
    lhs = !kern.buffer<?x128xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>, rhs = !kern.buffer<64x128xf8E4M3FN>, transpose_rhs,
    out = !kern.buffer<?x64xbf16>, lhs_scale = !kern.buffer<f32>, rhs_scale = !kern.buffer<64xf32>} {
^bb0(%x: f32):
  %n = arith.truncf %x : f32 to bf16
  %w = arith.extf %n : bf16 to f32
  kern.yield %w : f32
}

// Reduces over tokens: both operands lie with the tokens contiguous.
// CHECK-LABEL: kern.gemm @gradient
// CHECK-SAME: rhs = !kern.buffer<?x64xbf16, #kern.transposed>
// CHECK-SAME: transpose_lhs
kern.gemm @gradient attributes {
    lhs = !kern.buffer<?x128xbf16, #kern.packed24<axis = 0, panel = 128>>, transpose_lhs, rhs = !kern.buffer<?x64xbf16, #kern.transposed>,
    out = !kern.buffer<128x64xf32>, schedule = #kern.schedule<wgmma, tile = [128, 64], warpgroups = 1, stages = 4, raster = 1>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.gemm @plain
// CHECK-SAME: schedule = #kern.schedule<simt, tile = [64, 64]>
kern.gemm @plain attributes {
    lhs = !kern.buffer<?x128xf32>, transpose_lhs, rhs = !kern.buffer<?x64xf32, #kern.row_major>, out = !kern.buffer<128x64xf32>,
    schedule = #kern.schedule<simt, tile = [64, 64]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.gemm @counting
// CHECK-SAME: counts = !kern.buffer<64xi32>
// CHECK:        kern.yield
// CHECK-NEXT: } counted {
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32):
// CHECK-NEXT:   kern.yield %[[X]] : f32
kern.gemm @counting attributes {
    lhs = !kern.buffer<?x128xf32>, rhs = !kern.buffer<128x64xf32>, out = !kern.buffer<?x64xf32>,
    counts = !kern.buffer<64xi32>} {
^bb0(%x: f32):
  kern.yield %x : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.map @count
// CHECK-SAME: scale_mode = "count_only"
kern.map @count attributes {
    input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "column", scale_mode = "count_only",
    outputs = [!kern.buffer<64xi32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.map @quantize
// CHECK-SAME: granularity = "row"
// CHECK-SAME: scale = !kern.buffer<?xf32>
// CHECK-SAME: scale_mode = "dynamic"
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 0]>
// CHECK-SAME: select = array<i64>
kern.map @quantize attributes {
    input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>,
    outputs = [!kern.buffer<?x64xf8E4M3FN>], schedule = #kern.schedule<row, tile = [8, 0]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.map @select
// CHECK-SAME: outputs = [!kern.buffer<?x64xbf16>, !kern.buffer<?x64xi1>, !kern.buffer<?x64xbf16, #kern.packed24<axis = 0, panel = 64>>]
// CHECK-SAME: select = array<i64: 1, 0>
kern.map @select attributes {
    input = !kern.buffer<?x64xbf16>, select = array<i64: 1, 0>, granularity = "tensor", scale_mode = "none",
    outputs = [!kern.buffer<?x64xbf16>, !kern.buffer<?x64xi1>, !kern.buffer<?x64xbf16, #kern.packed24<axis = 0, panel = 64>>],
    schedule = #kern.schedule<patch, tile = [64, 128]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.map @column_scale
// CHECK-SAME: scale_element = f8E5M2
kern.map @column_scale attributes {
    input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "column", scale_mode = "scale_only", scale_element = f8E5M2,
    outputs = [!kern.buffer<64xf32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.program @forward(%{{.*}}: !kern.buffer<?x64xbf16>, %{{.*}}: !kern.buffer<128x64xf8E4M3FN>, %{{.*}}: !kern.buffer<128xf32>,
// CHECK-SAME:    -> (%{{.*}}: !kern.buffer<?x64xbf16>, %{{.*}}: !kern.buffer<64xf32>)
// CHECK-SAME:    attributes {names = ["x", "w1", "s1", "w2", "s2", "y", "s"], weights = array<i64: 1, 3>}
kern.program @forward(%x: !kern.buffer<?x64xbf16>, %w1: !kern.buffer<128x64xf8E4M3FN>, %s1: !kern.buffer<128xf32>,
                      %w2: !kern.buffer<64x128xf8E4M3FN>, %s2: !kern.buffer<64xf32>)
    -> (%y: !kern.buffer<?x64xbf16>, %s: !kern.buffer<64xf32>)
    attributes {names = ["x", "w1", "s1", "w2", "s2", "y", "s"], weights = array<i64: 1, 3>} {
  // CHECK: %[[XQ:.*]] = kern.alloc : !kern.buffer<?x64xf8E4M3FN>
  %xq = kern.alloc : !kern.buffer<?x64xf8E4M3FN>
  %sx = kern.alloc : !kern.buffer<?xf32>
  %y2 = kern.alloc : !kern.buffer<?x128xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>
  // CHECK: %[[S2:.*]] = kern.constant dense<2.500000e-01> : tensor<f32> as !kern.buffer<f32>
  %sy = kern.constant dense<0.25> : tensor<f32> as !kern.buffer<f32>
  // CHECK: kern.launch @quantize(%{{.*}}, %{{.*}}, %[[XQ]]) : !kern.buffer<?x64xbf16>, !kern.buffer<?xf32>, !kern.buffer<?x64xf8E4M3FN>
  kern.launch @quantize(%x, %sx, %xq) : !kern.buffer<?x64xbf16>, !kern.buffer<?xf32>, !kern.buffer<?x64xf8E4M3FN>
  // CHECK: kern.launch @gemm1(%[[XQ]],
  kern.launch @gemm1(%xq, %w1, %sx, %s1, %sy, %y2)
    : !kern.buffer<?x64xf8E4M3FN>, !kern.buffer<128x64xf8E4M3FN>, !kern.buffer<?xf32>, !kern.buffer<128xf32>, !kern.buffer<f32>,
      !kern.buffer<?x128xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>
  // CHECK: kern.launch @gemm2(
  kern.launch @gemm2(%y2, %w2, %sy, %s2, %y)
    : !kern.buffer<?x128xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>, !kern.buffer<64x128xf8E4M3FN>, !kern.buffer<f32>,
      !kern.buffer<64xf32>, !kern.buffer<?x64xbf16>
  %counter = kern.alloc : !kern.buffer<1xi32>
  // CHECK: kern.fill_zero %[[COUNTER:.*]] : !kern.buffer<1xi32>
  kern.fill_zero %counter : !kern.buffer<1xi32>
  kern.fill_zero %s : !kern.buffer<64xf32>
  // CHECK: kern.launch @column_scale(%{{.*}}, %{{.*}}, %[[COUNTER]])
  kern.launch @column_scale(%x, %s, %counter) : !kern.buffer<?x64xbf16>, !kern.buffer<64xf32>, !kern.buffer<1xi32>
  // CHECK: kern.return
  kern.return
}

// Two buffers of one type stay two, and what is launched on them stays, whoever reads it.
// CHECK-LABEL: kern.program @two_buffers
// CHECK-COUNT-2: kern.alloc
// CHECK-COUNT-2: kern.fill_zero
// CHECK:         kern.copy %{{.*}} to %{{.*}} : !kern.buffer<f32>
kern.program @two_buffers(%x: !kern.buffer<f32>) -> (%y: !kern.buffer<f32>) {
  %a = kern.alloc : !kern.buffer<8xf32>
  %b = kern.alloc : !kern.buffer<8xf32>
  kern.fill_zero %a : !kern.buffer<8xf32>
  kern.fill_zero %b : !kern.buffer<8xf32>
  kern.copy %x to %y : !kern.buffer<f32>
  kern.return
}
