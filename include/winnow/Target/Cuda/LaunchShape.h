//===- LaunchShape.h - grids, shared memory and tensor maps of kernels --------------------------------------------===//

#ifndef WINNOW_TARGET_CUDA_LAUNCHSHAPE_H
#define WINNOW_TARGET_CUDA_LAUNCHSHAPE_H

#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Runtime/Plan.h"

namespace winnow::cuda {

/// How a kernel is launched, apart from its arguments.
struct LaunchShape {
  uint32_t threads = 256;
  uint32_t sharedBytes = 0;
  rt::Extent tiles;
  bool persistent = false;
  uint32_t cluster = 1; ///< CTAs; `tiles` is a multiple of it
};

/// Fails with an error at `op` where the number of tiles is not linear in the token count.
mlir::FailureOr<LaunchShape> getLaunchShape(kern::GemmOp op);
mlir::FailureOr<LaunchShape> getLaunchShape(kern::MapOp op);

/// Bytes of the counters of a product with pacing or a cut last wave: those of the parts of tiles, then with pacing at
/// least 4 * (ceil(tiles / 132) + 1) * (ceil(slabs / pacing) + 1), as many as the kernel will touch (docs/kernels.md,
/// "Counters").
mlir::FailureOr<rt::Extent> getCounterBytes(kern::GemmOp op);

/// Bytes of the sums of parts of tiles of a product whose last wave may be cut (docs/kernels.md, "The last wave").
int64_t getPartialBytes(kern::GemmOp op);

/// Tensor maps of a dense left operand, of the right operand and of a staged result; `TensorMap::buffer` is left 0.
rt::TensorMap getLhsMap(kern::GemmOp op);
rt::TensorMap getRhsMap(kern::GemmOp op);
rt::TensorMap getOutMap(kern::GemmOp op);

} // namespace winnow::cuda

#endif // WINNOW_TARGET_CUDA_LAUNCHSHAPE_H
