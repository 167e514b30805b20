// RUN: winnow-opt %s -split-input-file -verify-diagnostics

// Verifiers of kern.gemm and kern.map. The name in each comment is the constraint's in KernOps.td.

// KG1: matrices.
// expected-error @+1 {{'kern.gemm' op lhs expects rank 2, got '!kern.buffer<64xbf16>'}}
kern.gemm @g attributes {lhs = !kern.buffer<64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG6: of floating-point numbers.
// expected-error @+1 {{'kern.gemm' op out expects a floating-point element type, got '!kern.buffer<8x16xi32>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xi32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG2: a transposed lhs is one that transpose_lhs speaks of.
// expected-error @+1 {{'kern.gemm' op lhs expects layout transposed only with transpose_lhs, got '!kern.buffer<8x64xbf16, #kern.transposed>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16, #kern.transposed>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG2: compressed along the reduction axis.
// expected-error @+1 {{'kern.gemm' op lhs expects packed24 along the reduction axis, 1, got '!kern.buffer<8x64xbf16, #kern.packed24<axis = 0, panel = 64>>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16, #kern.packed24<axis = 0, panel = 64>>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG2: the same, transposed.
// expected-error @+1 {{'kern.gemm' op lhs expects packed24 along the reduction axis, 0, got '!kern.buffer<64x8xbf16, #kern.packed24<axis = 1, panel = 64>>'}}
kern.gemm @g attributes {lhs = !kern.buffer<64x8xbf16, #kern.packed24<axis = 1, panel = 64>>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_lhs, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG3: the sparse operand stands on the left.
// expected-error @+1 {{'kern.gemm' op rhs expects a dense layout, got '!kern.buffer<16x64xbf16, #kern.packed24<axis = 1, panel = 64>>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16, #kern.packed24<axis = 1, panel = 64>>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG3: N x K needs no transposition.
// expected-error @+1 {{'kern.gemm' op rhs expects layout transposed only without transpose_rhs, got '!kern.buffer<16x64xbf16, #kern.transposed>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16, #kern.transposed>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG4: what a product can write.
// expected-error @+1 {{'kern.gemm' op out expects layout row_major or packed24 along axis 1, got '!kern.buffer<8x16xf32, #kern.transposed>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32, #kern.transposed>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG4: groups of columns only.
// expected-error @+1 {{'kern.gemm' op out expects layout row_major or packed24 along axis 1, got '!kern.buffer<8x16xbf16, #kern.packed24<axis = 0, panel = 64>>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xbf16, #kern.packed24<axis = 0, panel = 64>>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG5: the reduction extents agree.
// expected-error @+1 {{'kern.gemm' op expects equal reduction extents, got ? on the left and 64 on the right}}
kern.gemm @g attributes {lhs = !kern.buffer<8x?xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG5: the result is M x N.
// expected-error @+1 {{'kern.gemm' op out expects 8 x 16, got 16 x 8}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<16x8xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG6: one element type.
// expected-error @+1 {{'kern.gemm' op expects operands of one element type, or both f8, got 'bf16' and 'f16'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xf16>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG7: a scale per row of A.
// expected-error @+1 {{'kern.gemm' op lhs_scale expects '!kern.buffer<8xf32>', got '!kern.buffer<16xf32>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs, lhs_scale = !kern.buffer<16xf32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG7: a scale per column of B.
// expected-error @+1 {{'kern.gemm' op rhs_scale expects '!kern.buffer<16xf32>', got '!kern.buffer<16xbf16>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs, rhs_scale = !kern.buffer<16xbf16>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG8: a scale says what shares it.
// expected-error @+1 {{'kern.gemm' op expects out_granularity exactly where there is an out_scale, got an out_scale alone}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf8E4M3FN>, transpose_rhs, out_scale = !kern.buffer<f32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG8: and no scale, nothing to say.
// expected-error @+1 {{'kern.gemm' op expects out_granularity exactly where there is an out_scale, got an out_granularity alone}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs, out_granularity = "row"} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG8: one of three words.
// expected-error @+1 {{'kern.gemm' op expects out_granularity tensor, row or column, got block}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf8E4M3FN>, transpose_rhs, out_scale = !kern.buffer<f32>, out_granularity = "block"} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG8: a scale per column of D.
// expected-error @+1 {{'kern.gemm' op out_scale expects '!kern.buffer<16xf32>', got '!kern.buffer<8xf32>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf8E4M3FN>, transpose_rhs, out_scale = !kern.buffer<8xf32>, out_granularity = "column"} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG8: only f8 is scaled.
// expected-error @+1 {{'kern.gemm' op expects an f8 out where there is an out_scale, got '!kern.buffer<8x16xbf16>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xbf16>, transpose_rhs, out_scale = !kern.buffer<f32>, out_granularity = "tensor"} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG9: a product's schedule.
// expected-error @+1 {{'kern.gemm' op expects a schedule of family wgmma or simt, got patch}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs, schedule = #kern.schedule<patch, tile = [64, 128]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KR: one f32 in.
// expected-error @+1 {{'kern.gemm' op expects an element-wise region with one f32 argument}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<16x64xbf16>, out = !kern.buffer<8x16xf32>, transpose_rhs} {
^bb0(%x: f32, %y: f32):
  kern.yield %x : f32
}

// -----

// KM1: a matrix.
// expected-error @+1 {{'kern.map' op input expects rank 2, got '!kern.buffer<64xbf16>'}}
kern.map @m attributes {input = !kern.buffer<64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM1: row-major.
// expected-error @+1 {{'kern.map' op input expects layout row_major, got '!kern.buffer<?x64xbf16, #kern.transposed>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16, #kern.transposed>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM2: at most two selections.
// expected-error @+1 {{'kern.map' op expects at most two selections, got 3}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64: 1, 0, 1>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM2: along an axis.
// expected-error @+1 {{'kern.map' op expects selection axes 0 or 1, got 2}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64: 2>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM3: granularity.
// expected-error @+1 {{'kern.map' op expects granularity tensor, row or column, got block}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "block", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM3: scale mode.
// expected-error @+1 {{'kern.map' op expects scale_mode none, given, dynamic, scale_only or count_only, got static}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "static", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM4: a scale where it is used.
// expected-error @+1 {{'kern.map' op expects a scale with scale_mode given}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "given", outputs = [!kern.buffer<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM4: and only there.
// expected-error @+1 {{'kern.map' op expects no scale with scale_mode none}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>], scale = !kern.buffer<f32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM4: of the granularity's shape.
// expected-error @+1 {{'kern.map' op scale expects '!kern.buffer<?xf32>', got '!kern.buffer<64xf32>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "row", scale_mode = "given", outputs = [!kern.buffer<?x64xbf16>], scale = !kern.buffer<64xf32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM4: dynamic by row.
// expected-error @+1 {{'kern.map' op expects granularity row with scale_mode dynamic, got tensor}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "dynamic", outputs = [!kern.buffer<?x64xbf16>], scale = !kern.buffer<f32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM5: the element that the scale is for.
// expected-error @+1 {{'kern.map' op expects scale_element f8E4M3FN or f8E5M2 with scale_only}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "scale_only", outputs = [!kern.buffer<f32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM5: the scale is all there is.
// expected-error @+1 {{'kern.map' op expects one output with scale_only, got 2}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "scale_only", outputs = [!kern.buffer<f32>, !kern.buffer<f32>], scale_element = f8E4M3FN} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM5: and has the granularity's shape.
// expected-error @+1 {{'kern.map' op output #0 expects '!kern.buffer<64xf32>', got '!kern.buffer<f32>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "column", scale_mode = "scale_only", outputs = [!kern.buffer<f32>], scale_element = f8E4M3FN} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM5: a buffer.
// expected-error @+1 {{'kern.map' op output #0 expects a !kern.buffer, got 'f32'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "scale_only", outputs = [f32], scale_element = f8E4M3FN} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM5: no element without need.
// expected-error @+1 {{'kern.map' op expects no scale_element with scale_mode none}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>], scale_element = f8E4M3FN} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM6: something is written.
// expected-error @+1 {{'kern.map' op expects one to three outputs, got 0}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = []} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM6: of the shape of the input.
// expected-error @+1 {{'kern.map' op output #1 expects the shape of the input, '!kern.buffer<?x64xbf16>', got '!kern.buffer<64x?xbf16>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>, !kern.buffer<64x?xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM6: buffers.
// expected-error @+1 {{'kern.map' op output #0 expects a !kern.buffer, got 'tensor<?x64xbf16>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [tensor<?x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM6: of floating-point numbers, or a mask.
// expected-error @+1 {{'kern.map' op output #0 expects a floating-point element type or i1, got '!kern.buffer<?x64xi32>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xi32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM7: a mask of something.
// expected-error @+1 {{'kern.map' op output #0 is a mask, which expects a selection}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xi1>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM7: row-major.
// expected-error @+1 {{'kern.map' op output #0 expects a row-major mask, got '!kern.buffer<?x64xi1, #kern.transposed>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64: 1>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xi1, #kern.transposed>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM8: nothing selected, nothing to compress.
// expected-error @+1 {{'kern.map' op output #0 expects the last selection to be along its axis, 1, got none}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16, #kern.packed24<axis = 1, panel = 64>>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM8: the last selection.
// expected-error @+1 {{'kern.map' op output #0 expects the last selection to be along its axis, 1, got 0}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64: 1, 0>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16, #kern.packed24<axis = 1, panel = 64>>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM9: a map's schedule.
// expected-error @+1 {{'kern.map' op expects a schedule of family row or patch, got simt}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<?x64xbf16>], schedule = #kern.schedule<simt, tile = [64, 64]>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG10: what is counted.
// expected-error @+1 {{'kern.gemm' op expects a region 'counted' exactly where there are counts, got counts alone}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x16xbf16>, out = !kern.buffer<8x16xf32>, counts = !kern.buffer<16xi32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG10: where the counts go.
// expected-error @+1 {{'kern.gemm' op expects a region 'counted' exactly where there are counts, got a region alone}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x16xbf16>, out = !kern.buffer<8x16xf32>} {
^bb0(%x: f32):
  kern.yield %x : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG10: one for each column.
// expected-error @+1 {{'kern.gemm' op counts expects '!kern.buffer<16xi32>', got '!kern.buffer<8xi32>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x16xbf16>, out = !kern.buffer<8x16xf32>, counts = !kern.buffer<8xi32>} {
^bb0(%x: f32):
  kern.yield %x : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG10: integers.
// expected-error @+1 {{'kern.gemm' op counts expects '!kern.buffer<16xi32>', got '!kern.buffer<16xf32>'}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x16xbf16>, out = !kern.buffer<8x16xf32>, counts = !kern.buffer<16xf32>} {
^bb0(%x: f32):
  kern.yield %x : f32
} counted {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KG10: KR of what is counted.
// expected-error @+1 {{'kern.gemm' op expects an element-wise region with one f32 argument}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x16xbf16>, out = !kern.buffer<8x16xf32>, counts = !kern.buffer<16xi32>} {
^bb0(%x: f32):
  kern.yield %x : f32
} counted {
^bb0(%x: f64):
  %y = arith.truncf %x : f64 to f32
  kern.yield %y : f32
}

// -----

// KM10: by column.
// expected-error @+1 {{'kern.map' op expects granularity column with count_only, got row}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, scale_mode = "count_only", granularity = "row", outputs = [!kern.buffer<64xi32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM10: one output.
// expected-error @+1 {{'kern.map' op expects one output with count_only, got 2}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, scale_mode = "count_only", granularity = "column", outputs = [!kern.buffer<64xi32>, !kern.buffer<64xi32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM10: one for each column.
// expected-error @+1 {{'kern.map' op output #0 expects '!kern.buffer<64xi32>', got '!kern.buffer<32xi32>'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, scale_mode = "count_only", granularity = "column", outputs = [!kern.buffer<32xi32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KM10: a buffer.
// expected-error @+1 {{'kern.map' op output #0 expects a !kern.buffer, got 'i32'}}
kern.map @m attributes {input = !kern.buffer<?x64xbf16>, select = array<i64>, scale_mode = "count_only", granularity = "column", outputs = [i32]} {
^bb0(%x: f32):
  kern.yield %x : f32
}

// -----

// KR: arith and math only.
// expected-error @+1 {{'kern.map' op expects only arith and math operations in its region, got kern.alloc}}
kern.map @m attributes {input = !kern.buffer<8x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<8x64xbf16>]} {
^bb0(%x: f32):
  %b = kern.alloc : !kern.buffer<8xf32>
  kern.yield %x : f32
}

// -----

// KR: it yields.
// expected-error @+1 {{'kern.gemm' op expects its region to end in kern.yield}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x8xbf16>, out = !kern.buffer<8x8xf32>} {
^bb0(%x: f32):
  %y = arith.mulf %x, %x : f32
}

// -----

// expected-error @+1 {{'kern.gemm' op expects a non-empty block}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x8xbf16>, out = !kern.buffer<8x8xf32>} {
^bb0(%x: f32):
}

// -----

// KR: kern.yield belongs to kernels.
func.func @f(%x: f32) {
  // expected-error @+1 {{'kern.yield' op expects parent op to be one of 'kern.gemm, kern.map'}}
  kern.yield %x : f32
}
