// RUN: winnow-opt %s -split-input-file -verify-diagnostics

// The number in each comment is the constraint's in docs/ffn-spec.md.

// M1: the reduction extents agree.
func.func @matmul_k(%a: tensor<8x64xbf16>, %b: tensor<32x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects equal reduction extents, got 64 on the left and 32 on the right}}
  %0 = ffn.matmul %a, %b : (tensor<8x64xbf16>, tensor<32x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M1, with both operands transposed.
func.func @matmul_k_transposed(%a: tensor<64x8xbf16>, %b: tensor<16x32xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects equal reduction extents, got 64 on the left and 32 on the right}}
  %0 = ffn.matmul %a, %b {transpose_lhs, transpose_rhs} : (tensor<64x8xbf16>, tensor<16x32xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// G2, M1: a dynamic extent is the token count, not a number that may happen to be 64.
func.func @matmul_k_dynamic(%a: tensor<8x?xbf16>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects equal reduction extents, got ? on the left and 64 on the right}}
  %0 = ffn.matmul %a, %b : (tensor<8x?xbf16>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M2: the result is M x N.
func.func @matmul_result(%a: tensor<8x64xbf16>, %b: tensor<64x16xbf16>) -> tensor<16x8xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects a result of 8 x 16, got 16 x 8}}
  %0 = ffn.matmul %a, %b : (tensor<8x64xbf16>, tensor<64x16xbf16>) -> tensor<16x8xf32>
  return %0 : tensor<16x8xf32>
}

// -----

// G2, M2: the same of the result.
func.func @matmul_result_dynamic(%a: tensor<?x64xbf16>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects a result of ? x 16, got 8 x 16}}
  %0 = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M3: a scale per row of L.
