// RUN: winnow-opt %s "-ffn-select-layout=target=cpu" --remarks-filter=ffn-select-layout 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: winnow-opt %s "-ffn-select-layout=tokens=1" --remarks-filter=ffn-select-layout 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: winnow-opt %s "-ffn-select-layout=tokens=4096" --remarks-filter=ffn-select-layout 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not winnow-opt %s "-ffn-select-layout=target=sm_75" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not winnow-opt %s "-ffn-select-layout=target=sm_80" 2>&1 | FileCheck %s --check-prefix=NOTYET
// RUN: not winnow-opt %s "-ffn-select-layout=tokens=0" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not winnow-opt %s "-ffn-select-layout=tokens=2147483648" 2>&1 | FileCheck %s --check-prefix=HUGE

// CPU: Cause=target, Layout=dense, Reason="target cpu has no 2:4 product"
// CPU: ffn.layout = #ffn.layout<dense>
// One token: both products wait for the weights, and dropping elements would buy nothing.
// ONE: Cause=cost, Layout=dense, Reason="2:4 is not predicted to pay: {{.*}}, memory bounds both", Shape=1x4096x16384
// ONE: ffn.layout = #ffn.layout<dense>
// MANY: Cause=faster, Layout=token_wise
// MANY: ffn.layout = #ffn.layout<token_wise>
// UNKNOWN: error: unknown target 'sm_75', expected one of sm_80, sm_86, sm_89, sm_90a, sm_120a, cpu (of these, specs compile today for sm_90a, cpu)
// NOTYET: error: target 'sm_80' is known but cannot be compiled for yet, expected one of sm_90a, cpu
// ZERO: error: token count expects a number from 1 to 2147483647, got 0
// HUGE: error: token count expects a number from 1 to 2147483647, got 2147483648
func.func @f(%y: tensor<?x16384xbf16>, %w: tensor<4096x16384xbf16>) -> tensor<?x4096xbf16> {
  %a = ffn.relu2 %y {ffn.sparsity = #ffn.sparsity<density = 0.08, max_drop = 0.05>} : tensor<?x16384xbf16> -> tensor<?x16384xbf16>
  %z = ffn.matmul %a, %w {transpose_rhs} : (tensor<?x16384xbf16>, tensor<4096x16384xbf16>) -> tensor<?x4096xbf16>
  return %z : tensor<?x4096xbf16>
}
