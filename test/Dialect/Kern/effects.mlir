// RUN: winnow-opt %s -canonicalize -cse | FileCheck %s

// CHECK-LABEL: kern.program @unused_workspace
// An allocation that nobody uses goes.
// CHECK-NEXT:    kern.return
kern.program @unused_workspace() -> () {
  %a = kern.alloc : !kern.buffer<8xf32>
  kern.return
}

// Equal constants are one buffer: nothing may write them.
// CHECK-LABEL: kern.program @constants
// CHECK-NEXT:    %[[C:.*]] = kern.constant
// CHECK-NEXT:    kern.copy %[[C]] to
// CHECK-NEXT:    kern.copy %[[C]] to
kern.program @constants() -> (%y: !kern.buffer<f32>, %z: !kern.buffer<f32>) {
  %a = kern.constant dense<1.0> : tensor<f32> as !kern.buffer<f32>
  %b = kern.constant dense<1.0> : tensor<f32> as !kern.buffer<f32>
  kern.copy %a to %y : !kern.buffer<f32>
  kern.copy %b to %z : !kern.buffer<f32>
  kern.return
}

// A buffer is filled as often as the program says, for something may be launched on it in between.
kern.map @copy attributes {input = !kern.buffer<8x64xbf16>, select = array<i64>, granularity = "tensor", scale_mode = "none",
                           outputs = [!kern.buffer<8x64xbf16>]} {
^bb0(%x: f32):
  kern.yield %x : f32
}
// CHECK-LABEL: kern.program @fills
// CHECK:         kern.fill_zero
// CHECK-NEXT:    kern.launch @copy
// CHECK-NEXT:    kern.fill_zero
kern.program @fills(%x: !kern.buffer<8x64xbf16>) -> (%y: !kern.buffer<8x64xbf16>) {
  kern.fill_zero %y : !kern.buffer<8x64xbf16>
  kern.launch @copy(%x, %y) : !kern.buffer<8x64xbf16>, !kern.buffer<8x64xbf16>
  kern.fill_zero %y : !kern.buffer<8x64xbf16>
  kern.return
}
