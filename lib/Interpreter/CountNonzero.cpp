//===- CountNonzero.cpp - non-zeros of every column ---------------------------------------------------------------===//

#include "winnow/Interpreter/Reference.h"

#include <cstring>

namespace winnow::interp {

Result<Tensor> countNonzero(const Tensor &input) {
  if (input.shape().size() != 2 || input.sparseAxis >= 0)
    return Error{"expects a dense matrix, got " + typeText(input)};
  int64_t rows = input.shape()[0], columns = input.shape()[1];
  std::vector<int32_t> counts(static_cast<size_t>(columns));
  std::vector<float> row(static_cast<size_t>(columns));
  for (int64_t i = 0; i < rows; ++i) {
    input.widen(i * columns, columns, row.data());
    for (int64_t j = 0; j < columns; ++j)
      counts[j] += row[j] != 0.0f; // true of NaN
  }
  Tensor result(rt::ElementType::i32, {columns});
  if (!counts.empty())
    std::memcpy(result.bytes().data(), counts.data(), result.bytes().size());
  return result;
}

} // namespace winnow::interp
