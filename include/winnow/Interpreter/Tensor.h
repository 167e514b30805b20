//===- Tensor.h - values of the interpreter -----------------------------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_TENSOR_H
#define WINNOW_INTERPRETER_TENSOR_H

#include "winnow/Runtime/Plan.h"

#include <cstdint>
#include <vector>

namespace winnow::interp {

/// A dense row-major tensor that owns its bytes, in the storage format of its element type (i1 takes a byte), or a 2:4
/// compressed one.
class Tensor {
public:
  Tensor() = default;
  /// Zero-filled.
  Tensor(rt::ElementType element, std::vector<int64_t> shape);

  rt::ElementType element() const { return elementType; }
  const std::vector<int64_t> &shape() const { return extents; }
  int64_t count() const;
  std::vector<uint8_t> &bytes() { return storage; }
  const std::vector<uint8_t> &bytes() const { return storage; }

  /// Element `index` (row-major) widened to f32, exact for every element type.
  float get(int64_t index) const;
  /// Stores `value` rounded to nearest even; f8 saturates (docs/ffn-spec.md, "Rounding").
  void set(int64_t index, float value);

  /// 2:4 compressed along this axis, or -1 for a dense tensor. A compressed tensor keeps its logical shape in `shape()`;
  /// `bytes()` hold the dense form (dropped elements +0.0), `keepMask()` a byte per element that is 1 where kept.
  int sparseAxis = -1;
  std::vector<uint8_t> keepMask;

private:
  rt::ElementType elementType = rt::ElementType::f32;
  std::vector<int64_t> extents;
  std::vector<uint8_t> storage;
};

/// Bytes of one element (i1: 1).
int64_t elementBytes(rt::ElementType element);
const char *elementName(rt::ElementType element);

/// Conversions of the specification, bit for bit what `cvt.rn.satfinite` and `cvt.rn` do on the device.
uint8_t toF8E4M3(float value);
uint8_t toF8E5M2(float value);
uint16_t toBF16(float value);
uint16_t toF16(float value);
float fromF8E4M3(uint8_t bits);
float fromF8E5M2(uint8_t bits);
float fromBF16(uint16_t bits);
float fromF16(uint16_t bits);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_TENSOR_H
