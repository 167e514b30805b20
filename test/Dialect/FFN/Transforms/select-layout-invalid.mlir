// RUN: winnow-opt %s -split-input-file -verify-diagnostics -ffn-infer-sparsity -ffn-select-layout

func.func @wrong_axis(%y: tensor<?x64xbf16>, %w: tensor<64x64xbf16>) -> tensor<?x64xbf16> {
  // expected-error @below {{'ffn.matmul' op asks for layout feature_wise, but reduces along axis 1 of its left operand, which takes token_wise}}
  %z = ffn.matmul %y, %w {ffn.layout = #ffn.layout<feature_wise>} : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
  return %z : tensor<?x64xbf16>
}

// -----

func.func @not_allowed(%y: tensor<?x64xbf16>, %w: tensor<64x64xbf16>) -> tensor<?x64xbf16> {
  // expected-error @below {{'ffn.matmul' op asks for layout token_wise, which cannot be: nothing says that the left operand is sparse}}
  %z = ffn.matmul %y, %w {ffn.layout = #ffn.layout<token_wise>} : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
  return %z : tensor<?x64xbf16>
}

// -----

func.func @compressed(%c: !ffn.sparse24<?x64xbf16, axis = 1>, %w: tensor<64x64xbf16>) -> tensor<?x64xbf16> {
  // expected-error @below {{'ffn.matmul' op asks for layout dense, but its left operand is '!ffn.sparse24<?x64xbf16, axis = 1>'}}
  %z = ffn.matmul %c, %w {ffn.layout = #ffn.layout<dense>} : (!ffn.sparse24<?x64xbf16, axis = 1>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
  return %z : tensor<?x64xbf16>
}
