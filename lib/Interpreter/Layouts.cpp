//===- Layouts.cpp - tensors to and from the kernels' memory layouts ----------------------------------------------===//

#include "winnow/Interpreter/Layouts.h"

#include "winnow/Interpreter/Reference.h"

#include <algorithm>
#include <cstring>
#include <mutex>

using namespace winnow;
using namespace winnow::interp;

static int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

static constexpr int64_t kTransposedPitch = 128; ///< `transposed`: rows are rounded up to this
static constexpr int64_t kBlockRows = 64;        ///< packed24: rows of a block
static constexpr int64_t kBlockValueBytes = 4096;
static constexpr int64_t kUnit = 64; ///< packed24: elements of K that one metadata word per thread speaks of

namespace {
/// Where things lie in a packed24 buffer: A is M x K, K compressed.
class Packed24 {
public:
  Packed24(const rt::Buffer &buffer, const std::vector<int64_t> &shape)
      : elementBytes(interp::elementBytes(buffer.element)), axis(buffer.sparseAxis), panel(buffer.panel),
        columns(shape[1]), m(axis == 1 ? shape[0] : shape[1]), k(axis == 1 ? shape[1] : shape[0]) {}

  int64_t slabElements() const { return 128 / elementBytes; }
  int64_t units() const { return slabElements() / kUnit; }
  int64_t blockBytes() const { return kBlockValueBytes + 512 * units(); }
  int64_t slabs() const { return (k + slabElements() - 1) / slabElements(); }
  int64_t paddedM() const { return roundUp(m, panel); }
  int64_t paddedK() const { return slabs() * slabElements(); }
  int64_t bytes() const { return paddedM() / kBlockRows * slabs() * blockBytes(); }

  int64_t block(int64_t row, int64_t position) const {
    int64_t blocksPerPanel = panel / kBlockRows;
    int64_t panelIndex = row / panel, blockInPanel = row % panel / kBlockRows, slab = position / slabElements();
    return ((panelIndex * slabs() + slab) * blocksPerPanel + blockInPanel) * blockBytes();
  }
  /// Byte offset of kept value `which` (0 or 1) of the group of four that starts at `position`.
  int64_t value(int64_t row, int64_t position, int64_t which) const {
    int64_t column = (position % slabElements() / 2 + which) * elementBytes;
    int64_t r = row % kBlockRows;
    return block(row, position) + column / 16 * 1024 + r / 8 * 128 + r % 8 * 16 + column % 16;
  }
  /// Byte that holds the nibble of the group, and the nibble's shift in it. Row 16w + i of a block belongs to the four
  /// threads 32w + 4 * (i % 8) + 0..3, which hold a word per 64 elements of K. f8: two threads have a run of 32
  /// elements, one for each half of the 16 rows. 16-bit: two threads have 16 elements each, of both rows.
  std::pair<int64_t, int> metadata(int64_t row, int64_t position) const {
    int64_t r = row % kBlockRows, p = position % slabElements();
    int64_t unit = p / kUnit, run = p % kUnit / 32, nibble = p % 32 / 4, upper = r % 16 / 8;
    int64_t thread = r / 16 * 32 + r % 8 * 4 + run * 2 + (elementBytes == 1 ? upper : nibble / 4);
    int64_t byte = elementBytes == 1 ? nibble / 2 : 2 * upper + nibble % 4 / 2;
    int64_t word = block(row, position) + kBlockValueBytes + thread * 4 * units() + 4 * unit;
    return {word + byte, static_cast<int>(nibble % 2 * 4)};
  }
  /// Row-major index in the tensor of element (row, position) of A.
  int64_t index(int64_t row, int64_t position) const {
    return axis == 1 ? row * columns + position : position * columns + row;
  }

  int64_t elementBytes, axis, panel, columns, m, k;
};
} // namespace

std::vector<int64_t> interp::shapeAt(const rt::Buffer &buffer, int64_t tokens) {
  std::vector<int64_t> shape = buffer.shape;
  for (int64_t &extent : shape)
    if (extent < 0)
      extent = tokens;
  return shape;
}

