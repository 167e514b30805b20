//===- Passes.h - passes on the ffn dialect -----------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_TRANSFORMS_PASSES_H
#define WINNOW_DIALECT_FFN_TRANSFORMS_PASSES_H

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace winnow::ffn {

#define GEN_PASS_DECL
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"

} // namespace winnow::ffn

#endif // WINNOW_DIALECT_FFN_TRANSFORMS_PASSES_H
