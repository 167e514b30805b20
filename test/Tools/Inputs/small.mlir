// A feed-forward block small enough for the reference in a test: d_model 64, d_ffn 128.
func.func @forward(%x: tensor<?x64xbf16>, %w1: tensor<128x64xf8E4M3FN> {ffn.weight},
                   %w1_scale: tensor<128xf32> {ffn.weight}, %w2: tensor<64x128xf8E4M3FN> {ffn.weight},
                   %w2_scale: tensor<64xf32> {ffn.weight}) -> tensor<?x64xbf16> {
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {transpose_rhs}
      : (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<128x64xf8E4M3FN>, tensor<128xf32>) -> tensor<?x128xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x128xbf16> -> tensor<?x128xf32>
  %y2q, %y2_scale = ffn.quantize %y2 by row : (tensor<?x128xf32>) -> (tensor<?x128xf8E4M3FN>, tensor<?xf32>)
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x128xf8E4M3FN>, tensor<?xf32>, tensor<64x128xf8E4M3FN>, tensor<64xf32>) -> tensor<?x64xbf16>
  return %y3 : tensor<?x64xbf16>
}

// The same without quantisation, its selection written out.
func.func @selected(%x: tensor<?x64xbf16>, %w1: tensor<128x64xbf16> {ffn.weight}, %w2: tensor<64x128xbf16> {ffn.weight})
    -> (tensor<?x64xf32>, tensor<?x128xi1>) {
  %y1 = ffn.matmul %x, %w1 {transpose_rhs} : (tensor<?x64xbf16>, tensor<128x64xbf16>) -> tensor<?x128xbf16>
  %y2 = ffn.relu2 %y1 : tensor<?x128xbf16> -> tensor<?x128xbf16>
  %v, %m = ffn.sparsify %y2 along 1 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  %y3 = ffn.matmul %v, %w2 {transpose_rhs} : (tensor<?x128xbf16>, tensor<64x128xbf16>) -> tensor<?x64xf32>
  return %y3, %m : tensor<?x64xf32>, tensor<?x128xi1>
}
