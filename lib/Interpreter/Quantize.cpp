//===- Quantize.cpp - element-wise functions, scales and quantisation ---------------------------------------------===//

#include "winnow/Interpreter/Reference.h"

#include <algorithm>
#include <cmath>

namespace winnow::interp {
namespace {

constexpr int64_t kChunk = 1024;

const char *granularityName(ScaleGranularity granularity) {
  switch (granularity) {
  case ScaleGranularity::tensor:
    return "tensor";
  case ScaleGranularity::row:
    return "row";
  case ScaleGranularity::column:
    return "column";
  }
  return "unknown";
}

std::vector<int64_t> scaleShape(const Tensor &input, ScaleGranularity granularity) {
  if (granularity == ScaleGranularity::tensor)
    return {};
  return {input.shape()[granularity == ScaleGranularity::row ? 0 : 1]};
}

Status checkInput(const Tensor &input, rt::ElementType element) {
  if (input.shape().size() != 2 || input.sparseAxis >= 0)
    return Error{"expects a dense matrix, got " + typeText(input)};
  if (!isF8(element))
    return Error{std::string("expects element f8E4M3FN or f8E5M2, got ") + elementName(element)};
  return {};
}

/// Calls body(index, row, column, value) for every element in row-major order.
template <typename Body> void forEachElement(const Tensor &input, Body body) {
  int64_t rows = input.shape()[0], columns = input.shape()[1];
  float buffer[kChunk];
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t begin = 0; begin < columns; begin += kChunk) {
      int64_t size = std::min(kChunk, columns - begin);
      input.widen(row * columns + begin, size, buffer);
      for (int64_t i = 0; i < size; ++i)
        body(row * columns + begin + i, row, begin + i, buffer[i]);
    }
}

int64_t scaleIndex(ScaleGranularity granularity, int64_t row, int64_t column) {
  return granularity == ScaleGranularity::tensor ? 0 : granularity == ScaleGranularity::row ? row : column;
}

} // namespace

Tensor mapElements(const Tensor &input, rt::ElementType element, const std::function<float(float)> &function) {
  Tensor result(element, input.shape());
  parallelFor(input.count(), 1 << 18, [&](int64_t begin, int64_t end) {
    float buffer[kChunk];
    for (; begin < end; begin += kChunk) {
      int64_t size = std::min(kChunk, end - begin);
      input.widen(begin, size, buffer);
      for (int64_t i = 0; i < size; ++i)
        buffer[i] = function(buffer[i]);
      result.narrow(begin, size, buffer);
    }
  });
  return result;
}

Result<Tensor> dynamicScale(const Tensor &input, ScaleGranularity granularity, rt::ElementType element) {
  if (Status status = checkInput(input, element); !status)
    return status.error();
  Tensor scale(rt::ElementType::f32, scaleShape(input, granularity));
  std::vector<float> amax(scale.count(), 0.0f);
  forEachElement(input, [&](int64_t, int64_t row, int64_t column, float value) {
    float &entry = amax[scaleIndex(granularity, row, column)];
    if (std::isnan(entry) || std::fabs(value) <= entry)
      return; // NaN compares false, so it always gets through, and stays
    entry = std::fabs(value);
  });
  for (float &entry : amax) {
    if (entry == 0.0f)
      entry = 1.0f;
    else if (!std::isnan(entry))
      entry = std::max(entry / largestF8(element), 0x1p-126f);
  }
  scale.narrow(0, scale.count(), amax.data());
  return scale;
}

Result<Tensor> quantize(const Tensor &input, const Tensor &scale, ScaleGranularity granularity,
                        rt::ElementType element) {
  if (Status status = checkInput(input, element); !status)
    return status.error();
  std::vector<int64_t> expected = scaleShape(input, granularity);
  if (scale.element() != rt::ElementType::f32 || scale.shape() != expected)
    return Error{std::string("expects a scale of shape ") + shapeText(expected) + " and type f32 by " +
                 granularityName(granularity) + " for " + typeText(input) + ", got " + typeText(scale)};
  std::vector<float> reciprocals(scale.count());
  scale.widen(0, scale.count(), reciprocals.data());
  for (float &entry : reciprocals)
    entry = 1.0f / entry;
  Tensor values(element, input.shape());
  int64_t columns = input.shape()[1];
  parallelFor(input.shape()[0], std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(columns, 1)),
              [&](int64_t begin, int64_t end) {
                std::vector<float> line(columns);
                for (int64_t row = begin; row < end; ++row) {
                  input.widen(row * columns, columns, line.data());
                  for (int64_t column = 0; column < columns; ++column)
                    line[column] *= reciprocals[scaleIndex(granularity, row, column)];
                  values.narrow(row * columns, columns, line.data());
                }
              });
  return values;
}

} // namespace winnow::interp
