// modded-nanogpt with its weights as the model has them, in bf16: they are quantised here, per out feature. As it
// stands that happens in every call; winnow prepare does it once and keeps the result (docs/howto/run-an-ffn.md).
// d_model 768, d_ffn 3072, activation relu2, no gate, no bias. The token count is dynamic.
func.func @forward(%x: tensor<?x768xbf16>, %w1: tensor<3072x768xbf16> {ffn.weight},
                   %w2: tensor<768x3072xbf16> {ffn.weight}) -> tensor<?x768xbf16> {
  %w1q, %w1_scale = ffn.quantize %w1 by row : (tensor<3072x768xbf16>) -> (tensor<3072x768xf8E4M3FN>, tensor<3072xf32>)
  %w2q, %w2_scale = ffn.quantize %w2 by row : (tensor<768x3072xbf16>) -> (tensor<768x3072xf8E4M3FN>, tensor<768xf32>)
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x768xbf16>) -> (tensor<?x768xf8E4M3FN>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1q scaled %w1_scale {transpose_rhs}
      : (tensor<?x768xf8E4M3FN>, tensor<?xf32>, tensor<3072x768xf8E4M3FN>, tensor<3072xf32>) -> tensor<?x3072xbf16>
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>}
      : tensor<?x3072xbf16> -> tensor<?x3072xf32>
  %y2q, %y2_scale = ffn.quantize %y2 by row : (tensor<?x3072xf32>) -> (tensor<?x3072xf8E4M3FN>, tensor<?xf32>)
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2q scaled %w2_scale {transpose_rhs}
      : (tensor<?x3072xf8E4M3FN>, tensor<?xf32>, tensor<768x3072xf8E4M3FN>, tensor<768xf32>) -> tensor<?x768xbf16>
  return %y3 : tensor<?x768xbf16>
}
