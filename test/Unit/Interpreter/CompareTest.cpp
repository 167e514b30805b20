//===- CompareTest.cpp - how far two tensors are apart ------------------------------------------------------------===//

#include "winnow/Interpreter/Compare.h"
#include "TestTensors.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace winnow::interp;
using winnow::rt::ElementType;

namespace {

Tensor row(std::vector<float> values) {
  int64_t size = values.size();
  return makeTensor(ElementType::f32, {1, size}, std::move(values));
}

TEST(Compare, IdenticalIncludingNaNs) {
  Tensor a = row({1, NAN, INFINITY, -0.0f}), b = row({1, -NAN, INFINITY, -0.0f});
  Comparison result = *compare(a, b);
  EXPECT_TRUE(result.identical());
  EXPECT_EQ(result.maxAbsolute, 0.0);
  EXPECT_EQ(result.relative, 0.0);
  EXPECT_EQ(describe(result, a, b), "identical (4 elements)");
}

TEST(Compare, Errors) {
  Tensor a = row({3, 4.5f, 0}), b = row({3, 4, 0});
  Comparison result = *compare(a, b);
  EXPECT_EQ(result.bitMismatches, 1);
  EXPECT_EQ(result.firstMismatch, 1);
  EXPECT_EQ(result.worst, 1);
  EXPECT_EQ(result.maxAbsolute, 0.5);
  EXPECT_EQ(result.maxExpected, 4.0);
  EXPECT_DOUBLE_EQ(result.relative, 0.1);
  EXPECT_EQ(describe(result, a, b),
            "1 of 3 elements differ, first at [0, 1]: expected 4, got 4.5; max error 0.5, relative error 0.1");
}

TEST(Compare, ZerosOfDifferentSignDifferInBitsOnly) {
  Comparison result = *compare(row({0.0f}), row({-0.0f}));
  EXPECT_EQ(result.bitMismatches, 1);
  EXPECT_EQ(result.maxAbsolute, 0.0);
}

TEST(Compare, NaNOnOneSideAndInfinities) {
  Comparison result = *compare(row({NAN, 1, INFINITY}), row({1, NAN, 2}));
  EXPECT_EQ(result.nanMismatches, 2);
  EXPECT_EQ(result.bitMismatches, 3);
  EXPECT_EQ(result.maxAbsolute, INFINITY);
}

TEST(Compare, ExpectedAllZero) { EXPECT_EQ(compare(row({1}), row({0}))->relative, INFINITY); }

TEST(Compare, CompressedPositionsCount) {
  Tensor a(ElementType::bf16, {1, 4});
  a.sparseAxis = 1;
  Tensor b = a;
  a.keepMask = {1, 1, 0, 0};
  b.keepMask = {1, 0, 1, 0};
  Comparison result = *compare(a, b);
  EXPECT_EQ(result.bitMismatches, 2);
  EXPECT_NE(describe(result, a, b).find("(expected to be dropped, was kept)"), std::string::npos);
}

TEST(Compare, TypesMustAgree) {
  EXPECT_EQ(compare(row({1}), Tensor(ElementType::bf16, {1, 1})).message(), "expects 1x1xbf16, got 1x1xf32");
}

TEST(Compare, IndexText) {
  EXPECT_EQ(indexText(7, {2, 4}), "[1, 3]");
  EXPECT_EQ(indexText(0, {}), "[]");
}

} // namespace