func.func @matmul_lhs_scale(%a: tensor<8x64xbf16>, %s: tensor<64xf32>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op lhs_scale expects M = 8 elements, got 64}}
  %0 = ffn.matmul %a scaled %s, %b : (tensor<8x64xbf16>, tensor<64xf32>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M3: a scale per column of R.
func.func @matmul_rhs_scale(%a: tensor<8x64xbf16>, %b: tensor<64x16xbf16>, %s: tensor<?xf32>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op rhs_scale expects N = 16 elements, got ?}}
  %0 = ffn.matmul %a, %b scaled %s : (tensor<8x64xbf16>, tensor<64x16xbf16>, tensor<?xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M3: a scale has rank 0 or 1.
func.func @matmul_scale_rank(%a: tensor<8x64xbf16>, %s: tensor<8x1xf32>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op operand #1 must be scale (tensor of f32 of rank 0 or 1) with extents from 1 to 2147483647, but got 'tensor<8x1xf32>'}}
  %0 = ffn.matmul %a scaled %s, %b : (tensor<8x64xbf16>, tensor<8x1xf32>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M4: the sparse axis is the reduction axis.
func.func @matmul_sparse_axis(%a: !ffn.sparse24<8x64xbf16, axis = 0>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects the sparse axis of lhs to be the reduction axis, 1, got 0}}
  %0 = ffn.matmul %a, %b : (!ffn.sparse24<8x64xbf16, axis = 0>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M4, transposed.
func.func @matmul_sparse_axis_transposed(%a: !ffn.sparse24<64x8xbf16, axis = 1>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects the sparse axis of lhs to be the reduction axis, 0, got 1}}
  %0 = ffn.matmul %a, %b {transpose_lhs} : (!ffn.sparse24<64x8xbf16, axis = 1>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M4: a sparse operand stands on the left.
func.func @matmul_sparse_rhs(%a: tensor<8x64xbf16>, %b: !ffn.sparse24<64x16xbf16, axis = 0>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op operand #1 must be matrix (rank-2 tensor) of f32, bf16, f16, f8E4M3FN or f8E5M2 with extents from 1 to 2147483647, but got '!ffn.sparse24<64x16xbf16, axis = 0>'}}
  %0 = ffn.matmul %a, %b : (tensor<8x64xbf16>, !ffn.sparse24<64x16xbf16, axis = 0>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M5: one element type, or both f8.
func.func @matmul_elements(%a: tensor<8x64xbf16>, %b: tensor<64x16xf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects operands of one element type, or both f8, got 'bf16' and 'f16'}}
  %0 = ffn.matmul %a, %b : (tensor<8x64xbf16>, tensor<64x16xf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M5, sparse against wide.
func.func @matmul_sparse_elements(%a: !ffn.sparse24<8x64xf8E4M3FN, axis = 1>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op expects operands of one element type, or both f8, got 'f8E4M3FN' and 'bf16'}}
  %0 = ffn.matmul %a, %b : (!ffn.sparse24<8x64xf8E4M3FN, axis = 1>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// M6: the result is wide.
func.func @matmul_narrow(%a: tensor<8x64xf8E4M3FN>, %b: tensor<64x16xf8E4M3FN>) -> tensor<8x16xf8E4M3FN> {
  // expected-error @+1 {{'ffn.matmul' op result #0 must be matrix (rank-2 tensor) of f32, bf16 or f16 with extents from 1 to 2147483647, but got 'tensor<8x16xf8E4M3FN>'}}
  %0 = ffn.matmul %a, %b : (tensor<8x64xf8E4M3FN>, tensor<64x16xf8E4M3FN>) -> tensor<8x16xf8E4M3FN>
  return %0 : tensor<8x16xf8E4M3FN>
}

// -----

func.func @matmul_rank(%a: tensor<2x8x64xbf16>, %b: tensor<64x16xbf16>) -> tensor<8x16xf32> {
  // expected-error @+1 {{'ffn.matmul' op operand #0 must be matrix (rank-2 tensor) of f32, bf16, f16, f8E4M3FN or f8E5M2 with extents from 1 to 2147483647 or a matrix compressed 2:4 along one axis, but got 'tensor<2x8x64xbf16>'}}
  %0 = ffn.matmul %a, %b : (tensor<2x8x64xbf16>, tensor<64x16xbf16>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// G1: no empty matrices.
func.func @no_tokens(%x: tensor<0x64xbf16>) -> tensor<0x64xbf16> {
  // expected-error @+1 {{'ffn.relu' op operand #0 must be matrix (rank-2 tensor) of f32, bf16 or f16 with extents from 1 to 2147483647, but got 'tensor<0x64xbf16>'}}
  %0 = ffn.relu %x : tensor<0x64xbf16> -> tensor<0x64xbf16>
  return %0 : tensor<0x64xbf16>
}

// -----

// G1: extents are 32-bit.
func.func @too_many_tokens(%x: tensor<2147483648x64xbf16>) -> tensor<2147483648x64xbf16> {
  // expected-error @+1 {{'ffn.relu' op operand #0 must be matrix (rank-2 tensor) of f32, bf16 or f16 with extents from 1 to 2147483647, but got 'tensor<2147483648x64xbf16>'}}
  %0 = ffn.relu %x : tensor<2147483648x64xbf16> -> tensor<2147483648x64xbf16>
  return %0 : tensor<2147483648x64xbf16>
}

// -----

// E1: an activation keeps the shape.
func.func @activation_shape(%x: tensor<?x64xbf16>) -> tensor<8x64xf32> {
  // expected-error @+1 {{'ffn.relu2' op result expects the shape of the input, 'tensor<?x64xbf16>', got 'tensor<8x64xf32>'}}
  %0 = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}

// -----

// E2: an activation works on wide elements.
func.func @activation_of_f8(%x: tensor<?x64xf8E4M3FN>) -> tensor<?x64xbf16> {
  // expected-error @+1 {{'ffn.silu' op operand #0 must be matrix (rank-2 tensor) of f32, bf16 or f16 with extents from 1 to 2147483647, but got 'tensor<?x64xf8E4M3FN>'}}
  %0 = ffn.silu %x : tensor<?x64xf8E4M3FN> -> tensor<?x64xbf16>
  return %0 : tensor<?x64xbf16>
}

// -----

// Q1: values have the shape of the input.
func.func @quantize_shape(%x: tensor<8x64xbf16>, %s: tensor<f32>) -> tensor<64x8xf8E4M3FN> {
  // expected-error @+1 {{'ffn.quantize' op result expects the shape of the input, 'tensor<8x64xbf16>', got 'tensor<64x8xf8E4M3FN>'}}
  %0 = ffn.quantize %x scaled %s by tensor : (tensor<8x64xbf16>, tensor<f32>) -> tensor<64x8xf8E4M3FN>
  return %0 : tensor<64x8xf8E4M3FN>
}

// -----

// Q1: values are f8.
func.func @quantize_element(%x: tensor<8x64xbf16>, %s: tensor<f32>) -> tensor<8x64xf16> {
  // expected-error @+1 {{'ffn.quantize' op result #0 must be matrix (rank-2 tensor) of f8E4M3FN or f8E5M2 with extents from 1 to 2147483647, but got 'tensor<8x64xf16>'}}
  %0 = ffn.quantize %x scaled %s by tensor : (tensor<8x64xbf16>, tensor<f32>) -> tensor<8x64xf16>
  return %0 : tensor<8x64xf16>
}

// -----

// Q2: rank of the scale.
func.func @quantize_scale_rank(%x: tensor<8x64xbf16>) -> (tensor<8x64xf8E4M3FN>, tensor<8xf32>) {
  // expected-error @+1 {{'ffn.quantize' op expects a scale of rank 0 by tensor, got 'tensor<8xf32>'}}
  %0, %s = ffn.quantize %x by tensor : (tensor<8x64xbf16>) -> (tensor<8x64xf8E4M3FN>, tensor<8xf32>)
  return %0, %s : tensor<8x64xf8E4M3FN>, tensor<8xf32>
}

// -----

// Q2: extent of the scale, by row.
func.func @quantize_rows(%x: tensor<8x64xbf16>) -> (tensor<8x64xf8E4M3FN>, tensor<64xf32>) {
  // expected-error @+1 {{'ffn.quantize' op scale expects rows = 8 elements, got 64}}
  %0, %s = ffn.quantize %x by row : (tensor<8x64xbf16>) -> (tensor<8x64xf8E4M3FN>, tensor<64xf32>)
  return %0, %s : tensor<8x64xf8E4M3FN>, tensor<64xf32>
}

// -----

// Q2: extent of the scale, by column.
func.func @quantize_columns(%x: tensor<8x64xbf16>, %s: tensor<8xf32>) -> tensor<8x64xf8E4M3FN> {
  // expected-error @+1 {{'ffn.quantize' op scale expects columns = 64 elements, got 8}}
  %0 = ffn.quantize %x scaled %s by column : (tensor<8x64xbf16>, tensor<8xf32>) -> tensor<8x64xf8E4M3FN>
  return %0 : tensor<8x64xf8E4M3FN>
}

// -----

// Q3: one scale.
func.func @quantize_no_scale(%x: tensor<8x64xbf16>) -> tensor<8x64xf8E4M3FN> {
  // expected-error @+1 {{'ffn.quantize' op expects a given scale or a second result for the dynamic one, got neither}}
  %0 = ffn.quantize %x by row : (tensor<8x64xbf16>) -> tensor<8x64xf8E4M3FN>
  return %0 : tensor<8x64xf8E4M3FN>
}

// -----

// Q3: not two.
func.func @quantize_two_scales(%x: tensor<8x64xbf16>, %s: tensor<8xf32>) -> (tensor<8x64xf8E4M3FN>, tensor<8xf32>) {
  // expected-error @+1 {{'ffn.quantize' op expects either a given scale or a dynamic one as second result, got both}}
  %0, %t = ffn.quantize %x scaled %s by row : (tensor<8x64xbf16>, tensor<8xf32>) -> (tensor<8x64xf8E4M3FN>, tensor<8xf32>)
  return %0, %t : tensor<8x64xf8E4M3FN>, tensor<8xf32>
}

// -----

func.func @quantize_granularity(%x: tensor<8x64xbf16>) -> (tensor<8x64xf8E4M3FN>, tensor<8xf32>) {
  // expected-error @+1 {{expected granularity tensor, row or column, got 'block'}}
  %0, %s = ffn.quantize %x by block : (tensor<8x64xbf16>) -> (tensor<8x64xf8E4M3FN>, tensor<8xf32>)
  return %0, %s : tensor<8x64xf8E4M3FN>, tensor<8xf32>
}

// -----

// N1: the scale fits the granularity.
func.func @dynamic_scale_extent(%x: tensor<8x64xbf16>) -> tensor<8xf32> {
  // expected-error @+1 {{'ffn.dynamic_scale' op scale expects columns = 64 elements, got 8}}
  %s = ffn.dynamic_scale %x by column to f8E4M3FN : (tensor<8x64xbf16>) -> tensor<8xf32>
  return %s : tensor<8xf32>
}

// -----

// N1: rank.
func.func @dynamic_scale_rank(%x: tensor<8x64xbf16>) -> tensor<f32> {
  // expected-error @+1 {{'ffn.dynamic_scale' op expects a scale of rank 1 by column, got 'tensor<f32>'}}
  %s = ffn.dynamic_scale %x by column to f8E4M3FN : (tensor<8x64xbf16>) -> tensor<f32>
  return %s : tensor<f32>
}

// -----

// N2: f8.
func.func @dynamic_scale_element(%x: tensor<8x64xbf16>) -> tensor<64xf32> {
  // expected-error @+1 {{'ffn.dynamic_scale' op expects element f8E4M3FN or f8E5M2, got 'bf16'}}
  %s = ffn.dynamic_scale %x by column to bf16 : (tensor<8x64xbf16>) -> tensor<64xf32>
  return %s : tensor<64xf32>
}

// -----

// S1: the result has the type of the input.
func.func @sparsify_type(%x: tensor<8x64xbf16>) -> tensor<8x64xf16> {
  // expected-error @+1 {{'ffn.sparsify' op expects a result of the type of the input, 'tensor<8x64xbf16>', got 'tensor<8x64xf16>'}}
  %v, %m = ffn.sparsify %x along 1 : (tensor<8x64xbf16>) -> (tensor<8x64xf16>, tensor<8x64xi1>)
  return %v : tensor<8x64xf16>
}

// -----

// S1: so has the mask.
func.func @sparsify_mask(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.sparsify' op mask expects the shape of the input, 'tensor<8x64xbf16>', got 'tensor<8x32xi1>'}}
  %v, %m = ffn.sparsify %x along 1 : (tensor<8x64xbf16>) -> (tensor<8x64xbf16>, tensor<8x32xi1>)
  return %v : tensor<8x64xbf16>
}

// -----

// S1: and the earlier mask.
func.func @sparsify_under(%x: tensor<8x64xbf16>, %m: tensor<?x64xi1>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.sparsify' op earlier mask expects the shape of the input, 'tensor<8x64xbf16>', got 'tensor<?x64xi1>'}}
  %v, %n = ffn.sparsify %x along 0 under %m : (tensor<8x64xbf16>, tensor<?x64xi1>) -> (tensor<8x64xbf16>, tensor<8x64xi1>)
  return %v : tensor<8x64xbf16>
}

// -----

// S1: a matrix, not a scalar.
func.func @sparsify_scalar(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{'ffn.sparsify' op operand #0 must be matrix (rank-2 tensor) of f32, bf16 or f16 with extents from 1 to 2147483647, but got 'tensor<f32>'}}
  %v, %m = ffn.sparsify %x along 0 : (tensor<f32>) -> (tensor<f32>, tensor<i1>)
  return %v : tensor<f32>
}

// -----

// S2: the axis.
func.func @sparsify_axis(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.sparsify' op expects axis 0 or 1, got 2}}
  %v, %m = ffn.sparsify %x along 2 : (tensor<8x64xbf16>) -> (tensor<8x64xbf16>, tensor<8x64xi1>)
  return %v : tensor<8x64xbf16>
}

// -----

// S3: whole groups.
func.func @sparsify_groups(%x: tensor<8x62xbf16>) -> tensor<8x62xbf16> {
  // expected-error @+1 {{'ffn.sparsify' op expects a multiple of 4 along axis 1, got 62}}
  %v, %m = ffn.sparsify %x along 1 : (tensor<8x62xbf16>) -> (tensor<8x62xbf16>, tensor<8x62xi1>)
  return %v : tensor<8x62xbf16>
}

// -----

// C1: values.
func.func @compress_values(%v: tensor<8x64xbf16>, %m: tensor<8x32xi1>) -> !ffn.sparse24<8x32xbf16, axis = 1> {
  // expected-error @+1 {{'ffn.compress' op values expects the shape of the result, '!ffn.sparse24<8x32xbf16, axis = 1>', got 'tensor<8x64xbf16>'}}
  %c = ffn.compress %v, %m : (tensor<8x64xbf16>, tensor<8x32xi1>) -> !ffn.sparse24<8x32xbf16, axis = 1>
  return %c : !ffn.sparse24<8x32xbf16, axis = 1>
}

// -----

// C1: mask.
func.func @compress_mask(%v: tensor<8x64xbf16>, %m: tensor<8x32xi1>) -> !ffn.sparse24<8x64xbf16, axis = 1> {
  // expected-error @+1 {{'ffn.compress' op mask expects the shape of the result, '!ffn.sparse24<8x64xbf16, axis = 1>', got 'tensor<8x32xi1>'}}
  %c = ffn.compress %v, %m : (tensor<8x64xbf16>, tensor<8x32xi1>) -> !ffn.sparse24<8x64xbf16, axis = 1>
  return %c : !ffn.sparse24<8x64xbf16, axis = 1>
}

// -----

// C2: element types.
func.func @compress_element(%v: tensor<8x64xbf16>, %m: tensor<8x64xi1>) -> !ffn.sparse24<8x64xf16, axis = 1> {
  // expected-error @+1 {{'ffn.compress' op values expect the element type of the result, 'f16', got 'bf16'}}
  %c = ffn.compress %v, %m : (tensor<8x64xbf16>, tensor<8x64xi1>) -> !ffn.sparse24<8x64xf16, axis = 1>
  return %c : !ffn.sparse24<8x64xf16, axis = 1>
}

// -----

// D1: the dense form.
func.func @decompress_type(%c: !ffn.sparse24<8x64xf16, axis = 1>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.decompress' op expects a result of type 'tensor<8x64xf16>', got 'tensor<8x64xbf16>'}}
  %d = ffn.decompress %c : !ffn.sparse24<8x64xf16, axis = 1> -> tensor<8x64xbf16>
  return %d : tensor<8x64xbf16>
}

// -----

// O1: one count per column.
func.func @count_rows(%x: tensor<8x64xbf16>) -> tensor<8xi32> {
  // expected-error @+1 {{'ffn.count_nonzero' op expects one count per column, 64, got 8}}
  %0 = ffn.count_nonzero %x : tensor<8x64xbf16> -> tensor<8xi32>
  return %0 : tensor<8xi32>
}

// -----

// O1: not the token count.
func.func @count_dynamic(%x: tensor<?x64xbf16>) -> tensor<?xi32> {
  // expected-error @+1 {{'ffn.count_nonzero' op expects one count per column, 64, got ?}}
  %0 = ffn.count_nonzero %x : tensor<?x64xbf16> -> tensor<?xi32>
  return %0 : tensor<?xi32>
}

// -----

func.func @count_type(%x: tensor<8x64xbf16>) -> tensor<64xi64> {
  // expected-error @+1 {{'ffn.count_nonzero' op result #0 must be counts (rank-1 tensor of i32) with extents from 1 to 2147483647, but got 'tensor<64xi64>'}}
  %0 = ffn.count_nonzero %x : tensor<8x64xbf16> -> tensor<64xi64>
  return %0 : tensor<64xi64>
}

// -----

func.func @count_mask(%x: tensor<8x64xi1>) -> tensor<64xi32> {
  // expected-error @+1 {{'ffn.count_nonzero' op operand #0 must be matrix (rank-2 tensor) of f32, bf16, f16, f8E4M3FN or f8E5M2 with extents from 1 to 2147483647, but got 'tensor<8x64xi1>'}}
  %0 = ffn.count_nonzero %x : tensor<8x64xi1> -> tensor<64xi32>
  return %0 : tensor<64xi32>
}

// -----

// K1: as many block arguments as operands.
func.func @kernel_arguments(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.kernel' op expects as many block arguments as operands, 1, got 2}}
  %0 = ffn.kernel(%x) : (tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  ^bb0(%a: tensor<8x64xbf16>, %b: tensor<8x64xbf16>):
    ffn.yield %a : tensor<8x64xbf16>
  }
  return %0 : tensor<8x64xbf16>
}

// -----

// K1: of the same types.
func.func @kernel_argument_type(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.kernel' op block arguments #0 expects type 'tensor<8x64xbf16>', got 'tensor<8x64xf16>'}}
  %0 = ffn.kernel(%x) : (tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  ^bb0(%a: tensor<8x64xf16>):
    %b = ffn.relu %a : tensor<8x64xf16> -> tensor<8x64xbf16>
    ffn.yield %b : tensor<8x64xbf16>
  }
  return %0 : tensor<8x64xbf16>
}

// -----

// K2: what is yielded.
func.func @kernel_results(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.kernel' op yielded values #0 expects type 'tensor<8x64xbf16>', got 'tensor<8x64xf32>'}}
  %0 = ffn.kernel(%x) : (tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  ^bb0(%a: tensor<8x64xbf16>):
    %b = ffn.relu %a : tensor<8x64xbf16> -> tensor<8x64xf32>
    ffn.yield %b : tensor<8x64xf32>
  }
  return %0 : tensor<8x64xbf16>
}

// -----

// K2: ffn.yield ends the body.
func.func @kernel_end(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.kernel' op expects its body to end in ffn.yield}}
  %0 = ffn.kernel(%x) : (tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  ^bb0(%a: tensor<8x64xbf16>):
    %b = ffn.relu %a : tensor<8x64xbf16> -> tensor<8x64xbf16>
  }
  return %0 : tensor<8x64xbf16>
}

// -----

func.func @kernel_empty(%x: tensor<8x64xbf16>) {
  // expected-error @+1 {{'ffn.kernel' op expects a non-empty block}}
  ffn.kernel(%x) : (tensor<8x64xbf16>) -> () {
  ^bb0(%a: tensor<8x64xbf16>):
  }
  return
}

// -----

// K3: kernels do not nest.
func.func @kernel_nested(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  %0 = ffn.kernel(%x) : (tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  ^bb0(%a: tensor<8x64xbf16>):
    // expected-error @+1 {{'ffn.kernel' op expects no kernel around it: one kernel is one launch}}
    %1 = ffn.kernel(%a) : (tensor<8x64xbf16>) -> tensor<8x64xbf16> {
    ^bb0(%b: tensor<8x64xbf16>):
      ffn.yield %b : tensor<8x64xbf16>
    }
    ffn.yield %1 : tensor<8x64xbf16>
  }
  return %0 : tensor<8x64xbf16>
}

// -----

func.func @yield_outside(%x: tensor<8x64xbf16>) {
  // expected-error @+1 {{'ffn.yield' op expects parent op 'ffn.kernel'}}
  ffn.yield %x : tensor<8x64xbf16>
}
