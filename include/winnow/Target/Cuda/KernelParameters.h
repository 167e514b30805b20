//===- KernelParameters.h - the parameter lists of kernels --------------------------------------------------------===//
//
// Written down once, for the emitter, which declares the parameters, and for the plan, which binds them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TARGET_CUDA_KERNELPARAMETERS_H
#define WINNOW_TARGET_CUDA_KERNELPARAMETERS_H

#include "winnow/Dialect/Kern/IR/Kern.h"

namespace winnow::cuda {

struct Parameter {
  enum class Kind : uint8_t {
    lhsMap,
    rhsMap,   ///< tensor maps of the operands of a product
    outMap,   ///< tensor map of a staged result
    buffer,   ///< pointer to a launch operand
    progress, ///< pointer to the counters of parts of tiles and of pacing, which the plan adds
    partials, ///< pointer to the sums of parts of tiles, which the plan adds
    tokens,   ///< the token count
  } kind;
  const char *type; ///< CUDA C++ declaration: type, then name
  const char *name;
  unsigned operand = 0; ///< of kern.launch: lhsMap, rhsMap, outMap, buffer
};

/// Parameters in declaration order. The kernel has a schedule.
llvm::SmallVector<Parameter> getParameters(kern::GemmOp op);
llvm::SmallVector<Parameter> getParameters(kern::MapOp op);

/// True if the tensor map of the right operand is the five-dimensional one, which permutes its rows so that a thread's
/// accumulators are eight consecutive columns (docs/kernels.md, "Tensor maps").
bool isRhsPermuted(kern::GemmOp op);

} // namespace winnow::cuda

#endif // WINNOW_TARGET_CUDA_KERNELPARAMETERS_H
