// RUN: winnow-opt --kern-choose-schedule %s | FileCheck %s
// RUN: winnow-opt --kern-choose-schedule=tokens=64 %s | FileCheck %s --check-prefix=FEW
// RUN: winnow-opt --kern-choose-schedule --remarks-filter=kern-choose-schedule --remark-format=emitRemark %s 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: kern.gemm @large
// CHECK-SAME: schedule = #kern.schedule<wgmma, tile = [128, 192], warpgroups = 2, stages = 5, raster = 24, pacing = 8, turns = 1>
// FEW-LABEL: kern.gemm @large
// FEW-SAME: schedule = #kern.schedule<wgmma, tile = [64, 128], warpgroups = 1, stages = 9, raster = 48, staged = 1>
// REMARK: {{.*}}schedule{{.*}}large{{.*}}? x 28672 x 8192 dense f8E4M3FN x f8E4M3FN -> bf16: wgmma 128 x 192, 2 warpgroups, 5 stages, turns; considered:
kern.gemm @large attributes {lhs = !kern.buffer<?x8192xf8E4M3FN>, rhs = !kern.buffer<28672x8192xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x28672xbf16>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// The panel of a compressed operand decides the tile.
// CHECK-LABEL: kern.gemm @panel
// CHECK-SAME: schedule = #kern.schedule<wgmma, tile = [128, 256], warpgroups = 2, stages = 5, raster = 24, split = 4, staged = 1, cluster = 2>
// FEW-LABEL: kern.gemm @panel
// FEW-SAME: tile = [128, 256]
kern.gemm @panel attributes {lhs = !kern.buffer<?x28672xf8E4M3FN, #kern.packed24<axis = 1, panel = 128>>, rhs = !kern.buffer<8192x28672xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x8192xbf16>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Rows of 30 bf16 are 60 bytes apart: no tensor copy.
// CHECK-LABEL: kern.gemm @unaligned
// CHECK-SAME: schedule = #kern.schedule<simt, tile = [64, 64]>
kern.gemm @unaligned attributes {lhs = !kern.buffer<?x30xbf16>, rhs = !kern.buffer<64x30xbf16>, transpose_rhs, out = !kern.buffer<?x64xbf16>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// A schedule that is there stays.
// CHECK-LABEL: kern.gemm @given
// CHECK-SAME: schedule = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 1, stages = 3, raster = 1>
kern.gemm @given attributes {lhs = !kern.buffer<?x8192xf8E4M3FN>, rhs = !kern.buffer<28672x8192xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x28672xbf16>, schedule = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 1, stages = 3, raster = 1>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.map @rows
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 0]>
kern.map @rows attributes {input = !kern.buffer<?x64xbf16>, select = array<i64: 1>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Rows with a dynamic scale are shared by a cluster, by more CTAs the longer they are.
// CHECK-LABEL: kern.map @short_rows
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 768]>
kern.map @short_rows attributes {input = !kern.buffer<?x768xbf16>, select = array<i64>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x768xf8E4M3FN>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
// CHECK-LABEL: kern.map @long_rows
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 3584]>
// REMARK: {{.*}}schedule{{.*}}long_rows{{.*}}family row: 8 rows are shared by 8 CTAs, 3584 columns each
kern.map @long_rows attributes {input = !kern.buffer<?x28672xbf16>, select = array<i64: 1>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x28672xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
// CHECK-LABEL: kern.map @longest_rows
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 9216]>
kern.map @longest_rows attributes {input = !kern.buffer<?x73728xbf16>, select = array<i64: 1>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x73728xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
// Seven slices would cover these: the cluster is one of eight.
// CHECK-LABEL: kern.map @seven_slices
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 1280]>
// REMARK: {{.*}}schedule{{.*}}seven_slices{{.*}}family row: 8 rows are shared by 8 CTAs, 1280 columns each
kern.map @seven_slices attributes {input = !kern.buffer<?x8200xbf16>, select = array<i64>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x8200xf8E4M3FN>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
// Not a multiple of 8, or more than registers hold: each CTA takes whole rows.
// CHECK-LABEL: kern.map @odd_rows
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 0]>
kern.map @odd_rows attributes {input = !kern.buffer<?x1030xbf16>, select = array<i64>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x1030xf8E4M3FN>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
// CHECK-LABEL: kern.map @wide_rows
// CHECK-SAME: schedule = #kern.schedule<row, tile = [8, 0]>
kern.map @wide_rows attributes {input = !kern.buffer<?x73728xf32>, select = array<i64>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x73728xf8E4M3FN>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: kern.map @features
// CHECK-SAME: schedule = #kern.schedule<patch, tile = [64, 128]>
// REMARK: {{.*}}schedule{{.*}}features{{.*}}it selects along axis 0, across rows: family patch
kern.map @features attributes {input = !kern.buffer<?x64xbf16>, select = array<i64: 0>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
