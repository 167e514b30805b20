// The two products that consume y2 = relu2(y1) in a training step, at d_model 4096 and d_ffn 16384, FP8:
//
//   y3  = tok(y2) . w2           A.B:   reduces over features, so y2 is 2:4 token-wise (four features of one token)
//   dw2 = feat(y2)^T . dy3       A^T.B: reduces over tokens, so y2 is 2:4 feature-wise (four tokens of one feature)
//
// The feature-wise choice sees only what the token-wise one kept: a value that the forward product dropped must not
// reappear in the backward one. Both choices are explicit here, so no annotation is needed to allow them. Operands that
// are reduced over tokens carry one scale per feature (column), those reduced over features one per token (row).
func.func @training_products(%y1: tensor<?x16384xbf16>, %dy3: tensor<?x4096xbf16>,
                             %w2: tensor<4096x16384xf8E4M3FN> {ffn.weight}, %w2_scale: tensor<4096xf32> {ffn.weight})
    -> (tensor<?x4096xbf16>, tensor<16384x4096xf32>) {
  %y2 = ffn.relu2 %y1 {ffn.sparsity = #ffn.sparsity<density = 0.08>} : tensor<?x16384xbf16> -> tensor<?x16384xf32>

  %tok, %tok_mask = ffn.sparsify %y2 along 1 : (tensor<?x16384xf32>) -> (tensor<?x16384xf32>, tensor<?x16384xi1>)
  %tokq, %tok_scale = ffn.quantize %tok by row : (tensor<?x16384xf32>) -> (tensor<?x16384xf8E4M3FN>, tensor<?xf32>)
  %y3 = ffn.matmul %tokq scaled %tok_scale, %w2 scaled %w2_scale {transpose_rhs}
      : (tensor<?x16384xf8E4M3FN>, tensor<?xf32>, tensor<4096x16384xf8E4M3FN>, tensor<4096xf32>) -> tensor<?x4096xbf16>

  %feat, %feat_mask = ffn.sparsify %y2 along 0 under %tok_mask
      : (tensor<?x16384xf32>, tensor<?x16384xi1>) -> (tensor<?x16384xf32>, tensor<?x16384xi1>)
  %featq, %feat_scale = ffn.quantize %feat by column
      : (tensor<?x16384xf32>) -> (tensor<?x16384xf8E4M3FN>, tensor<16384xf32>)
  %dy3q, %dy3_scale = ffn.quantize %dy3 by column : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E5M2>, tensor<4096xf32>)
  %dw2 = ffn.matmul %featq scaled %feat_scale, %dy3q scaled %dy3_scale {transpose_lhs}
     : (tensor<?x16384xf8E4M3FN>, tensor<16384xf32>, tensor<?x4096xf8E5M2>, tensor<4096xf32>) -> tensor<16384x4096xf32>
  return %y3, %dw2 : tensor<?x4096xbf16>, tensor<16384x4096xf32>
}
