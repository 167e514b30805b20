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

#endif // WINNOW_DIALECT_KERN_IR_KERN_H
