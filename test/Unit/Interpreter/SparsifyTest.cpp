//===- SparsifyTest.cpp - the choice of two of four ---------------------------------------------------------------===//

#include "TestTensors.h"
#include "winnow/Interpreter/Reference.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace winnow::interp;
using winnow::Result;
using winnow::rt::ElementType;

namespace {

std::vector<float> maskOf(std::vector<float> group) {
  int64_t size = group.size();
  Result<Sparsified> result = sparsify(makeTensor(ElementType::f32, {1, size}, std::move(group)), 1, nullptr);
  EXPECT_TRUE(result.ok()) << result.message();
  return valuesOf(result->mask);
}

using Mask = std::vector<float>;

TEST(Sparsify, KeepsTheTwoLargestMagnitudes) { EXPECT_EQ(maskOf({1, -5, 3, 2}), (Mask{0, 1, 1, 0})); }
TEST(Sparsify, TiesGoToTheLowestIndex) {
  EXPECT_EQ(maskOf({1, -1, 1, 1}), (Mask{1, 1, 0, 0}));
  EXPECT_EQ(maskOf({1, 2, -1, 1}), (Mask{1, 1, 0, 0}));
  EXPECT_EQ(maskOf({0, 2, 2, -2}), (Mask{0, 1, 1, 0}));
}
TEST(Sparsify, ZerosOfBothSignsAreEqual) {
  EXPECT_EQ(maskOf({0, -0.0f, 0, 0}), (Mask{1, 1, 0, 0}));
  EXPECT_EQ(maskOf({0, -0.0f, 5, -0.0f}), (Mask{1, 0, 1, 0}));
}
TEST(Sparsify, NaNIsLargestAndAllNaNsAlike) {
  EXPECT_EQ(maskOf({INFINITY, NAN, INFINITY, 1}), (Mask{1, 1, 0, 0}));
  EXPECT_EQ(maskOf({1, -NAN, NAN, NAN}), (Mask{0, 1, 1, 0}));
  EXPECT_EQ(maskOf({INFINITY, 3e38f, NAN, NAN}), (Mask{0, 0, 1, 1}));
}
TEST(Sparsify, IncompleteGroupsAreCompletedWithZeros) {
  EXPECT_EQ(maskOf({4, 3, 2, 1, 0}), (Mask{1, 1, 0, 0, 1}));
  EXPECT_EQ(maskOf({0, 0, 1}), (Mask{1, 0, 1}));
  EXPECT_EQ(maskOf({1, 2}), (Mask{1, 1}));
}

TEST(Sparsify, AlongTokens) {
  Tensor input = makeTensor(ElementType::bf16, {4, 2}, {1, 8, 2, 7, 3, 6, 4, 5});
  Result<Sparsified> result = sparsify(input, 0, nullptr);
  EXPECT_EQ(valuesOf(result->values), (std::vector<float>{0, 8, 0, 7, 3, 0, 4, 0}));
}

TEST(Sparsify, UnderAnEarlierMask) {
  Tensor input = makeTensor(ElementType::f32, {1, 4}, {9, 1, 8, 2}),
         under = makeTensor(ElementType::i1, {1, 4}, {0, 1, 0, 0});
  Result<Sparsified> result = sparsify(input, 1, &under);
  EXPECT_EQ(valuesOf(result->values), (std::vector<float>{0, 1, 0, 0}));
  EXPECT_EQ(valuesOf(result->mask), (Mask{1, 1, 0, 0}));
}

TEST(Sparsify, KeptNegativeZeroStays) {
  Result<Sparsified> result = sparsify(makeTensor(ElementType::bf16, {1, 4}, {-0.0f, -0.0f, -0.0f, 0}), 1, nullptr);
  EXPECT_EQ(result->values.bytes(), (std::vector<uint8_t>{0, 0x80, 0, 0x80, 0, 0, 0, 0}));
}

TEST(Compress, KeepsValuesUnderTheMaskAndComesBack) {
  Tensor values = makeTensor(ElementType::f8e4m3, {1, 4}, {1, 2, 3, 4}),
         mask = makeTensor(ElementType::i1, {1, 4}, {1, 0, 0, 1});
  Result<Tensor> compressed = compress(values, mask, 1);
  ASSERT_TRUE(compressed.ok()) << compressed.message();
  EXPECT_EQ(compressed->sparseAxis, 1);
  EXPECT_EQ(valuesOf(*decompress(*compressed)), (std::vector<float>{1, 0, 0, 4}));
}

TEST(Compress, RejectsAMaskThatIsNotTwoOfFour) {
  Tensor values(ElementType::bf16, {1, 8}), mask = makeTensor(ElementType::i1, {1, 8}, {1, 1, 0, 0, 1, 1, 1, 0});
  EXPECT_EQ(
      compress(values, mask, 1).message(),
      "the mask expects exactly 2 true values in every group of four along axis 1, got 3 in the group at [0, 4]; make "
      "the mask with ffn.sparsify along that axis");
}

TEST(Compress, IncompleteGroups) {
  Tensor values(ElementType::bf16, {5, 1}), mask = makeTensor(ElementType::i1, {5, 1}, {1, 1, 0, 0, 1});
  EXPECT_TRUE(compress(values, mask, 0).ok());
  mask.set(4, 0);
  EXPECT_FALSE(compress(values, mask, 0).ok());
}

TEST(Compress, WrongMaskShape) {
  Tensor values(ElementType::bf16, {1, 8}), mask(ElementType::i1, {1, 4});
  EXPECT_EQ(compress(values, mask, 1).message(), "the mask expects 1x8xi1, the shape of the values, got 1x4xi1");
}

} // namespace
