//===- Sampling.h - the reference on some rows only ---------------------------------------------------------------===//
//
// The reference computes a large product far more slowly than a GPU does. Where rows are independent of each other,
// some of them are enough for a check: all arithmetic is the same in every row.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_SAMPLING_H
#define WINNOW_TOOLS_WINNOW_SAMPLING_H

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Interpreter/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>
#include <string>
#include <vector>

namespace winnow::tool {

/// Which rows are compared, in order.
struct RowSample {
  std::vector<int64_t> rows;
  int64_t total = 0;

  bool whole() const { return static_cast<int64_t>(rows.size()) == total; }
  /// "all 64 rows", "37 of 8192 rows".
  std::string text() const;
};

/// At most `limit` of `total` rows, at least one: the first, the last, and others drawn evenly by a fixed seed.
RowSample sampleRows(int64_t total, int64_t limit);

/// Rows (axis 0) or columns (axis 1) of a tensor; of a tensor of rank 1, its elements. Keeps the mask of a compressed
/// one.
interp::Tensor takeRows(const interp::Tensor &tensor, const RowSample &sample, int axis = 0);

/// Multiply-adds that the reference does in `op`, all extents `?` being `tokens`.
double countMultiplyAdds(mlir::Operation *op, int64_t tokens);

/// Seconds that the reference needs for `op`, roughly.
double estimateReferenceSeconds(mlir::Operation *op, int64_t tokens);

/// Bytes of the arguments of `function`; of these and every value that the reference computes from them.
double estimateArgumentBytes(mlir::func::FuncOp function, int64_t tokens);
double estimateReferenceBytes(mlir::func::FuncOp function, int64_t tokens);

/// Rows out of `total` that the reference can compute in about so many seconds, where all would take `multiplyAdds`.
int64_t affordableRows(double multiplyAdds, int64_t total, double seconds);

/// True if every row of every value that depends on the token count depends on that row of the inputs alone. Counts, which are
/// of all rows, do not matter: nothing is computed from them.
bool hasIndependentTokens(mlir::func::FuncOp function);

/// How an operand of a kernel is cut down when only some rows of its results are wanted.
enum class Cut { none, rows, columns };

/// One per operand, if the rows of the kernel's results are independent of each other.
std::optional<std::vector<Cut>> cutsForRows(ffn::KernelOp kernel);

/// A module with a single function that computes what `kernel` computes; with `rows`, of that many rows, its operands
/// cut as `cutsForRows` says.
mlir::OwningOpRef<mlir::ModuleOp> isolateKernel(ffn::KernelOp kernel, std::optional<int64_t> rows);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_SAMPLING_H
