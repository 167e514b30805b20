//===- Sparsify.cpp - the choice of two of four, compression ------------------------------------------------------===//

#include "winnow/Interpreter/Reference.h"

#include <algorithm>
#include <cstring>

namespace winnow::interp {
namespace {

/// The groups of four of a matrix along one axis; the last may be incomplete.
struct Groups {
  Groups(const Tensor &tensor, int axis)
      : lines(tensor.shape()[1 - axis]), extent(tensor.shape()[axis]), lineStride(axis == 1 ? extent : 1),
        stepStride(axis == 1 ? 1 : lines) {}

  /// Calls body(first, step, size): the elements first, first + step, … of each group. Stops early where body is false.
  template <typename Body> void forEach(int64_t beginLine, int64_t endLine, Body body) const {
    for (int64_t line = beginLine; line < endLine; ++line)
      for (int64_t begin = 0; begin < extent; begin += 4)
        if (!body(line * lineStride + begin * stepStride, stepStride,
                  static_cast<int>(std::min<int64_t>(4, extent - begin))))
          return;
  }

  int64_t lines, extent, lineStride, stepStride;
};

/// Orders values by magnitude: zeros of both signs lowest, infinity below NaN, all NaNs alike.
uint32_t magnitudeKey(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return std::min(bits & 0x7FFFFFFFu, 0x7F800001u); // the bits of non-negative floats are ordered as the floats are
}

/// The two largest of `size` <= 4 keys, lowest index first among equals, as a bit mask; what is missing counts as zero
/// and, standing last, never wins a tie.
unsigned chooseTwo(const uint32_t *keys, int size) {
  unsigned chosen = 0;
  for (int round = 0; round < std::min(2, size); ++round) {
    int best = -1;
    for (int i = 0; i < size; ++i)
      if (!(chosen >> i & 1) && (best < 0 || keys[i] > keys[best]))
        best = i;
    chosen |= 1u << best;
  }
  return chosen;
}

std::string position(int64_t index, int64_t columns) {
  return "[" + std::to_string(index / columns) + ", " + std::to_string(index % columns) + "]";
}

Status checkMask(const Tensor &mask, const char *name, const Tensor &values) {
  if (mask.element() != rt::ElementType::i1 || mask.shape() != values.shape())
    return Error{std::string(name) + " expects " + shapeText(values.shape()) + "xi1, the shape of the values, got " +
                 typeText(mask)};
  return {};
}

Status checkMatrix(const Tensor &tensor, int axis) {
  if (tensor.shape().size() != 2 || tensor.sparseAxis >= 0)
    return Error{"expects a dense matrix, got " + typeText(tensor)};
  if (axis != 0 && axis != 1)
    return Error{"expects axis 0 or 1, got " + std::to_string(axis)};
  return {};
}

} // namespace

Result<Sparsified> sparsify(const Tensor &input, int axis, const Tensor *under) {
  if (Status status = checkMatrix(input, axis); !status)
    return status.error();
  if (under)
    if (Status status = checkMask(*under, "the earlier mask", input); !status)
      return status.error();
  Sparsified result = {Tensor(input.element(), input.shape()), Tensor(rt::ElementType::i1, input.shape())};
  int64_t width = elementBytes(input.element());
  Groups groups(input, axis);
  parallelFor(groups.lines, std::max<int64_t>(1, (1 << 16) / std::max<int64_t>(groups.extent, 1)),
              [&](int64_t beginLine, int64_t endLine) {
                groups.forEach(beginLine, endLine, [&](int64_t first, int64_t step, int size) {
                  uint32_t keys[4];
                  bool visible[4];
                  for (int i = 0; i < size; ++i) {
                    int64_t index = first + i * step;
                    visible[i] = !under || under->bytes()[index];
                    keys[i] = visible[i] ? magnitudeKey(input.get(index)) : 0;
                  }
                  unsigned chosen = chooseTwo(keys, size);
                  for (int i = 0; i < size; ++i) {
                    if (!(chosen >> i & 1))
                      continue;
                    int64_t index = first + i * step;
                    result.mask.bytes()[index] = 1;
                    if (visible[i])
                      std::memcpy(result.values.bytes().data() + index * width, input.bytes().data() + index * width,
                                  width);
                  }
                  return true;
                });
              });
  return result;
}

Result<Tensor> compress(const Tensor &values, const Tensor &mask, int axis) {
  if (Status status = checkMatrix(values, axis); !status)
    return status.error();
  if (Status status = checkMask(mask, "the mask", values); !status)
    return status.error();
  Tensor result(values.element(), values.shape());
  result.sparseAxis = axis;
  result.keepMask = mask.bytes();
  int64_t width = elementBytes(values.element());
  std::string problem;
  Groups groups(values, axis);
  groups.forEach(0, groups.lines, [&](int64_t first, int64_t step, int size) {
    int kept = 0;
    for (int i = 0; i < size; ++i) {
      int64_t index = first + i * step;
      if (!mask.bytes()[index])
        continue;
      ++kept;
      std::memcpy(result.bytes().data() + index * width, values.bytes().data() + index * width, width);
    }
    if (kept == std::min(2, size))
      return true;
    problem = "the mask expects exactly " + std::to_string(std::min(2, size)) +
              " true values in every group of four along axis " + std::to_string(axis) + ", got " +
              std::to_string(kept) + " in the group at " + position(first, values.shape()[1]) +
              "; make the mask with ffn.sparsify along that axis";
    return false;
  });
  if (!problem.empty())
    return Error{problem};
  return result;
}

Result<Tensor> decompress(const Tensor &input) {
  if (input.sparseAxis < 0)
    return Error{"expects a 2:4 compressed matrix, got " + typeText(input)};
  Tensor result = input;
  result.sparseAxis = -1;
  result.keepMask.clear();
  return result;
}

} // namespace winnow::interp
