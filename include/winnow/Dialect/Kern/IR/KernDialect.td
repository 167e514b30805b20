//===- KernDialect.td - the kern dialect --------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_IR_KERNDIALECT_TD
#define WINNOW_DIALECT_KERN_IR_KERNDIALECT_TD

include "mlir/IR/OpBase.td"

def Kern_Dialect : Dialect {
  let name = "kern";
  let cppNamespace = "::winnow::kern";
  let summary = "GPU kernels and the order in which they are launched";
  let description = [{
    One symbol per GPU kernel (`kern.gemm`, `kern.map`), each with the problem it solves, a `#kern.schedule` and a
    region of ordinary arith and math operations for its element-wise part; and one `kern.program` per function, which
    binds buffers and launches kernels in order. Everything the emitter needs is in the IR.

    Exactly one extent of a program may be dynamic: the token count T. Buffers are dense in memory; how is said by their
    layout attribute.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif // WINNOW_DIALECT_KERN_IR_KERNDIALECT_TD
