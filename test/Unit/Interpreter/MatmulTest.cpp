//===- MatmulTest.cpp - the blocked product against three nested loops --------------------------------------------===//

#include "TestTensors.h"
#include "winnow/Interpreter/Reference.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace winnow::interp;
using winnow::Result;
using winnow::rt::ElementType;

namespace {

/// The definition, element by element.
Tensor nestedLoops(const MatmulOperands &o, ElementType element) {
  auto at = [](const Tensor &t, bool transposed, int64_t i, int64_t j) {
    return transposed ? t.get(j * t.shape()[1] + i) : t.get(i * t.shape()[1] + j);
  };
  auto scale = [](const Tensor *t, int64_t i) { return !t ? 1.0f : t->get(t->shape().empty() ? 0 : i); };
  int64_t m = o.lhs->shape()[o.transposeLhs], k = o.lhs->shape()[!o.transposeLhs], n = o.rhs->shape()[!o.transposeRhs];
  Tensor result(element, {m, n});
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (int64_t step = 0; step < k; ++step) {
        int64_t index = o.transposeLhs ? step * m + i : i * k + step;
        if (o.lhs->sparseAxis >= 0 && !o.lhs->keepMask[index])
          continue;
        sum += double(at(*o.lhs, o.transposeLhs, i, step)) * double(at(*o.rhs, o.transposeRhs, step, j));
      }
      float factor = scale(o.lhsScale, i) * scale(o.rhsScale, j);
      result.set(i * n + j, float(sum) * factor);
    }
  return result;
}

TEST(Matmul, AgreesWithNestedLoopsForEveryShapeAndTransposition) {
  int64_t sizes[][3] = {{1, 1, 1}, {3, 5, 7}, {4, 32, 128}, {5, 33, 129}, {300, 40, 260}, {257, 1, 300}};
  unsigned seed = 1;
  for (auto [m, n, k] : sizes)
    for (int variant = 0; variant < 16; ++variant) {
      MatmulOperands operands;
      operands.transposeLhs = variant & 1;
      operands.transposeRhs = variant & 2;
      auto lhsShape = operands.transposeLhs ? std::vector<int64_t>{k, m} : std::vector<int64_t>{m, k};
      auto rhsShape = operands.transposeRhs ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n};
      Tensor lhs = randomTensor(ElementType::f8e4m3, lhsShape, seed++),
             rhs = randomTensor(ElementType::f8e5m2, rhsShape, seed++);
      Tensor rowScale = randomTensor(ElementType::f32, {m}, seed++),
             number = randomTensor(ElementType::f32, {}, seed++);
      Tensor columnScale = randomTensor(ElementType::f32, {n}, seed++);
      operands.lhs = &lhs;
      operands.rhs = &rhs;
      operands.lhsScale = variant & 4 ? &rowScale : &number;
      operands.rhsScale = variant & 8 ? &columnScale : nullptr;
      Result<Tensor> result = matmul(operands, ElementType::f32);
      ASSERT_TRUE(result.ok()) << result.message();
      EXPECT_EQ(result->bytes(), nestedLoops(operands, ElementType::f32).bytes())
          << m << "x" << n << "x" << k << " " << variant;
    }
}

TEST(Matmul, CompressedOperandContributesAtKeptPositionsOnly) {
  Tensor dense = makeTensor(ElementType::bf16, {1, 4}, {1, 2, 3, 4});
  Tensor mask = makeTensor(ElementType::i1, {1, 4}, {0, 1, 0, 1});
  Result<Tensor> lhs = compress(dense, mask, 1);
  ASSERT_TRUE(lhs.ok()) << lhs.message();
  Tensor rhs = makeTensor(ElementType::bf16, {4, 1}, {INFINITY, 10, NAN, 1});
  MatmulOperands operands;
  operands.lhs = &*lhs;
  operands.rhs = &rhs;
  EXPECT_EQ(valuesOf(*matmul(operands, ElementType::f32)), std::vector<float>{24});
}

TEST(Matmul, ZeroTimesInfinityIsVisible) {
  Tensor lhs = makeTensor(ElementType::bf16, {1, 2}, {0, 1});
  Tensor rhs = makeTensor(ElementType::bf16, {2, 1}, {INFINITY, 1});
  MatmulOperands operands;
  operands.lhs = &lhs;
  operands.rhs = &rhs;
  EXPECT_TRUE(std::isnan(matmul(operands, ElementType::f32)->get(0)));
}

TEST(Matmul, SumIsRoundedToF32OnceAndScalesMultiplyFirst) {
  // 2^24 + 1 + 1: summed in f32 the ones would vanish.
  Tensor lhs = makeTensor(ElementType::f32, {1, 3}, {16777216.0f, 1, 1}),
         rhs = makeTensor(ElementType::f32, {3, 1}, {1, 1, 1});
  Tensor large = makeTensor(ElementType::f32, {}, {0x1p100f}), small = makeTensor(ElementType::f32, {1}, {0x1p-100f});
  MatmulOperands operands;
  operands.lhs = &lhs;
  operands.rhs = &rhs;
  EXPECT_EQ(matmul(operands, ElementType::f32)->get(0), 16777218.0f);
  operands.lhsScale = &large; // sum * 2^100 * 2^100 would overflow before a third factor brought it back
  operands.rhsScale = &small;
  EXPECT_EQ(matmul(operands, ElementType::f32)->get(0), 16777218.0f);
}

TEST(Matmul, EmptyReductionGivesZero) {
  Tensor lhs(ElementType::bf16, {2, 0}), rhs(ElementType::bf16, {0, 3});
  MatmulOperands operands;
  operands.lhs = &lhs;
  operands.rhs = &rhs;
  EXPECT_EQ(valuesOf(*matmul(operands, ElementType::f32)), std::vector<float>(6, 0.0f));
}

TEST(Matmul, ErrorsNameBothParties) {
  Tensor lhs(ElementType::bf16, {2, 3}), rhs(ElementType::bf16, {4, 5}), scale(ElementType::f32, {3});
  MatmulOperands operands;
  operands.lhs = &lhs;
  operands.rhs = &rhs;
  EXPECT_EQ(matmul(operands, ElementType::f32).message(),
            "expects equal reduction extents, got 3 on the left (2x3xbf16) and 4 on the right (4x5xbf16)");
  Tensor fitting(ElementType::bf16, {3, 5});
  operands.rhs = &fitting;
  operands.lhsScale = &scale;
  EXPECT_EQ(matmul(operands, ElementType::f32).message(),
            "lhs_scale expects f32 of rank 0 or M = 2 elements, got 3xf32");
}

} // namespace
