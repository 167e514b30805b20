//===- Generator.cpp - random well-typed ffn functions ------------------------------------------------------------===//
//
// Grows a function from its first argument: each step takes a value that is there and applies an operation that fits
// it. Extents are few and small, so that values meet.
//
// Two products are equal bit for bit only where nothing that a compressed operand leaves out is a NaN or an infinity,
// so right operands are made from arguments whose values stay finite ("clean").
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Generator.h"

#include <functional>
#include <random>
#include <vector>

namespace winnow::fuzz {
namespace {

constexpr int64_t kTokens = -1; ///< the extent of the token axis, printed as "?" or as its number

struct Matrix {
  std::string name;
  int64_t rows, columns;
  std::string element;
  bool clean = false;
  bool isArgument = false;
  int sparseAxis = -1;      ///< an !ffn.sparse24 along this axis
  std::string mask[2] = {}; ///< by axis: the mask of the selection that made the values two of four
  std::string scale = {};   ///< of the quantisation that made it
  int granularity = -1;     ///< of that scale: 0 tensor, 1 row, 2 column
  bool mayDrop = false;     ///< annotated so that the compiler may select
};

struct Scale {
  std::string name;
  int64_t extent; ///< 0 for rank 0
};

struct Mask {
  std::string name;
  std::string input; ///< of the selection that made it
};

class Builder {
public:
  explicit Builder(uint64_t seed) : random(seed) {}

  Program build() {
    Program program;
    program.seed = random();
    tokens = pick<int64_t>({1, 1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 32});
    program.tokens = tokens;
    dynamic = chance(0.7);
    program.structured = chance(0.5);
    program.special = !program.structured && chance(0.5);
    relaxed = chance(0.5);
    special = program.special;
    for (int64_t &extent : features)
      extent = pick<int64_t>({1, 3, 4, 5, 8, 12, 16, 16, 16, 24, 32, 32, 33, 48, 64});
    matrices.push_back(argument("x", kTokens, pick(features), wide(), /*weight=*/false));
    int steps = 2 + static_cast<int>(random() % 9);
    for (int step = 0; step < steps; ++step)
      grow();
    if (!hasProduct)
      product();
    program.text = print();
    return program;
  }

private:
  //===------------------------------------------------------------------------------------------------------------===//
  // Choices
  //===------------------------------------------------------------------------------------------------------------===//

  bool chance(double probability) { return static_cast<double>(random() >> 11) * 0x1p-53 < probability; }
  template <typename T> const T &pick(const std::vector<T> &choices) { return choices[random() % choices.size()]; }
  std::string wide() { return pick<std::string>({"bf16", "bf16", "f16", "f32"}); }
  static bool isWide(const std::string &element) { return element[0] != 'f' || element[1] != '8'; }

  /// A matrix that `fits`, recent ones preferred; null if there is none.
  Matrix *choose(const std::function<bool(const Matrix &)> &fits) {
    std::vector<size_t> indices;
    for (size_t i = 0; i < matrices.size(); ++i)
      if (fits(matrices[i])) {
        indices.push_back(i);
        if (i + 3 >= matrices.size())
          indices.insert(indices.end(), 3, i);
      }
    return indices.empty() ? nullptr : &matrices[pick(indices)];
  }

  //===------------------------------------------------------------------------------------------------------------===//
  // Text
  //===------------------------------------------------------------------------------------------------------------===//

