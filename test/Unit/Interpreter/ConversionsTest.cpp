//===- ConversionsTest.cpp - rounding against a search over all codes ---------------------------------------------===//
//
// The library rounds with integer shifts. Here the value of every code is written down with ldexp from the definition
// of the format, and the expected code is found by searching for the nearest value, ties to the even code.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Interpreter/Tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace winnow::interp;

namespace {

struct Format {
  const char *name;
  int exponentBits, mantissaBits;
  bool hasInfinity; ///< IEEE-like; otherwise only the all-ones code is NaN (e4m3fn)
  bool saturates;
  uint32_t (*narrow)(float);
  float (*widen)(uint32_t);
  uint32_t nan; ///< the code of every NaN

  int bias() const { return (1 << (exponentBits - 1)) - 1; }
  uint32_t sign() const { return 1u << (exponentBits + mantissaBits); }
  uint32_t infinity() const { return ((1u << exponentBits) - 1) << mantissaBits; }
  uint32_t largestFinite() const { return hasInfinity ? infinity() - 1 : sign() - 2; }

  double valueOf(uint32_t magnitude) const {
    int exponent = magnitude >> mantissaBits, mantissa = magnitude & ((1 << mantissaBits) - 1);
    if (exponent == 0)
      return std::ldexp(mantissa, 1 - bias() - mantissaBits);
    return std::ldexp((1 << mantissaBits) + mantissa, exponent - bias() - mantissaBits);
  }
};

const Format kFormats[] = {
    {"e4m3", 4, 3, false, true, [](float x) -> uint32_t { return toF8E4M3(x); },
     [](uint32_t b) { return fromF8E4M3(uint8_t(b)); }, 0x7F},
    {"e5m2", 5, 2, true, true, [](float x) -> uint32_t { return toF8E5M2(x); },
     [](uint32_t b) { return fromF8E5M2(uint8_t(b)); }, 0x7F},
    {"f16", 5, 10, true, false, [](float x) -> uint32_t { return toF16(x); },
     [](uint32_t b) { return fromF16(uint16_t(b)); }, 0x7FFF},
    {"bf16", 8, 7, true, false, [](float x) -> uint32_t { return toBF16(x); },
     [](uint32_t b) { return fromBF16(uint16_t(b)); }, 0x7FFF},
};

/// The code nearest to |value|, ties to even; past the largest finite value the format counts on as if it went on.
uint32_t searchCode(const Format &format, float value) {
  if (std::isnan(value))
    return format.nan;
  uint32_t sign = std::signbit(value) ? format.sign() : 0;
  double magnitude = std::fabs(double(value));
  uint32_t low = 0, high = format.largestFinite();
  if (magnitude >= format.valueOf(high)) {
    if (format.saturates)
      return sign | high;
    double half = format.valueOf(high) + (format.valueOf(high) - format.valueOf(high - 1)) / 2;
    return sign | (magnitude < half ? high : format.infinity()); // the tie goes to the even code, infinity
  }
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    (format.valueOf(middle) <= magnitude ? low : high) = middle;
  }
  double below = magnitude - format.valueOf(low), above = format.valueOf(high) - magnitude;
  bool up = below > above || (below == above && low % 2 == 1);
  return sign | (up ? high : low);
}

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

class Conversions : public testing::TestWithParam<Format> {
protected:
  void check(float value) {
    for (float x : {value, -value})
      ASSERT_EQ(GetParam().narrow(x), searchCode(GetParam(), x)) << "rounding " << x << " (bits " << bitsOf(x) << ")";
  }
};

TEST_P(Conversions, EveryCodeWidensToItsValue) {
  const Format &format = GetParam();
  for (uint32_t code = 0; code < 2 * format.sign(); ++code) {
    uint32_t magnitude = code & (format.sign() - 1);
    float value = format.widen(code);
    if (magnitude > (format.hasInfinity ? format.infinity() : format.largestFinite())) {
      EXPECT_TRUE(std::isnan(value)) << code;
      continue;
    }
    double expected = format.hasInfinity && magnitude == format.infinity() ? INFINITY : format.valueOf(magnitude);
    ASSERT_EQ(std::fabs(double(value)), expected) << code;
    ASSERT_EQ(std::signbit(value), (code & format.sign()) != 0) << code;
  }
}

