//===- KernelAnalysis.h - kernels of the kern dialect in plain terms ----------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_TRANSFORMS_KERNELANALYSIS_H
#define WINNOW_DIALECT_KERN_TRANSFORMS_KERNELANALYSIS_H

#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"

#include <optional>

namespace winnow::kern {

/// The run-time name of an element type, or none if kernels do not know it.
std::optional<rt::ElementType> getElementType(mlir::Type type);

/// Extents of a rank-2 buffer, cuda::kTokens where dynamic.
struct MatrixExtents {
  int64_t rows, columns;
};
MatrixExtents getExtents(BufferType type);

/// Bytes of a buffer with the padding of its layout; none if they are not linear in the token count.
std::optional<rt::Extent> getBytes(BufferType type);

/// True for the operations of an element-wise region that the emitter writes.
bool isScalarOperation(mlir::Operation *op);

/// The problem that a product solves. Fails with an error at `op` if an element type is unknown to kernels.
mlir::FailureOr<GemmProblem> describe(GemmOp op);

GemmSchedule toSchedule(ScheduleAttr attribute);
ScheduleAttr toAttribute(mlir::MLIRContext *context, const GemmSchedule &schedule);

/// Why device code of `family` cannot do the work of `op`; empty if it can.
std::string whyIllegal(MapOp op, Family family);

/// Schedule of a map for a family: the tile is [rows, columns] of one CTA, columns 0 where it takes whole rows. Rows with
/// a dynamic scale are shared by a cluster of CTAs where that is possible (map_row_cluster.cuh).
ScheduleAttr getMapSchedule(MapOp op, Family family);

/// How the CTAs of a cluster share rows: `count` slices of `columns` columns, a power of two.
struct RowSlices {
  int64_t columns, count;
};
/// Of a map whose schedule says so; none where each CTA takes whole rows, or another family.
std::optional<RowSlices> getRowSlices(MapOp op);

/// Why the CTAs of a cluster cannot share rows in slices of `columns` columns; empty if they can.
std::string whyNotSliced(MapOp op, int64_t columns);

/// Threads of a CTA of a map.
int64_t getMapThreads(MapOp op);

} // namespace winnow::kern

#endif // WINNOW_DIALECT_KERN_TRANSFORMS_KERNELANALYSIS_H
