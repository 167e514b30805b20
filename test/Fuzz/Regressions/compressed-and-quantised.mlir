// RUN: winnow-fuzz %s
// A selection that is compressed for one product and quantised for another reader: ffn-fuse-activation took the kernel that
// makes the compressed form for one that makes the mask only.
// winnow-fuzz: seed=8431309888707272953 tokens=1 structured=0 special=0
func.func @forward(%arg0: tensor<7x16xbf16>, %arg1: tensor<16x16xbf16>, %arg2: tensor<7xf32>)
    -> (tensor<7x16xbf16>, tensor<7x16xf8E5M2>) {
  %result, %mask = ffn.sparsify %arg0 along 1 : (tensor<7x16xbf16>) -> (tensor<7x16xbf16>, tensor<7x16xi1>)
  %0 = ffn.matmul %result, %arg1 {ffn.layout = #ffn.layout<token_wise>}
     : (tensor<7x16xbf16>, tensor<16x16xbf16>) -> tensor<7x16xbf16>
  %values = ffn.quantize %result scaled %arg2 by row : (tensor<7x16xbf16>, tensor<7xf32>) -> tensor<7x16xf8E5M2>
  return %0, %values : tensor<7x16xbf16>, tensor<7x16xf8E5M2>
}
