// RUN: winnow-opt --kern-verify-emittable %s | winnow-translate --kern-to-cuda --generated-only | FileCheck %s

// One kernel of every form. test/Unit/Cuda/CompileTest.cpp compiles all of them with NVRTC.

// A product whose result leaves through stages of the ring, the last wave cut and both operands scaled.
// CHECK-LABEL: // kernel staged
// CHECK:      static constexpr int kStaged = 1;
// CHECK:      staged(const __grid_constant__ winnow::TensorMap rhs_map, const unsigned char *lhs, const float *lhs_scale, const float *rhs_scale, const __grid_constant__ winnow::TensorMap out_map, unsigned *progress, void *partials, int tokens) {
// CHECK-NOT:  arguments.out =
// CHECK:      winnow::gemm_wgmma<Config, Epilogue>(arguments, nullptr, &rhs_map, &out_map);
kern.gemm @staged attributes {lhs = !kern.buffer<?x512xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>, rhs = !kern.buffer<1056x512xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x1056xf16>, lhs_scale = !kern.buffer<?xf32>, rhs_scale = !kern.buffer<1056xf32>, schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 5, raster = 8, split = 4, staged = 1>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// A dense f8 product, mixed kinds, row and column scales.
// CHECK-LABEL: // kernel dense_f8
// CHECK:      struct Instruction {
// CHECK:      static constexpr int kN = 128;
// CHECK:      static constexpr bool kSparse = false;
// CHECK:      issue(float (&d)[64], unsigned long long a, unsigned long long b, int scale_d) {
// CHECK:      setp.ne.b32 p, %66, 0;
// CHECK:      wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e5m2 {
// CHECK:      }, %64, %65, p, 1, 1; }
// CHECK:      : "l"(a), "l"(b), "r"(scale_d));
// CHECK:      struct Config {
// CHECK-NEXT: using Instruction = ::Instruction;
// CHECK-NEXT: static constexpr int kTileM = 64;
// CHECK-NEXT: static constexpr int kTileN = 128;
// CHECK-NEXT: static constexpr int kWarpgroups = 1;
// CHECK-NEXT: static constexpr int kStages = 6;
// CHECK-NEXT: static constexpr int kRaster = 8;
// CHECK-NEXT: static constexpr int kPacing = 0;
// CHECK-NEXT: static constexpr int kSplit = 0;
// CHECK-NEXT: static constexpr int kSplitCost = 0;
// CHECK-NEXT: static constexpr int kSplitStream = 0;
// CHECK-NEXT: static constexpr int kSplitSlots = 0;
// CHECK-NEXT: static constexpr int kSplitCounters = 0;
// CHECK-NEXT: static constexpr int kStaged = 0;
// CHECK-NEXT: static constexpr int kCluster = 1;
// CHECK-NEXT: static constexpr int kTurns = 0;
// CHECK-NEXT: static constexpr int kElementBytes = 1;
// CHECK-NEXT: static constexpr bool kSparse = false;
// CHECK-NEXT: static constexpr bool kRhsPermuted = false;
// CHECK-NEXT: static constexpr int kLhsScale = 2;
// CHECK-NEXT: static constexpr int kRhsScale = 1;
// CHECK-NEXT: static constexpr int kOutScale = 0;
// CHECK-NEXT: using Out = winnow::F32;
// CHECK-NEXT: static constexpr bool kCompress = false;
// CHECK-NEXT: static constexpr int kOutPanel = 0;
// CHECK-NEXT: static constexpr bool kCounts = false;
// CHECK-NEXT: };
// CHECK:      extern "C" __global__ void __launch_bounds__(256, 1) dense_f8(const __grid_constant__ winnow::TensorMap lhs_map, const __grid_constant__ winnow::TensorMap rhs_map, const float *lhs_scale, const float *rhs_scale, void *out, int tokens) {
// CHECK:      arguments.m = tokens;
// CHECK-NEXT: arguments.n = 1000;
// CHECK-NEXT: arguments.k = 512;
// CHECK-NEXT: winnow::gemm_wgmma<Config, Epilogue>(arguments, &lhs_map, &rhs_map);
kern.gemm @dense_f8 attributes {lhs = !kern.buffer<?x512xf8E4M3FN>, rhs = !kern.buffer<1000x512xf8E5M2>, transpose_rhs, out = !kern.buffer<?x1000xf32>, lhs_scale = !kern.buffer<?xf32>, rhs_scale = !kern.buffer<f32>, schedule = #kern.schedule<wgmma, tile = [64, 128], warpgroups = 1, stages = 6, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// A sparse f8 product with a paced schedule.
// CHECK-LABEL: // kernel sparse_f8
// CHECK:      template <int kSelector>
// CHECK-NEXT: issue(float (&d)[128], unsigned long long a, unsigned long long b, unsigned metadata, int scale_d) {
// CHECK:      wgmma.mma_async.sp.sync.aligned.m64n256k64.f32.e5m2.e4m3 {
// CHECK:      }, %128, %129, %130, %131, p, 1, 1; }
// CHECK:      : "l"(a), "l"(b), "r"(metadata), "n"(kSelector), "r"(scale_d));
// CHECK:      static constexpr bool kRhsPermuted = true;
// CHECK:      sparse_f8(const __grid_constant__ winnow::TensorMap rhs_map, const unsigned char *lhs, void *out, unsigned *progress, int tokens) {
// CHECK:      winnow::gemm_wgmma<Config, Epilogue>(arguments, nullptr, &rhs_map);
kern.gemm @sparse_f8 attributes {lhs = !kern.buffer<?x512xf8E5M2, #kern.packed24<axis = 1, panel = 128>>, rhs = !kern.buffer<1024x512xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x1024xf16>, schedule = #kern.schedule<wgmma, tile = [128, 256], warpgroups = 2, stages = 5, raster = 8, pacing = 16>} {
^bb0(%x: f32):
  %0 = arith.truncf %x : f32 to f16
  %1 = arith.extf %0 : f16 to f32
  kern.yield %1 : f32
}

// 16-bit products end in transpose immediates; a sparse one reduced over tokens.
// CHECK-LABEL: // kernel sparse_f16
// CHECK:      wgmma.mma_async.sp.sync.aligned.m64n192k32.f32.f16.f16 {
// CHECK:      p, 1, 1, 0, 0; }
// CHECK:      arguments.m = 768;
// CHECK-NEXT: arguments.n = 320;
// CHECK-NEXT: arguments.k = tokens;
kern.gemm @sparse_f16 attributes {lhs = !kern.buffer<?x768xf16, #kern.packed24<axis = 0, panel = 256>>, transpose_lhs, rhs = !kern.buffer<?x320xf16, #kern.transposed>, out = !kern.buffer<768x320xf32>, schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 4, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Both operands transposed.
// CHECK-LABEL: // kernel dense_bf16
// CHECK:      wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {
kern.gemm @dense_bf16 attributes {lhs = !kern.buffer<?x768xbf16, #kern.transposed>, transpose_lhs, rhs = !kern.buffer<?x320xbf16, #kern.transposed>, out = !kern.buffer<768x320xbf16>, schedule = #kern.schedule<wgmma, tile = [128, 256], warpgroups = 2, stages = 4, raster = 8>} {
^bb0(%x: f32):
  %0 = arith.truncf %x : f32 to bf16
  %1 = arith.extf %0 : bf16 to f32
  kern.yield %1 : f32
}

// Activation, selection, quantisation by a given scale and compression behind the product.
// CHECK-LABEL: // kernel fused
// CHECK:      static constexpr int kOutScale = 3;
// CHECK-NEXT: using Out = winnow::E4m3;
// CHECK-NEXT: static constexpr bool kCompress = true;
// CHECK-NEXT: static constexpr int kOutPanel = 256;
// CHECK:      struct Epilogue {
// CHECK-NEXT: static constexpr bool kOrdered = true;
// CHECK-NEXT: static constexpr bool kRising = true;
// CHECK-NEXT: static constexpr bool kIdentity = false;
// CHECK-NEXT: static constexpr int kReluPower = 2;
// CHECK-NEXT: using ReluInput = winnow::Bf16;
// CHECK-NEXT: static __device__ __forceinline__ float apply(float x) {
// CHECK-NEXT: const float v1 = winnow::round_to<winnow::Bf16>(x);
// CHECK-NEXT: const float v2 = v1;
// CHECK-NEXT: const float v3 = __uint_as_float(0x00000000u) /* 0 */;
// CHECK-NEXT: const float v4 = winnow::maximum(v2, v3);
// CHECK-NEXT: const float v5 = __fmul_rn(v4, v4);
// CHECK-NEXT: return v5;
// CHECK:      fused(const __grid_constant__ winnow::TensorMap lhs_map, const __grid_constant__ winnow::TensorMap rhs_map, const float *out_scale, void *out, int tokens) {
kern.gemm @fused attributes {lhs = !kern.buffer<?x512xf8E4M3FN>, rhs = !kern.buffer<1056x512xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x1056xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>, out_scale = !kern.buffer<1056xf32>, out_granularity = "column", schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 4, raster = 8>} {
^bb0(%x: f32):
  %0 = arith.truncf %x : f32 to bf16
  %1 = arith.extf %0 : bf16 to f32
  %zero = arith.constant 0.0 : f32
  %r = arith.maximumf %1, %zero : f32
  %y = arith.mulf %r, %r : f32
  kern.yield %y : f32
}

// No tensor-core instruction for f32.
// CHECK-LABEL: // kernel simt_f32
// CHECK-NOT:  struct Instruction
// CHECK:      using Lhs = winnow::F32;
// CHECK-NEXT: using Rhs = winnow::F32;
// CHECK-NEXT: static constexpr bool kLhsTransposed = true;
// CHECK-NEXT: static constexpr bool kRhsTransposed = true;
// CHECK:      __launch_bounds__(256) simt_f32(const void *lhs, const void *rhs, void *out, int tokens) {
// CHECK:      winnow::gemm_simt<Config, Epilogue>(arguments);
kern.gemm @simt_f32 attributes {lhs = !kern.buffer<?x30xf32>, transpose_lhs, rhs = !kern.buffer<50x?xf32>, transpose_rhs, out = !kern.buffer<30x50xf32>, schedule = #kern.schedule<simt, tile = [64, 64]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// A transposed buffer is the transposed matrix with a pitch.
// CHECK-LABEL: // kernel simt_pitched
// CHECK:      static constexpr bool kLhsTransposed = false;
// CHECK-NEXT: static constexpr bool kRhsTransposed = true;
// CHECK:      arguments.lhs_pitch = (tokens + 127) / 128 * 128;
// CHECK-NEXT: arguments.rhs_pitch = (tokens + 127) / 128 * 128;
kern.gemm @simt_pitched attributes {lhs = !kern.buffer<?x30xbf16, #kern.transposed>, transpose_lhs, rhs = !kern.buffer<?x50xbf16, #kern.transposed>, out = !kern.buffer<30x50xf8E5M2>, out_scale = !kern.buffer<f32>, out_granularity = "tensor", schedule = #kern.schedule<simt, tile = [64, 64]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: // kernel row_dynamic
// CHECK:      using In = winnow::Bf16;
// CHECK-NEXT: static constexpr int kSelect0 = 1;
// CHECK-NEXT: static constexpr int kSelect1 = -1;
// CHECK-NEXT: static constexpr int kGranularity = 1;
// CHECK-NEXT: static constexpr int kScaleMode = 2;
// CHECK-NEXT: using Out0 = winnow::Output<winnow::kPacked24Axis1, winnow::E4m3, 256>;
// CHECK-NEXT: using Out1 = winnow::Output<winnow::kRowMajor, winnow::E4m3, 0>;
// CHECK-NEXT: using Out2 = winnow::Output<winnow::kMask, winnow::E4m3, 0>;
// CHECK:      __launch_bounds__(256) row_dynamic(const void *input, float *scale, void *out0, void *out1, void *out2, int tokens) {
// CHECK-NEXT: winnow::ptx::let_next_launch_begin();
// CHECK-NEXT: winnow::ptx::wait_for_launches_before();
// CHECK-NEXT: winnow::map_row<Config, Body>(input, scale, out0, out1, out2, tokens, 512);
kern.map @row_dynamic attributes {input = !kern.buffer<?x512xbf16>, select = array<i64: 1>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x512xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>, !kern.buffer<?x512xf8E4M3FN>, !kern.buffer<?x512xi1>], schedule = #kern.schedule<row, tile = [8, 0]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Rows shared by a cluster of four.
// CHECK-LABEL: // kernel row_cluster
// CHECK:      static constexpr int kColumns = 8192;
// CHECK-NEXT: static constexpr int kSlice = 2048;
// CHECK-NEXT: static constexpr int kCluster = 4;
// CHECK-NEXT: static constexpr int kThreads = 256;
// CHECK:      __cluster_dims__(4, 1, 1) __launch_bounds__(256) row_cluster(const void *input, float *scale, void *out0, int tokens) {
// CHECK-NEXT: winnow::ptx::let_next_launch_begin();
// CHECK-NEXT: winnow::ptx::wait_for_launches_before();
// CHECK-NEXT: winnow::map_row_cluster<Config, Body>(input, scale, out0, nullptr, nullptr, tokens);
kern.map @row_cluster attributes {input = !kern.buffer<?x8192xbf16>, select = array<i64>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x8192xf8E4M3FN>], schedule = #kern.schedule<row, tile = [8, 2048]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: // kernel row_given
// CHECK:      static constexpr int kScaleMode = 1;
kern.map @row_given attributes {input = !kern.buffer<?x510xf32>, select = array<i64>, granularity = "tensor", scale_mode = "given", scale = !kern.buffer<f32>, outputs = [!kern.buffer<?x510xf8E5M2>], schedule = #kern.schedule<row, tile = [8, 0]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// A feature-wise selection under a token-wise one.
// CHECK-LABEL: // kernel patch_nested
// CHECK:      static constexpr int kSelect0 = 1;
// CHECK-NEXT: static constexpr int kSelect1 = 0;
// CHECK-NEXT: static constexpr int kGranularity = 2;
// CHECK-NEXT: static constexpr int kScaleMode = 1;
// CHECK:      using Out0 = winnow::Output<winnow::kPacked24Axis0, winnow::E4m3, 256>;
// CHECK-NEXT: using Out1 = winnow::Output<winnow::kTransposed, winnow::E4m3, 0>;
// CHECK-NEXT: using Out2 = winnow::Output<winnow::kMask, winnow::E4m3, 0>;
// CHECK:      winnow::map_patch<Config, Body>(input, scale, out0, out1, out2, tokens, 768);
kern.map @patch_nested attributes {input = !kern.buffer<?x768xf16>, select = array<i64: 1, 0>, granularity = "column", scale_mode = "given", scale = !kern.buffer<768xf32>, outputs = [!kern.buffer<?x768xf8E4M3FN, #kern.packed24<axis = 0, panel = 256>>, !kern.buffer<?x768xf8E4M3FN, #kern.transposed>, !kern.buffer<?x768xi1>], schedule = #kern.schedule<patch, tile = [64, 128]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: // kernel patch_16
kern.map @patch_16 attributes {input = !kern.buffer<?x768xbf16>, select = array<i64: 0>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x768xbf16, #kern.packed24<axis = 0, panel = 64>>, !kern.buffer<?x768xbf16>], schedule = #kern.schedule<patch, tile = [64, 128]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: // kernel transpose_f8
// CHECK:      winnow::map_patch<Config, Body>(input, nullptr, out0, nullptr, nullptr, 300, 200);
kern.map @transpose_f8 attributes {input = !kern.buffer<300x200xf8E4M3FN>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<300x200xf8E4M3FN, #kern.transposed>], schedule = #kern.schedule<patch, tile = [64, 128]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: // kernel scale_column
// CHECK:      static constexpr int kGranularity = 2;
// CHECK-NEXT: using Element = winnow::E5m2;
// CHECK:      scale_column(const void *input, float *scale, unsigned *counter, int tokens) {
// CHECK-NEXT: winnow::ptx::let_next_launch_begin();
// CHECK-NEXT: winnow::ptx::wait_for_launches_before();
// CHECK-NEXT: winnow::scale_patch<Config, Body>(input, scale, counter, tokens, 768);
kern.map @scale_column attributes {input = !kern.buffer<?x768xbf16>, select = array<i64: 0>, granularity = "column", scale_mode = "scale_only", scale_element = f8E5M2, outputs = [!kern.buffer<768xf32>], schedule = #kern.schedule<patch, tile = [64, 128]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Counts of what is selected from, told from pairs: zero at and below 2^-75, whose square is too small for f32.
// CHECK-LABEL: // kernel counted_fused
// CHECK:      struct Counted {
// CHECK:      struct Config {
// CHECK:      static constexpr bool kCounts = true;
// CHECK-NEXT: using Counted = ::Counted;
// CHECK-NEXT: using CountedInput = winnow::Bf16;
// CHECK-NEXT: static constexpr int kCountedLeast = 6657;
// CHECK-NEXT: static constexpr int kCountedSign = 0;
// CHECK-NEXT: static constexpr bool kCountedInPairs = true;
// CHECK:      counted_fused({{.*}}void *out, unsigned *counts, unsigned *progress, int tokens) {
// CHECK:      arguments.counts = counts;
kern.gemm @counted_fused attributes {lhs = !kern.buffer<?x6144xf8E4M3FN>, lhs_scale = !kern.buffer<?xf32>, rhs = !kern.buffer<24576x6144xf8E4M3FN>, rhs_scale = !kern.buffer<24576xf32>, transpose_rhs, out = !kern.buffer<?x24576xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>, out_scale = !kern.buffer<f32>, out_granularity = "tensor", counts = !kern.buffer<24576xi32>, schedule = #kern.schedule<wgmma, tile = [128, 192], warpgroups = 2, stages = 5, raster = 24, pacing = 8, turns = 1>} {
^bb0(%x: f32):
  %0 = arith.truncf %x : f32 to bf16
  %1 = arith.extf %0 : bf16 to f32
  %zero = arith.constant 0.0 : f32
  %r = arith.maximumf %1, %zero : f32
  %y = arith.mulf %r, %r : f32
  kern.yield %y : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Counts of what relu2 will make of the stored result, which the epilogue need not round itself.
// CHECK-LABEL: // kernel counted_stored
// CHECK:      struct Counted {
// CHECK:      static constexpr int kReluPower = 2;
// CHECK:      static constexpr int kCountedLeast = 6657;
// CHECK-NEXT: static constexpr int kCountedSign = 1;
// CHECK-NEXT: static constexpr bool kCountedInPairs = false;
// CHECK:      struct Epilogue {
// CHECK:      float apply(float x) {
// CHECK-NOT:  return v
// CHECK:      return x;
kern.gemm @counted_stored attributes {lhs = !kern.buffer<?x6144xf8E4M3FN>, lhs_scale = !kern.buffer<?xf32>, rhs = !kern.buffer<24576x6144xf8E4M3FN>, rhs_scale = !kern.buffer<24576xf32>, transpose_rhs, out = !kern.buffer<?x24576xbf16>, counts = !kern.buffer<24576xi32>, schedule = #kern.schedule<wgmma, tile = [128, 192], warpgroups = 2, stages = 5, raster = 24, pacing = 8, split = 4, turns = 1>} {
^bb0(%x: f32):
  %0 = arith.truncf %x : f32 to bf16
  %1 = arith.extf %0 : bf16 to f32
  kern.yield %1 : f32
} counted {
^bb0(%x: f32):
  %zero = arith.constant 0.0 : f32
  %r = arith.maximumf %x, %zero : f32
  %y = arith.mulf %r, %r : f32
  kern.yield %y : f32
}

// Through stages of the ring.
// CHECK-LABEL: // kernel counted_staged
// CHECK:      static constexpr int kCountedLeast = 1;
// CHECK-NEXT: static constexpr int kCountedSign = 2;
kern.gemm @counted_staged attributes {lhs = !kern.buffer<?x6144xf8E4M3FN>, lhs_scale = !kern.buffer<?xf32>, rhs = !kern.buffer<24576x6144xf8E4M3FN>, rhs_scale = !kern.buffer<24576xf32>, transpose_rhs, out = !kern.buffer<?x24576xbf16>, counts = !kern.buffer<24576xi32>, schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 4, raster = 8, staged = 1>} {
^bb0(%x: f32):
  %0 = arith.truncf %x : f32 to bf16
  %1 = arith.extf %0 : bf16 to f32
  kern.yield %1 : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Of 16-bit values that are compressed.
// CHECK-LABEL: // kernel counted_bf16
// CHECK:      static constexpr int kCountedLeast = 1;
// CHECK-NEXT: static constexpr int kCountedSign = 0;
kern.gemm @counted_bf16 attributes {lhs = !kern.buffer<?x6144xbf16>, rhs = !kern.buffer<24576x6144xbf16>, transpose_rhs, out = !kern.buffer<?x24576xbf16, #kern.packed24<axis = 1, panel = 256>>, counts = !kern.buffer<24576xi32>, schedule = #kern.schedule<wgmma, tile = [128, 192], warpgroups = 2, stages = 5, raster = 24, pacing = 8, turns = 1>} {
^bb0(%x: f32):
  %0 = arith.truncf %x : f32 to bf16
  %1 = arith.extf %0 : bf16 to f32
  %zero = arith.constant 0.0 : f32
  %r = arith.maximumf %1, %zero : f32
  %y = arith.mulf %r, %r : f32
  %2 = arith.truncf %y : f32 to bf16
  %3 = arith.extf %2 : bf16 to f32
  kern.yield %3 : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Nothing is known of what is counted: the values are looked at.
// CHECK-LABEL: // kernel counted_values
// CHECK:      using CountedInput = winnow::F32;
// CHECK-NEXT: static constexpr int kCountedLeast = 0;
kern.gemm @counted_values attributes {lhs = !kern.buffer<?x512xbf16>, rhs = !kern.buffer<1000x512xbf16>, transpose_rhs, out = !kern.buffer<?x1000xf32>, counts = !kern.buffer<1000xi32>, schedule = #kern.schedule<wgmma, tile = [128, 128], warpgroups = 2, stages = 4, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
} counted {
^bb0(%x: f32):
  %y = math.tanh %x : f32
  kern.yield %y : f32
}

// CHECK-LABEL: // kernel counted_simt
// CHECK:      counted_simt(const void *lhs, const void *rhs, void *out, unsigned *counts, int tokens) {
// CHECK:      arguments.counts = counts;
kern.gemm @counted_simt attributes {lhs = !kern.buffer<?x30xf32>, rhs = !kern.buffer<30x50xf32>, out = !kern.buffer<?x50xf32>, counts = !kern.buffer<50xi32>, schedule = #kern.schedule<simt, tile = [64, 64]>} {
^bb0(%x: f32):
  kern.yield %x : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// CHECK-LABEL: // kernel count
// CHECK:      count(const void *input, unsigned *counts, int tokens) {
// CHECK-NEXT: winnow::ptx::let_next_launch_begin();
// CHECK-NEXT: winnow::ptx::wait_for_launches_before();
// CHECK-NEXT: winnow::count_patch<Config, Body>(input, counts, tokens, 768);
kern.map @count attributes {input = !kern.buffer<?x768xf8E4M3FN>, select = array<i64>, granularity = "column", scale_mode = "count_only", outputs = [!kern.buffer<768xi32>], schedule = #kern.schedule<patch, tile = [64, 128]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// Every operation that an element-wise region may hold.
// CHECK-LABEL: // kernel scalar
// CHECK:      const float v1 = __uint_as_float(0x3f3504f3u) /* 0.707106769 */;
// CHECK-NEXT: const float v2 = __fadd_rn(x, v1);
// CHECK-NEXT: const float v3 = __fsub_rn(v2, x);
// CHECK-NEXT: const float v4 = __fdiv_rn(v3, v1);
// CHECK-NEXT: const float v5 = -v4;
// CHECK-NEXT: const float v6 = winnow::minimum(v5, x);
// CHECK-NEXT: const bool v7 = !(v6 >= v1);
// CHECK-NEXT: const float v8 = v7 ? v6 : x;
// CHECK-NEXT: const float v9 = fabsf(v8);
// CHECK-NEXT: const float v10 = erff(v9);
// CHECK-NEXT: const float v11 = expf(v10);
// CHECK-NEXT: const float v12 = __fsqrt_rn(v11);
// CHECK-NEXT: const float v13 = tanhf(v12);
// CHECK-NEXT: const bool v14 = v13 < x || v13 > x;
// CHECK-NEXT: const bool v15 = v13 == v13 && x == x;
// CHECK-NEXT: const float v16 = v14 ? v13 : v12;
// CHECK-NEXT: const float v17 = v15 ? v16 : v11;
// CHECK-NEXT: return v17;
kern.map @scalar attributes {input = !kern.buffer<?x64xf32>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xf32>], schedule = #kern.schedule<row, tile = [8, 0]>} {
^bb0(%x: f32):
  %c = arith.constant 0.70710678 : f32
  %0 = arith.addf %x, %c : f32
  %1 = arith.subf %0, %x : f32
  %2 = arith.divf %1, %c : f32
  %3 = arith.negf %2 : f32
  %4 = arith.minimumf %3, %x : f32
  %5 = arith.cmpf ult, %4, %c : f32
  %6 = arith.select %5, %4, %x : f32
  %7 = math.absf %6 : f32
  %8 = math.erf %7 : f32
  %9 = math.exp %8 : f32
  %10 = math.sqrt %9 : f32
  %11 = math.tanh %10 : f32
  %12 = arith.cmpf one, %11, %x : f32
  %13 = arith.cmpf ord, %11, %x : f32
  %14 = arith.select %12, %11, %10 : f32
  %15 = arith.select %13, %14, %9 : f32
  kern.yield %15 : f32
}
