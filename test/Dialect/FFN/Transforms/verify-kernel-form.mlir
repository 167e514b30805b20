// RUN: winnow-opt %s -split-input-file -verify-diagnostics -ffn-verify-kernel-form

// All four forms pass, and a copy.
func.func @legal(%x: tensor<?x64xbf16>, %w: tensor<64x64xbf16>, %s: tensor<f32>)
    -> (tensor<?x64xbf16>, !ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<?x64xi1>, tensor<f32>, tensor<?x64xbf16>) {
  %0 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16> {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<64x64xbf16>):
    %y = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
    ffn.yield %y : tensor<?x64xbf16>
  }
  %1 = ffn.kernel(%x, %w, %s) : (tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<f32>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1> {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<64x64xbf16>, %t: tensor<f32>):
    %y = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
    %r = ffn.relu %y : tensor<?x64xbf16> -> tensor<?x64xbf16>
    %v, %m = ffn.sparsify %r along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    %q = ffn.quantize %v scaled %t by tensor : (tensor<?x64xbf16>, tensor<f32>) -> tensor<?x64xf8E4M3FN>
    %c = ffn.compress %q, %m : (tensor<?x64xf8E4M3FN>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
    ffn.yield %c : !ffn.sparse24<?x64xf8E4M3FN, axis = 1>
  }
  %2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xi1> {
  ^bb0(%a: tensor<?x64xbf16>):
    %v, %m = ffn.sparsify %a along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    %u, %n = ffn.sparsify %a along 0 under %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    ffn.yield %n : tensor<?x64xi1>
  }
  %3 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<f32> {
  ^bb0(%a: tensor<?x64xbf16>):
    %t = ffn.dynamic_scale %a by tensor to f8E4M3FN : (tensor<?x64xbf16>) -> tensor<f32>
    ffn.yield %t : tensor<f32>
  }
  %4 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  ^bb0(%a: tensor<?x64xbf16>):
    ffn.yield %a : tensor<?x64xbf16>
  }
  return %0, %1, %2, %3, %4 : tensor<?x64xbf16>, !ffn.sparse24<?x64xf8E4M3FN, axis = 1>, tensor<?x64xi1>, tensor<f32>, tensor<?x64xbf16>
}

// -----

func.func @outside(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  // expected-error @below {{'ffn.relu' op expects to be inside an ffn.kernel (ffn-form-kernels puts it there)}}
  %y = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// -----

func.func @decompress(%x: !ffn.sparse24<?x64xbf16, axis = 1>) -> tensor<?x64xbf16> {
  %y = ffn.kernel(%x) : (!ffn.sparse24<?x64xbf16, axis = 1>) -> tensor<?x64xbf16> {
  ^bb0(%a: !ffn.sparse24<?x64xbf16, axis = 1>):
    // expected-error @below {{'ffn.decompress' op has no kernel form: a kernel is made of matmul, activations, sparsify, quantize, dynamic_scale, compress and count_nonzero}}
    %0 = ffn.decompress %a : !ffn.sparse24<?x64xbf16, axis = 1> -> tensor<?x64xbf16>
    ffn.yield %0 : tensor<?x64xbf16>
  }
  return %y : tensor<?x64xbf16>
}

// -----

func.func @two_products(%x: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  %y = ffn.kernel(%x) : (tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  ^bb0(%a: tensor<64x64xbf16>):
    %0 = ffn.matmul %a, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    // expected-error @below {{'ffn.matmul' op expects one matrix product in a kernel, got another (ffn-form-kernels gives each its own)}}
    %1 = ffn.matmul %0, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    ffn.yield %1 : tensor<64x64xbf16>
  }
  return %y : tensor<64x64xbf16>
}

// -----

func.func @foreign_compress(%x: tensor<?x64xbf16>, %m: tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1> {
  %y = ffn.kernel(%x, %m) : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1> {
  ^bb0(%a: tensor<?x64xbf16>, %n: tensor<?x64xi1>):
    // expected-error @below {{'ffn.compress' op expects the mask of a sparsify of the very values that it compresses (ffn-fuse-activation brings them into one kernel)}}
    %0 = ffn.compress %a, %n : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
    ffn.yield %0 : !ffn.sparse24<?x64xbf16, axis = 1>
  }
  return %y : !ffn.sparse24<?x64xbf16, axis = 1>
}

// -----

func.func @foreign_under(%x: tensor<?x64xbf16>, %m: tensor<?x64xi1>) -> tensor<?x64xbf16> {
  %y = ffn.kernel(%x, %m) : (tensor<?x64xbf16>, tensor<?x64xi1>) -> tensor<?x64xbf16> {
  ^bb0(%a: tensor<?x64xbf16>, %n: tensor<?x64xi1>):
    // expected-error @below {{'ffn.sparsify' op expects the earlier mask to come from a sparsify of the same matrix (ffn-fuse-activation brings them into one kernel)}}
    %0, %1 = ffn.sparsify %a along 1 under %n : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    ffn.yield %0 : tensor<?x64xbf16>
  }
  return %y : tensor<?x64xbf16>
}

// -----

func.func @dynamic_column(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>) {
  %y:2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>) {
  ^bb0(%a: tensor<?x64xbf16>):
    // expected-error @below {{'ffn.quantize' op expects a dynamic scale by row, got one by column (ffn-split-dynamic-scale takes it apart)}}
    %0, %1 = ffn.quantize %a by column : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<64xf32>)
    ffn.yield %0, %1 : tensor<?x64xf8E4M3FN>, tensor<64xf32>
  }
  return %y#0, %y#1 : tensor<?x64xf8E4M3FN>, tensor<64xf32>
}

