// RUN: winnow-opt %s -canonicalize | FileCheck %s

// relu of what is never negative is that.
// CHECK-LABEL: func.func @relu_of_relu(
// CHECK-NEXT:    %[[R:.*]] = ffn.relu %{{.*}} : tensor<?x64xf32> -> tensor<?x64xbf16>
// CHECK-NEXT:    return %[[R]]
func.func @relu_of_relu(%x: tensor<?x64xf32>) -> tensor<?x64xbf16> {
  %0 = ffn.relu %x : tensor<?x64xf32> -> tensor<?x64xbf16>
  %1 = ffn.relu %0 : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %1 : tensor<?x64xbf16>
}

// CHECK-LABEL: func.func @relu_of_relu2(
// CHECK-NEXT:    %[[R:.*]] = ffn.relu2
// CHECK-NEXT:    return %[[R]]
func.func @relu_of_relu2(%x: tensor<?x64xbf16>) -> tensor<?x64xf32> {
  %0 = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xf32>
  %1 = ffn.relu %0 : tensor<?x64xf32> -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// Declines: the outer relu also rounds.
// CHECK-LABEL: func.func @relu_that_rounds(
// CHECK-NEXT:    ffn.relu2
// CHECK-NEXT:    ffn.relu
func.func @relu_that_rounds(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %0 = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xf32>
  %1 = ffn.relu %0 : tensor<?x64xf32> -> tensor<?x64xbf16>
  return %1 : tensor<?x64xbf16>
}

// Declines: gelu may be negative.
// CHECK-LABEL: func.func @relu_of_gelu(
// CHECK-NEXT:    ffn.gelu
// CHECK-NEXT:    ffn.relu
func.func @relu_of_gelu(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %0 = ffn.gelu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %1 = ffn.relu %0 : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %1 : tensor<?x64xbf16>
}

// Declines: the annotation must not get lost.
// CHECK-LABEL: func.func @relu_annotated(
// CHECK-NEXT:    ffn.relu
// CHECK-NEXT:    ffn.relu
func.func @relu_annotated(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %0 = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %1 = ffn.relu %0 {ffn.sparsity = #ffn.sparsity<density = 0.1>} : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %1 : tensor<?x64xbf16>
}

// relu2 is not idempotent.
// CHECK-LABEL: func.func @relu2_of_relu2(
// CHECK-NEXT:    ffn.relu2
// CHECK-NEXT:    ffn.relu2
func.func @relu2_of_relu2(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %0 = ffn.relu2 %x : tensor<?x64xf32> -> tensor<?x64xf32>
  %1 = ffn.relu2 %0 : tensor<?x64xf32> -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @decompress_of_compress(
// CHECK-NEXT:    %[[V:.*]], %{{.*}} = ffn.sparsify
// CHECK-NEXT:    return %[[V]]
func.func @decompress_of_compress(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  %d = ffn.decompress %c : !ffn.sparse24<?x64xbf16, axis = 1> -> tensor<?x64xbf16>
  return %d : tensor<?x64xbf16>
}

// Declines: what was compressed is not what the sparsify left, so its dropped elements are not zero.
// CHECK-LABEL: func.func @decompress_of_other_values(
// CHECK:         ffn.compress
// CHECK-NEXT:    %[[D:.*]] = ffn.decompress
// CHECK-NEXT:    return %[[D]]
func.func @decompress_of_other_values(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %x, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  %d = ffn.decompress %c : !ffn.sparse24<?x64xbf16, axis = 1> -> tensor<?x64xbf16>
  return %d : tensor<?x64xbf16>
}

// Declines: the mask is another's.
// CHECK-LABEL: func.func @decompress_of_other_mask(
// CHECK:         ffn.decompress
func.func @decompress_of_other_mask(%x: tensor<?x64xbf16>, %m: tensor<?x64xi1>) -> tensor<?x64xbf16> {
  %v, %n = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %c = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  %d = ffn.decompress %c : !ffn.sparse24<?x64xbf16, axis = 1> -> tensor<?x64xbf16>
  return %d : tensor<?x64xbf16>
}

// Declines: compressed along the axis that the sparsify did not choose along (the interpreter rejects such a mask unless it
// happens to hold two of four there too).
// CHECK-LABEL: func.func @decompress_of_other_axis(
// CHECK:         ffn.decompress
func.func @decompress_of_other_axis(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<8x64xbf16>) -> (tensor<8x64xbf16>, tensor<8x64xi1>)
  %c = ffn.compress %v, %m : (tensor<8x64xbf16>, tensor<8x64xi1>) -> !ffn.sparse24<8x64xbf16, axis = 0>
  %d = ffn.decompress %c : !ffn.sparse24<8x64xbf16, axis = 0> -> tensor<8x64xbf16>
  return %d : tensor<8x64xbf16>
}

// Declines: nothing is known of a compressed argument.
// CHECK-LABEL: func.func @decompress_of_argument(
// CHECK-NEXT:    ffn.decompress
func.func @decompress_of_argument(%c: !ffn.sparse24<8x64xbf16, axis = 1>) -> tensor<8x64xbf16> {
  %d = ffn.decompress %c : !ffn.sparse24<8x64xbf16, axis = 1> -> tensor<8x64xbf16>
  return %d : tensor<8x64xbf16>
}
