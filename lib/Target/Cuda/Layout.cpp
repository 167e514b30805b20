//===- Layout.cpp - sizes of buffer layouts -----------------------------------------------------------------------===//

#include "winnow/Target/Cuda/Layout.h"

using namespace winnow;
using namespace winnow::cuda;

std::optional<rt::Extent> cuda::product(Count a, Count b) {
  if (a.isDynamic() && b.isDynamic())
    return std::nullopt;
  if (b.isDynamic())
    std::swap(a, b);
  a.factor *= b.evaluate(0);
  return a.toExtent();
}

std::optional<rt::Extent> cuda::rowMajorBytes(int64_t rows, int64_t columns, int64_t elementBytes) {
  return product({rows}, {columns, 1, elementBytes});
}

std::optional<rt::Extent> cuda::transposedBytes(int64_t rows, int64_t columns, int64_t elementBytes) {
  return product({rows, kPitchStep, kPitchStep}, {columns, 1, elementBytes});
}

std::optional<rt::Extent> cuda::packed24Bytes(int64_t rows, int64_t columns, int64_t elementBytes, int64_t axis,
                                              int64_t panel) {
  int64_t m = axis == 1 ? rows : columns, k = axis == 1 ? columns : rows;
  return product({m, panel, panel / 64}, {k, slabElements(elementBytes), packedBlockBytes(elementBytes)});
}
