// RUN: winnow-opt %s -ffn-fuse-activation -ffn-fuse-epilogue | FileCheck %s
// RUN: winnow-opt %s -ffn-fuse-activation -ffn-fuse-epilogue --remarks-filter=ffn-fuse-epilogue 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// A scale known beforehand: everything up to the compressed values happens where the product is computed.
// CHECK-LABEL: func.func @given_scale(
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xbf16>, %[[W:.*]]: tensor<128x64xbf16>, %[[S:.*]]: tensor<f32>)
func.func @given_scale(%x: tensor<?x64xbf16>, %w: tensor<128x64xbf16>, %s: tensor<f32>) -> !ffn.sparse24<?x128xf8E4M3FN, axis = 1> {
  // CHECK-NEXT: %[[C:.*]] = ffn.kernel(%[[S]], %[[X]], %[[W]])
  // CHECK-NEXT: ^bb0(%[[T:.*]]: tensor<f32>, %[[L:.*]]: tensor<?x64xbf16>, %[[R:.*]]: tensor<128x64xbf16>):
  // CHECK-NEXT:   %[[Y:.*]] = ffn.matmul %[[L]], %[[R]] {transpose_rhs}
  // CHECK-NEXT:   %[[A:.*]] = ffn.relu2 %[[Y]]
  // CHECK-NEXT:   %[[V:.*]], %[[M:.*]] = ffn.sparsify %[[A]] along 1
  // CHECK-NEXT:   %[[Q:.*]] = ffn.quantize %[[V]] scaled %[[T]]
  // CHECK-NEXT:   %[[P:.*]] = ffn.compress %[[Q]], %[[M]]
  // CHECK-NEXT:   ffn.yield %[[P]]
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[C]]
  // REMARK: remark: [Passed] FusedEpilogue | Category:ffn-fuse-epilogue | Function=given_scale
  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<?x64xbf16>, tensor<128x64xbf16>) -> tensor<?x128xbf16>
  %a = ffn.relu2 %y : tensor<?x128xbf16> -> tensor<?x128xf32>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x128xf32>) -> (tensor<?x128xf32>, tensor<?x128xi1>)
  %q = ffn.quantize %v scaled %s by tensor : (tensor<?x128xf32>, tensor<f32>) -> tensor<?x128xf8E4M3FN>
  %c = ffn.compress %q, %m : (tensor<?x128xf8E4M3FN>, tensor<?x128xi1>) -> !ffn.sparse24<?x128xf8E4M3FN, axis = 1>
  return %c : !ffn.sparse24<?x128xf8E4M3FN, axis = 1>
}

// An activation alone, also of a product without tensor cores.
// CHECK-LABEL: func.func @activation(
// CHECK-NEXT:    %[[R:.*]] = ffn.kernel(%{{.*}}, %{{.*}})
// CHECK:           ffn.matmul
// CHECK-NEXT:      ffn.gelu
// CHECK-NEXT:      ffn.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    return %[[R]]
// REMARK: FusedEpilogue | {{.*}} | Function=activation
func.func @activation(%x: tensor<?x64xf32>, %w: tensor<64x128xf32>) -> tensor<?x128xbf16> {
  %y = ffn.matmul %x, %w : (tensor<?x64xf32>, tensor<64x128xf32>) -> tensor<?x128xf32>
  %a = ffn.gelu %y : tensor<?x128xf32> -> tensor<?x128xbf16>
  return %a : tensor<?x128xbf16>
}

// The same operand on both sides is one operand of the kernel.
// CHECK-LABEL: func.func @square(
// CHECK-NEXT:    ffn.kernel(%{{[^,]*}}) : (tensor<64x64xbf16>)
// CHECK:           ffn.matmul %[[A:.*]], %[[A]]
func.func @square(%x: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  %y = ffn.matmul %x, %x : (tensor<64x64xbf16>, tensor<64x64xbf16>) -> tensor<64x64xbf16>
  %a = ffn.relu %y : tensor<64x64xbf16> -> tensor<64x64xbf16>
  return %a : tensor<64x64xbf16>
}