// -----

func.func @dynamic_row_across(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  %y:2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>) {
  ^bb0(%a: tensor<?x64xbf16>):
    %v, %m = ffn.sparsify %a along 0 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    // expected-error @below {{'ffn.quantize' op expects a dynamic scale by row to follow at most one selection, along 1 (ffn-split-dynamic-scale takes it apart)}}
    %0, %1 = ffn.quantize %v by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
    ffn.yield %0, %1 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
  }
  return %y#0, %y#1 : tensor<?x64xf8E4M3FN>, tensor<?xf32>
}

// -----

func.func @dynamic_epilogue(%x: tensor<64x64xbf16>) -> tensor<64x64xf8E4M3FN> {
  %y = ffn.kernel(%x) : (tensor<64x64xbf16>) -> tensor<64x64xf8E4M3FN> {
  ^bb0(%a: tensor<64x64xbf16>):
    %p = ffn.matmul %a, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    // expected-error @below {{'ffn.quantize' op expects a given scale in the kernel of a matrix product}}
    %0, %1 = ffn.quantize %p by row : (tensor<64x64xbf16>) -> (tensor<64x64xf8E4M3FN>, tensor<64xf32>)
    ffn.yield %0 : tensor<64x64xf8E4M3FN>
  }
  return %y : tensor<64x64xf8E4M3FN>
}

// -----

func.func @scale_epilogue(%x: tensor<64x64xbf16>) -> tensor<f32> {
  %y = ffn.kernel(%x) : (tensor<64x64xbf16>) -> tensor<f32> {
  ^bb0(%a: tensor<64x64xbf16>):
    %p = ffn.matmul %a, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    // expected-error @below {{'ffn.dynamic_scale' op expects a dynamic scale to have a kernel of its own}}
    %0 = ffn.dynamic_scale %p by tensor to f8E4M3FN : (tensor<64x64xbf16>) -> tensor<f32>
    ffn.yield %0 : tensor<f32>
  }
  return %y : tensor<f32>
}

// -----

func.func @feature_wise_epilogue(%x: tensor<64x64xbf16>) -> !ffn.sparse24<64x64xbf16, axis = 0> {
  %y = ffn.kernel(%x) : (tensor<64x64xbf16>) -> !ffn.sparse24<64x64xbf16, axis = 0> {
  ^bb0(%a: tensor<64x64xbf16>):
    %p = ffn.matmul %a, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    // expected-error @below {{'ffn.sparsify' op expects one selection, along 1, in the kernel of a matrix product}}
    %v, %m = ffn.sparsify %p along 0 : (tensor<64x64xbf16>) -> (tensor<64x64xbf16>, tensor<64x64xi1>)
    %c = ffn.compress %v, %m : (tensor<64x64xbf16>, tensor<64x64xi1>) -> !ffn.sparse24<64x64xbf16, axis = 0>
    ffn.yield %c : !ffn.sparse24<64x64xbf16, axis = 0>
  }
  return %y : !ffn.sparse24<64x64xbf16, axis = 0>
}

// -----

func.func @uncompressed_epilogue(%x: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  %y = ffn.kernel(%x) : (tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  ^bb0(%a: tensor<64x64xbf16>):
    %p = ffn.matmul %a, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    // expected-error @below {{'ffn.sparsify' op expects to be compressed in the kernel of a matrix product}}
    %v, %m = ffn.sparsify %p along 1 : (tensor<64x64xbf16>) -> (tensor<64x64xbf16>, tensor<64x64xi1>)
    ffn.yield %v : tensor<64x64xbf16>
  }
  return %y : tensor<64x64xbf16>
}

