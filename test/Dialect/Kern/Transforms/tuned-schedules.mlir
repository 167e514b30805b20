// An entry for the problem, at its token counts, decides; the remark says so with what was measured.
// RUN: split-file %s %t
// RUN: winnow-opt --kern-choose-schedule="tuning=%t/user.json" %t/product.mlir | FileCheck %s --check-prefix=TUNED
// TUNED: schedule = #kern.schedule<wgmma, tile = [128, 192], warpgroups = 2, stages = 5, raster = 16, pacing = 16>
// RUN: winnow-opt --kern-choose-schedule="tuning=%t/user.json" --remarks-filter=kern-choose-schedule --remark-format=emitRemark %t/product.mlir 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// REMARK: ? x 28672 x 8192 dense f8E4M3FN x f8E4M3FN -> bf16: wgmma 128 x 192, 2 warpgroups, 5 stages, raster 16, pacing 16; tuned: 100.25 us on A GPU (2026-01-31, winnow 0.0+test), the model's choice 110.50 us; considered: wgmma 128 x 192, 2 warpgroups, 5 stages, turns:

// Not at other token counts, not for another chip, and not where the model alone was asked for.
// RUN: winnow-opt --kern-choose-schedule="tuning=%t/user.json tokens=4096" %t/product.mlir | FileCheck %s --check-prefix=MODEL
// RUN: winnow-opt --kern-choose-schedule="tuning=%t/user.json target=sm_120a" %t/product.mlir | FileCheck %s --check-prefix=MODEL
// RUN: winnow-opt --kern-choose-schedule="tuning=none" %t/product.mlir | FileCheck %s --check-prefix=MODEL
// MODEL: schedule = #kern.schedule<wgmma, tile = [128, 192], warpgroups = 2, stages = 5, raster = 24, pacing = 8, turns = 1>

// An entry that the chip cannot run is not used, and the remark says why.
// RUN: sed 's/"stages":5/"stages":12/' %t/user.json > %t/illegal.json
// RUN: winnow-opt --kern-choose-schedule="tuning=%t/illegal.json" %t/product.mlir | FileCheck %s --check-prefix=MODEL
// RUN: winnow-opt --kern-choose-schedule="tuning=%t/illegal.json" --remarks-filter=kern-choose-schedule --remark-format=emitRemark %t/product.mlir 2>&1 >/dev/null | FileCheck %s --check-prefix=ILLEGAL
// ILLEGAL: [Missed] schedule{{.*}}the tuned schedule wgmma 128 x 192, 2 warpgroups, 12 stages is not used: 12 stages take 493856 bytes of shared memory, more than 232448

// Databases that cannot be read.
// RUN: sed 's/"version": 1/"version": 2/' %t/user.json > %t/version.json
// RUN: not winnow-opt --kern-choose-schedule="tuning=%t/version.json" %t/product.mlir 2>&1 | FileCheck %s --check-prefix=VERSION
// VERSION: error: '{{.*}}version.json' has version 2 of the database of tuned schedules, expected 1: another Winnow has written it; tune again with this one
// RUN: sed 's/"pacing":16//' %t/user.json > %t/syntax.json
// RUN: not winnow-opt --kern-choose-schedule="tuning=%t/syntax.json" %t/product.mlir 2>&1 | FileCheck %s --check-prefix=SYNTAX
// SYNTAX: error: '{{.*}}syntax.json' is no database of tuned schedules: [3:{{[0-9]+}}, byte={{[0-9]+}}]: {{.*}} (docs/tuning.md has the format)
// RUN: sed 's/"tile":.128,192./"tile":[128]/' %t/user.json > %t/tile.json
// RUN: not winnow-opt --kern-choose-schedule="tuning=%t/tile.json" %t/product.mlir 2>&1 | FileCheck %s --check-prefix=TILE
// TILE: error: '{{.*}}tile.json' is no database of tuned schedules: expected two integers at $.entries[0].schedule.tile (docs/tuning.md has the format)
// RUN: not winnow-opt --kern-choose-schedule="tuning=%t/none.json" %t/product.mlir 2>&1 | FileCheck %s --check-prefix=GONE
// GONE: error: cannot open '{{.*}}none.json': No such file or directory

// The conversion makes layouts for the tile that the entry gives the consumer, so that the product then gets it.
// RUN: winnow-opt --ffn-to-kernels --kernels-to-kern="tuning=%t/panel.json" %t/spec.mlir | FileCheck %s --check-prefix=PANEL
// PANEL: kern.gemm @f_{{.*}}#kern.packed24<axis = 1, panel = 128>{{.*}}schedule = #kern.schedule<wgmma, tile = [128, 192], warpgroups = 2, stages = 6, raster = 8, pacing = 8>
// RUN: winnow-opt --ffn-to-kernels --kernels-to-kern="tuning=none" %t/spec.mlir | FileCheck %s --check-prefix=MODEL-PANEL
// MODEL-PANEL: kern.gemm @f_{{.*}}#kern.packed24<axis = 1, panel = 128>{{.*}}schedule = #kern.schedule<wgmma, tile = [128, 256]

//--- product.mlir
kern.gemm @product attributes {lhs = !kern.buffer<?x8192xf8E4M3FN>, rhs = !kern.buffer<28672x8192xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x28672xbf16>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

//--- spec.mlir
func.func @f(%x: tensor<?x8192xbf16>, %w: tensor<4096x8192xf8E4M3FN>, %ws: tensor<4096xf32>) -> tensor<?x4096xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x8192xbf16>) -> (tensor<?x8192xbf16>, tensor<?x8192xi1>)
  %q, %s = ffn.quantize %v by row : (tensor<?x8192xbf16>) -> (tensor<?x8192xf8E4M3FN>, tensor<?xf32>)
  %y = ffn.matmul %q scaled %s, %w scaled %ws {transpose_rhs} : (tensor<?x8192xf8E4M3FN>, tensor<?xf32>, tensor<4096x8192xf8E4M3FN>, tensor<4096xf32>) -> tensor<?x4096xbf16>
  return %y : tensor<?x4096xbf16>
}

//--- user.json
{"version": 1, "entries": [

{"chip":"sm_90a","problem":{"sparse":false,"lhs":"f8E4M3FN","rhs":"f8E4M3FN","out":"bf16","compress":false,"m":"tokens","n":28672,"k":8192,"tokens":[4097,8192],"lhs_order":"row_major","rhs_order":"row_major"},"schedule":{"tile":[128,192],"warpgroups":2,"stages":5,"raster":16,"pacing":16},"measured":{"device":"A GPU","us":100.25,"model_us":110.50,"date":"2026-01-31","build":"0.0+test"}}
]}

//--- panel.json
{"version": 1, "entries": [
{"chip":"sm_90a","problem":{"sparse":true,"lhs":"f8E4M3FN","rhs":"f8E4M3FN","out":"bf16","compress":false,"m":"tokens","n":4096,"k":8192,"tokens":[4097,8192],"panel":0,"rhs_order":"row_major"},"schedule":{"tile":[128,192],"warpgroups":2,"stages":6,"raster":8,"pacing":8},"measured":{"device":"A GPU","us":100.25,"model_us":110.50,"date":"2026-01-31","build":"0.0+test"}}
]}
