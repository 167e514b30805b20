// RUN: winnow-opt %s -split-input-file -verify-diagnostics

// Types, attributes, programs and launches. The name in each comment is the constraint's in the .td files.

// KB1: element types that the runtime knows.
// expected-error @+1 {{buffer expects element type f32, bf16, f16, f8E4M3FN, f8E5M2, i1, i8 or i32, got 'f64'}}
func.func private @element(!kern.buffer<8x64xf64>)

// -----

// KB2: extents.
// expected-error @+1 {{buffer expects extents from 1 to 2147483647, got 0}}
func.func private @empty(!kern.buffer<0x64xf32>)

// -----

// KB3: layouts.
// expected-error @+1 {{buffer expects a kern layout, got 1 : i64}}
func.func private @layout(!kern.buffer<8x64xf32, 1>)

// -----

// KB4: matrices.
// expected-error @+1 {{a buffer with layout #kern.transposed expects rank 2, got 1}}
func.func private @vector(!kern.buffer<64xf32, #kern.transposed>)

// -----

// KB5: narrow elements.
// expected-error @+1 {{a buffer with layout #kern.packed24<axis = 1, panel = 64> expects an f8 or 16-bit floating-point type, got 'f32'}}
func.func private @packed_f32(!kern.buffer<8x64xf32, #kern.packed24<axis = 1, panel = 64>>)

// -----

// KB5: whole groups.
// expected-error @+1 {{a buffer with layout #kern.packed24<axis = 0, panel = 64> expects a multiple of 4 along axis 0, got 6}}
func.func private @packed_groups(!kern.buffer<6x64xbf16, #kern.packed24<axis = 0, panel = 64>>)

// -----

// expected-error @+1 {{packed24 expects axis 0 or 1, got 2}}
func.func private @packed_axis(!kern.buffer<8x64xbf16, #kern.packed24<axis = 2, panel = 64>>)

// -----

// expected-error @+1 {{packed24 expects a panel that is a positive multiple of 64, got 96}}
func.func private @packed_panel(!kern.buffer<8x64xbf16, #kern.packed24<axis = 1, panel = 96>>)

// -----

// KS1: a tile.
// expected-error @+1 {{schedule expects a positive tile, got [64, 0]}}
func.func private @tile() attributes {s = #kern.schedule<patch, tile = [64, 0]>}

// -----

// KS2: what the family does not use.
// expected-error @+1 {{schedule of family simt expects no warpgroups, got 1}}
func.func private @unused() attributes {s = #kern.schedule<simt, tile = [64, 64], warpgroups = 1>}

// -----

// KS3: what it does.
// expected-error @+1 {{schedule of family wgmma expects a positive warpgroups, got 0}}
func.func private @warpgroups() attributes {s = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 0, stages = 4, raster = 1>}

// -----

// KS3: pacing may be absent, but not negative.
// expected-error @+1 {{schedule of family wgmma expects no negative pacing, got -1}}
func.func private @pacing() attributes {s = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 1, stages = 4, raster = 1, pacing = -1>}

// -----

// KS3: a warpgroup multiplies 64 rows at a time.
// expected-error @+1 {{schedule expects staged to be 0 or 1, got 2}}
func.func private @staged() attributes {s = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 1, stages = 4, raster = 1, staged = 2>}

// -----

// expected-error @+1 {{schedule expects a cluster of 0 or 2 CTAs, got 3}}
func.func private @cluster() attributes {s = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 1, stages = 4, raster = 1, cluster = 3>}

// -----

// expected-error @+1 {{schedule expects turns to be 0 or 1, got 2}}
func.func private @turns() attributes {s = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 2, stages = 4, raster = 1, turns = 2>}

// -----

// Warpgroups that share a tile have half of its rows each; in turns each has all.
// expected-error @+1 {{schedule of family wgmma expects a multiple of 64 tile rows per warpgroup, got 64 rows for 2 warpgroups}}
func.func private @shared() attributes {s = #kern.schedule<wgmma, tile = [64, 64], warpgroups = 2, stages = 4, raster = 1>}

// -----

// expected-error @+1 {{schedule of family wgmma expects a multiple of 64 tile rows per warpgroup, got 192 rows for 2 warpgroups}}
func.func private @rows() attributes {s = #kern.schedule<wgmma, tile = [192, 64], warpgroups = 2, stages = 4, raster = 1>}

// -----

// KP1: the outputs begin among the arguments.
// expected-error @+1 {{'kern.program' op expects between 0 and 1 inputs, got 2}}
"kern.program"() <{sym_name = "p", num_inputs = 2 : i64}> ({
^bb0(%x: !kern.buffer<f32>):
  kern.return
}) : () -> ()

// -----

// KP2: arguments are buffers.
// expected-error @+1 {{'kern.program' op argument #0 expects a !kern.buffer, got 'f32'}}
kern.program @p(%x: f32) -> () {
  kern.return
}

// -----

// KP3: names.
// expected-error @+1 {{'kern.program' op expects one name per argument, 2, got 1}}
kern.program @p(%x: !kern.buffer<f32>) -> (%y: !kern.buffer<f32>) attributes {names = ["x"]} {
  kern.copy %x to %y : !kern.buffer<f32>
  kern.return
}

// -----

// KP3: weights are inputs.
// expected-error @+1 {{'kern.program' op expects weights to be indices of its 1 inputs, got 1}}
kern.program @p(%x: !kern.buffer<f32>) -> (%y: !kern.buffer<f32>) attributes {weights = array<i64: 1>} {
  kern.copy %x to %y : !kern.buffer<f32>
  kern.return
}

// -----

// KP3: two numbers per output.
// expected-error @+1 {{'kern.program' op expects two numbers per output in output_stages, 2, got 1}}
kern.program @p(%x: !kern.buffer<f32>) -> (%y: !kern.buffer<f32>) attributes {output_stages = array<i64: 0>} {
  kern.copy %x to %y : !kern.buffer<f32>
  kern.return
}

// -----

// KA1: a result of a kernel.
kern.program @p() -> () {
  // expected-error @+1 {{'kern.alloc' op expects stage to be the number of an ffn.kernel and of its result, got [0, -1]}}
  %a = kern.alloc {stage = array<i64: 0, -1>} : !kern.buffer<f32>
  kern.return
}

// -----

// KP4: buffers and launches only.
kern.program @p(%x: !kern.buffer<f32>) -> () {
  // expected-error @+1 {{'arith.constant' op does not belong in a kern.program, which binds buffers and launches kernels}}
  %0 = arith.constant 0.0 : f32
  kern.return
}

// -----

// KP4: the end.
// expected-error @+1 {{'kern.program' op expects its body to end in kern.return}}
kern.program @p(%x: !kern.buffer<f32>) -> () {
  %0 = kern.alloc : !kern.buffer<f32>
}

// -----

// KP5: inputs are read only.
kern.program @p(%x: !kern.buffer<f32>) -> (%y: !kern.buffer<f32>) {
  // expected-error @+1 {{'kern.copy' op operand #1 is written, but is input #0 of the program}}
  kern.copy %y to %x : !kern.buffer<f32>
  kern.return
}

// -----

// KP5: so are constants.
kern.program @p(%x: !kern.buffer<f32>) -> () {
  %c = kern.constant dense<1.0> : tensor<f32> as !kern.buffer<f32>
  // expected-error @+1 {{'kern.fill_zero' op operand #0 is written, but is a kern.constant}}
  kern.fill_zero %c : !kern.buffer<f32>
  kern.return
}

// -----

// KP5: also what a kernel writes.
kern.map @copy attributes {input = !kern.buffer<8x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none", outputs = [!kern.buffer<8x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
kern.program @p(%x: !kern.buffer<8x64xbf16>) -> () {
  // expected-error @+1 {{'kern.launch' op operand #1 is written, but is input #0 of the program}}
  kern.launch @copy(%x, %x) : !kern.buffer<8x64xbf16>, !kern.buffer<8x64xbf16>
  kern.return
}

// -----

// KC1: what the buffer holds.
kern.program @p() -> () {
  // expected-error @+1 {{'kern.constant' op expects a row-major buffer of the shape and element type of its value, 'tensor<2xf32>', got '!kern.buffer<3xf32>'}}
  %c = kern.constant dense<1.0> : tensor<2xf32> as !kern.buffer<3xf32>
  kern.return
}

// -----

// KL1: a kernel.
kern.program @p(%x: !kern.buffer<f32>) -> () {
  // expected-error @+1 {{'kern.launch' op expects the symbol of a kern.gemm or kern.map, got @nowhere}}
  kern.launch @nowhere(%x) : !kern.buffer<f32>
  kern.return
}

// -----

// KL2: its operands.
// expected-note @+1 {{the kernel is declared here}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x8xbf16>, rhs_scale = !kern.buffer<8xf32>, out = !kern.buffer<8x8xf32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}
kern.program @p(%a: !kern.buffer<8x64xbf16>, %b: !kern.buffer<64x8xbf16>) -> (%c: !kern.buffer<8x8xf32>) {
  // expected-error @+1 {{'kern.launch' op expects 4 buffers (lhs, rhs, rhs_scale, out), got 3}}
  kern.launch @g(%a, %b, %c) : !kern.buffer<8x64xbf16>, !kern.buffer<64x8xbf16>, !kern.buffer<8x8xf32>
  kern.return
}

// -----

// KL3: of its types, layout included.
// expected-note @+1 {{the kernel is declared here}}
kern.gemm @g attributes {lhs = !kern.buffer<8x64xbf16>, rhs = !kern.buffer<64x8xbf16, #kern.transposed>, out = !kern.buffer<8x8xf32>} {
^bb0(%x: f32):
  kern.yield %x : f32
}
kern.program @p(%a: !kern.buffer<8x64xbf16>, %b: !kern.buffer<64x8xbf16>) -> (%c: !kern.buffer<8x8xf32>) {
  // expected-error @+1 {{'kern.launch' op buffer #1 (rhs) expects type '!kern.buffer<64x8xbf16, #kern.transposed>', got '!kern.buffer<64x8xbf16>'}}
  kern.launch @g(%a, %b, %c) : !kern.buffer<8x64xbf16>, !kern.buffer<64x8xbf16>, !kern.buffer<8x8xf32>
  kern.return
}

// -----

// KL3: the counter of a scale.
// expected-note @+1 {{the kernel is declared here}}
kern.map @s attributes {input = !kern.buffer<8x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "scale_only", scale_element = f8E4M3FN, outputs = [!kern.buffer<f32>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
kern.program @p(%x: !kern.buffer<8x64xbf16>) -> (%s: !kern.buffer<f32>) {
  %c = kern.alloc : !kern.buffer<2xi32>
  // expected-error @+1 {{'kern.launch' op buffer #2 (counter) expects an i32 buffer of one element, got '!kern.buffer<2xi32>'}}
  kern.launch @s(%x, %s, %c) : !kern.buffer<8x64xbf16>, !kern.buffer<f32>, !kern.buffer<2xi32>
  kern.return
}