// Every way to stay apart, each with its reason.
// CHECK-LABEL: func.func @dynamic_row(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: remark: [Missed] KeptApart | Category:ffn-fuse-epilogue | Function=dynamic_row | Reason="a dynamic row scale needs the whole row before the first value can be written"
func.func @dynamic_row(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> (tensor<?x128xf8E4M3FN>, tensor<?xf32>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %q, %s = ffn.quantize %y by row : (tensor<?x128xbf16>) -> (tensor<?x128xf8E4M3FN>, tensor<?xf32>)
  return %q, %s : tensor<?x128xf8E4M3FN>, tensor<?xf32>
}

// CHECK-LABEL: func.func @scale(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=scale | Reason="a dynamic scale needs the whole matrix"
func.func @scale(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> tensor<f32> {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %s = ffn.dynamic_scale %y by tensor to f8E4M3FN : (tensor<?x128xbf16>) -> tensor<f32>
  return %s : tensor<f32>
}

// CHECK-LABEL: func.func @feature_wise(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=feature_wise | Reason="feature-wise selection crosses tokens, which lie in different tiles"
func.func @feature_wise(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> !ffn.sparse24<?x128xbf16, axis = 0> {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %v, %m = ffn.sparsify %y along 0 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  %c = ffn.compress %v, %m : (tensor<?x128xbf16>, tensor<?x128xi1>) -> !ffn.sparse24<?x128xbf16, axis = 0>
  return %c : !ffn.sparse24<?x128xbf16, axis = 0>
}

// CHECK-LABEL: func.func @two_readers(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=two_readers | Reason="the product has 2 readers, so it is stored anyway"
func.func @two_readers(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xbf16>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %a = ffn.relu2 %y : tensor<?x128xbf16> -> tensor<?x128xbf16>
  return %y, %a : tensor<?x128xbf16>, tensor<?x128xbf16>
}

// CHECK-LABEL: func.func @two_results(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=two_results | Reason="an epilogue writes one result, not 2"
func.func @two_results(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %v, %m = ffn.sparsify %y along 1 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  return %v, %m : tensor<?x128xbf16>, tensor<?x128xi1>
}

// CHECK-LABEL: func.func @not_compressed(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=not_compressed | Reason="an epilogue that selects writes the compressed form only"
func.func @not_compressed(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> tensor<?x128xbf16> {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %v, %m = ffn.sparsify %y along 1 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  return %v : tensor<?x128xbf16>
}

// CHECK-LABEL: func.func @no_tensor_core(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=no_tensor_core | Reason="only a product on the tensor cores writes the compressed form: the rows of the left operand are 120 bytes long, not a multiple of 16"
func.func @no_tensor_core(%x: tensor<?x60xbf16>, %w: tensor<60x128xbf16>) -> !ffn.sparse24<?x128xbf16, axis = 1> {
  %y = ffn.matmul %x, %w : (tensor<?x60xbf16>, tensor<60x128xbf16>) -> tensor<?x128xbf16>
  %v, %m = ffn.sparsify %y along 1 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  %c = ffn.compress %v, %m : (tensor<?x128xbf16>, tensor<?x128xi1>) -> !ffn.sparse24<?x128xbf16, axis = 1>
  return %c : !ffn.sparse24<?x128xbf16, axis = 1>
}

// CHECK-LABEL: func.func @dynamic_features(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=dynamic_features | Reason="the number of features is dynamic"
func.func @dynamic_features(%x: tensor<64x64xbf16>, %w: tensor<?x64xbf16>) -> !ffn.sparse24<64x?xbf16, axis = 1> {
  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<64x64xbf16>, tensor<?x64xbf16>) -> tensor<64x?xbf16>
  %v, %m = ffn.sparsify %y along 1 : (tensor<64x?xbf16>) -> (tensor<64x?xbf16>, tensor<64x?xi1>)
  %c = ffn.compress %v, %m : (tensor<64x?xbf16>, tensor<64x?xi1>) -> !ffn.sparse24<64x?xbf16, axis = 1>
  return %c : !ffn.sparse24<64x?xbf16, axis = 1>
}

// CHECK-LABEL: func.func @two_selections(
// CHECK:         ffn.matmul
// CHECK-NEXT:    ffn.kernel
// REMARK: Function=two_selections | Reason="feature-wise selection crosses tokens, which lie in different tiles"
func.func @two_selections(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> !ffn.sparse24<?x128xbf16, axis = 1> {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %u, %n = ffn.sparsify %y along 0 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  %v, %m = ffn.sparsify %u along 1 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  %c = ffn.compress %v, %m : (tensor<?x128xbf16>, tensor<?x128xi1>) -> !ffn.sparse24<?x128xbf16, axis = 1>
  return %c : !ffn.sparse24<?x128xbf16, axis = 1>
}

// Non-zeros of what is selected from are counted in the same epilogue.
// CHECK-LABEL: func.func @counted(
// CHECK:         %[[C:.*]]:2 = ffn.kernel(
// CHECK:           %[[Y:.*]] = ffn.matmul
// CHECK-NEXT:      %[[A:.*]] = ffn.relu2 %[[Y]]
// CHECK-NEXT:      %[[V:.*]], %[[M:.*]] = ffn.sparsify %[[A]] along 1
// CHECK-NEXT:      %[[Q:.*]] = ffn.quantize %[[V]]
// CHECK-NEXT:      %[[P:.*]] = ffn.compress %[[Q]], %[[M]]
// CHECK-NEXT:      %[[N:.*]] = ffn.count_nonzero %[[A]]
// CHECK-NEXT:      ffn.yield %[[P]], %[[N]]
// CHECK-NEXT:    }
// CHECK-NEXT:    return %[[C]]#0, %[[C]]#1
// REMARK: remark: [Passed] FusedEpilogue | Category:ffn-fuse-epilogue | Function=counted |
// REMARK: remark: [Passed] FusedCount | Category:ffn-fuse-epilogue | Function=counted | Reason="the epilogue of the product counts what it makes"
func.func @counted(%x: tensor<?x64xbf16>, %w: tensor<128x64xbf16>, %s: tensor<f32>)
    -> (!ffn.sparse24<?x128xf8E4M3FN, axis = 1>, tensor<128xi32>) {
  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<?x64xbf16>, tensor<128x64xbf16>) -> tensor<?x128xbf16>
  %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.1>} : tensor<?x128xbf16> -> tensor<?x128xf32>
  %n = ffn.count_nonzero %a : tensor<?x128xf32> -> tensor<128xi32>
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x128xf32>) -> (tensor<?x128xf32>, tensor<?x128xi1>)
  %q = ffn.quantize %v scaled %s by tensor : (tensor<?x128xf32>, tensor<f32>) -> tensor<?x128xf8E4M3FN>
  %c = ffn.compress %q, %m : (tensor<?x128xf8E4M3FN>, tensor<?x128xi1>) -> !ffn.sparse24<?x128xf8E4M3FN, axis = 1>
  return %c, %n : !ffn.sparse24<?x128xf8E4M3FN, axis = 1>, tensor<128xi32>
}

// The product is stored for a dynamic row scale, and counts what the activation will make of it; that of a product over
// tokens as well.
// CHECK-LABEL: func.func @counted_dynamic(
// CHECK:         %[[K:.*]]:2 = ffn.kernel(
// CHECK:           %[[Y:.*]] = ffn.matmul {{.*}}transpose_lhs
// CHECK-NEXT:      %[[A:.*]] = ffn.relu2 %[[Y]]
// CHECK-NEXT:      %[[N:.*]] = ffn.count_nonzero %[[A]]
// CHECK-NEXT:      ffn.yield %[[Y]], %[[N]]
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[Q:.*]]:2 = ffn.kernel(%[[K]]#0)
// CHECK:           ffn.relu2
// CHECK-NEXT:      ffn.quantize
// CHECK:         return %[[Q]]#0, %[[Q]]#1, %[[K]]#1
// REMARK: remark: [Missed] KeptApart | Category:ffn-fuse-epilogue | Function=counted_dynamic | Reason="a dynamic row scale needs the whole row before the first value can be written"
// REMARK: remark: [Passed] FusedCount | Category:ffn-fuse-epilogue | Function=counted_dynamic
func.func @counted_dynamic(%x: tensor<?x64xbf16>, %w: tensor<?x128xbf16>)
    -> (tensor<64x128xf8E4M3FN>, tensor<64xf32>, tensor<128xi32>) {
  %y = ffn.matmul %x, %w {transpose_lhs} : (tensor<?x64xbf16>, tensor<?x128xbf16>) -> tensor<64x128xbf16>
  %a = ffn.relu2 %y : tensor<64x128xbf16> -> tensor<64x128xf32>
  %n = ffn.count_nonzero %a : tensor<64x128xf32> -> tensor<128xi32>
  %q, %s = ffn.quantize %a by row : (tensor<64x128xf32>) -> (tensor<64x128xf8E4M3FN>, tensor<64xf32>)
  return %q, %s, %n : tensor<64x128xf8E4M3FN>, tensor<64xf32>, tensor<128xi32>
}

// Only the counts are needed; and a longer chain than what is stored.
// CHECK-LABEL: func.func @counted_further(
// CHECK:         %[[K:.*]]:2 = ffn.kernel(
// CHECK:           %[[Y:.*]] = ffn.matmul
// CHECK-NEXT:      %[[A:.*]] = ffn.relu %[[Y]]
// CHECK-NEXT:      %[[B:.*]] = ffn.gelu %[[A]]
// CHECK-NEXT:      %[[N:.*]] = ffn.count_nonzero %[[B]]
// CHECK-NEXT:      ffn.yield %[[A]], %[[N]]
func.func @counted_further(%x: tensor<?x64xf32>, %w: tensor<64x128xf32>) -> (tensor<?x128xbf16>, tensor<128xi32>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xf32>, tensor<64x128xf32>) -> tensor<?x128xf32>
  %a = ffn.relu %y : tensor<?x128xf32> -> tensor<?x128xbf16>
  %b = ffn.gelu %a : tensor<?x128xbf16> -> tensor<?x128xbf16>
  %n = ffn.count_nonzero %b : tensor<?x128xbf16> -> tensor<128xi32>
  return %a, %n : tensor<?x128xbf16>, tensor<128xi32>
}

