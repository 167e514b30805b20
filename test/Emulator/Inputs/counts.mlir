// Non-zeros per feature beside a forward: what epilogues count, and what takes a kernel of its own.

// GEMM 1 selects, quantises and compresses, and counts what it selects from.
func.func @given_scale(%x: tensor<?x256xf8E4M3FN>, %sx: tensor<?xf32>, %w1: tensor<512x256xf8E4M3FN> {ffn.weight},
                       %s1: tensor<512xf32> {ffn.weight}, %w2: tensor<128x512xf8E4M3FN> {ffn.weight},
                       %s2: tensor<128xf32> {ffn.weight}, %sy: tensor<f32>) -> (tensor<?x128xbf16>, tensor<512xi32>) {
  %y1 = ffn.matmul %x scaled %sx, %w1 scaled %s1 {transpose_rhs}
      : (tensor<?x256xf8E4M3FN>, tensor<?xf32>, tensor<512x256xf8E4M3FN>, tensor<512xf32>) -> tensor<?x512xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x512xbf16> -> tensor<?x512xf32>
  %n = ffn.count_nonzero %y2 : tensor<?x512xf32> -> tensor<512xi32>
  %q = ffn.quantize %y2 scaled %sy by tensor : (tensor<?x512xf32>, tensor<f32>) -> tensor<?x512xf8E4M3FN>
  %y3 = ffn.matmul %q scaled %sy, %w2 scaled %s2 {transpose_rhs, ffn.layout = #ffn.layout<token_wise>}
      : (tensor<?x512xf8E4M3FN>, tensor<f32>, tensor<128x512xf8E4M3FN>, tensor<128xf32>) -> tensor<?x128xbf16>
  return %y3, %n : tensor<?x128xbf16>, tensor<512xi32>
}

// GEMM 1 stores y1, and counts what relu2 will make of it in the kernel that finds the scales.
func.func @dynamic_scale(%x: tensor<?x256xbf16>, %w1: tensor<512x256xf8E4M3FN> {ffn.weight},
                         %s1: tensor<512xf32> {ffn.weight}, %w2: tensor<128x512xf8E4M3FN> {ffn.weight},
                         %s2: tensor<128xf32> {ffn.weight}) -> (tensor<?x128xbf16>, tensor<512xi32>) {
  %xq, %sx = ffn.quantize %x by row : (tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %sx, %w1 scaled %s1 {transpose_rhs}
      : (tensor<?x256xf8E4M3FN>, tensor<?xf32>, tensor<512x256xf8E4M3FN>, tensor<512xf32>) -> tensor<?x512xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x512xbf16> -> tensor<?x512xf32>
  %n = ffn.count_nonzero %y2 : tensor<?x512xf32> -> tensor<512xi32>
  %q, %sy = ffn.quantize %y2 by row : (tensor<?x512xf32>) -> (tensor<?x512xf8E4M3FN>, tensor<?xf32>)
  %y3 = ffn.matmul %q scaled %sy, %w2 scaled %s2 {transpose_rhs, ffn.layout = #ffn.layout<token_wise>}
      : (tensor<?x512xf8E4M3FN>, tensor<?xf32>, tensor<128x512xf8E4M3FN>, tensor<128xf32>) -> tensor<?x128xbf16>
  return %y3, %n : tensor<?x128xbf16>, tensor<512xi32>
}

func.func @bf16(%x: tensor<?x256xbf16>, %w1: tensor<512x256xbf16> {ffn.weight},
                %w2: tensor<128x512xbf16> {ffn.weight}) -> (tensor<?x128xbf16>, tensor<512xi32>) {
  %y1 = ffn.matmul %x, %w1 {transpose_rhs} : (tensor<?x256xbf16>, tensor<512x256xbf16>) -> tensor<?x512xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x512xbf16> -> tensor<?x512xbf16>
  %n = ffn.count_nonzero %y2 : tensor<?x512xbf16> -> tensor<512xi32>
  %y3 = ffn.matmul %y2, %w2 {transpose_rhs, ffn.layout = #ffn.layout<token_wise>}
      : (tensor<?x512xbf16>, tensor<128x512xbf16>) -> tensor<?x128xbf16>
  return %y3, %n : tensor<?x128xbf16>, tensor<512xi32>
}

// relu2 stays f32 until it is compressed as f16: selected from in pairs.
func.func @f16(%x: tensor<?x256xf16>, %w1: tensor<256x512xf16> {ffn.weight}, %w2: tensor<128x512xf16> {ffn.weight})
    -> (tensor<?x128xf16>, tensor<512xi32>) {
  %y1 = ffn.matmul %x, %w1 : (tensor<?x256xf16>, tensor<256x512xf16>) -> tensor<?x512xf16>
  %y2 = ffn.relu %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x512xf16> -> tensor<?x512xf16>
  %n = ffn.count_nonzero %y2 : tensor<?x512xf16> -> tensor<512xi32>
  %y3 = ffn.matmul %y2, %w2 {transpose_rhs, ffn.layout = #ffn.layout<token_wise>}
      : (tensor<?x512xf16>, tensor<128x512xf16>) -> tensor<?x128xf16>
  return %y3, %n : tensor<?x128xf16>, tensor<512xi32>
}

// A 2:4 sparse product.
func.func @sparse(%x: tensor<?x256xbf16>, %w: tensor<352x256xf8E4M3FN> {ffn.weight})
    -> (tensor<?x352xbf16>, tensor<352xi32>) {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x256xbf16>) -> (tensor<?x256xbf16>, tensor<?x256xi1>)
  %q, %s = ffn.quantize %v by row : (tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?xf32>)
  %y = ffn.matmul %q scaled %s, %w {transpose_rhs, ffn.layout = #ffn.layout<token_wise>}
     : (tensor<?x256xf8E4M3FN>, tensor<?xf32>, tensor<352x256xf8E4M3FN>) -> tensor<?x352xbf16>
  %a = ffn.relu %y : tensor<?x352xbf16> -> tensor<?x352xbf16>
  %n = ffn.count_nonzero %a : tensor<?x352xbf16> -> tensor<352xi32>
  return %y, %n : tensor<?x352xbf16>, tensor<352xi32>
}

// Columns that are no multiple of 32, so that a thread's are not side by side; gelu is counted, zero only at zero.
func.func @odd_columns(%x: tensor<?x256xbf16>, %w: tensor<360x256xbf16> {ffn.weight})
    -> (tensor<?x360xbf16>, tensor<360xi32>) {
  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<?x256xbf16>, tensor<360x256xbf16>) -> tensor<?x360xbf16>
  %a = ffn.gelu %y : tensor<?x360xbf16> -> tensor<?x360xbf16>
  %n = ffn.count_nonzero %a : tensor<?x360xbf16> -> tensor<360xi32>
  return %a, %n : tensor<?x360xbf16>, tensor<360xi32>
}

// Extents that the tensor cores do not take: family simt.
func.func @simt(%x: tensor<?x75xf32>, %w: tensor<75x131xf32> {ffn.weight}) -> (tensor<?x131xf32>, tensor<131xi32>) {
  %y = ffn.matmul %x, %w : (tensor<?x75xf32>, tensor<75x131xf32>) -> tensor<?x131xf32>
  %a = ffn.relu2 %y : tensor<?x131xf32> -> tensor<?x131xf32>
  %n = ffn.count_nonzero %a : tensor<?x131xf32> -> tensor<131xi32>
  return %a, %n : tensor<?x131xf32>, tensor<131xi32>
}

// A product over tokens, whose rows are features.
func.func @gradient(%x: tensor<?x256xbf16>, %g: tensor<?x352xbf16>) -> (tensor<256x352xbf16>, tensor<352xi32>) {
  %y = ffn.matmul %x, %g {transpose_lhs} : (tensor<?x256xbf16>, tensor<?x352xbf16>) -> tensor<256x352xbf16>
  %n = ffn.count_nonzero %y : tensor<256x352xbf16> -> tensor<352xi32>
  return %y, %n : tensor<256x352xbf16>, tensor<352xi32>
}

// Kernels of their own: of arguments, of what is selected, of masked values, of f8 values.
func.func @kernels(%x: tensor<?x132xbf16>, %p: tensor<?x67xf8E5M2>, %w: tensor<32x132xbf16> {ffn.weight}, %s: tensor<f32>)
    -> (tensor<132xi32>, tensor<67xi32>, tensor<132xi32>, tensor<132xi32>, tensor<132xi32>, tensor<132xi32>) {
  %n0 = ffn.count_nonzero %x : tensor<?x132xbf16> -> tensor<132xi32>
  %n1 = ffn.count_nonzero %p : tensor<?x67xf8E5M2> -> tensor<67xi32>
  %a = ffn.relu2 %x : tensor<?x132xbf16> -> tensor<?x132xf32>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x132xf32>) -> (tensor<?x132xf32>, tensor<?x132xi1>)
  %n2 = ffn.count_nonzero %v : tensor<?x132xf32> -> tensor<132xi32>
  %u, %k = ffn.sparsify %v along 0 : (tensor<?x132xf32>) -> (tensor<?x132xf32>, tensor<?x132xi1>)
  %n3 = ffn.count_nonzero %u : tensor<?x132xf32> -> tensor<132xi32>
  %q = ffn.quantize %a scaled %s by tensor : (tensor<?x132xf32>, tensor<f32>) -> tensor<?x132xf8E4M3FN>
  %n4 = ffn.count_nonzero %q : tensor<?x132xf8E4M3FN> -> tensor<132xi32>
  %n5 = ffn.count_nonzero %w : tensor<32x132xbf16> -> tensor<132xi32>
  return %n0, %n1, %n2, %n3, %n4, %n5
    : tensor<132xi32>, tensor<67xi32>, tensor<132xi32>, tensor<132xi32>, tensor<132xi32>, tensor<132xi32>
}

// Two counts of one product: one in its epilogue.
func.func @two_counts(%x: tensor<?x256xbf16>, %w: tensor<352x256xbf16> {ffn.weight})
    -> (tensor<352xi32>, tensor<352xi32>, tensor<?x352xbf16>) {
  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<?x256xbf16>, tensor<352x256xbf16>) -> tensor<?x352xbf16>
  %n = ffn.count_nonzero %y : tensor<?x352xbf16> -> tensor<352xi32>
  %a = ffn.relu %y : tensor<?x352xbf16> -> tensor<?x352xbf16>
  %p = ffn.count_nonzero %a : tensor<?x352xbf16> -> tensor<352xi32>
  return %n, %p, %a : tensor<352xi32>, tensor<352xi32>, tensor<?x352xbf16>
}
