// Nemotron-4 15B: the feed-forward block of one of its 32 layers.
// d_model 6144, d_ffn 24576, activation relu2, no gate, no bias. The token count is dynamic. Weights are inputs,
// stored as a linear layer stores them, [out features, in features], with an f32 scale per out feature if they are f8.

// FP8, every scale computed on the spot: x and y2 per token.
func.func @forward(%x: tensor<?x6144xbf16>,
                   %w1: tensor<24576x6144xf8E4M3FN> {ffn.weight}, %w1_scale: tensor<24576xf32> {ffn.weight},
                   %w2: tensor<6144x24576xf8E4M3FN> {ffn.weight}, %w2_scale: tensor<6144xf32> {ffn.weight})
    -> tensor<?x6144xbf16> {
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x6144xbf16>) -> (tensor<?x6144xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {transpose_rhs}
      : (tensor<?x6144xf8E4M3FN>, tensor<?xf32>, tensor<24576x6144xf8E4M3FN>, tensor<24576xf32>) -> tensor<?x24576xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x24576xbf16> -> tensor<?x24576xf32>
  %y2q, %y2_scale = ffn.quantize %y2 by row : (tensor<?x24576xf32>) -> (tensor<?x24576xf8E4M3FN>, tensor<?xf32>)
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x24576xf8E4M3FN>, tensor<?xf32>, tensor<6144x24576xf8E4M3FN>, tensor<6144xf32>) -> tensor<?x6144xbf16>
  return %y3 : tensor<?x6144xbf16>
}

// FP8, the scale of y2 known beforehand (calibrated, or from earlier steps): activation, selection, quantisation and
// compression can then all happen where y1 is computed.
func.func @forward_static(%x: tensor<?x6144xbf16>,
                          %w1: tensor<24576x6144xf8E4M3FN> {ffn.weight}, %w1_scale: tensor<24576xf32> {ffn.weight},
                          %w2: tensor<6144x24576xf8E4M3FN> {ffn.weight}, %w2_scale: tensor<6144xf32> {ffn.weight},
                          %y2_scale: tensor<f32>) -> tensor<?x6144xbf16> {
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x6144xbf16>) -> (tensor<?x6144xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {transpose_rhs}
      : (tensor<?x6144xf8E4M3FN>, tensor<?xf32>, tensor<24576x6144xf8E4M3FN>, tensor<24576xf32>) -> tensor<?x24576xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x24576xbf16> -> tensor<?x24576xf32>
  %y2q = ffn.quantize %y2 scaled %y2_scale by tensor
       : (tensor<?x24576xf32>, tensor<f32>) -> tensor<?x24576xf8E4M3FN>
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x24576xf8E4M3FN>, tensor<f32>, tensor<6144x24576xf8E4M3FN>, tensor<6144xf32>) -> tensor<?x6144xbf16>
  return %y3 : tensor<?x6144xbf16>
}

// bf16 throughout, nothing quantised.
func.func @forward_bf16(%x: tensor<?x6144xbf16>, %w1: tensor<24576x6144xbf16> {ffn.weight},
                        %w2: tensor<6144x24576xbf16> {ffn.weight}) -> tensor<?x6144xbf16> {
  %y1 = ffn.matmul %x, %w1 {transpose_rhs} : (tensor<?x6144xbf16>, tensor<24576x6144xbf16>) -> tensor<?x24576xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x24576xbf16> -> tensor<?x24576xbf16>
  %y3 = ffn.matmul %y2, %w2 {transpose_rhs} : (tensor<?x24576xbf16>, tensor<6144x24576xbf16>) -> tensor<?x6144xbf16>
  return %y3 : tensor<?x6144xbf16>
}
