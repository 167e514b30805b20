//===- Conversions.cpp - rounding to and widening from the narrow floating-point types ----------------------------===//
//
// Integer arithmetic throughout, so that the result depends on neither the rounding mode nor flush-to-zero.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Interpreter/Tensor.h"

#include <cstring>

namespace winnow::interp {
namespace {

/// A binary floating-point format with IEEE-like subnormals. `overflow` is the magnitude code that replaces every
/// larger one, `nan` the code of every NaN.
struct Format {
  int mantissaBits;
  int bias;
  uint32_t overflow;
  uint32_t nan;
  uint32_t sign;
};

constexpr Format kE4M3 = {3, 7, 0x7E, 0x7F, 0x80};
constexpr Format kE5M2 = {2, 15, 0x7B, 0x7F, 0x80};
constexpr Format kF16 = {10, 15, 0x7C00, 0x7FFF, 0x8000};
constexpr Format kBF16 = {7, 127, 0x7F80, 0x7FFF, 0x8000};

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// `value` shifted right by `shift` >= 1, rounded to nearest, ties to even.
uint32_t shiftRounded(uint32_t value, int shift) {
  if (shift > 31)
    return 0;
  uint32_t half = 1u << (shift - 1);
  return (value + half - 1 + ((value >> shift) & 1)) >> shift;
}

template <const Format &format> uint32_t narrowBits(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) // NaN: the sign is dropped too
    return format.nan;
  uint32_t sign = (bits >> 31) * format.sign;
  constexpr int drop = 23 - format.mantissaBits;
  constexpr int rebias = 127 - format.bias;
  uint32_t code;
  int exponent = static_cast<int>(magnitude >> 23);
  if (exponent > rebias) {
    code = shiftRounded(magnitude - (static_cast<uint32_t>(rebias) << 23), drop);
  } else { // subnormal in the narrow format; rounding up may carry into the smallest normal, whose code follows
    uint32_t mantissa = (magnitude & 0x7FFFFFu) | (exponent > 0 ? 0x800000u : 0u);
    code = shiftRounded(mantissa, drop + rebias + 1 - (exponent > 0 ? exponent : 1));
  }
  return sign | (code > format.overflow ? format.overflow : code);
}

template <const Format &format> float widenBits(uint32_t bits) {
  uint32_t magnitude = bits & (format.sign - 1);
  uint32_t sign = bits & format.sign ? 0x80000000u : 0;
  constexpr uint32_t one = 1u << format.mantissaBits;
  int exponent = static_cast<int>(magnitude >> format.mantissaBits);
  uint32_t mantissa = magnitude & (one - 1);
  if (exponent > 0)
    return floatOf(sign | ((static_cast<uint32_t>(exponent + 127 - format.bias) << 23) +
                           (mantissa << (23 - format.mantissaBits))));
  // A subnormal of these formats is a normal f32: mantissa * 2^(1 - bias - mantissaBits).
  float scaled =
      static_cast<float>(mantissa) * floatOf(static_cast<uint32_t>(127 + 1 - format.bias - format.mantissaBits) << 23);
  return floatOf(sign | bitsOf(scaled));
}

struct E4M3Table {
  float values[256];
  E4M3Table() {
    for (uint32_t code = 0; code < 256; ++code)
      values[code] = (code & 0x7F) == 0x7F ? floatOf(0x7FFFFFFFu) : widenBits<kE4M3>(code);
  }
};

} // namespace

uint8_t toF8E4M3(float value) { return static_cast<uint8_t>(narrowBits<kE4M3>(value)); }
uint8_t toF8E5M2(float value) { return static_cast<uint8_t>(narrowBits<kE5M2>(value)); }
uint16_t toF16(float value) { return static_cast<uint16_t>(narrowBits<kF16>(value)); }

uint16_t toBF16(float value) {
  uint32_t bits = bitsOf(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
    return static_cast<uint16_t>(kBF16.nan);
  // bf16 has the exponents of f32: infinity and subnormals come out of the same addition.
  return static_cast<uint16_t>(((bits >> 31) << 15) | shiftRounded(bits & 0x7FFFFFFFu, 16));
}

const float *valuesOfF8E4M3() {
  static const E4M3Table table;
  return table.values;
}

float fromF8E4M3(uint8_t bits) { return valuesOfF8E4M3()[bits]; }

float fromF8E5M2(uint8_t bits) { return fromF16(static_cast<uint16_t>(bits << 8)); }
float fromBF16(uint16_t bits) { return floatOf(static_cast<uint32_t>(bits) << 16); }

float fromF16(uint16_t bits) {
  if ((bits & 0x7C00u) == 0x7C00u) // infinity or NaN, payload kept
    return floatOf((bits & 0x8000u) << 16 | 0x7F800000u | (bits & 0x3FFu) << 13);
  return widenBits<kF16>(bits);
}

} // namespace winnow::interp
