//===- Kern.h - the kern dialect ----------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_IR_KERN_H
#define WINNOW_DIALECT_KERN_IR_KERN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "winnow/Dialect/Kern/IR/KernDialect.h.inc"
#include "winnow/Dialect/Kern/IR/KernEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "winnow/Dialect/Kern/IR/KernAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "winnow/Dialect/Kern/IR/KernTypes.h.inc"

#define GET_OP_CLASSES
#include "winnow/Dialect/Kern/IR/KernOps.h.inc"

namespace winnow::kern {

/// One operand of a launch: what the kernel calls it and the buffer type it expects. A null type is the zeroed counter
/// of a scale_only map, an i32 buffer of one element.
struct LaunchOperand {
  llvm::StringRef name;
  BufferType type;
  bool isWritten = false;
};

/// The operands that launching `kernel`, a kern.gemm or kern.map, takes, in order.
llvm::SmallVector<LaunchOperand> getLaunchOperands(mlir::Operation *kernel);

} // namespace winnow::kern

#endif // WINNOW_DIALECT_KERN_IR_KERN_H
