//===- Layout.h - sizes of buffer layouts -------------------------------------------------------------------------===//
//
// The arithmetic of docs/kernels.md, "Layouts", shared by the conversion, the schedule model, the plan and tests.
// Extents are static, or `kTokens` for the token count T. Knows nothing of MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TARGET_CUDA_LAYOUT_H
#define WINNOW_TARGET_CUDA_LAYOUT_H

#include "winnow/Runtime/Plan.h"

#include <optional>

namespace winnow::cuda {

/// An extent that is the token count.
inline constexpr int64_t kTokens = -1;

/// Bytes of K, before compression, that one stage of a GEMM reads.
inline constexpr int64_t kSlabBytes = 128;
/// Pitch granularity of a `transposed` buffer, in elements.
inline constexpr int64_t kPitchStep = 128;

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t roundUp(int64_t a, int64_t b) { return ceilDiv(a, b) * b; }

/// Elements of K per slab: 128 of f8, 64 of a 16-bit type.
inline int64_t slabElements(int64_t elementBytes) { return kSlabBytes / elementBytes; }

/// Bytes of a packed block: 64 rows x one slab; values, then 512 bytes of metadata per 64 elements of K.
inline int64_t packedBlockBytes(int64_t elementBytes) { return 4096 + 512 * (slabElements(elementBytes) / 64); }

/// ceil(extent / divisor) * factor, `extent` static or kTokens.
struct Count {
  int64_t extent;
  int64_t divisor = 1;
  int64_t factor = 1;

  bool isDynamic() const { return extent == kTokens; }
  int64_t evaluate(int64_t tokens) const { return ceilDiv(isDynamic() ? tokens : extent, divisor) * factor; }
  rt::Extent toExtent() const {
    return isDynamic() ? rt::Extent{divisor, factor, 0} : rt::Extent::constant(evaluate(0));
  }
};

/// a * b; none if both depend on the token count, which an Extent cannot express.
std::optional<rt::Extent> product(Count a, Count b);

/// Bytes of a rows x columns buffer; none if it is not linear in the token count.
std::optional<rt::Extent> rowMajorBytes(int64_t rows, int64_t columns, int64_t elementBytes);
std::optional<rt::Extent> transposedBytes(int64_t rows, int64_t columns, int64_t elementBytes);
std::optional<rt::Extent> packed24Bytes(int64_t rows, int64_t columns, int64_t elementBytes, int64_t axis,
                                        int64_t panel);

} // namespace winnow::cuda

#endif // WINNOW_TARGET_CUDA_LAYOUT_H
