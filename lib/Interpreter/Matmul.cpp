//===- Matmul.cpp - the reference matrix product ------------------------------------------------------------------===//
//
// Blocked so that real layers run in seconds: rows of the left operand become lists of their contributing elements once
// per row block, the right operand is widened to f64 panels of kColumns columns, and threads share the columns. Every
// sum runs over the reduction axis in ascending order whatever the blocking, so the result depends on the operands
// alone.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Interpreter/Reference.h"

#include <algorithm>
#include <atomic>
#include <cmath>

// The product of two f32 is exact in f64: fused or not, every clone gives the same bits.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(WINNOW_SANITIZED)
#define WINNOW_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WINNOW_VECTOR_CLONES
#endif

namespace winnow::interp {
namespace {

constexpr int64_t kColumns = 32;   ///< of a panel
constexpr int64_t kDepth = 128;    ///< reduction steps of a panel: 32 KiB of f64
constexpr int64_t kRowBlock = 256; ///< rows whose contributing elements are listed at once

/// The contributing elements of a block of rows, by row and then by panel of the reduction axis.
struct RowLists {
  std::vector<size_t> offsets; ///< [row * panels + panel], one more at the end
  std::vector<int32_t> steps;  ///< position within the panel
  std::vector<float> values;
};

/// True if no element is an infinity or a NaN; then a zero opposite them contributes nothing.
bool allFinite(const Tensor &tensor) {
  std::atomic<bool> finite = true;
  parallelFor(tensor.count(), 1 << 18, [&](int64_t begin, int64_t end) {
    constexpr int64_t kBuffer = 4096;
    float buffer[kBuffer];
    for (; begin < end && finite; begin += kBuffer) {
      int64_t size = std::min(kBuffer, end - begin);
      tensor.widen(begin, size, buffer);
      // 0 * x is a NaN for exactly the values looked for, and NaN stays in the sum.
      float sum = 0.0f;
      for (int64_t i = 0; i < size; ++i)
        sum += 0.0f * buffer[i];
      if (std::isnan(sum))
        finite = false;
    }
  });
  return finite;
}

class Product {
public:
  Product(const MatmulOperands &operands, int64_t m, int64_t n, int64_t k, Tensor &result)
      : operands(operands), m(m), n(n), k(k), panels((k + kDepth - 1) / kDepth), result(result),
        skipZeros(allFinite(*operands.rhs)) {}

  void run() {
    for (int64_t row = 0; row < m; row += kRowBlock) {
      int64_t rows = std::min(kRowBlock, m - row);
      RowLists lists = listRows(row, rows);
      int64_t columnBlocks = (n + kColumns - 1) / kColumns;
      int64_t work = rows * kColumns * k;
      parallelFor(columnBlocks, std::max<int64_t>(1, (int64_t(1) << 22) / std::max<int64_t>(work, 1)),
                  [&](int64_t begin, int64_t end) {
                    for (int64_t block = begin; block < end; ++block)
                      runColumns(row, rows, lists, block * kColumns);
                  });
    }
  }

private:
  /// Row `row` of the left operand as the product sees it, with a byte per element that says whether it contributes.
  void loadRow(int64_t row, std::vector<float> &values, std::vector<uint8_t> &contributes) const {
    const Tensor &lhs = *operands.lhs;
    if (!operands.transposeLhs)
      lhs.widen(row * k, k, values.data());
    else
      for (int64_t step = 0; step < k; ++step)
        values[step] = lhs.get(step * m + row);
    for (int64_t step = 0; step < k; ++step) {
      bool kept = lhs.sparseAxis < 0 || lhs.keepMask[operands.transposeLhs ? step * m + row : row * k + step];
      contributes[step] = kept && !(skipZeros && values[step] == 0.0f);
    }
  }

  RowLists listRows(int64_t row, int64_t rows) const {
    RowLists lists;
    std::vector<float> values(k);
    std::vector<uint8_t> contributes(k);
    for (int64_t i = 0; i < rows; ++i) {
      loadRow(row + i, values, contributes);
      for (int64_t step = 0; step < k; ++step) {
        if (step % kDepth == 0)
          lists.offsets.push_back(lists.steps.size());
        if (!contributes[step])
          continue;
        lists.steps.push_back(static_cast<int32_t>(step % kDepth));
        lists.values.push_back(values[step]);
      }
    }
    lists.offsets.push_back(lists.steps.size());
    return lists;
  }

