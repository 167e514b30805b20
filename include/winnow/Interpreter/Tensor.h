//===- Tensor.h - values of the interpreter -----------------------------------------------------------------------===//
//
// Knows nothing of MLIR: the runtime's checks use it on machines without LLVM.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_TENSOR_H
#define WINNOW_INTERPRETER_TENSOR_H

#include "winnow/Runtime/Plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace winnow::interp {

/// A dense row-major tensor that owns its bytes, in the storage format of its element type (i1 takes a byte, 0 or 1),
/// or a 2:4 compressed one.
class Tensor {
public:
  Tensor() = default;
  /// Zero-filled. Extents are not negative.
  Tensor(rt::ElementType element, std::vector<int64_t> shape);

  rt::ElementType element() const { return elementType; }
  const std::vector<int64_t> &shape() const { return extents; }
  int64_t count() const;
  std::vector<uint8_t> &bytes() { return storage; }
  const std::vector<uint8_t> &bytes() const { return storage; }

  /// Element `index` (row-major) widened to f32, exact for every floating-point type and i1.
  float get(int64_t index) const;
  /// Stores `value` rounded to nearest even; f8 saturates (docs/ffn-spec.md, "Rounding"). i1 stores whether not zero.
  void set(int64_t index, float value);
  /// `size` elements from `index` on, as `get` gives them.
  void widen(int64_t index, int64_t size, float *out) const;
  /// Stores `size` elements from `index` on, as `set` does.
  void narrow(int64_t index, int64_t size, const float *values);

  /// 2:4 compressed along this axis, or -1 for a dense tensor. A compressed tensor keeps its logical shape in
  /// `shape()`; `bytes()` hold the dense form (dropped elements +0.0), `keepMask` a byte per element that is 1 where
  /// kept.
  int sparseAxis = -1;
  std::vector<uint8_t> keepMask;

private:
  rt::ElementType elementType = rt::ElementType::f32;
  std::vector<int64_t> extents;
  std::vector<uint8_t> storage;
};

using rt::elementBytes;
using rt::elementName;
bool isF8(rt::ElementType element);
/// The largest finite value of an f8 type: 448 or 57344.
float largestF8(rt::ElementType element);
/// "3x4", "scalar" for rank 0; -1 prints as "?".
std::string shapeText(const std::vector<int64_t> &shape);
/// "3x4xf32", "3x4xbf16 2:4 along 1"
std::string typeText(const Tensor &tensor);

/// Conversions of the specification, bit for bit what `cvt.rn.satfinite` (f8) and `cvt.rn` (bf16, f16) do on the device
/// (PTX ISA, "cvt"): round to nearest even; f8 saturates, infinities included; every NaN becomes 0x7F or 0x7FFF.
uint8_t toF8E4M3(float value);
uint8_t toF8E5M2(float value);
uint16_t toBF16(float value);
uint16_t toF16(float value);
float fromF8E4M3(uint8_t bits);
/// The values of all 256 codes, for loops over many.
const float *valuesOfF8E4M3();
float fromF8E5M2(uint8_t bits);
float fromBF16(uint16_t bits);
float fromF16(uint16_t bits);
/// `value` rounded to `element` and widened again.
float roundTo(rt::ElementType element, float value);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_TENSOR_H
