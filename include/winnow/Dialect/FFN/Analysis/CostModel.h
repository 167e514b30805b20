//===- CostModel.h - dense or 2:4, by predicted time --------------------------------------------------------------===//
//
// A pure function of a problem and a chip: no MLIR, no state, so that every decision can be unit-tested and explained.
// A product takes as long as its slowest part (the tensor cores, over whole tiles in whole waves, device memory, or the
// way from L2 into shared memory) and the epilogues, during which the tensor cores wait. The kernel that prepares the
// left operand (activation, selection, quantisation) is counted with it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_ANALYSIS_COSTMODEL_H
#define WINNOW_DIALECT_FFN_ANALYSIS_COSTMODEL_H

#include "winnow/Target/ChipTable.h"

#include <cstdint>
#include <string>
#include <vector>

namespace winnow::ffn {

enum class Precision { f8, b16, f32 };

/// One matrix product, M x K times K x N, and what is known of its left operand.
struct ProductProblem {
  int64_t m = 0, n = 0, k = 0;
  Precision precision = Precision::f8;
  bool kIsDynamic = false; ///< K is the token count: completed with zeros to a group of four
  double density = 1.0;    ///< expected fraction of the elements of lhs that are not zero
  double drop = 0.0;       ///< expected fraction of its non-zero elements that 2:4 loses
  double maxDrop = 0.0;    ///< the greatest such fraction allowed
  bool selected = false;   ///< lhs already is 2:4 along K: nothing more is lost
  bool lhsStored =
      false; ///< lhs lies in memory ready for the dense product; only 2:4 would need a kernel to prepare it
  int64_t sourceBytes = 2;    ///< per element of the matrix from which lhs is prepared
  int64_t outBytes = 2;       ///< per element of the result
  bool compressesOut = false; ///< the epilogue selects two of four and writes a compressed result
};

/// What one kernel, or a chain of them, is predicted to take.
struct Prediction {
  double seconds = 0;
  double bytes = 0; ///< moved to and from device memory
  double flops = 0; ///< logical: 2 * M * N * K
  bool memoryBound = false;
};

/// Why a product is dense or sparse; stable, for tests and remarks.
enum class Cause { target, elementType, shape, axis, notSparse, dropForbidden, dropTooLarge, cost, faster, given };
const char *stringifyCause(Cause cause);

struct ProductDecision {
  bool sparse = false;
  Cause cause = Cause::cost;
  std::string reason;     ///< one sentence with the numbers that decided
  Prediction dense;       ///< preparation of lhs and product
  Prediction sparseTotal; ///< the same for 2:4
};

/// The product by itself.
Prediction predictProduct(const ProductProblem &problem, bool sparse, const Chip &chip);

/// A map of so many elements that reads and writes so many bytes.
Prediction predictMap(double elements, double bytes, const Chip &chip);

/// The kernel that prepares lhs; zero where none is needed.
Prediction predictPreparation(const ProductProblem &problem, bool sparse, const Chip &chip);

/// Dense or 2:4. Never chooses 2:4 where it is not legal or loses more than is allowed.
ProductDecision decideProduct(const ProductProblem &problem, const Chip &chip);

/// Expected fraction of the non-zero elements that keeping two of four loses, if each element is non-zero with
/// probability `density`, independently: p^2 - p^3 / 2.
double expectedDrop(double density);

/// The same with one density per feature. Groups run across features (`alongFeatures`: token-wise) or across tokens of
/// one feature (feature-wise).
double expectedDrop(const std::vector<double> &profile, bool alongFeatures);

} // namespace winnow::ffn

#endif // WINNOW_DIALECT_FFN_ANALYSIS_COSTMODEL_H
