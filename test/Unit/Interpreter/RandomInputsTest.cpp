//===- RandomInputsTest.cpp - inputs from a seed ------------------------------------------------------------------===//

#include "winnow/Interpreter/RandomInputs.h"
#include "TestTensors.h"
#include "winnow/Interpreter/Reference.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace winnow::interp;
using winnow::Result;
using winnow::rt::ElementType;

namespace {

std::vector<Tensor> draw(const std::vector<InputType> &types, RandomOptions options = {}) {
  Result<std::vector<Tensor>> tensors = randomInputs(types, options);
  EXPECT_TRUE(tensors.ok()) << tensors.message();
  return tensors ? std::move(*tensors) : std::vector<Tensor>();
}

double deviation(const Tensor &tensor) {
  double squares = 0.0;
  for (float value : valuesOf(tensor))
    squares += double(value) * value;
  return std::sqrt(squares / double(tensor.count()));
}

const InputType kX = {"x", ElementType::bf16, {-1, 64}};
const InputType kWeight = {"w", ElementType::f8e4m3, {128, 64}, true};
const InputType kScale = {"s", ElementType::f32, {128}, true};

TEST(RandomInputs, SameSeedSameBitsOtherSeedOthers) {
  RandomOptions options;
  options.tokens = 8;
  options.seed = 5;
  std::vector<Tensor> first = draw({kX, kWeight, kScale}, options), second = draw({kX, kWeight, kScale}, options);
  for (size_t i = 0; i < first.size(); ++i)
    EXPECT_EQ(first[i].bytes(), second[i].bytes());
  EXPECT_EQ(first[0].bytes(), draw({kX}, options)[0].bytes());
  options.seed = 6;
  EXPECT_NE(first[0].bytes(), draw({kX}, options)[0].bytes());
}

TEST(RandomInputs, MoreTokensKeepTheFirstRows) {
  RandomOptions few, many;
  few.tokens = 3;
  many.tokens = 9;
  std::vector<uint8_t> a = draw({kX}, few)[0].bytes(), b = draw({kX}, many)[0].bytes();
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
}

TEST(RandomInputs, RealisticMagnitudes) {
  RandomOptions options;
  options.tokens = 128;
  std::vector<Tensor> tensors = draw({kX, kWeight, kScale}, options);
  EXPECT_NEAR(deviation(tensors[0]), 1.0, 0.05);
  EXPECT_NEAR(deviation(tensors[1]), 128.0, 10.0);
  float largest = 0.0f;
  for (float value : valuesOf(tensors[1]))
    largest = std::fmax(largest, std::fabs(value));
  EXPECT_GE(largest, 0.85f * 448.0f); // the range is filled
  MatmulOperands operands;
  operands.lhs = &tensors[0];
  operands.rhs = &tensors[1];
  operands.rhsScale = &tensors[2];
  operands.transposeRhs = true;
  EXPECT_NEAR(deviation(*matmul(operands, ElementType::f32)), 1.0, 0.2);
  for (float scale : valuesOf(tensors[2]))
    EXPECT_GT(scale, 0.0f);
}

TEST(RandomInputs, ExactModeIsSmallIntegersAndPowersOfTwo) {
  RandomOptions options;
  options.tokens = 16;
  options.exact = true;
  std::vector<Tensor> tensors = draw({kX, kWeight, kScale}, options);
  for (int i : {0, 1})
    for (float value : valuesOf(tensors[i])) {
      EXPECT_EQ(value, std::round(value));
      EXPECT_LE(std::fabs(value), 2.0f);
    }
  for (float value : valuesOf(tensors[2])) {
    int exponent;
    EXPECT_EQ(std::frexp(value, &exponent), 0.5f);
  }
  EXPECT_GT(deviation(tensors[1]), 0.0);
}

TEST(RandomInputs, SpecialRows) {
  RandomOptions options;
  options.tokens = 5;
  options.specialRows = true;
  Tensor x = draw({kX}, options)[0];
  for (int column = 0; column < 64; ++column) {
    EXPECT_EQ(x.get(column), 0.0f);
    EXPECT_FALSE(std::signbit(x.get(column)));
    EXPECT_TRUE(x.get(64 + column) == 0.0f && std::signbit(x.get(64 + column)));
    EXPECT_LT(std::fabs(x.get(4 * 64 + column)), 0x1p-121f);
    EXPECT_GT(std::fabs(x.get(4 * 64 + column)), 0.0f);
  }
  EXPECT_TRUE(std::isnan(x.get(2 * 64 + 32)));
  EXPECT_TRUE(std::isinf(x.get(3 * 64 + 21)));
  options.tokens = 1;
  EXPECT_EQ(draw({kX}, options)[0].get(0), 0.0f);
}

TEST(RandomInputs, MasksAndCompressedInputsAreTwoOfFour) {
  RandomOptions options;
  options.tokens = 6;
  std::vector<Tensor> tensors = draw({{"m", ElementType::i1, {-1, 64}},
                                      {"c", ElementType::f8e4m3, {-1, 64}, false, 1},
                                      {"d", ElementType::bf16, {-1, 3}, false, 0}},
                                     options);
  Tensor values(ElementType::bf16, {6, 64});
  EXPECT_TRUE(compress(values, tensors[0], 1).ok());
  EXPECT_EQ(tensors[1].sparseAxis, 1);
  EXPECT_EQ(tensors[2].sparseAxis, 0);
}

TEST(RandomInputs, Errors) {
  RandomOptions options;
  options.tokens = int64_t(1) << 40;
  EXPECT_EQ(randomInputs({kX}, options).message(),
            "input 'x' of 1099511627776x64 does not fit in memory; use fewer tokens");
  EXPECT_EQ(randomInputs({{"m", ElementType::i1, {4}}}, {}).message(), "input 'm' expects a mask of rank 2, got 4");
}

} // namespace
