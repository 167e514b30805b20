//===- Compare.cpp - how far two tensors are apart ----------------------------------------------------------------===//

#include "winnow/Interpreter/Compare.h"

#include <cmath>
#include <cstdio>
#include <cstring>

namespace winnow::interp {

Result<Comparison> compare(const Tensor &actual, const Tensor &expected) {
  if (actual.element() != expected.element() || actual.shape() != expected.shape() ||
      actual.sparseAxis != expected.sparseAxis)
    return Error{"expects " + typeText(expected) + ", got " + typeText(actual)};
  Comparison result;
  result.count = expected.count();
  int64_t width = elementBytes(expected.element());
  double squaredError = 0.0, squaredExpected = 0.0;
  for (int64_t i = 0; i < result.count; ++i) {
    double a = actual.get(i), b = expected.get(i);
    bool sameBits = std::memcmp(actual.bytes().data() + i * width, expected.bytes().data() + i * width, width) == 0;
    bool sameKept = expected.sparseAxis < 0 || actual.keepMask[i] == expected.keepMask[i];
    bool bothNaN = std::isnan(a) && std::isnan(b);
    if (!(sameBits || bothNaN) || !sameKept) {
      ++result.bitMismatches;
      if (result.firstMismatch < 0)
        result.firstMismatch = i;
    }
    if (std::isnan(a) || std::isnan(b)) {
      result.nanMismatches += !bothNaN;
      continue;
    }
    double difference = a == b ? 0.0 : std::fabs(a - b);
    if (difference > result.maxAbsolute) {
      result.maxAbsolute = difference;
      result.worst = i;
    }
    if (std::isfinite(b)) {
      result.maxExpected = std::fmax(result.maxExpected, std::fabs(b));
      squaredExpected += b * b;
    }
    squaredError += difference * difference;
  }
  if (squaredError > 0.0)
    result.relative = squaredExpected > 0.0 ? std::sqrt(squaredError / squaredExpected) : INFINITY;
  return result;
}

std::string indexText(int64_t index, const std::vector<int64_t> &shape) {
  std::string text;
  for (size_t i = shape.size(); i-- > 0;) {
    int64_t extent = shape[i] > 0 ? shape[i] : 1;
    text = std::to_string(index % extent) + (text.empty() ? "" : ", ") + text;
    index /= extent;
  }
  return "[" + text + "]";
}

static std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

std::string describe(const Comparison &comparison, const Tensor &actual, const Tensor &expected) {
  if (comparison.identical())
    return "identical (" + std::to_string(comparison.count) + " elements)";
  int64_t first = comparison.firstMismatch;
  std::string text = std::to_string(comparison.bitMismatches) + " of " + std::to_string(comparison.count) +
                     " elements differ, first at " + indexText(first, expected.shape()) + ": expected " +
                     number(expected.get(first)) + ", got " + number(actual.get(first));
  if (expected.sparseAxis >= 0 && actual.keepMask[first] != expected.keepMask[first])
    text += expected.keepMask[first] ? " (expected to be kept, was dropped)" : " (expected to be dropped, was kept)";
  if (comparison.nanMismatches)
    text += "; " + std::to_string(comparison.nanMismatches) + " NaNs on one side only";
  return text + "; max error " + number(comparison.maxAbsolute) + ", relative error " + number(comparison.relative);
}

} // namespace winnow::interp
