// Arcee AFM-4.5B: one feed-forward block.
// d_model 2560, d_ffn 18432, activation relu2, no gate, no bias. The token count is dynamic. Weights are inputs,
// stored as a linear layer stores them, [out features, in features], with an f32 scale per out feature if they are f8.

// FP8, every scale computed on the spot: x and y2 per token.
func.func @forward(%x: tensor<?x2560xbf16>,
                   %w1: tensor<18432x2560xf8E4M3FN> {ffn.weight}, %w1_scale: tensor<18432xf32> {ffn.weight},
                   %w2: tensor<2560x18432xf8E4M3FN> {ffn.weight}, %w2_scale: tensor<2560xf32> {ffn.weight})
    -> tensor<?x2560xbf16> {
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x2560xbf16>) -> (tensor<?x2560xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {transpose_rhs}
      : (tensor<?x2560xf8E4M3FN>, tensor<?xf32>, tensor<18432x2560xf8E4M3FN>, tensor<18432xf32>) -> tensor<?x18432xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x18432xbf16> -> tensor<?x18432xf32>
  %y2q, %y2_scale = ffn.quantize %y2 by row : (tensor<?x18432xf32>) -> (tensor<?x18432xf8E4M3FN>, tensor<?xf32>)
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x18432xf8E4M3FN>, tensor<?xf32>, tensor<2560x18432xf8E4M3FN>, tensor<2560xf32>) -> tensor<?x2560xbf16>
  return %y3 : tensor<?x2560xbf16>
}

// FP8, the scale of y2 known beforehand (calibrated, or from earlier steps): activation, selection, quantisation and
// compression can then all happen where y1 is computed.
func.func @forward_static(%x: tensor<?x2560xbf16>,
                          %w1: tensor<18432x2560xf8E4M3FN> {ffn.weight}, %w1_scale: tensor<18432xf32> {ffn.weight},
                          %w2: tensor<2560x18432xf8E4M3FN> {ffn.weight}, %w2_scale: tensor<2560xf32> {ffn.weight},
                          %y2_scale: tensor<f32>) -> tensor<?x2560xbf16> {
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x2560xbf16>) -> (tensor<?x2560xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {transpose_rhs}
      : (tensor<?x2560xf8E4M3FN>, tensor<?xf32>, tensor<18432x2560xf8E4M3FN>, tensor<18432xf32>) -> tensor<?x18432xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x18432xbf16> -> tensor<?x18432xf32>
  %y2q = ffn.quantize %y2 scaled %y2_scale by tensor
       : (tensor<?x18432xf32>, tensor<f32>) -> tensor<?x18432xf8E4M3FN>
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x18432xf8E4M3FN>, tensor<f32>, tensor<2560x18432xf8E4M3FN>, tensor<2560xf32>) -> tensor<?x2560xbf16>
  return %y3 : tensor<?x2560xbf16>
}

// bf16 throughout, nothing quantised.
func.func @forward_bf16(%x: tensor<?x2560xbf16>, %w1: tensor<18432x2560xbf16> {ffn.weight},
                        %w2: tensor<2560x18432xbf16> {ffn.weight}) -> tensor<?x2560xbf16> {
  %y1 = ffn.matmul %x, %w1 {transpose_rhs} : (tensor<?x2560xbf16>, tensor<18432x2560xbf16>) -> tensor<?x18432xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x18432xbf16> -> tensor<?x18432xbf16>
  %y3 = ffn.matmul %y2, %w2 {transpose_rhs} : (tensor<?x18432xbf16>, tensor<2560x18432xbf16>) -> tensor<?x2560xbf16>
  return %y3 : tensor<?x2560xbf16>
}