// What is counted is not what the epilogue would make, nor follows from it: the product is stored.
// CHECK-LABEL: func.func @counted_before(
// CHECK:         %[[K:.*]]:2 = ffn.kernel(
// CHECK:           %[[Y:.*]] = ffn.matmul
// CHECK-NEXT:      %[[N:.*]] = ffn.count_nonzero %[[Y]]
// CHECK-NEXT:      ffn.yield %[[Y]], %[[N]]
// CHECK:         ffn.kernel(%[[K]]#0)
// REMARK: Function=counted_before | Reason="the product has 2 readers, so it is stored anyway"
func.func @counted_before(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> (tensor<?x128xbf16>, tensor<128xi32>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %a = ffn.relu %y : tensor<?x128xbf16> -> tensor<?x128xbf16>
  %n = ffn.count_nonzero %y : tensor<?x128xbf16> -> tensor<128xi32>
  return %a, %n : tensor<?x128xbf16>, tensor<128xi32>
}

// Where the kernels of a specification read counts before the kernel that has the epilogue.
// CHECK-LABEL: func.func @counted_early(
// CHECK:         %[[K:.*]]:2 = ffn.kernel(
// CHECK:           ffn.matmul
// CHECK-NEXT:      ffn.relu
// CHECK-NEXT:      ffn.count_nonzero
// CHECK:         %[[C:.*]] = ffn.kernel(%[[K]]#1)
// CHECK:         ffn.kernel(%[[K]]#0)
func.func @counted_early(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> (tensor<?x128xbf16>, tensor<128xi32>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %n = ffn.kernel(%y) : (tensor<?x128xbf16>) -> tensor<128xi32> {
  ^bb0(%b: tensor<?x128xbf16>):
    %0 = ffn.relu %b : tensor<?x128xbf16> -> tensor<?x128xbf16>
    %1 = ffn.count_nonzero %0 : tensor<?x128xbf16> -> tensor<128xi32>
    ffn.yield %1 : tensor<128xi32>
  }
  %c = ffn.kernel(%n) : (tensor<128xi32>) -> tensor<128xi32> {
  ^bb0(%b: tensor<128xi32>):
    ffn.yield %b : tensor<128xi32>
  }
  %a = ffn.kernel(%y) : (tensor<?x128xbf16>) -> tensor<?x128xbf16> {
  ^bb0(%b: tensor<?x128xbf16>):
    %0 = ffn.relu %b : tensor<?x128xbf16> -> tensor<?x128xbf16>
    ffn.yield %0 : tensor<?x128xbf16>
  }
  return %a, %c : tensor<?x128xbf16>, tensor<128xi32>
}

// The second count of a product, and one of what is selected from it, have kernels of their own.
// CHECK-LABEL: func.func @counted_again(
// CHECK:         %[[K:.*]]:2 = ffn.kernel(
// CHECK:           ffn.matmul
// CHECK:         ffn.kernel(%[[K]]#0)
// CHECK:         ffn.kernel(%[[K]]#0)
// REMARK-DAG: Function=counted_again | Reason="an epilogue counts once"
// REMARK-DAG: Function=counted_again | Reason="an epilogue counts before it selects"
func.func @counted_again(%x: tensor<?x64xbf16>, %w: tensor<64x128xbf16>) -> (tensor<128xi32>, tensor<128xi32>, tensor<128xi32>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x128xbf16>) -> tensor<?x128xbf16>
  %n = ffn.count_nonzero %y : tensor<?x128xbf16> -> tensor<128xi32>
  %a = ffn.relu %y : tensor<?x128xbf16> -> tensor<?x128xbf16>
  %p = ffn.count_nonzero %a : tensor<?x128xbf16> -> tensor<128xi32>
  %v, %m = ffn.sparsify %y along 1 : (tensor<?x128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xi1>)
  %r = ffn.count_nonzero %v : tensor<?x128xbf16> -> tensor<128xi32>
  return %n, %p, %r : tensor<128xi32>, tensor<128xi32>, tensor<128xi32>
}
