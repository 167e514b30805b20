// RUN: winnow-opt %s -split-input-file | winnow-opt -split-input-file | FileCheck %s
// RUN: winnow-opt %s -split-input-file -mlir-print-op-generic | winnow-opt -split-input-file | FileCheck %s

// CHECK-LABEL: func.func private @token_wise(!ffn.sparse24<?x28672xf8E4M3FN, axis = 1>)
func.func private @token_wise(!ffn.sparse24<?x28672xf8E4M3FN, axis = 1>)
// CHECK-LABEL: func.func private @feature_wise(!ffn.sparse24<128x96xf8E5M2, axis = 0>)
func.func private @feature_wise(!ffn.sparse24<128x96xf8E5M2, axis = 0>)
// CHECK-LABEL: func.func private @bf16(!ffn.sparse24<3x8xbf16, axis = 1>)
func.func private @bf16(!ffn.sparse24<3x8xbf16, axis = 1>)
// CHECK-LABEL: func.func private @f16(!ffn.sparse24<8x?xf16, axis = 0>)
func.func private @f16(!ffn.sparse24<8x?xf16, axis = 0>)