  std::string extentText(int64_t extent) {
    return extent != kTokens ? std::to_string(extent) : dynamic ? "?" : std::to_string(tokens);
  }
  std::string shaped(int64_t rows, int64_t columns, const std::string &element) {
    return extentText(rows) + "x" + extentText(columns) + "x" + element;
  }
  std::string typeOf(const Matrix &m) {
    if (m.sparseAxis >= 0)
      return "!ffn.sparse24<" + shaped(m.rows, m.columns, m.element) + ", axis = " + std::to_string(m.sparseAxis) + ">";
    return "tensor<" + shaped(m.rows, m.columns, m.element) + ">";
  }
  std::string maskType(const Matrix &m) { return "tensor<" + shaped(m.rows, m.columns, "i1") + ">"; }
  std::string scaleType(int64_t extent) {
    return extent == 0 ? "tensor<f32>" : "tensor<" + extentText(extent) + "xf32>";
  }
  std::string fresh() { return "%v" + std::to_string(next++); }
  void emit(const std::string &line) { body += "  " + line + "\n"; }
  void result(const std::string &name, const std::string &type) { results.push_back({name, type}); }

  /// An annotation of a matrix, or none.
  std::string annotation(int64_t columns) {
    if (!chance(0.5))
      return {};
    std::string text = "ffn.sparsity = #ffn.sparsity<density = " + pick<std::string>({"0.05", "0.3", "0.5", "1.0"});
    if (relaxed)
      text += pick<std::string>({", max_drop = 1.0", ", max_drop = 1.0", ", max_drop = 0.5", ""});
    if (columns != kTokens && columns <= 16 && chance(0.3)) {
      text += ", profile = [";
      for (int64_t i = 0; i < columns; ++i)
        text += (i ? ", " : "") + pick<std::string>({"0.0", "0.1", "0.5", "1.0"});
      text += "]";
    }
    return text + ">";
  }
  /// Whether it lets the compiler select whatever the values.
  static bool allowsDropping(const std::string &annotation) {
    return annotation.find("max_drop = 1.0") != std::string::npos;
  }

  Matrix argument(const std::string &name, int64_t rows, int64_t columns, const std::string &element, bool weight) {
    Matrix m;
    m.name = "%" + name;
    m.rows = rows;
    m.columns = columns;
    m.element = element;
    m.isArgument = true;
    m.clean = weight || !special;
    std::string attributes = weight ? "ffn.weight" : annotation(columns);
    m.mayDrop = allowsDropping(attributes);
    arguments.push_back(m.name + ": " + typeOf(m) + (attributes.empty() ? "" : " {" + attributes + "}"));
    return m;
  }

  /// A scale of `extent` elements: of another operation, a constant or a new argument.
  std::string givenScale(int64_t extent) {
    std::vector<Scale> fitting;
    for (const Scale &scale : scales)
      if (scale.extent == extent)
        fitting.push_back(scale);
    if (!fitting.empty() && chance(0.4))
      return pick(fitting).name;
    Scale scale = {"", extent};
    if (extent != kTokens && chance(0.2)) {
      scale.name = fresh();
      emit(scale.name + " = arith.constant dense<" + pick<std::string>({"0.5", "3.0", "0.0123"}) +
           "> : " + scaleType(extent));
    } else {
      scale.name = "%s" + std::to_string(next++);
      arguments.push_back(scale.name + ": " + scaleType(extent));
    }
    scales.push_back(scale);
    return scale.name;
  }

  //===------------------------------------------------------------------------------------------------------------===//
  // Operations
  //===------------------------------------------------------------------------------------------------------------===//

  void grow() {
    switch (random() % 13) {
    case 0:
    case 1:
    case 2:
      return product();
    case 3:
    case 4:
      return activation();
    case 5:
    case 6:
      return quantize();
    case 7:
    case 8:
      return sparsify();
    case 9:
    case 10:
      return chance(0.7) ? compress() : decompress();
    case 11:
      return countNonzero();
    default:
      return dynamicScale();
    }
  }

  static bool isWideDense(const Matrix &m) { return m.sparseAxis < 0 && isWide(m.element); }

  void activation() {
    Matrix *input = choose(isWideDense);
    if (!input)
      return;
    std::string op = pick<std::string>({"relu2", "relu2", "relu", "relu", "gelu", "silu"});
    Matrix out = {fresh(), input->rows, input->columns, wide()};
    out.clean = input->clean && op == "relu" && out.element != "f16";
    std::string attributes = annotation(out.columns);
    out.mayDrop = allowsDropping(attributes);
    emit(out.name + " = ffn." + op + " " + input->name + (attributes.empty() ? "" : " {" + attributes + "}") + " : " +
         typeOf(*input) + " -> " + typeOf(out));
    result(out.name, typeOf(out));
    matrices.push_back(out);
  }

