//===- TensorTest.cpp - storage and text of tensors ---------------------------------------------------------------===//

#include "winnow/Interpreter/Tensor.h"
#include "winnow/Interpreter/Reference.h"

#include <atomic>
#include <gtest/gtest.h>

using namespace winnow::interp;
using winnow::rt::ElementType;

namespace {

TEST(Tensor, StartsZeroAndHasTheBytesOfItsType) {
  struct {
    ElementType element;
    size_t bytes;
  } cases[] = {{ElementType::f32, 24},   {ElementType::bf16, 12},  {ElementType::f16, 12},
               {ElementType::f8e4m3, 6}, {ElementType::f8e5m2, 6}, {ElementType::i1, 6}};
  for (auto [element, bytes] : cases) {
    Tensor tensor(element, {2, 3});
    EXPECT_EQ(tensor.bytes().size(), bytes) << elementName(element);
    for (int64_t i = 0; i < tensor.count(); ++i)
      EXPECT_EQ(tensor.get(i), 0.0f);
  }
}

TEST(Tensor, SetRoundsToTheElementType) {
  Tensor bf16(ElementType::bf16, {2}), e4m3(ElementType::f8e4m3, {2}), mask(ElementType::i1, {2});
  bf16.set(1, 1.00390625f); // 1 + 2^-8, halfway
  EXPECT_EQ(bf16.get(1), 1.0f);
  e4m3.set(1, 1000.0f);
  EXPECT_EQ(e4m3.get(1), 448.0f);
  mask.set(1, 1.0f);
  EXPECT_EQ(mask.get(0), 0.0f);
  EXPECT_EQ(mask.bytes()[1], 1);
}

TEST(Tensor, TextOfTypes) {
  EXPECT_EQ(typeText(Tensor(ElementType::f32, {})), "f32");
  EXPECT_EQ(typeText(Tensor(ElementType::bf16, {3, 4})), "3x4xbf16");
  Tensor sparse(ElementType::f8e5m2, {4, 4});
  sparse.sparseAxis = 0;
  EXPECT_EQ(typeText(sparse), "4x4xf8E5M2 2:4 along 0");
  EXPECT_EQ(shapeText({-1, 8}), "?x8");
}

TEST(ParallelFor, CoversEveryIndexOnce) {
  for (int64_t count : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> seen(count);
    parallelFor(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        ++seen[i];
    });
    for (auto &times : seen)
      EXPECT_EQ(times.load(), 1);
  }
}

} // namespace
