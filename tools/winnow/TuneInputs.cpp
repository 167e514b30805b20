//===- TuneInputs.cpp - random arguments of any size, soon --------------------------------------------------------===//
//
// Drawn for tune, which measures time: what the numbers are matters little, that they are not all alike does.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TuneInputs.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace winnow;
using namespace winnow::tool;

/// `tensor` once and again until there are as many rows as `shape` has.
static interp::TensorRef repeatRows(const interp::Tensor &tensor, const std::vector<int64_t> &shape) {
  auto repeated = std::make_shared<interp::Tensor>(tensor.element(), shape);
  const std::vector<uint8_t> &from = tensor.bytes();
  std::vector<uint8_t> &to = repeated->bytes();
  for (size_t offset = 0; offset < to.size(); offset += from.size())
    std::copy_n(from.begin(), std::min(from.size(), to.size() - offset), to.begin() + static_cast<int64_t>(offset));
  return repeated;
}

Result<std::vector<interp::TensorRef>> tool::drawArguments(const std::vector<interp::InputType> &types,
                                                           const KeptArguments &kept,
                                                           const interp::RandomOptions &random, int64_t tokens) {
  constexpr int64_t kMostDrawn = int64_t(1) << 22;
  std::vector<interp::InputType> drawn = types;
  for (auto [index, type] : llvm::enumerate(drawn)) {
    std::replace(type.shape.begin(), type.shape.end(), int64_t(-1), tokens);
    if (kept.count(static_cast<unsigned>(index)))
      type = {type.name, rt::ElementType::f32, {1}, false, -1};
    else if (type.shape.size() == 2 && type.sparseAxis < 0 && type.shape[1] > 0)
      type.shape[0] = std::min(type.shape[0], std::max<int64_t>(kMostDrawn / type.shape[1], 1));
  }
  interp::RandomOptions options = random;
  options.tokens = tokens;
  Result<std::vector<interp::Tensor>> values = interp::randomInputs(drawn, options);
  if (!values)
    return values.error();
  std::vector<interp::TensorRef> arguments;
  for (auto [type, value] : llvm::zip_equal(types, *values)) {
    std::vector<int64_t> shape = type.shape;
    std::replace(shape.begin(), shape.end(), int64_t(-1), tokens);
    auto given = kept.find(static_cast<unsigned>(arguments.size()));
    if (given != kept.end())
      arguments.push_back(given->second);
    else
      arguments.push_back(shape == value.shape() ? std::make_shared<interp::Tensor>(std::move(value))
                                                 : repeatRows(value, shape));
  }
  return arguments;
}