  /// The extent of a scale by granularity 0 tensor, 1 row, 2 column.
  static int64_t scaleExtent(const Matrix &m, int granularity) {
    return granularity == 0 ? 0 : granularity == 1 ? m.rows : m.columns;
  }
  static const char *granularityName(int granularity) {
    return granularity == 0 ? "tensor" : granularity == 1 ? "row" : "column";
  }

  void quantize() {
    Matrix *found = choose(isWideDense);
    if (!found)
      return;
    Matrix input = *found, out = input;
    out.name = fresh();
    out.element = pick<std::string>({"f8E4M3FN", "f8E4M3FN", "f8E5M2"});
    out.isArgument = false;
    out.granularity = static_cast<int>(random() % 3);
    int64_t extent = scaleExtent(input, out.granularity);
    std::string by = std::string(" by ") + granularityName(out.granularity) + " : (" + typeOf(input);
    if (chance(0.35)) {
      out.scale = givenScale(extent);
      emit(out.name + " = ffn.quantize " + input.name + " scaled " + out.scale + by + ", " + scaleType(extent) +
           ") -> " + typeOf(out));
      // A scale that another operation computed may be NaN, and then so may be what it scales.
      out.clean = input.clean && !special;
    } else {
      out.scale = fresh();
      emit(out.name + ", " + out.scale + " = ffn.quantize " + input.name + by + ") -> (" + typeOf(out) + ", " +
           scaleType(extent) + ")");
      result(out.scale, scaleType(extent));
      scales.push_back({out.scale, extent});
    }
    result(out.name, typeOf(out));
    matrices.push_back(out);
  }

  void dynamicScale() {
    Matrix *input = choose(isWideDense);
    if (!input)
      return;
    int granularity = static_cast<int>(random() % 3);
    Scale scale = {fresh(), scaleExtent(*input, granularity)};
    emit(scale.name + " = ffn.dynamic_scale " + input->name + " by " + granularityName(granularity) + " to " +
         pick<std::string>({"f8E4M3FN", "f8E5M2"}) + " : (" + typeOf(*input) + ") -> " + scaleType(scale.extent));
    result(scale.name, scaleType(scale.extent));
    scales.push_back(scale);
  }

  void countNonzero() {
    Matrix *input = choose([](const Matrix &m) { return m.sparseAxis < 0; });
    if (!input)
      return;
    std::string name = fresh(), type = "tensor<" + extentText(input->columns) + "xi32>";
    emit(name + " = ffn.count_nonzero " + input->name + " : " + typeOf(*input) + " -> " + type);
    result(name, type);
  }

  bool canGroup(int64_t extent) const { return extent == kTokens ? dynamic || tokens % 4 == 0 : extent % 4 == 0; }

  void sparsify() {
    Matrix *found =
        choose([&](const Matrix &m) { return isWideDense(m) && (canGroup(m.rows) || canGroup(m.columns)); });
    if (!found)
      return;
    Matrix input = *found, out = input;
    int axis = !canGroup(input.rows) ? 1 : !canGroup(input.columns) ? 0 : static_cast<int>(random() % 2);
    out.name = fresh();
    out.isArgument = false;
    out.mask[axis] = fresh();
    std::vector<Mask> fitting;
    for (const Mask &mask : masks)
      if (mask.input == input.name)
        fitting.push_back(mask);
    std::string under = !fitting.empty() && chance(0.5) ? pick(fitting).name : "";
    out.mask[1 - axis].clear();
    emit(out.name + ", " + out.mask[axis] + " = ffn.sparsify " + input.name + " along " + std::to_string(axis) +
         (under.empty() ? "" : " under " + under) + " : (" + typeOf(input) +
         (under.empty() ? "" : ", " + maskType(input)) + ") -> (" + typeOf(out) + ", " + maskType(out) + ")");
    result(out.name, typeOf(out));
    if (chance(0.3))
      result(out.mask[axis], maskType(out));
    // Kernels nest a selection under another of the same matrix, or of what that one left.
    if (under.empty())
      masks.push_back({out.mask[axis], input.name});
    masks.push_back({out.mask[axis], out.name});
    matrices.push_back(out);
    if (chance(0.4))
      product(); // likely of what was just selected
  }

