//===- Passes.h - passes of the kern dialect ----------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_TRANSFORMS_PASSES_H
#define WINNOW_DIALECT_KERN_TRANSFORMS_PASSES_H

#include "winnow/Dialect/Kern/IR/Kern.h"

#include "mlir/Pass/Pass.h"

namespace winnow::kern {

#define GEN_PASS_DECL
#include "winnow/Dialect/Kern/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "winnow/Dialect/Kern/Transforms/Passes.h.inc"

} // namespace winnow::kern

#endif // WINNOW_DIALECT_KERN_TRANSFORMS_PASSES_H