// -----

func.func @two_results_epilogue(%x: tensor<64x64xbf16>) -> (tensor<64x64xbf16>, tensor<64x64xbf16>) {
  %y:2 = ffn.kernel(%x) : (tensor<64x64xbf16>) -> (tensor<64x64xbf16>, tensor<64x64xbf16>) {
  ^bb0(%a: tensor<64x64xbf16>):
    %p = ffn.matmul %a, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    %r = ffn.relu %p : tensor<64x64xbf16> -> tensor<64x64xbf16>
    // expected-error @below {{'ffn.yield' op expects the kernel of a matrix product to yield its last value only}}
    ffn.yield %p, %r : tensor<64x64xbf16>, tensor<64x64xbf16>
  }
  return %y#0, %y#1 : tensor<64x64xbf16>, tensor<64x64xbf16>
}

// -----

func.func @prologue(%x: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  %y = ffn.kernel(%x) : (tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  ^bb0(%a: tensor<64x64xbf16>):
    // expected-error @below {{'ffn.relu' op expects to follow the matrix product of its kernel}}
    %r = ffn.relu %a : tensor<64x64xbf16> -> tensor<64x64xbf16>
    %p = ffn.matmul %r, %a : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
    ffn.yield %p : tensor<64x64xbf16>
  }
  return %y : tensor<64x64xbf16>
}

// -----

func.func @two_chains(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %y:2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  ^bb0(%a: tensor<?x64xbf16>):
    // expected-error @below {{'ffn.relu' op expects to be part of the one chain of operations of its kernel (ffn-fuse-activation gives every chain its own kernel)}}
    %0 = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    %1 = ffn.gelu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    ffn.yield %0, %1 : tensor<?x64xbf16>, tensor<?x64xbf16>
  }
  return %y#0, %y#1 : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// -----

func.func @middle_value(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %y:2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    %1 = ffn.gelu %0 : tensor<?x64xbf16> -> tensor<?x64xbf16>
    // expected-error @below {{'ffn.yield' op expects a kernel to yield the values at the end of its chain, their scale, mask or compressed form (ffn-fuse-activation gives other values a kernel of their own)}}
    ffn.yield %0, %1 : tensor<?x64xbf16>, tensor<?x64xbf16>
  }
  return %y#0, %y#1 : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// -----

func.func @twice(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %y:2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    // expected-error @below {{'ffn.yield' op expects a kernel to yield every value once}}
    ffn.yield %0, %0 : tensor<?x64xbf16>, tensor<?x64xbf16>
  }
  return %y#0, %y#1 : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// -----

func.func @nothing(%x: tensor<?x64xbf16>) {
  ffn.kernel(%x) : (tensor<?x64xbf16>) -> () {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    // expected-error @below {{'ffn.yield' op expects a kernel to have a result}}
    ffn.yield
  }
  return
}

// -----

func.func @long_chain(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %y = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  ^bb0(%a: tensor<?x64xbf16>):
    // expected-error @below {{'ffn.sparsify' op expects to be part of the one chain of operations of its kernel (ffn-fuse-activation gives every chain its own kernel)}}
    %v, %m = ffn.sparsify %a along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
    %r = ffn.relu %v : tensor<?x64xbf16> -> tensor<?x64xbf16>
    ffn.yield %r : tensor<?x64xbf16>
  }
  return %y : tensor<?x64xbf16>
}

// -----

func.func @only_scale(%x: tensor<?x64xbf16>) -> tensor<?xf32> {
  %y = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?xf32> {
  ^bb0(%a: tensor<?x64xbf16>):
    // expected-error @below {{'ffn.quantize' op expects values that are used (ffn-split-dynamic-scale leaves only the scale)}}
    %0, %1 = ffn.quantize %a by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
    ffn.yield %1 : tensor<?xf32>
  }
  return %y : tensor<?xf32>
}

// -----

func.func @two_copies(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  // expected-error @below {{'ffn.kernel' op expects a copy to have one operand and one result}}
  %y:2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  ^bb0(%a: tensor<?x64xbf16>):
    ffn.yield %a, %a : tensor<?x64xbf16>, tensor<?x64xbf16>
  }
  return %y#0, %y#1 : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// -----