  /// Widens kDepth x kColumns elements of the right operand; columns past the end are zero.
  void packPanel(int64_t step, int64_t column, double *panel) const {
    const Tensor &rhs = *operands.rhs;
    int64_t depth = std::min(kDepth, k - step), columns = std::min(kColumns, n - column);
    std::fill(panel, panel + kDepth * kColumns, 0.0);
    float buffer[std::max(kDepth, kColumns)];
    if (operands.transposeRhs) {
      for (int64_t j = 0; j < columns; ++j) {
        rhs.widen((column + j) * k + step, depth, buffer);
        for (int64_t i = 0; i < depth; ++i)
          panel[i * kColumns + j] = buffer[i];
      }
      return;
    }
    for (int64_t i = 0; i < depth; ++i) {
      rhs.widen((step + i) * n + column, columns, buffer);
      for (int64_t j = 0; j < columns; ++j)
        panel[i * kColumns + j] = buffer[j];
    }
  }

  void runColumns(int64_t row, int64_t rows, const RowLists &lists, int64_t column) const {
    std::vector<double> sums(rows * kColumns), panel(kDepth * kColumns);
    for (int64_t index = 0; index < panels; ++index) {
      packPanel(index * kDepth, column, panel.data());
      for (int64_t i = 0; i < rows; ++i) {
        size_t begin = lists.offsets[i * panels + index], end = lists.offsets[i * panels + index + 1];
        accumulate(lists.values.data() + begin, lists.steps.data() + begin, static_cast<int64_t>(end - begin),
                   panel.data(), sums.data() + i * kColumns);
      }
    }
    int64_t columns = std::min(kColumns, n - column);
    float out[kColumns];
    for (int64_t i = 0; i < rows; ++i) {
      float lhsScale = scaleAt(operands.lhsScale, row + i);
      for (int64_t j = 0; j < columns; ++j) {
        float scale = lhsScale * scaleAt(operands.rhsScale, column + j);
        out[j] = static_cast<float>(sums[i * kColumns + j]) * scale;
      }
      result.narrow((row + i) * n + column, columns, out);
    }
  }

  static float scaleAt(const Tensor *scale, int64_t index) {
    return scale ? scale->get(scale->shape().empty() ? 0 : index) : 1.0f;
  }

  WINNOW_VECTOR_CLONES
  static void accumulate(const float *values, const int32_t *steps, int64_t count, const double *panel, double *sums) {
    double sum[kColumns];
    for (int64_t j = 0; j < kColumns; ++j)
      sum[j] = sums[j];
    for (int64_t i = 0; i < count; ++i) {
      double value = values[i];
      const double *line = panel + steps[i] * kColumns;
      for (int64_t j = 0; j < kColumns; ++j)
        sum[j] += value * line[j];
    }
    for (int64_t j = 0; j < kColumns; ++j)
      sums[j] = sum[j];
  }

  const MatmulOperands &operands;
  int64_t m, n, k, panels;
  Tensor &result;
  bool skipZeros;
};

Status checkScale(const Tensor *scale, const char *name, int64_t extent, const char *extentName) {
  if (!scale)
    return {};
  bool fits = scale->element() == rt::ElementType::f32 &&
              (scale->shape().empty() || (scale->shape().size() == 1 && scale->shape()[0] == extent));
  if (!fits)
    return Error{std::string(name) + " expects f32 of rank 0 or " + extentName + " = " + std::to_string(extent) +
                 " elements, got " + typeText(*scale)};
  return {};
}

} // namespace

Result<Tensor> matmul(const MatmulOperands &operands, rt::ElementType element) {
  const Tensor &lhs = *operands.lhs, &rhs = *operands.rhs;
  if (lhs.shape().size() != 2 || rhs.shape().size() != 2)
    return Error{"expects two matrices, got " + typeText(lhs) + " and " + typeText(rhs)};
  int lhsReduction = operands.transposeLhs ? 0 : 1, rhsReduction = operands.transposeRhs ? 1 : 0;
  int64_t k = lhs.shape()[lhsReduction], m = lhs.shape()[1 - lhsReduction], n = rhs.shape()[1 - rhsReduction];
  if (k != rhs.shape()[rhsReduction])
    return Error{"expects equal reduction extents, got " + std::to_string(k) + " on the left (" + typeText(lhs) +
                 ") and " + std::to_string(rhs.shape()[rhsReduction]) + " on the right (" + typeText(rhs) + ")"};
  if (lhs.sparseAxis >= 0 && lhs.sparseAxis != lhsReduction)
    return Error{"expects the sparse axis of lhs to be the reduction axis, " + std::to_string(lhsReduction) + ", got " +
                 std::to_string(lhs.sparseAxis)};
  if (Status status = checkScale(operands.lhsScale, "lhs_scale", m, "M"); !status)
    return status.error();
  if (Status status = checkScale(operands.rhsScale, "rhs_scale", n, "N"); !status)
    return status.error();
  Tensor result(element, {m, n});
  Product(operands, m, n, k, result).run();
  return result;
}

} // namespace winnow::interp