TEST_P(Conversions, EveryFiniteCodeComesBack) {
  const Format &format = GetParam();
  for (uint32_t magnitude = 0; magnitude <= format.largestFinite(); ++magnitude)
    for (uint32_t code : {magnitude, magnitude | format.sign()})
      ASSERT_EQ(format.narrow(format.widen(code)), code);
}

TEST_P(Conversions, MidpointsAndTheirNeighbours) {
  const Format &format = GetParam();
  for (uint32_t code = 0; code < format.largestFinite(); ++code) {
    float middle = float((format.valueOf(code) + format.valueOf(code + 1)) / 2); // exact in f32
    check(middle);
    check(std::nextafter(middle, INFINITY));
    check(std::nextafter(middle, 0.0f));
    check(std::nextafter(format.widen(code), INFINITY));
    check(std::nextafter(format.widen(code + 1), 0.0f));
  }
}

TEST_P(Conversions, TiesGoToTheEvenCode) {
  const Format &format = GetParam();
  for (uint32_t code = 0; code < format.largestFinite(); ++code) {
    float middle = float((format.valueOf(code) + format.valueOf(code + 1)) / 2);
    ASSERT_EQ(format.narrow(middle) % 2, 0u) << middle;
  }
}

TEST_P(Conversions, OverflowInfinityAndNaN) {
  const Format &format = GetParam();
  float largest = format.widen(format.largestFinite());
  for (float value : {std::nextafter(largest, INFINITY), largest * 1.01f, 3.0e38f, 0x1.fffffep127f, INFINITY})
    check(value);
  EXPECT_EQ(format.narrow(INFINITY), format.saturates ? format.largestFinite() : format.infinity());
  EXPECT_EQ(format.narrow(-INFINITY), format.sign() | (format.saturates ? format.largestFinite() : format.infinity()));
  for (uint32_t bits : {0x7F800001u, 0x7FC00000u, 0xFFC00000u, 0xFFFFFFFFu})
    EXPECT_EQ(format.narrow(floatOf(bits)), format.nan);
}

TEST_P(Conversions, ZerosAndTinyValues) {
  const Format &format = GetParam();
  EXPECT_EQ(format.narrow(0.0f), 0u);
  EXPECT_EQ(format.narrow(-0.0f), format.sign());
  for (uint32_t bits : {1u, 2u, 0x7FFFu, 0x8000u, 0x8001u, 0x7FFFFFu, 0x800000u, 0x800001u})
    check(floatOf(bits));
}

TEST_P(Conversions, RandomBitPatterns) {
  std::mt19937 random(7);
  for (int i = 0; i < 200000; ++i)
    check(std::fabs(floatOf(random())));
}

INSTANTIATE_TEST_SUITE_P(AllFormats, Conversions, testing::ValuesIn(kFormats),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(ConversionConstants, KnownCodes) {
  EXPECT_EQ(toF8E4M3(448.0f), 0x7E);
  EXPECT_EQ(toF8E4M3(464.0f), 0x7E); // halfway to what would be 480
  EXPECT_EQ(toF8E4M3(1.0f), 0x38);
  EXPECT_EQ(toF8E4M3(0x1p-9f), 0x01);
  EXPECT_EQ(toF8E4M3(0x1p-10f), 0x00); // halfway, to even
  EXPECT_EQ(toF8E4M3(0x1.8p-10f), 0x01);
  EXPECT_EQ(toF8E5M2(57344.0f), 0x7B);
  EXPECT_EQ(toF8E5M2(1.0f), 0x3C);
  EXPECT_EQ(toBF16(1.0f), 0x3F80);
  EXPECT_EQ(toBF16(0x1.01p0f), 0x3F80); // halfway, to even
  EXPECT_EQ(toBF16(0x1.03p0f), 0x3F82);
  EXPECT_EQ(toF16(65504.0f), 0x7BFF);
  EXPECT_EQ(toF16(65520.0f), 0x7C00);
}

} // namespace
