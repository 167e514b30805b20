// RUN: winnow-opt %s -canonicalize | FileCheck %s
// RUN: winnow-opt %s -cse | FileCheck %s --check-prefix=CSE

// The choice of two of four is idempotent.
// CHECK-LABEL: func.func @repeated_sparsify(
// CHECK-NEXT:    %[[V:.*]], %{{.*}} = ffn.sparsify
// CHECK-NEXT:    return %[[V]]
func.func @repeated_sparsify(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %v along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %u : tensor<?x64xbf16>
}

// Also where the inner one was under a mask.
// CHECK-LABEL: func.func @repeated_sparsify_inner_under(
// CHECK-NEXT:    %[[V:.*]], %{{.*}} = ffn.sparsify {{.*}} under
// CHECK-NEXT:    return %[[V]]
func.func @repeated_sparsify_inner_under(%x: tensor<?x64xbf16>, %k: tensor<?x64xi1>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 under %k : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %v along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %u : tensor<?x64xbf16>
}

// Declines: the outer mask is used, and where values are zero it may hold other positions than the inner one.
// CHECK-LABEL: func.func @repeated_sparsify_mask_used(
// CHECK-COUNT-2: ffn.sparsify
func.func @repeated_sparsify_mask_used(%x: tensor<?x64xbf16>) -> tensor<?x64xi1> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %v along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %n : tensor<?x64xi1>
}

// Declines: the axes differ.
// CHECK-LABEL: func.func @sparsify_both_axes(
// CHECK-COUNT-2: ffn.sparsify
func.func @sparsify_both_axes(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %v along 0 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %u : tensor<?x64xbf16>
}

// Declines: the outer one is under a mask.
// CHECK-LABEL: func.func @repeated_sparsify_outer_under(
// CHECK-COUNT-2: ffn.sparsify
func.func @repeated_sparsify_outer_under(%x: tensor<?x64xbf16>, %k: tensor<?x64xi1>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %v along 1 under %k : (tensor<?x64xbf16>, tensor<?x64xi1>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %u : tensor<?x64xbf16>
}

// Declines: the annotation must not get lost.
// CHECK-LABEL: func.func @repeated_sparsify_annotated(
// CHECK-COUNT-2: ffn.sparsify
func.func @repeated_sparsify_annotated(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %v, %m = ffn.sparsify %x along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %u, %n = ffn.sparsify %v along 1 {ffn.sparsity = #ffn.sparsity<density = 0.1>}
         : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %u : tensor<?x64xbf16>
}

// Unused work goes, kernels included: an ffn.kernel has the effects of its body, which has none.
// CHECK-LABEL: func.func @unused(
// CHECK-NEXT:    return
func.func @unused(%x: tensor<?x64xbf16>) {
  %q, %s = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  %k = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  ^bb0(%a: tensor<?x64xbf16>):
    %0 = ffn.relu %a : tensor<?x64xbf16> -> tensor<?x64xbf16>
    ffn.yield %0 : tensor<?x64xbf16>
  }
  return
}

// Equal work is done once; annotations make a difference.
// CSE-LABEL: func.func @equal(
// CSE-NEXT:    %[[Y:.*]] = ffn.relu2 %{{.*}} : tensor
// CSE-NEXT:    %[[Z:.*]] = ffn.relu2 %{{.*}} {ffn.sparsity
// CSE-NEXT:    return %[[Y]], %[[Y]], %[[Z]]
func.func @equal(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %0 = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %1 = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %2 = ffn.relu2 %x {ffn.sparsity = #ffn.sparsity<density = 0.1>} : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %0, %1, %2 : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>
}
