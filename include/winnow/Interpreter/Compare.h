//===- Compare.h - how far two tensors are apart ------------------------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_COMPARE_H
#define WINNOW_INTERPRETER_COMPARE_H

#include "winnow/Interpreter/Tensor.h"
#include "winnow/Support/Result.h"

namespace winnow::interp {

struct Comparison {
  int64_t count = 0; ///< elements compared
  double maxAbsolute =
      0.0; ///< largest |a - b|; equal infinities differ by 0, an infinity from anything else by infinity
  double maxExpected = 0.0;   ///< largest finite |b|
  double relative = 0.0;      ///< ‖a − b‖ / ‖b‖ in f64; 0 where both are zero, infinite where only ‖b‖ is
  int64_t bitMismatches = 0;  ///< elements whose bits differ; two NaNs are equal
  int64_t nanMismatches = 0;  ///< elements of which exactly one is NaN; they count in no error above
  int64_t firstMismatch = -1; ///< row-major index of the first element whose bits differ
  int64_t worst = -1;         ///< row-major index of the element of `maxAbsolute`, if that is not 0

  bool identical() const { return bitMismatches == 0; }
};

/// Compares `actual` with `expected`; fails where shapes, element types or sparse axes differ. Of compressed tensors
/// the positions count as well: a differing position is a bit mismatch.
Result<Comparison> compare(const Tensor &actual, const Tensor &expected);

/// "[3, 17]" for a row-major index into `shape`.
std::string indexText(int64_t index, const std::vector<int64_t> &shape);

/// One line: "identical (4096 elements)" or what differs, where first, and by how much.
std::string describe(const Comparison &comparison, const Tensor &actual, const Tensor &expected);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_COMPARE_H
