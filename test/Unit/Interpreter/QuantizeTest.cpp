//===- QuantizeTest.cpp - scales and quantisation at their edges --------------------------------------------------===//

#include "TestTensors.h"
#include "winnow/Interpreter/Reference.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace winnow::interp;
using winnow::Result;
using winnow::rt::ElementType;

namespace {

std::vector<float> scales(const Tensor &input, ScaleGranularity granularity,
                          ElementType element = ElementType::f8e4m3) {
  Result<Tensor> scale = dynamicScale(input, granularity, element);
  EXPECT_TRUE(scale.ok()) << scale.message();
  return valuesOf(*scale);
}

TEST(DynamicScale, TakesTheLargestMagnitudeOfItsElements) {
  Tensor input = makeTensor(ElementType::f32, {2, 2}, {448, -896, 0.25f, 224});
  EXPECT_EQ(scales(input, ScaleGranularity::row), (std::vector<float>{2, 0.5f}));
  EXPECT_EQ(scales(input, ScaleGranularity::column), (std::vector<float>{1, 2}));
  EXPECT_EQ(scales(input, ScaleGranularity::tensor), std::vector<float>{2});
  EXPECT_EQ(scales(input, ScaleGranularity::tensor, ElementType::f8e5m2), std::vector<float>{896.0f / 57344.0f});
}

TEST(DynamicScale, EdgesOfAmax) {
  Tensor input = makeTensor(ElementType::f32, {5, 2}, {0, -0.0f, 0x1p-140f, 0, 1, NAN, NAN, 7, -INFINITY, 1});
  std::vector<float> result = scales(input, ScaleGranularity::row);
  EXPECT_EQ(result[0], 1.0f);      // all zero
  EXPECT_EQ(result[1], 0x1p-126f); // tiny
  EXPECT_TRUE(std::isnan(result[2]));
  EXPECT_TRUE(std::isnan(result[3]));
  EXPECT_EQ(result[4], INFINITY);
}

TEST(Quantize, MultipliesByTheReciprocal) {
  // Division would give other codes for some of these: values whose quotient lies halfway between two codes.
  int different = 0;
  for (float scale = 1.0f; scale < 200.0f; scale += 2.0f) {
    float value = scale * 1.0625f;
    Result<Tensor> result =
        quantize(makeTensor(ElementType::f32, {1, 1}, {value}), makeTensor(ElementType::f32, {}, {scale}),
                 ScaleGranularity::tensor, ElementType::f8e4m3);
    ASSERT_TRUE(result.ok()) << result.message();
    EXPECT_EQ(result->bytes()[0], toF8E4M3(value * (1.0f / scale)));
    different += toF8E4M3(value / scale) != result->bytes()[0];
  }
  EXPECT_GT(different, 0);
}

TEST(Quantize, SaturatesAndKeepsNaNAndTheSignOfZero) {
  Tensor input = makeTensor(ElementType::f32, {1, 6}, {1000, -1000, INFINITY, NAN, -0.0f, 1});
  Tensor scale = makeTensor(ElementType::f32, {1}, {0.5f});
  Result<Tensor> result = quantize(input, scale, ScaleGranularity::row, ElementType::f8e4m3);
  ASSERT_TRUE(result.ok()) << result.message();
  EXPECT_EQ(result->bytes(), (std::vector<uint8_t>{0x7E, 0xFE, 0x7E, 0x7F, 0x80, 0x40}));
}

TEST(Quantize, UsesTheScaleOfRowOrColumn) {
  Tensor input = makeTensor(ElementType::bf16, {2, 2}, {4, 4, 4, 4}), scale = makeTensor(ElementType::f32, {2}, {1, 4});
  EXPECT_EQ(valuesOf(*quantize(input, scale, ScaleGranularity::row, ElementType::f8e5m2)),
            (std::vector<float>{4, 4, 1, 1}));
  EXPECT_EQ(valuesOf(*quantize(input, scale, ScaleGranularity::column, ElementType::f8e5m2)),
            (std::vector<float>{4, 1, 4, 1}));
}

TEST(Quantize, WrongScaleShape) {
  Tensor input(ElementType::bf16, {2, 4}), scale(ElementType::f32, {4});
  EXPECT_EQ(quantize(input, scale, ScaleGranularity::row, ElementType::f8e4m3).message(),
            "expects a scale of shape 2 and type f32 by row for 2x4xbf16, got 4xf32");
}

} // namespace
