//===- AssumeDensity.h - declares the passes of Passes.td ---------------------------------------------------------===//

#ifndef EXAMPLE_ASSUMEDENSITY_H
#define EXAMPLE_ASSUMEDENSITY_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace example {

#define GEN_PASS_DECL
#include "Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "Passes.h.inc"

} // namespace example

#endif // EXAMPLE_ASSUMEDENSITY_H
