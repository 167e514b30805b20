// RUN: winnow-opt --ffn-to-kernels --kernels-to-kern %s | winnow-translate --kern-to-plan --entry=forward | FileCheck %s
// RUN: winnow-opt --ffn-to-kernels --kernels-to-kern %s | not winnow-translate --kern-to-plan --entry=backward 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// For few tokens launches overlap, and where no product is cut or paced there is nothing to fill.
// RUN: winnow-opt --ffn-to-kernels="tokens=16" --kernels-to-kern="tokens=16" %s | winnow-translate --kern-to-plan --entry=forward | FileCheck %s --check-prefix=FEW
// FEW-NOT: fill_zero
// FEW: launch 0: forward_0_map({{.*}}), tiles ceil(T / 8), overlaps
// FEW: launch 1: forward_1_gemm({{.*}}), tiles ceil(T / 64) * {{[0-9]+}}, persistent, overlaps
// UNKNOWN: error: has no program @backward; there is @forward

// CHECK: plan 'forward' for sm_90a, at most {{[0-9]+}} tokens
// CHECK-NEXT: buffer 0: input 'arg0' ?x512xbf16, T * 1024 bytes
// CHECK-NEXT: buffer 1: input 'arg1' 2048x512xf8E4M3FN, 1048576 bytes, weight
// CHECK-NEXT: buffer 2: output 'result0' ?x2048xbf16, T * 4096 bytes, stage 1 result 0
// CHECK-NEXT: buffer 3: workspace 'progress of forward_1_gemm' u8, ceil(T / 128) * 8 + 8 bytes
// CHECK-NEXT: buffer 4: workspace 'workspace4' ?x512xf8E4M3FN, T * 512 bytes, stage 0 result 0
// CHECK-NEXT: buffer 5: workspace 'workspace5' ?xf32, T * 4 bytes, stage 0 result 1
// CHECK-NEXT: kernel 0: forward_0_map, 256 threads, 0 bytes shared
// CHECK-NEXT: kernel 1: forward_1_gemm, 384 threads, 207648 bytes shared
// CHECK-NEXT: launch 0: forward_0_map(buffer 0, buffer 5, buffer 4, T), tiles ceil(T / 8)
// CHECK-NEXT: launch 1: fill_zero buffer 3
// CHECK-NEXT: launch 2: forward_1_gemm(map 0, map 1, buffer 5, buffer 2, buffer 3, T), tiles ceil(T / 128) * 11, persistent
// CHECK-NEXT: map 0: buffer 4 u8 extents [512, T] strides [512] box [128, 128] swizzle 128
// CHECK-NEXT: map 1: buffer 1 u8 extents [512, 2, 4, 4, 64] strides [512, 4096, 1024, 16384] box [128, 2, 4, 4, 6] swizzle 128
// CHECK-NOT: map 2
func.func @forward(%x: tensor<?x512xbf16>, %w: tensor<2048x512xf8E4M3FN> {ffn.weight}) -> tensor<?x2048xbf16> {
  %q, %s = ffn.quantize %x by row : (tensor<?x512xbf16>) -> (tensor<?x512xf8E4M3FN>, tensor<?xf32>)
  %y = ffn.matmul %q scaled %s, %w {transpose_rhs} : (tensor<?x512xf8E4M3FN>, tensor<?xf32>, tensor<2048x512xf8E4M3FN>) -> tensor<?x2048xbf16>
  return %y : tensor<?x2048xbf16>
}