int64_t interp::layoutBytes(const rt::Buffer &buffer, const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  switch (buffer.layout) {
  case rt::Layout::rowMajor:
    return count * elementBytes(buffer.element);
  case rt::Layout::transposed:
    return roundUp(shape[0], kTransposedPitch) * shape[1] * elementBytes(buffer.element);
  case rt::Layout::packed24:
    return Packed24(buffer, shape).bytes();
  }
  return 0;
}

namespace {
/// The error of the first line, in order, that has one; lines are decoded by several threads.
class FirstError {
public:
  void set(int64_t line, std::string message) {
    std::lock_guard<std::mutex> lock(mutex);
    if (first < 0 || line < first) {
      first = line;
      text = std::move(message);
    }
  }
  Result<Tensor> orElse(Tensor tensor) const {
    if (first >= 0)
      return Error{text};
    return tensor;
  }

private:
  std::mutex mutex;
  int64_t first = -1;
  std::string text;
};
} // namespace

/// Lines of so many elements that one thread should take at once.
static int64_t linesPerThread(int64_t elements) {
  return std::max<int64_t>(1, (1 << 16) / std::max<int64_t>(elements, 1));
}

static Result<Tensor> decodeTransposed(const rt::Buffer &buffer, const std::vector<int64_t> &shape,
                                       const std::vector<uint8_t> &bytes) {
  Tensor tensor(buffer.element, shape);
  int64_t size = elementBytes(buffer.element), rows = shape[0], columns = shape[1];
  int64_t pitch = roundUp(rows, kTransposedPitch);
  FirstError error;
  auto decodeColumn = [&](int64_t c) {
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(&tensor.bytes()[(r * columns + c) * size], &bytes[(c * pitch + r) * size], size);
    for (int64_t b = (c * pitch + rows) * size; b < (c + 1) * pitch * size; ++b)
      if (bytes[b] != 0)
        return error.set(c, "buffer '" + buffer.name + "': expected zero padding after row " +
                                std::to_string(rows - 1) + " of column " + std::to_string(c) + ", got byte " +
                                std::to_string(bytes[b]));
  };
  parallelFor(columns, linesPerThread(rows), [&](int64_t begin, int64_t end) {
    for (; begin < end; ++begin)
      decodeColumn(begin);
  });
  return error.orElse(std::move(tensor));
}

static Result<Tensor> decodePacked(const rt::Buffer &buffer, const std::vector<int64_t> &shape,
                                   const std::vector<uint8_t> &bytes) {
  Packed24 packed(buffer, shape);
  Tensor tensor(buffer.element, shape);
  tensor.sparseAxis = static_cast<int>(packed.axis);
  tensor.keepMask.assign(tensor.count(), 0);
  int64_t size = packed.elementBytes;
  FirstError error;
  auto decodeRow = [&](int64_t row) {
    for (int64_t group = 0; group < packed.paddedK(); group += 4) {
      auto [byte, shift] = packed.metadata(row, group);
      int pair = bytes[byte] >> shift & 15, positions[2] = {pair & 3, pair >> 2};
      if (positions[0] >= positions[1])
        return error.set(row, "buffer '" + buffer.name +
                                  "': expected an ordered pair of positions in the metadata of row " +
                                  std::to_string(row) + ", group at " + std::to_string(group) + ", got " +
                                  std::to_string(positions[0]) + ", " + std::to_string(positions[1]));
      for (int which = 0; which < 2; ++which) {
        const uint8_t *value = &bytes[packed.value(row, group, which)];
        int64_t position = group + positions[which];
        if (position < packed.k) {
          int64_t index = packed.index(row, position);
          std::memcpy(&tensor.bytes()[index * size], value, size);
          tensor.keepMask[index] = 1;
        } else if (std::any_of(value, value + size, [](uint8_t b) { return b != 0; })) {
          return error.set(row, "buffer '" + buffer.name + "': expected a zero at position " +
                                    std::to_string(position) + " of row " + std::to_string(row) + ", which is padding");
        }
      }
    }
  };
  parallelFor(packed.m, linesPerThread(packed.k), [&](int64_t begin, int64_t end) {
    for (; begin < end; ++begin)
      decodeRow(begin);
  });
  return error.orElse(std::move(tensor));
}

