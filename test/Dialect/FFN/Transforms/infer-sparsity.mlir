// RUN: winnow-opt %s -ffn-infer-sparsity | FileCheck %s
// RUN: winnow-opt %s -ffn-infer-sparsity --remarks-filter=ffn-infer-sparsity 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// An activation has its default density, and none at all where it produces no zeros; a product says nothing.
// CHECK-LABEL: func.func @defaults(
func.func @defaults(%x: tensor<?x64xbf16>, %w: tensor<64x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>) {
  // CHECK: ffn.relu2 {{.*}} {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01>}
  // REMARK: remark: [Analysis] Sparsity | Category:ffn-infer-sparsity | Function=defaults | Density=0.5000, Reason="default of the activation", Remark=ffn.relu2
  %a = ffn.relu2 %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  // CHECK: ffn.gelu {{.*}} {ffn.sparsity = #ffn.sparsity<density = 1.000000e+00>}
  // REMARK: Function=defaults | Density=1.0000, Reason="the activation produces no zeros", Remark=ffn.gelu
  %b = ffn.gelu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  // CHECK: ffn.matmul %{{.*}}, %{{.*}} : (
  %y = ffn.matmul %a, %w : (tensor<?x64xbf16>, tensor<64x64xbf16>) -> tensor<?x64xbf16>
  return %a, %b, %y : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>
}

// What is annotated on an argument survives an activation with f(0) = 0; the permission to drop does not.
// CHECK-LABEL: func.func @argument(
func.func @argument(%x: tensor<?x64xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.25, max_drop = 0.1>}) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  // CHECK: ffn.silu {{.*}} {ffn.sparsity = #ffn.sparsity<density = 2.500000e-01>}
  // REMARK: Function=argument | Density=0.2500, Reason="the activation keeps the zeros of its input", Remark=ffn.silu
  %a = ffn.silu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  // CHECK: ffn.relu {{.*}} {ffn.sparsity = #ffn.sparsity<density = 2.500000e-01>}
  %b = ffn.relu %x : tensor<?x64xbf16> -> tensor<?x64xbf16>
  return %a, %b : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// Quantisation hands on density, permission and profile. p^2 - p^3 / 2 of the non-zeros are lost to a selection:
