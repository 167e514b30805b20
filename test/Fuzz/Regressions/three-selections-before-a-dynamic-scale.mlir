// RUN: winnow-fuzz %s
// Selections nested by their masks: ffn-split-dynamic-scale saw one, and ffn-fuse-activation made two of it.
// winnow-fuzz: seed=10714220705130913223 tokens=1 structured=0 special=0
func.func @forward(%arg0: tensor<1x4xbf16>, %arg1: tensor<4x1xf8E5M2>) -> tensor<1x1xbf16> {
  %result, %mask = ffn.sparsify %arg0 along 1 : (tensor<1x4xbf16>) -> (tensor<1x4xbf16>, tensor<1x4xi1>)
  %result_0, %mask_1 = ffn.sparsify %arg0 along 1 under %mask : (tensor<1x4xbf16>, tensor<1x4xi1>) -> (tensor<1x4xbf16>, tensor<1x4xi1>)
  %result_2, %mask_3 = ffn.sparsify %result_0 along 1 : (tensor<1x4xbf16>) -> (tensor<1x4xbf16>, tensor<1x4xi1>)
  %values, %scale = ffn.quantize %result_2 by row : (tensor<1x4xbf16>) -> (tensor<1x4xf8E4M3FN>, tensor<1xf32>)
  %0 = ffn.compress %values, %mask_3 : (tensor<1x4xf8E4M3FN>, tensor<1x4xi1>) -> !ffn.sparse24<1x4xf8E4M3FN, axis = 1>
  %1 = ffn.matmul %0, %arg1 : (!ffn.sparse24<1x4xf8E4M3FN, axis = 1>, tensor<4x1xf8E5M2>) -> tensor<1x1xbf16>
  return %1 : tensor<1x1xbf16>
}