  void compress() {
    Matrix *found = choose([&](const Matrix &m) {
      return m.sparseAxis < 0 && m.element != "f32" && !(m.mask[0].empty() && m.mask[1].empty());
    });
    if (!found)
      return;
    Matrix input = *found, out = input;
    out.sparseAxis = input.mask[1].empty() ? 0 : 1;
    out.name = fresh();
    emit(out.name + " = ffn.compress " + input.name + ", " + input.mask[out.sparseAxis] + " : (" + typeOf(input) +
         ", " + maskType(input) + ") -> " + typeOf(out));
    matrices.push_back(out);
  }

  void decompress() {
    // Only of what was compressed straight after its selection: that folds away, and kernels cannot expand.
    Matrix *found = choose([](const Matrix &m) { return m.sparseAxis >= 0 && isWide(m.element); });
    if (!found)
      return;
    Matrix input = *found, out = input;
    out.sparseAxis = -1;
    out.name = fresh();
    emit(out.name + " = ffn.decompress " + input.name + " : " + typeOf(input) + " -> " + typeOf(out));
    result(out.name, typeOf(out));
    matrices.push_back(out);
  }

  /// A right operand with `k` elements along the reduction axis that goes with `lhsElement`: one that is there, or a
  /// new argument. Says whether it is to be transposed.
  Matrix rightOperand(int64_t k, const std::string &lhsElement, bool &transpose) {
    bool f8 = !isWide(lhsElement);
    auto fits = [&](const Matrix &m) {
      return m.clean && m.sparseAxis < 0 && (f8 ? !isWide(m.element) : m.element == lhsElement) &&
             ((m.rows == k && m.columns != kTokens) || (m.columns == k && m.rows != kTokens));
    };
    if (Matrix *found = chance(0.5) ? choose(fits) : nullptr) {
      transpose = !(found->rows == k && found->columns != kTokens);
      if (!transpose && found->columns == k && found->rows != kTokens)
        transpose = chance(0.5);
      return *found;
    }
    std::string element = f8 ? pick<std::string>({"f8E4M3FN", "f8E5M2"}) : lhsElement;
    int64_t n = pick(features);
    transpose = k != kTokens && chance(0.6);
    std::string name = "w" + std::to_string(next++);
    Matrix rhs = transpose ? argument(name, n, k, element, true) : argument(name, k, n, element, k != kTokens);
    rhs.clean = true; // special rows are those of wide arguments: see below
    if (special && k == kTokens && isWide(element))
      rhs.clean = false;
    matrices.push_back(rhs);
    return rhs;
  }

