//===- LayoutTest.cpp - sizes of layouts and the instruction table ------------------------------------------------===//

#include "winnow/Target/Cuda/Layout.h"
#include "winnow/Target/Cuda/InstructionTable.h"

#include <gtest/gtest.h>

using namespace winnow;
using namespace winnow::cuda;

namespace {

constexpr int64_t kTokenCounts[] = {1, 3, 4, 63, 64, 65, 127, 128, 129, 255, 256, 257, 777, 4096, 8191, 100000};

/// Counts blocks one by one, as docs/kernels.md lays them out.
int64_t countPackedBytes(int64_t m, int64_t k, int64_t elementBytes, int64_t panel) {
  int64_t slab = 128 / elementBytes, block = 64 * 64 + 512 * (slab / 64), bytes = 0;
  for (int64_t row = 0; row < m; row += panel)
    for (int64_t column = 0; column < k; column += slab)
      for (int64_t inner = 0; inner < panel; inner += 64)
        bytes += block;
  return bytes;
}

TEST(Layout, BlocksHaveTheDocumentedSizes) {
  EXPECT_EQ(packedBlockBytes(1), 5120);
  EXPECT_EQ(packedBlockBytes(2), 4608);
}

TEST(Layout, PackedBytesCountEveryBlock) {
  for (int64_t tokens : kTokenCounts)
    for (int64_t elementBytes : {1, 2})
      for (int64_t panel : {64, 128, 256}) {
        EXPECT_EQ(packed24Bytes(kTokens, 15680, elementBytes, 1, panel)->evaluate(tokens),
                  countPackedBytes(tokens, 15680, elementBytes, panel));
        EXPECT_EQ(packed24Bytes(kTokens, 4480, elementBytes, 0, panel)->evaluate(tokens),
                  countPackedBytes(4480, tokens, elementBytes, panel));
      }
}

TEST(Layout, TransposedRowsArePadded) {
  for (int64_t tokens : kTokenCounts) {
    int64_t pitch = tokens;
    while (pitch % 128 != 0)
      ++pitch;
    EXPECT_EQ(transposedBytes(kTokens, 100, 2)->evaluate(tokens), 100 * pitch * 2);
    EXPECT_EQ(transposedBytes(200, kTokens, 1)->evaluate(tokens), tokens * 256);
  }
}

TEST(Layout, TwoDynamicExtentsAreNotLinear) {
  EXPECT_FALSE(rowMajorBytes(kTokens, kTokens, 1).has_value());
  EXPECT_FALSE(packed24Bytes(kTokens, kTokens, 1, 1, 64).has_value());
  EXPECT_TRUE(rowMajorBytes(7, 9, 4).has_value());
  EXPECT_EQ(rowMajorBytes(7, 9, 4)->evaluate(123), 252);
}

TEST(InstructionTable, SparseInstructionsTakeTwiceTheDepth) {
  using rt::ElementType;
  for (ElementType lhs : {ElementType::f8e4m3, ElementType::f8e5m2, ElementType::bf16, ElementType::f16})
    for (ElementType rhs : {ElementType::f8e4m3, ElementType::f8e5m2, ElementType::bf16, ElementType::f16}) {
      const MmaInstruction *dense = findInstruction(false, lhs, rhs), *sparse = findInstruction(true, lhs, rhs);
      bool legal = lhs == rhs || (elementBytes(lhs) == 1 && elementBytes(rhs) == 1);
      ASSERT_EQ(dense != nullptr, legal);
      ASSERT_EQ(sparse != nullptr, legal);
      if (!legal)
        continue;
      EXPECT_EQ(dense->k * elementBytes(lhs), 32); // PTX ISA: 256 bits of K
      EXPECT_EQ(sparse->k, 2 * dense->k);
      EXPECT_EQ(dense->transposeImmediates, elementBytes(lhs) == 2);
      EXPECT_EQ(dense->selector, SelectorRule::none);
      EXPECT_EQ(sparse->selector, elementBytes(lhs) == 2 ? SelectorRule::alternate : SelectorRule::zero);
    }
  EXPECT_EQ(findInstruction(false, ElementType::f32, ElementType::f32), nullptr);
}

TEST(InstructionTable, MnemonicsAreThoseOfThePtxIsa) {
  const MmaInstruction *f8 = findInstruction(true, rt::ElementType::f8e4m3, rt::ElementType::f8e5m2);
  EXPECT_EQ(mnemonic(*f8, 192), "wgmma.mma_async.sp.sync.aligned.m64n192k64.f32.e4m3.e5m2");
  const MmaInstruction *b16 = findInstruction(false, rt::ElementType::bf16, rt::ElementType::bf16);
  EXPECT_EQ(mnemonic(*b16, 128), "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16");
}

} // namespace
