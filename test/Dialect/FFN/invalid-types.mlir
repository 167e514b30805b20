// RUN: winnow-opt %s -split-input-file -verify-diagnostics

// T1: rank 2.
// expected-error @+1 {{sparse24 expects rank 2, got 1}}
func.func private @rank(!ffn.sparse24<64xbf16, axis = 0>)

// -----

// T2: element type.
// expected-error @+1 {{sparse24 expects element type f8E4M3FN, f8E5M2, bf16 or f16, got 'f32'}}
func.func private @element(!ffn.sparse24<8x64xf32, axis = 1>)

// -----

// T3: axis.
// expected-error @+1 {{sparse24 expects axis 0 or 1, got 2}}
func.func private @axis(!ffn.sparse24<8x64xbf16, axis = 2>)

// -----

// T4: whole groups along the axis.
// expected-error @+1 {{sparse24 expects a multiple of 4 along axis 1, got 62}}
func.func private @groups(!ffn.sparse24<8x62xbf16, axis = 1>)

// -----

// T4: along the other axis too.
// expected-error @+1 {{sparse24 expects a multiple of 4 along axis 0, got 6}}
func.func private @groups_of_tokens(!ffn.sparse24<6x64xbf16, axis = 0>)

// -----

// G1: extents.
// expected-error @+1 {{sparse24 expects extents from 1 to 2147483647, got 0 x 64}}
func.func private @empty(!ffn.sparse24<0x64xbf16, axis = 1>)

// -----

// expected-error @+1 {{expected 'axis'}}
func.func private @no_axis(!ffn.sparse24<8x64xbf16, 1>)