  void product() {
    Matrix *found = choose([&](const Matrix &m) { return !m.isArgument || m.name == "%x" || chance(0.2); });
    if (!found)
      return;
    Matrix lhs = *found;
    bool transposeLhs = lhs.sparseAxis >= 0 ? lhs.sparseAxis == 0 : !lhs.mask[0].empty() || chance(0.25);
    int64_t k = transposeLhs ? lhs.rows : lhs.columns, m = transposeLhs ? lhs.columns : lhs.rows;
    bool transposeRhs = false;
    Matrix rhs = rightOperand(k, lhs.element, transposeRhs);
    if (!rhs.clean)
      return; // a wide argument over tokens may hold NaN: it stays for other uses
    Matrix out = {fresh(), m, transposeRhs ? rhs.rows : rhs.columns, wide()};
    std::string lhsScale, rhsScale;
    // The scale of a quantised left operand where it goes along the rows of L, else often a given one.
    int rowsOfL = transposeLhs ? 2 : 1;
    int64_t lhsExtent = 0, rhsExtent = 0;
    if (!lhs.scale.empty() && (lhs.granularity == 0 || lhs.granularity == rowsOfL)) {
      lhsScale = lhs.scale;
      lhsExtent = lhs.granularity == 0 ? 0 : m;
    } else if (chance(0.3)) {
      lhsExtent = chance(0.5) ? 0 : m;
      lhsScale = givenScale(lhsExtent);
    }
    if (chance(0.5)) {
      rhsExtent = chance(0.4) ? 0 : out.columns;
      rhsScale = givenScale(rhsExtent);
    }
    std::string attributes;
    auto add = [&](const std::string &attribute) { attributes += (attributes.empty() ? "" : ", ") + attribute; };
    if (transposeLhs)
      add("transpose_lhs");
    if (transposeRhs)
      add("transpose_rhs");
    bool selected = lhs.sparseAxis >= 0 || !lhs.mask[transposeLhs ? 0 : 1].empty();
    // Asking where it cannot be is tried too, but not mostly.
    bool possible = lhs.element != "f32" && (k == kTokens ? canGroup(k) : k % (transposeRhs ? 16 : 4) == 0);
    if ((selected || lhs.mayDrop) && chance(possible ? 0.9 : 0.1))
      add(std::string("ffn.layout = #ffn.layout<") + (transposeLhs ? "feature_wise" : "token_wise") + ">");
    std::string operands = lhs.name + (lhsScale.empty() ? "" : " scaled " + lhsScale) + ", " + rhs.name +
                           (rhsScale.empty() ? "" : " scaled " + rhsScale);
    std::string types = typeOf(lhs) + (lhsScale.empty() ? "" : ", " + scaleType(lhsExtent)) + ", " + typeOf(rhs) +
                        (rhsScale.empty() ? "" : ", " + scaleType(rhsExtent));
    emit(out.name + " = ffn.matmul " + operands + (attributes.empty() ? "" : " {" + attributes + "}") + " : (" + types +
         ") -> " + typeOf(out));
    result(out.name, typeOf(out));
    lastProduct = results.back();
    hasProduct = true;
    matrices.push_back(out);
  }

  /// The function, returning its last product and some of what else was computed.
  std::string print() {
    std::vector<std::pair<std::string, std::string>> returned;
    if (hasProduct)
      returned.push_back(lastProduct);
    for (const auto &candidate : results)
      if (chance(0.2) && returned.size() < 4)
        returned.push_back(candidate);
    if (returned.empty())
      returned.push_back(results.empty() ? std::make_pair(matrices[0].name, typeOf(matrices[0])) : results.back());
    auto list = [](const std::vector<std::string> &items) {
      std::string text;
      for (const std::string &item : items)
        text += (text.empty() ? "" : ", ") + item;
      return text;
    };
    std::vector<std::string> names, types;
    for (const auto &[name, type] : returned) {
      names.push_back(name);
      types.push_back(type);
    }
    return "func.func @forward(" + list(arguments) + ") -> (" + list(types) + ") {\n" + body + "  return " +
           list(names) + " : " + list(types) + "\n}\n";
  }

  std::mt19937_64 random;
  int64_t tokens = 1;
  bool dynamic = true, relaxed = false, special = false, hasProduct = false;
  std::vector<int64_t> features = {0, 0, 0};
  std::vector<Matrix> matrices;
  std::vector<Scale> scales;
  std::vector<Mask> masks;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> results;
  std::pair<std::string, std::string> lastProduct;
  std::string body;
  int next = 0;
};

} // namespace

Program generate(uint64_t seed) { return Builder(seed).build(); }

} // namespace winnow::fuzz
