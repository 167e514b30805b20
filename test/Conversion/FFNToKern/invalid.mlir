// RUN: winnow-opt --split-input-file --verify-diagnostics --convert-ffn-to-kern %s

// expected-error @below {{'func.func' op expects dense arguments and results: how a compressed matrix lies in memory is the compiler's choice; pass the dense matrix, or return it through ffn.decompress}}
func.func @compressed_argument(%c: !ffn.sparse24<?x64xbf16, axis = 1>) {
  return
}

// -----

func.func @outside_of_a_kernel(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  // expected-error @below {{'ffn.relu' op expects to be inside an ffn.kernel (ffn-form-kernels should have put it there)}}
  %y = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// -----

func.func @two_chains(%x: tensor<?x64xbf16>, %z: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %y = ffn.kernel(%x, %z) : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<?x64xbf16>):
    %0 = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    // expected-error @below {{'ffn.relu' op is not in kernel normal form (ffn-verify-kernel-form should have rejected it): it does not continue the chain of its kernel}}
    %1 = ffn.relu %b : tensor<?x64xbf16> -> tensor<?x64xbf16>
    ffn.yield %1 : tensor<?x64xbf16>
  }
  return %y : tensor<?x64xbf16>
}

// -----

func.func @dynamic_by_column(%x: tensor<?x64xbf16>) -> tensor<?x64xf8E4M3FN> {
  %y = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xf8E4M3FN> {
  ^bb0(%a: tensor<?x64xbf16>):
    // expected-error @below {{'ffn.quantize' op is not in kernel normal form (ffn-verify-kernel-form should have rejected it): a dynamic scale inside a kernel is by row, in a kernel without a product; ffn-split-dynamic-scale should have split it}}
    %0, %1 = ffn.quantize %a by column : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>)
    ffn.yield %0 : tensor<?x64xf8E4M3FN>
  }
  return %y : tensor<?x64xf8E4M3FN>
}

// -----

// Rows of the weight are 4 bytes apart, which no tensor copy can read, and a sparse product has no other kernel.
func.func @unaligned_sparse(%x: tensor<?x4xbf16>, %s: tensor<f32>, %w: tensor<64x4xf8E4M3FN>) -> tensor<?x64xbf16> {
  %c = ffn.kernel(%x, %s) : (tensor<?x4xbf16>, tensor<f32>) -> !ffn.sparse24<?x4xf8E4M3FN, axis = 1> {
  ^bb0(%a: tensor<?x4xbf16>, %b: tensor<f32>):
    %0, %1 = ffn.sparsify %a along 1 : (tensor<?x4xbf16>) -> (tensor<?x4xbf16>, tensor<?x4xi1>)
    %2 = ffn.quantize %0 scaled %b by tensor : (tensor<?x4xbf16>, tensor<f32>) -> tensor<?x4xf8E4M3FN>
    %3 = ffn.compress %2, %1 : (tensor<?x4xf8E4M3FN>, tensor<?x4xi1>) -> !ffn.sparse24<?x4xf8E4M3FN, axis = 1>
    ffn.yield %3 : !ffn.sparse24<?x4xf8E4M3FN, axis = 1>
  }
  %y = ffn.kernel(%c, %w) : (!ffn.sparse24<?x4xf8E4M3FN, axis = 1>, tensor<64x4xf8E4M3FN>) -> tensor<?x64xbf16> {
  ^bb0(%a: !ffn.sparse24<?x4xf8E4M3FN, axis = 1>, %b: tensor<64x4xf8E4M3FN>):
    // expected-error @below {{'ffn.matmul' op no schedule can compute ? x 64 x 4 sparse f8E4M3FN x f8E4M3FN -> bf16; wgmma 256 x 192, 2 warpgroups, 5 stages: rows of the right operand are 4 bytes apart, not a multiple of 16; wgmma 128 x 256, 2 warpgroups, 5 stages, cluster 2: rows of the right operand are 4 bytes apart, not a multiple of 16; wgmma 64 x 128, 1 warpgroups, 9 stages: rows of the right operand are 4 bytes apart, not a multiple of 16; simt 64 x 64: simt kernels read only uncompressed operands (ffn-select-layout should have left it dense)}}
    %0 = ffn.matmul %a, %b {transpose_rhs} : (!ffn.sparse24<?x4xf8E4M3FN, axis = 1>, tensor<64x4xf8E4M3FN>) -> tensor<?x64xbf16>
    ffn.yield %0 : tensor<?x64xbf16>
  }
  return %y : tensor<?x64xbf16>
}
