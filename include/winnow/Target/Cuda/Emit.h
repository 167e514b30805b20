//===- Emit.h - CUDA C++ for kernels ------------------------------------------------------------------------------===//

#ifndef WINNOW_TARGET_CUDA_EMIT_H
#define WINNOW_TARGET_CUDA_EMIT_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace winnow::cuda {

/// The part of a kernel's source that is generated: instruction wrapper, configuration, element-wise function, entry.
/// `kernel` is a kern.gemm or kern.map that kern-verify-emittable accepts; errors are emitted at the operation that
/// cannot be written.
mlir::FailureOr<std::string> emitGenerated(mlir::Operation *kernel);

/// Complete source: the device library files that the kernel needs, then `emitGenerated`. Compiles without any header.
mlir::FailureOr<std::string> emitSource(mlir::Operation *kernel);

} // namespace winnow::cuda

#endif // WINNOW_TARGET_CUDA_EMIT_H