func.func @counts_in_the_middle(%x: tensor<?x64xbf16>) -> (tensor<64xi32>, tensor<?x64xbf16>) {
  %n:2 = ffn.kernel(%x) : (tensor<?x64xbf16>) -> (tensor<64xi32>, tensor<?x64xbf16>) {
  ^bb0(%a: tensor<?x64xbf16>):
    %r = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    %0 = ffn.count_nonzero %r : tensor<?x64xbf16> -> tensor<64xi32>
    // expected-error @below {{'ffn.yield' op expects a kernel to yield the values at the end of its chain, their scale, mask or compressed form (ffn-fuse-activation gives other values a kernel of their own)}}
    ffn.yield %0, %r : tensor<64xi32>, tensor<?x64xbf16>
  }
  return %n#0, %n#1 : tensor<64xi32>, tensor<?x64xbf16>
}

// -----

func.func @counts_first(%x: tensor<?x64xbf16>, %w: tensor<64x32xbf16>) -> (tensor<32xi32>, tensor<?x32xbf16>) {
  %n:2 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> (tensor<32xi32>, tensor<?x32xbf16>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<64x32xbf16>):
    %y = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
    %0 = ffn.count_nonzero %y : tensor<?x32xbf16> -> tensor<32xi32>
    // expected-error @below {{'ffn.yield' op expects the kernel of a matrix product to yield its last value, then the counts}}
    ffn.yield %0, %y : tensor<32xi32>, tensor<?x32xbf16>
  }
  return %n#0, %n#1 : tensor<32xi32>, tensor<?x32xbf16>
}

// -----

func.func @counts_twice(%x: tensor<?x64xbf16>, %w: tensor<64x32xbf16>) -> (tensor<?x32xbf16>, tensor<32xi32>) {
  %n:2 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> (tensor<?x32xbf16>, tensor<32xi32>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<64x32xbf16>):
    %y = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
    %0 = ffn.count_nonzero %y : tensor<?x32xbf16> -> tensor<32xi32>
    // expected-error @below {{'ffn.count_nonzero' op expects one count in the kernel of a matrix product (ffn-fuse-epilogue gives others a kernel of their own)}}
    %1 = ffn.count_nonzero %y : tensor<?x32xbf16> -> tensor<32xi32>
    ffn.yield %y, %1 : tensor<?x32xbf16>, tensor<32xi32>
  }
  return %n#0, %n#1 : tensor<?x32xbf16>, tensor<32xi32>
}

// -----

// The count does not follow from what is stored.
func.func @counts_before(%x: tensor<?x64xbf16>, %w: tensor<64x32xbf16>) -> (tensor<?x32xbf16>, tensor<32xi32>) {
  %n:2 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> (tensor<?x32xbf16>, tensor<32xi32>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<64x32xbf16>):
    %y = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
    %r = ffn.relu %y : tensor<?x32xbf16> -> tensor<?x32xbf16>
    // expected-error @below {{'ffn.count_nonzero' op expects to count what activations make of the product, those of its kernel first (ffn-fuse-epilogue gives other counts a kernel of their own)}}
    %0 = ffn.count_nonzero %y : tensor<?x32xbf16> -> tensor<32xi32>
    ffn.yield %r, %0 : tensor<?x32xbf16>, tensor<32xi32>
  }
  return %n#0, %n#1 : tensor<?x32xbf16>, tensor<32xi32>
}

// -----

// Selected and counted: what a kernel of its own does.
func.func @counts_selected(%x: tensor<?x64xbf16>, %w: tensor<64x32xbf16>) -> (tensor<?x32xbf16>, tensor<32xi32>) {
  %n:2 = ffn.kernel(%x, %w) : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> (tensor<?x32xbf16>, tensor<32xi32>) {
  ^bb0(%a: tensor<?x64xbf16>, %b: tensor<64x32xbf16>):
    %y = ffn.matmul %a, %b : (tensor<?x64xbf16>, tensor<64x32xbf16>) -> tensor<?x32xbf16>
    // expected-error @below {{'ffn.sparsify' op expects to be compressed in the kernel of a matrix product}}
    %v, %m = ffn.sparsify %y along 1 : (tensor<?x32xbf16>) -> (tensor<?x32xbf16>, tensor<?x32xi1>)
    %0 = ffn.count_nonzero %v : tensor<?x32xbf16> -> tensor<32xi32>
    ffn.yield %y, %0 : tensor<?x32xbf16>, tensor<32xi32>
  }
  return %n#0, %n#1 : tensor<?x32xbf16>, tensor<32xi32>
}
