// RUN: winnow-opt --split-input-file --verify-diagnostics --kern-verify-emittable %s

// expected-error @below {{'func.func' op expects to be gone here: only kern.program, kern.gemm and kern.map are emitted (rule 1; convert-ffn-to-kern should have converted it)}}
func.func @f() {
  return
}

// -----

// expected-error @below {{'kern.map' op expects a schedule (rule 2; kern-choose-schedule should have set it)}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.gemm' op has an illegal schedule: tile M 256 is not the panel 128 of the compressed operand (rule 3; kern-choose-schedule chooses only legal ones)}}
kern.gemm @panel attributes {lhs = !kern.buffer<?x512xf8E4M3FN, #kern.packed24<axis = 1, panel = 128>>, rhs = !kern.buffer<1024x512xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x1024xf32>, schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 5, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.gemm' op has an illegal schedule: 6 stages take 346912 bytes of shared memory, more than 232448 (rule 3; kern-choose-schedule chooses only legal ones)}}
kern.gemm @shared attributes {lhs = !kern.buffer<?x512xf8E4M3FN>, rhs = !kern.buffer<1024x512xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x1024xf32>, schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 6, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.gemm' op has an illegal schedule: a thread would hold 256 accumulators, more than 192 (rule 3; kern-choose-schedule chooses only legal ones)}}
kern.gemm @registers attributes {lhs = !kern.buffer<?x512xf8E4M3FN>, rhs = !kern.buffer<1024x512xf8E4M3FN>, transpose_rhs, out = !kern.buffer<?x1024xf32>, schedule = #kern.schedule<wgmma, tile = [256, 256], warpgroups = 2, stages = 2, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.gemm' op has an illegal schedule: no warpgroup instruction multiplies f32 by f32 (rule 3; kern-choose-schedule chooses only legal ones)}}
kern.gemm @types attributes {lhs = !kern.buffer<?x512xf32>, rhs = !kern.buffer<1024x512xf32>, transpose_rhs, out = !kern.buffer<?x1024xf32>, schedule = #kern.schedule<wgmma, tile = [64, 128], warpgroups = 1, stages = 2, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.gemm' op has an illegal schedule: rows of the right operand are as long as the token count, which need not be a multiple of 8 (rule 3; kern-choose-schedule chooses only legal ones)}}
kern.gemm @dynamic_rows attributes {lhs = !kern.buffer<?x512xbf16, #kern.transposed>, transpose_lhs, rhs = !kern.buffer<1024x?xbf16>, transpose_rhs, out = !kern.buffer<512x1024xf32>, schedule = #kern.schedule<wgmma, tile = [64, 128], warpgroups = 1, stages = 2, raster = 8>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.map' op has an illegal schedule: it selects along axis 0, across rows: family patch (rule 4; convert-ffn-to-kern should have split the kernel)}}
kern.map @rows attributes {input = !kern.buffer<?x64xbf16>, select = array<i64: 0>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>], schedule = #kern.schedule<row, tile = [8, 0]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.map' op has an illegal schedule: a slice of 8192 columns does not fit in registers (rule 4; kern-choose-schedule chooses only legal ones)}}
kern.map @slices attributes {input = !kern.buffer<?x8192xf32>, select = array<i64>, granularity = "row", scale_mode = "dynamic", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x8192xf8E4M3FN>], schedule = #kern.schedule<row, tile = [8, 8192]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// expected-error @below {{'kern.map' op has an illegal schedule: a cluster shares rows only to agree on a dynamic scale by row (rule 4; kern-choose-schedule chooses only legal ones)}}
kern.map @no_scale attributes {input = !kern.buffer<?x512xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x512xbf16>], schedule = #kern.schedule<row, tile = [8, 256]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

kern.map @scalar attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xf32>], schedule = #kern.schedule<row, tile = [8, 0]>} {
^bb0(%x: f32):
  // expected-error @below {{'math.cos' op cannot be written as CUDA in an element-wise region (rule 5; convert-ffn-to-kern should have built the region from operations that can)}}
  %0 = math.cos %x : f32
  kern.yield %0 : f32
}