Result<Tensor> interp::decode(const rt::Buffer &buffer, int64_t tokens, const std::vector<uint8_t> &bytes) {
  std::vector<int64_t> shape = shapeAt(buffer, tokens);
  int64_t expected = layoutBytes(buffer, shape);
  if (static_cast<int64_t>(bytes.size()) < expected)
    return Error{"buffer '" + buffer.name + "': expected " + std::to_string(expected) + " bytes, got " +
                 std::to_string(bytes.size())};
  switch (buffer.layout) {
  case rt::Layout::transposed:
    return decodeTransposed(buffer, shape, bytes);
  case rt::Layout::packed24:
    return decodePacked(buffer, shape, bytes);
  case rt::Layout::rowMajor:
    break;
  }
  Tensor tensor(buffer.element, shape);
  std::copy_n(bytes.begin(), expected, tensor.bytes().begin());
  return tensor;
}

/// Fills `positions` with the two kept positions of a group: those that the mask keeps, completed by the lowest
/// positions that lie in the padding.
static bool keptPositions(const Packed24 &packed, const Tensor &tensor, int64_t row, int64_t group, int positions[2]) {
  int found = 0;
  for (int i = 0; i < 4; ++i) {
    if (group + i < packed.k && !tensor.keepMask[packed.index(row, group + i)])
      continue;
    if (group + i >= packed.k && found == 2)
      break;
    if (found == 2)
      return false;
    positions[found++] = i;
  }
  return found == 2;
}

static Result<std::vector<uint8_t>> encodePacked(const rt::Buffer &buffer, const Tensor &tensor) {
  Packed24 packed(buffer, tensor.shape());
  if (tensor.sparseAxis != packed.axis)
    return Error{"buffer '" + buffer.name + "': expected a tensor compressed along axis " +
                 std::to_string(packed.axis) + ", got axis " + std::to_string(tensor.sparseAxis)};
  std::vector<uint8_t> bytes(packed.bytes(), 0);
  for (int64_t row = 0; row < packed.paddedM(); ++row)
    for (int64_t group = 0; group < packed.paddedK(); group += 4) {
      int positions[2] = {0, 1};
      if (row < packed.m && !keptPositions(packed, tensor, row, group, positions))
        return Error{"buffer '" + buffer.name + "': expected two kept values in the group at " + std::to_string(group) +
                     " of row " + std::to_string(row)};
      auto [byte, shift] = packed.metadata(row, group);
      bytes[byte] |= static_cast<uint8_t>((positions[0] | positions[1] << 2) << shift);
      for (int which = 0; which < 2; ++which)
        if (int64_t position = group + positions[which]; row < packed.m && position < packed.k)
          std::memcpy(&bytes[packed.value(row, group, which)],
                      &tensor.bytes()[packed.index(row, position) * packed.elementBytes], packed.elementBytes);
    }
  return bytes;
}

Result<std::vector<uint8_t>> interp::encode(const rt::Buffer &buffer, int64_t tokens, const Tensor &tensor) {
  if (tensor.shape() != shapeAt(buffer, tokens) || tensor.element() != buffer.element)
    return Error{"buffer '" + buffer.name + "': the tensor does not have its shape and element type"};
  if (buffer.layout == rt::Layout::packed24)
    return encodePacked(buffer, tensor);
  if (buffer.layout == rt::Layout::rowMajor)
    return tensor.bytes();
  int64_t size = elementBytes(buffer.element), rows = tensor.shape()[0], columns = tensor.shape()[1];
  int64_t pitch = roundUp(rows, kTransposedPitch);
  std::vector<uint8_t> bytes(pitch * columns * size, 0);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      std::memcpy(&bytes[(c * pitch + r) * size], &tensor.bytes()[(r * columns + c) * size], size);
  return bytes;
}