// 0.5 * (1 - 0.1875) = 0.40625; the permission ends there.
// CHECK-LABEL: func.func @propagation(
func.func @propagation(%x: tensor<?x4xbf16>) -> (tensor<?x4xf8E4M3FN>, tensor<?xf32>, tensor<?x4xf8E4M3FN>, tensor<?xf32>, tensor<?x4xbf16>) {
  // CHECK: ffn.relu2 {{.*}} {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01, max_drop = 2.000000e-01, profile = [
  %a = ffn.relu2 %x {ffn.sparsity = #ffn.sparsity<density = 0.5, max_drop = 0.2, profile = [0.5, 0.5, 0.5, 0.5]>}
     : tensor<?x4xbf16> -> tensor<?x4xbf16>
  // CHECK: ffn.quantize {{.*}} {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01, max_drop = 2.000000e-01, profile = [
  %q, %s = ffn.quantize %a by row : (tensor<?x4xbf16>) -> (tensor<?x4xf8E4M3FN>, tensor<?xf32>)
  // CHECK: ffn.sparsify {{.*}} {ffn.sparsity = #ffn.sparsity<density = 4.063000e-01>}
  // REMARK: Function=propagation | Density=0.4063, Reason="selection along 1 of density 0.500: expected drop 18.75 %", Remark=ffn.sparsify
  %v, %m = ffn.sparsify %a along 1 : (tensor<?x4xbf16>) -> (tensor<?x4xbf16>, tensor<?x4xi1>)
  // CHECK: ffn.quantize {{.*}} {ffn.sparsity = #ffn.sparsity<density = 4.063000e-01>}
  %p, %t = ffn.quantize %v by row : (tensor<?x4xbf16>) -> (tensor<?x4xf8E4M3FN>, tensor<?xf32>)
  // A profile counts: along 1, one full feature in four loses nothing; p = 0.25 everywhere would lose 5.5 %.
  // CHECK: ffn.relu {{.*}}profile
  %c = ffn.relu %x {ffn.sparsity = #ffn.sparsity<density = 0.25, profile = [1.0, 0.0, 0.0, 0.0]>} : tensor<?x4xbf16> -> tensor<?x4xbf16>
  // CHECK: ffn.sparsify {{.*}} {ffn.sparsity = #ffn.sparsity<density = 2.500000e-01>}
  // REMARK: Reason="selection along 1 of density 0.250: expected drop 0.00 %", Remark=ffn.sparsify
  %d, %e = ffn.sparsify %c along 1 : (tensor<?x4xbf16>) -> (tensor<?x4xbf16>, tensor<?x4xi1>)
  return %q, %s, %p, %t, %d : tensor<?x4xf8E4M3FN>, tensor<?xf32>, tensor<?x4xf8E4M3FN>, tensor<?xf32>, tensor<?x4xbf16>
}

// Nothing known, nothing said: a full matrix loses half.
// CHECK-LABEL: func.func @unknown(
func.func @unknown(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xbf16>) {
  // CHECK: ffn.quantize %{{.*}} by{{ +}}row : (
  %q, %s = ffn.quantize %x by row : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  // CHECK: ffn.sparsify {{.*}} {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01>}
  %v, %m = ffn.sparsify %x along 0 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %q, %s, %v : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xbf16>
}

// The matrix of a compressed one.
// CHECK-LABEL: func.func @decompress(
func.func @decompress(%c: !ffn.sparse24<?x64xbf16, axis = 1>, %x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  // CHECK: ffn.decompress {{.*}} {ffn.sparsity = #ffn.sparsity<density = 5.000000e-01>}
  %a = ffn.decompress %c : !ffn.sparse24<?x64xbf16, axis = 1> -> tensor<?x64xbf16>
  %r = ffn.relu %x {ffn.sparsity = #ffn.sparsity<density = 0.25>} : tensor<?x64xbf16> -> tensor<?x64xbf16>
  %v, %m = ffn.sparsify %r along 1 : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  %d = ffn.compress %v, %m : (tensor<?x64xbf16>, tensor<?x64xi1>) -> !ffn.sparse24<?x64xbf16, axis = 1>
  // CHECK: ffn.decompress {{.*}} {ffn.sparsity = #ffn.sparsity<density = 2.363000e-01>}
  %b = ffn.decompress %d : !ffn.sparse24<?x64xbf16, axis = 1> -> tensor<?x64xbf16>
  return %a, %b : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// Annotations that contradict what is known stand, and are remarked on.
// CHECK-LABEL: func.func @odd(
func.func @odd(%x: tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xbf16>) {
  // CHECK: ffn.gelu {{.*}} {ffn.sparsity = #ffn.sparsity<density = 1.000000e-01>}
  // REMARK: remark: [Missed] OddAnnotation | Category:ffn-infer-sparsity | Function=odd | Reason="'ffn.gelu' produces no zeros of its own, but density 0.100 is annotated; the annotation stands"
  %a = ffn.gelu %x {ffn.sparsity = #ffn.sparsity<density = 0.1>} : tensor<?x64xbf16> -> tensor<?x64xbf16>
  // CHECK: ffn.quantize {{.*}} {ffn.sparsity = #ffn.sparsity<density = 2.000000e-01>}
  // REMARK: Reason="density 0.200 is annotated on the quantised values, 0.100 holds before quantisation; the annotation stands"
  %q, %s = ffn.quantize %a by row {ffn.sparsity = #ffn.sparsity<density = 0.2>} : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?xf32>)
  // CHECK: ffn.sparsify {{.*}} {ffn.sparsity = #ffn.sparsity<density = 7.500000e-01>}
  // REMARK: Reason="a 2:4 matrix is at most half full, but density 0.750 is annotated; the annotation stands"
  %v, %m = ffn.sparsify %x along 1 {ffn.sparsity = #ffn.sparsity<density = 0.75>} : (tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xi1>)
  return %q, %s, %v : tensor<?x64xf8E4M3FN>, tensor<?xf32>, tensor<?x64xbf16>
}
