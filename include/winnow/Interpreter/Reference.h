//===- Reference.h - the arithmetic of docs/ffn-spec.md on tensors ------------------------------------------------===//
//
// One function per operation of the ffn dialect, without MLIR, so that the checks of a device result can use the same
// text as the interpreter. Each checks the shapes it is given and answers with an error that names both parties.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_REFERENCE_H
#define WINNOW_INTERPRETER_REFERENCE_H

#include "winnow/Interpreter/Tensor.h"
#include "winnow/Support/Result.h"

#include <functional>

namespace winnow::interp {

/// Which elements share one scale.
enum class ScaleGranularity { tensor, row, column };

struct MatmulOperands {
  const Tensor *lhs = nullptr; ///< may be 2:4 compressed along the reduction axis
  const Tensor *rhs = nullptr;
  const Tensor *lhsScale = nullptr; ///< f32 of rank 0 or 1, or absent
  const Tensor *rhsScale = nullptr;
  bool transposeLhs = false;
  bool transposeRhs = false;
};

/// round(acc * (lhs_scale * rhs_scale)). The sum runs in f64 over the reduction axis in ascending order, from +0.0, and
/// is rounded to f32 once; a compressed operand contributes at its kept positions only.
Result<Tensor> matmul(const MatmulOperands &operands, rt::ElementType element);

/// f(x) for every element, in f32, rounded to `element`.
Tensor mapElements(const Tensor &input, rt::ElementType element, const std::function<float(float)> &function);

/// The scale that dynamic quantisation to the f8 type `element` uses.
Result<Tensor> dynamicScale(const Tensor &input, ScaleGranularity granularity, rt::ElementType element);

/// saturate_round(x * (1 / scale)).
Result<Tensor> quantize(const Tensor &input, const Tensor &scale, ScaleGranularity granularity,
                        rt::ElementType element);

struct Sparsified {
  Tensor values;
  Tensor mask; ///< i1
};
/// The two of greatest magnitude of every four along `axis`; elements where `under` (may be null) is false count as
/// +0.0.
Result<Sparsified> sparsify(const Tensor &input, int axis, const Tensor *under);

/// Fails unless `mask` holds exactly two true values in every group of four along `axis` (of an incomplete group: two,
/// or one where only one element exists).
Result<Tensor> compress(const Tensor &values, const Tensor &mask, int axis);

/// The dense form of a compressed tensor.
Result<Tensor> decompress(const Tensor &input);

/// How many elements of every column are not zero, as i32: NaN is not, -0.0 is.
Result<Tensor> countNonzero(const Tensor &input);

/// Runs body(begin, end) over [0, count) on as many threads as there are cores, in pieces of at least `grain`.
void parallelFor(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)> &body);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_REFERENCE_H
