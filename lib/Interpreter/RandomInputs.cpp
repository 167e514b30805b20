//===- RandomInputs.cpp - inputs for a function from a seed -------------------------------------------------------===//

#include "winnow/Interpreter/RandomInputs.h"

#include "winnow/Interpreter/Reference.h"

#include <algorithm>
#include <cmath>

namespace winnow::interp {
namespace {

/// SplitMix64 as a function of a counter, so that every element is drawn independently of the others and of the
/// threads.
uint64_t mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

class Stream {
public:
  Stream(uint64_t seed, uint64_t argument) : key(mix(mix(seed) + argument)) {}

  uint64_t bits(int64_t index) const { return mix(key + static_cast<uint64_t>(index) * 0x9E3779B97F4A7C15u); }
  /// In [0, 1).
  float uniform(int64_t index) const { return static_cast<float>(bits(index) >> 40) * 0x1p-24f; }
  /// About normal with deviation 1: the sum of four uniform 16-bit numbers, exact in f32, so equal on every machine.
  float normal(int64_t index) const {
    uint64_t draw = bits(index);
    int32_t sum = static_cast<int32_t>((draw & 0xFFFF) + (draw >> 16 & 0xFFFF) + (draw >> 32 & 0xFFFF) + (draw >> 48)) -
                  2 * 0xFFFF;
    return static_cast<float>(sum) * (1.7320508f * 0x1p-16f);
  }

private:
  uint64_t key;
};

/// The deviation at which about normal values (at most 2 * sqrt(3) deviations) just fill the range of an f8 type.
float f8Deviation(rt::ElementType element) { return largestF8(element) / 3.5f; }

template <typename Draw> void fill(Tensor &tensor, Draw draw) {
  parallelFor(tensor.count(), 1 << 18, [&](int64_t begin, int64_t end) {
    for (; begin < end; begin += 1024) {
      float buffer[1024];
      int64_t size = std::min<int64_t>(1024, end - begin);
      for (int64_t i = 0; i < size; ++i)
        buffer[i] = draw(begin + i);
      tensor.narrow(begin, size, buffer);
    }
  });
}

/// A mask that keeps two of every four along `axis`, of an incomplete group as many as there are, at most two.
Tensor randomMask(std::vector<int64_t> shape, int axis, const Stream &stream) {
  Tensor keys(rt::ElementType::f32, shape);
  fill(keys, [&](int64_t i) { return stream.uniform(i) + 1.0f; });
  Result<Sparsified> chosen = sparsify(keys, axis, nullptr);
  return chosen ? std::move(chosen->mask) : Tensor(rt::ElementType::i1, shape);
}

void makeSpecialRows(Tensor &tensor) {
  int64_t rows = tensor.shape()[0], columns = tensor.shape()[1];
  if (columns == 0)
    return;
  auto fillRow = [&](int64_t row, auto value) {
    for (int64_t column = 0; row < rows && column < columns; ++column)
      tensor.set(row * columns + column, value(column));
  };
  fillRow(0, [](int64_t) { return 0.0f; });
  fillRow(1, [](int64_t) { return -0.0f; });
  if (rows > 2)
    tensor.set(2 * columns + columns / 2, NAN);
  if (rows > 3)
    tensor.set(3 * columns + columns / 3, INFINITY);
  fillRow(4, [](int64_t column) { return column % 2 ? 0x1p-122f : -0x1p-123f; });
}

void fillScale(Tensor &tensor, const InputType *before, bool exact, const Stream &stream) {
  if (exact)
    return fill(tensor, [&](int64_t i) { return std::ldexp(1.0f, -static_cast<int>(stream.bits(i) % 4)); });
  float center = 1.0f / 16;
  if (before && isF8(before->element) && before->shape.size() == 2)
    center =
        1.0f / (f8Deviation(before->element) * std::sqrt(static_cast<float>(std::max<int64_t>(1, before->shape[1]))));
  fill(tensor, [&](int64_t i) { return center * (0.75f + 0.5f * stream.uniform(i)); });
}

void fillMatrix(Tensor &tensor, bool isWeight, bool exact, const Stream &stream) {
  if (exact) // -2 … 2, and half of them zero: 2^22 products of two stay below 2^24
    return fill(tensor, [&](int64_t i) {
      uint64_t draw = stream.bits(i);
      return draw & 1 ? 0.0f : static_cast<float>(static_cast<int>(draw >> 8 & 0xFF) % 5 - 2);
    });
  float deviation = 1.0f;
  if (isF8(tensor.element()))
    deviation = f8Deviation(tensor.element());
  else if (isWeight && tensor.shape().size() == 2)
    deviation = 1.0f / std::sqrt(static_cast<float>(std::max<int64_t>(1, tensor.shape()[1])));
  fill(tensor, [&](int64_t i) { return deviation * stream.normal(i); });
}

Status checkShape(const InputType &type, const std::vector<int64_t> &shape) {
  double bytes = static_cast<double>(elementBytes(type.element));
  for (int64_t extent : shape) {
    if (extent < 0)
      return Error{"input '" + type.name + "' expects extents that are not negative, got " + shapeText(shape)};
    bytes *= static_cast<double>(extent);
  }
  if (bytes > 0x1p40)
    return Error{"input '" + type.name + "' of " + shapeText(shape) + " does not fit in memory; use fewer tokens"};
  return {};
}

} // namespace

Result<std::vector<Tensor>> randomInputs(const std::vector<InputType> &types, const RandomOptions &options) {
  std::vector<Tensor> tensors;
  for (size_t argument = 0; argument < types.size(); ++argument) {
    const InputType &type = types[argument];
    std::vector<int64_t> shape = type.shape;
    std::replace(shape.begin(), shape.end(), int64_t(-1), options.tokens);
    if (Status status = checkShape(type, shape); !status)
      return status.error();
    Stream stream(options.seed, argument);
    if (type.element == rt::ElementType::i1) {
      if (shape.size() != 2)
        return Error{"input '" + type.name + "' expects a mask of rank 2, got " + shapeText(shape)};
      tensors.push_back(randomMask(shape, shape[1] % 4 == 0 ? 1 : 0, stream));
      continue;
    }
    Tensor tensor(type.element, shape);
    bool isMatrix = shape.size() == 2;
    if (isMatrix)
      fillMatrix(tensor, type.isWeight, options.exact, stream);
    else
      fillScale(tensor, argument > 0 ? &types[argument - 1] : nullptr, options.exact, stream);
    if (options.specialRows && isMatrix && !type.isWeight && !isF8(type.element))
      makeSpecialRows(tensor);
    if (type.sparseAxis >= 0) {
      Result<Tensor> compressed =
          compress(tensor, randomMask(shape, type.sparseAxis, Stream(options.seed, ~argument)), type.sparseAxis);
      if (!compressed)
        return Error{"input '" + type.name + "': " + compressed.message()};
      tensor = std::move(*compressed);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

} // namespace winnow::interp
