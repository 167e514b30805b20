//===- Passes.h - conversions between Winnow's dialects -----------------------------------------------------------===//

#ifndef WINNOW_CONVERSION_PASSES_H
#define WINNOW_CONVERSION_PASSES_H

#include "winnow/Dialect/Kern/IR/Kern.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/Pass.h"

namespace winnow {

#define GEN_PASS_DECL
#include "winnow/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "winnow/Conversion/Passes.h.inc"

} // namespace winnow

#endif // WINNOW_CONVERSION_PASSES_H
