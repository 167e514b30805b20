// RWKV-7 1.5B: the channel mix of one of its 24 layers.
// d_model 2048, d_ffn 8192, activation relu2, no gate, no bias. The token count is dynamic. Weights are inputs,
// stored as a linear layer stores them, [out features, in features], with an f32 scale per out feature if they are f8.

// FP8, every scale computed on the spot: x and y2 per token.
func.func @forward(%x: tensor<?x2048xbf16>,
                   %w1: tensor<8192x2048xf8E4M3FN> {ffn.weight}, %w1_scale: tensor<8192xf32> {ffn.weight},
                   %w2: tensor<2048x8192xf8E4M3FN> {ffn.weight}, %w2_scale: tensor<2048xf32> {ffn.weight})
    -> tensor<?x2048xbf16> {
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {transpose_rhs}
      : (tensor<?x2048xf8E4M3FN>, tensor<?xf32>, tensor<8192x2048xf8E4M3FN>, tensor<8192xf32>) -> tensor<?x8192xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x8192xbf16> -> tensor<?x8192xf32>
  %y2q, %y2_scale = ffn.quantize %y2 by row : (tensor<?x8192xf32>) -> (tensor<?x8192xf8E4M3FN>, tensor<?xf32>)
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x8192xf8E4M3FN>, tensor<?xf32>, tensor<2048x8192xf8E4M3FN>, tensor<2048xf32>) -> tensor<?x2048xbf16>
  return %y3 : tensor<?x2048xbf16>
}

// FP8, the scale of y2 known beforehand (calibrated, or from earlier steps): activation, selection, quantisation and
// compression can then all happen where y1 is computed.
func.func @forward_static(%x: tensor<?x2048xbf16>,
                          %w1: tensor<8192x2048xf8E4M3FN> {ffn.weight}, %w1_scale: tensor<8192xf32> {ffn.weight},
                          %w2: tensor<2048x8192xf8E4M3FN> {ffn.weight}, %w2_scale: tensor<2048xf32> {ffn.weight},
                          %y2_scale: tensor<f32>) -> tensor<?x2048xbf16> {
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {transpose_rhs}
      : (tensor<?x2048xf8E4M3FN>, tensor<?xf32>, tensor<8192x2048xf8E4M3FN>, tensor<8192xf32>) -> tensor<?x8192xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x8192xbf16> -> tensor<?x8192xf32>
  %y2q = ffn.quantize %y2 scaled %y2_scale by tensor
       : (tensor<?x8192xf32>, tensor<f32>) -> tensor<?x8192xf8E4M3FN>
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x8192xf8E4M3FN>, tensor<f32>, tensor<2048x8192xf8E4M3FN>, tensor<2048xf32>) -> tensor<?x2048xbf16>
  return %y3 : tensor<?x2048xbf16>
}

// bf16 throughout, nothing quantised.
func.func @forward_bf16(%x: tensor<?x2048xbf16>, %w1: tensor<8192x2048xbf16> {ffn.weight},
                        %w2: tensor<2048x8192xbf16> {ffn.weight}) -> tensor<?x2048xbf16> {
  %y1 = ffn.matmul %x, %w1 {transpose_rhs} : (tensor<?x2048xbf16>, tensor<8192x2048xbf16>) -> tensor<?x8192xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x8192xbf16> -> tensor<?x8192xbf16>
  %y3 = ffn.matmul %y2, %w2 {transpose_rhs} : (tensor<?x8192xbf16>, tensor<2048x8192xbf16>) -> tensor<?x2048xbf16>
  return %y3 : tensor<?x2048xbf16>
}
