//===- StageCheck.cpp - every kernel's output against the reference -----------------------------------------------===//

#include "StageCheck.h"
#include "GpuRun.h"
#include "Tool.h"

#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Interpreter/Reference.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>
#include <map>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

//===--------------------------------------------------------------------------------------------------------------===//
// Comparison of two tensors
//===--------------------------------------------------------------------------------------------------------------===//

bool Agreement::passed() const {
  if (!problem.empty())
    return false;
  if (tolerance.exact)
    return differing == 0;
  if (counts)
    return countMismatch <= tolerance.countMismatch;
  // Written so that a NaN fails.
  return relative <= tolerance.relative && element <= tolerance.element && maskMismatch <= tolerance.maskMismatch;
}

Agreement tool::compareTensors(std::string what, std::string compared, const interp::Tensor &got,
                               const interp::Tensor &want, const Tolerance &tolerance) {
  Agreement result;
  result.what = std::move(what);
  result.compared = std::move(compared);
  result.tolerance = tolerance;
  result.count = want.count();
  result.counts = want.element() == rt::ElementType::i32;
  if (got.shape() != want.shape() || got.element() != want.element() || got.sparseAxis != want.sparseAxis) {
    result.problem = "expected " + interp::typeText(want) + ", got " + interp::typeText(got);
    return result;
  }
  if (got.bytes() == want.bytes() && got.keepMask == want.keepMask)
    return result;
  // Sums over blocks of a fixed size, added in order: the same figures however many threads there are.
  struct Partial {
    double squares = 0, errorSquares = 0, maxError = 0, element = 0, sum = 0, errorSum = 0;
    int64_t kept = 0, moved = 0, differing = 0;
  };
  constexpr int64_t kBlock = 1 << 16;
  int64_t size = interp::elementBytes(want.element()), blocks = (result.count + kBlock - 1) / kBlock;
  std::vector<Partial> partials(blocks);
  auto eachBlock = [&](auto body) {
    interp::parallelFor(blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block)
        for (int64_t i = block * kBlock; i < std::min(result.count, (block + 1) * kBlock); ++i)
          body(partials[block], i);
    });
  };
  auto raise = [](double &largest, double error) { largest = error > largest || std::isnan(error) ? error : largest; };
  eachBlock([&](Partial &partial, int64_t i) {
    bool sameMask = want.sparseAxis < 0 || got.keepMask[i] == want.keepMask[i];
    partial.kept += want.sparseAxis >= 0 && want.keepMask[i];
    partial.moved += !sameMask;
    float a = got.get(i), b = want.get(i);
    bool bothNaN = std::isnan(a) && std::isnan(b);
    partial.sum += std::abs(b);
    if (!sameMask || (!bothNaN && std::memcmp(&got.bytes()[i * size], &want.bytes()[i * size], size) != 0))
      ++partial.differing;
    if (bothNaN || a == b) {
      partial.squares += std::isfinite(b) ? static_cast<double>(b) * b : 0;
      return;
    }
    double error = std::abs(static_cast<double>(a) - b);
    partial.squares += static_cast<double>(b) * b;
    partial.errorSquares += error * error;
    partial.errorSum += error;
    raise(partial.maxError, error);
  });
  double squares = 0, errorSquares = 0, sum = 0, errorSum = 0;
  int64_t kept = 0, moved = 0;
  for (const Partial &partial : partials) {
    squares += partial.squares;
    errorSquares += partial.errorSquares;
    sum += partial.sum;
    errorSum += partial.errorSum;
    kept += partial.kept;
    moved += partial.moved;
    result.differing += partial.differing;
    raise(result.maxError, partial.maxError);
  }
  result.relative = errorSquares == 0 ? 0 : std::sqrt(errorSquares / squares);
  result.countMismatch = errorSum == 0 ? 0 : errorSum / sum;
  result.maskMismatch = kept == 0 ? 0 : static_cast<double>(moved) / 2 / static_cast<double>(kept);
  if (errorSquares == 0)
    return result;
  double rms = std::sqrt(squares / static_cast<double>(result.count));
  eachBlock([&](Partial &partial, int64_t i) {
    float a = got.get(i), b = want.get(i);
    if (a != b && !(std::isnan(a) && std::isnan(b)))
      raise(partial.element, std::abs(static_cast<double>(a) - b) / (std::abs(static_cast<double>(b)) + rms));
  });
  for (const Partial &partial : partials)
    raise(result.element, partial.element);
  return result;
}

static Type elementTypeOf(Type type) {
  if (auto sparse = dyn_cast<ffn::Sparse24Type>(type))
    return sparse.getElementType();
  return cast<ShapedType>(type).getElementType();
}

/// Relative error of an f8 product against f64. The tensor core keeps about 14 bits of a running sum, so its error
/// grows with the square root of the number of instructions along K: 1.5e-4 * sqrt(steps) on an H100
/// (docs/benchmarks.md, "Accuracy"), beside the rounding of the result, 1.7e-3 for bf16. Twice that is allowed.
static double f8Epsilon(ffn::MatmulOp matmul, int64_t tokens) {
  int64_t k = matmul.getK();
  double depth = static_cast<double>(ShapedType::isDynamic(k) ? tokens : k),
         steps = depth / (matmul.isSparse() ? 64 : 32);
  double rounding = matmul.getType().getElementType().isF32() ? 0 : 1.7e-3;
  return 2 * std::hypot(rounding, 1.5e-4 * std::sqrt(std::max(steps, 1.0)));
}

/// Relative error of an activation that calls a library function: a few units in the last place of f32, and more near
/// the zeros of a sum.
static constexpr double kActivationEpsilon = 1e-6;

/// The error of a value that is off by `epsilon` (relative, in the mean) once it is rounded to a type whose steps are
/// `step` apart: a part 2 * epsilon / step of the elements is off by a whole step.
static double roundedError(double epsilon, double step) { return epsilon + std::sqrt(2 * epsilon * step); }

/// Of a kernel without a product.
static Tolerance activationTolerance(Operation *root, Type result) {
  Tolerance tolerance;
  tolerance.exact = true;
  root->walk([&](ffn::ActivationOpInterface activation) { tolerance.exact &= activation.isExact(); });
  if (tolerance.exact)
    return tolerance;
  unsigned bits = elementTypeOf(result).getIntOrFloatBitWidth();
  double step = bits == 8 ? 0x1p-2 : bits == 16 ? 0x1p-7 : 0;
  tolerance.relative = roundedError(kActivationEpsilon, step);
  tolerance.element = step + 1e-5;
  if (isa<ffn::Sparse24Type>(result)) {
    tolerance.maskMismatch = 1e-3;
    tolerance.element = INFINITY;
  }
  return tolerance;
}

Tolerance tool::toleranceFor(Operation *root, Type result, int64_t tokens, bool sumsAreExact) {
  Tolerance tolerance;
  bool product = false;
  root->walk([&](ffn::MatmulOp matmul) {
    product = true;
    bool f8 = elementTypeOf(matmul.getRhs().getType()).getIntOrFloatBitWidth() == 8;
    tolerance.relative = std::max(tolerance.relative, f8 ? f8Epsilon(matmul, tokens) : 1e-3);
    tolerance.element = std::max(tolerance.element, f8 ? 4e-2 : 2e-2);
  });
  if (!product || sumsAreExact)
    return activationTolerance(root, result);
  // A value that is less than its error from zero may be on the other side of it. Of values spread like a normal
  // distribution a part 0.8 * epsilon is, beside the half that is counted; twice epsilon is allowed. Rounding to the
  // product's own type, which epsilon has in it, changes no sign.
  tolerance.countMismatch = 2 * tolerance.relative;
  // A difference that crosses a rounding boundary of the result shows up as one unit in its last place.
  if (elementTypeOf(result).getIntOrFloatBitWidth() == 8) {
    tolerance.relative = std::max(tolerance.relative, 3e-2);
    tolerance.element = 2.5e-1;
  }
  if (isa<ffn::Sparse24Type>(result)) {
    tolerance.maskMismatch = 1e-2;
    tolerance.relative = std::max(tolerance.relative, kNearTies);
    tolerance.element = INFINITY;
  }
  return tolerance;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Stage by stage
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// The tensors of a lowered function as the GPU has left them.
class DeviceValues {
public:
  /// `arguments` are what was copied to the device; no kernel writes them.
  DeviceValues(func::FuncOp lowered, llvm::ArrayRef<interp::TensorRef> arguments, const GpuRun &run) : run(run) {
    unsigned stage = 0;
    for (auto kernel : lowered.getOps<ffn::KernelOp>()) {
      for (OpResult result : kernel->getResults())
        places[result] = findStage(stage, result.getResultNumber());
      ++stage;
    }
    for (auto [argument, tensor] : llvm::zip(lowered.getArguments(), arguments))
      tensors[argument] = tensor;
  }

  /// Decoded once, and kept for the kernels that read it.
  Result<interp::TensorRef> read(Value value) {
    interp::TensorRef &known = tensors[value];
    if (known)
      return known;
    if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
      llvm::Expected<interp::Tensor> tensor = interp::tensorFromAttribute(constant.getValue(), constant.getLoc());
      if (!tensor)
        return Error{llvm::toString(tensor.takeError())};
      return known = std::make_shared<interp::Tensor>(std::move(*tensor));
    }
    auto place = places.find(value);
    if (place == places.end() || !place->second)
      return Error{"the plan has no buffer that holds it"};
    Result<interp::Tensor> tensor = run.tensor(*place->second);
    if (!tensor)
      return tensor.error();
    return known = std::make_shared<interp::Tensor>(std::move(*tensor));
  }

private:
  std::optional<size_t> findStage(unsigned stage, unsigned result) const {
    for (size_t index = 0; index < run.plan().buffers.size(); ++index) {
      const rt::Buffer &buffer = run.plan().buffers[index];
      if (buffer.stage == static_cast<int32_t>(stage) && buffer.stageResult == result)
        return index;
    }
    return std::nullopt;
  }

  const GpuRun &run;
  llvm::DenseMap<Value, std::optional<size_t>> places;
  llvm::DenseMap<Value, interp::TensorRef> tensors;
};
} // namespace

/// "quantize", "matmul, relu2, sparsify, quantize, compress"
static std::string describe(ffn::KernelOp kernel) {
  std::string text;
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (op.getNumOperands() != 0)
      text += (text.empty() ? "" : ", ") + op.getName().stripDialect().str();
  return text.empty() ? "copy" : text;
}

/// The matrix product of a kernel, or null.
static ffn::MatmulOp productOf(ffn::KernelOp kernel) {
  auto products = kernel.getBody().front().getOps<ffn::MatmulOp>();
  return products.empty() ? ffn::MatmulOp() : *products.begin();
}

/// The greatest power of two that divides every element, and the largest magnitude; 0 for both if all are zero. Gives
/// up, with a grid of 0, once their ratio exceeds `limit`: weights are large, and most are told apart by their first
/// elements.
static std::pair<double, double> gridOf(const interp::Tensor &tensor, double limit) {
  int exponent = INT_MAX;
  double largest = 0;
  for (int64_t i = 0; i < tensor.count(); ++i) {
    double value = std::abs(static_cast<double>(tensor.get(i)));
    if (!std::isfinite(value))
      return {0, INFINITY};
    if (value == 0)
      continue;
    largest = std::max(largest, value);
    int shift = 0;
    // 53 bits as an integer; its trailing zeros are not part of the grid.
    auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(value, &shift), 53));
    exponent = std::min(exponent, shift - 53 + llvm::countr_zero(mantissa));
    if (largest > std::ldexp(limit, exponent))
      return {0, largest};
  }
  return {largest == 0 ? 0 : std::ldexp(1.0, exponent), largest};
}

/// True if every partial sum of the product, whatever its order, is an integer multiple of one number and small enough
/// to be held exactly: by f32 for 16-bit operands; by the 13 bits below the leading one that f8 tensor cores keep when
/// they align the addends.
static bool sumsAreExact(ffn::MatmulOp matmul, const interp::Tensor &lhs, const interp::Tensor &rhs) {
  double limit = interp::isF8(lhs.element()) ? 0x1p13 : 0x1p24;
  auto [lhsGrid, lhsLargest] = gridOf(lhs, limit);
  auto [rhsGrid, rhsLargest] = gridOf(rhs, limit);
  if (lhsLargest == 0 || rhsLargest == 0)
    return true;
  if (lhsGrid == 0 || rhsGrid == 0)
    return false;
  double terms = static_cast<double>(lhs.shape()[matmul.getTransposeLhs() ? 0 : 1]) / (lhs.sparseAxis >= 0 ? 2 : 1);
  double steps = lhsLargest / lhsGrid * (rhsLargest / rhsGrid) * terms;
  return steps <= limit;
}

namespace {
struct SomeCounts {
  interp::Tensor counts;
  RowSample columns;
  bool exactSums; ///< of the product that they are of
};
} // namespace

/// The counts of some columns, and which: where the rows of a product are too many for the reference, columns are few
/// enough, because a count is of all rows of its column.
static Result<SomeCounts> countColumns(ffn::CountNonzeroOp count,
                                       llvm::function_ref<Result<interp::TensorRef>(Value)> read, int64_t tokens,
                                       double seconds) {
  llvm::SmallVector<ffn::ActivationOpInterface> activations;
  Value value = count.getInput();
  for (auto activation = value.getDefiningOp<ffn::ActivationOpInterface>(); activation;
       activation = value.getDefiningOp<ffn::ActivationOpInterface>()) {
    activations.insert(activations.begin(), activation);
    value = activation->getOperand(0);
  }
  auto matmul = value.getDefiningOp<ffn::MatmulOp>();
  if (!matmul)
    return Error{"only counts of a product are compared by columns"};
  int64_t columns = ShapedType::isDynamic(matmul.getN()) ? tokens : matmul.getN();
  RowSample sample = sampleRows(columns, affordableRows(countMultiplyAdds(matmul, tokens), columns, seconds));

  std::vector<interp::TensorRef> kept; // while the product is computed
  auto take = [&](Value operand, int axis) -> Result<const interp::Tensor *> {
    if (!operand)
      return static_cast<const interp::Tensor *>(nullptr);
    Result<interp::TensorRef> tensor = read(operand);
    if (!tensor)
      return tensor.error();
    kept.push_back(axis < 0 ? *tensor : std::make_shared<interp::Tensor>(takeRows(**tensor, sample, axis)));
    return kept.back().get();
  };
  Result<const interp::Tensor *> operands[] = {take(matmul.getLhs(), -1), take(matmul.getLhsScale(), -1),
                                               take(matmul.getRhs(), matmul.getTransposeRhs() ? 0 : 1),
                                               take(matmul.getRhsScale(), 0)};
  for (const Result<const interp::Tensor *> &operand : operands)
    if (!operand)
      return operand.error();
  interp::MatmulOperands product{*operands[0],
                                 *operands[2],
                                 *operands[1],
                                 *operands[3],
                                 static_cast<bool>(matmul.getTransposeLhs()),
                                 static_cast<bool>(matmul.getTransposeRhs())};
  auto elementOf = [](Value of) { return *interp::elementTypeFor(elementTypeOf(of.getType())); };
  Result<interp::Tensor> made = interp::matmul(product, elementOf(matmul.getResult()));
  if (!made)
    return made.error();
  for (ffn::ActivationOpInterface activation : activations)
    made = interp::mapElements(*made, elementOf(activation->getResult(0)),
                               [&](float x) { return activation.evaluate(x); });
  Result<interp::Tensor> counts = interp::countNonzero(*made);
  if (!counts)
    return counts.error();
  return SomeCounts{std::move(*counts), std::move(sample), sumsAreExact(matmul, *product.lhs, *product.rhs)};
}

static std::vector<Agreement> checkStage(ffn::KernelOp kernel, unsigned index, DeviceValues &values, int64_t tokens,
                                         double seconds) {
  std::string name = "stage " + std::to_string(index) + " (" + describe(kernel) + ")";
  auto failed = [&](const std::string &problem) {
    Agreement agreement;
    agreement.what = name;
    agreement.problem = problem;
    return std::vector<Agreement>{agreement};
  };
  if (kernel.getNumResults() == 0)
    return {};
  std::vector<interp::TensorRef> got;
  for (Value result : kernel.getResults()) {
    if (result.use_empty()) { // what nobody reads need not be written
      got.push_back(nullptr);
      continue;
    }
    Result<interp::TensorRef> tensor = values.read(result);
    if (!tensor)
      return failed(tensor.message());
    got.push_back(std::move(*tensor));
  }
  auto first = llvm::find_if(got, [](const interp::TensorRef &tensor) { return tensor != nullptr; });
  if (first == got.end())
    return {};
  int64_t rows = (*first)->shape().empty() ? 1 : (*first)->shape()[0];
  std::optional<std::vector<Cut>> cuts = cutsForRows(kernel);
  RowSample sample = sampleRows(rows, cuts ? affordableRows(countMultiplyAdds(kernel, tokens), rows, seconds) : rows);

  llvm::SmallVector<interp::TensorRef> inputs;
  for (auto [i, operand] : llvm::enumerate(kernel.getInputs())) {
    Result<interp::TensorRef> tensor = values.read(operand);
    if (!tensor)
      return failed("input " + std::to_string(i) + ": " + tensor.message());
    Cut cut = cuts && !sample.whole() ? (*cuts)[i] : Cut::none;
    inputs.push_back(cut == Cut::none
                         ? *tensor
                         : std::make_shared<interp::Tensor>(takeRows(**tensor, sample, cut == Cut::columns ? 1 : 0)));
  }
  bool exactSums = false;
  if (ffn::MatmulOp matmul = productOf(kernel)) {
    auto operand = [&](Value value) { return inputs[cast<BlockArgument>(value).getArgNumber()]; };
    exactSums = sumsAreExact(matmul, *operand(matmul.getLhs()), *operand(matmul.getRhs()));
  }
  OwningOpRef<ModuleOp> module =
      isolateKernel(kernel, sample.whole() ? std::nullopt : std::optional<int64_t>(sample.rows.size()));
  auto function = *module->getOps<func::FuncOp>().begin();
  llvm::Expected<llvm::SmallVector<interp::TensorRef>> want = interp::interpret(function, inputs);
  if (!want)
    return failed("the reference failed: " + llvm::toString(want.takeError()));

  std::vector<Agreement> agreements;
  for (auto [i, tensor] : llvm::enumerate(*want)) {
    if (!got[i])
      continue;
    std::string what = want->size() == 1 ? name : name + ", result " + std::to_string(i);
    Type type = kernel.getResult(i).getType();
    auto toleranceIf = [&](bool exact) { return toleranceFor(kernel, type, tokens, exact); };
    if (auto count = kernel.getBody().front().getTerminator()->getOperand(i).getDefiningOp<ffn::CountNonzeroOp>()) {
      if (sample.whole()) {
        agreements.push_back(compareTensors(what, "all of it", *got[i], *tensor, toleranceIf(exactSums)));
        continue;
      }
      auto read = [&](Value argument) {
        return values.read(kernel.getInputs()[cast<BlockArgument>(argument).getArgNumber()]);
      };
      Result<SomeCounts> some = countColumns(count, read, tokens, seconds);
      if (!some)
        return failed(some.message());
      std::string which =
          std::to_string(some->columns.rows.size()) + " of " + std::to_string(some->columns.total) + " columns";
      agreements.push_back(
          compareTensors(what, which, takeRows(*got[i], some->columns), some->counts, toleranceIf(some->exactSums)));
      continue;
    }
    bool byRows = cuts && !got[i]->shape().empty(), cut = byRows && !sample.whole();
    agreements.push_back(compareTensors(what, byRows ? sample.text() : "all of it",
                                        cut ? takeRows(*got[i], sample) : *got[i], *tensor, toleranceIf(exactSums)));
  }
  return agreements;
}

std::vector<Agreement> tool::checkStages(func::FuncOp lowered, llvm::ArrayRef<interp::TensorRef> arguments,
                                         const GpuRun &run, double secondsPerReference, ProgressLine &progress) {
  DeviceValues values(lowered, arguments, run);
  std::vector<Agreement> agreements;
  auto kernels = llvm::to_vector(lowered.getOps<ffn::KernelOp>());
  for (auto [index, kernel] : llvm::enumerate(kernels)) {
    progress.show("checking " + describe(kernel), index, kernels.size());
    for (Agreement &agreement : checkStage(kernel, index, values, run.tokens(), secondsPerReference))
      agreements.push_back(std::move(agreement));
  }
  progress.clear();
  return agreements;
}

std::string tool::agreementTable(const std::vector<Agreement> &agreements) {
  size_t width = 0;
  for (const Agreement &agreement : agreements)
    width = std::max(width, agreement.what.size());
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const Agreement &agreement : agreements) {
    os << "  " << (agreement.passed() ? "ok    " : "WRONG ") << agreement.what
       << std::string(width - agreement.what.size(), ' ') << "  ";
    if (!agreement.problem.empty()) {
      os << agreement.problem << "\n";
      continue;
    }
    os << agreement.compared << ", ";
    if (agreement.differing == 0)
      os << "bit for bit equal";
    else
      os << llvm::format("max error %.3g, relative error %.3g, ", agreement.maxError, agreement.relative)
         << agreement.differing << " of " << agreement.count << " elements differ";
    if (agreement.maskMismatch > 0)
      os << llvm::format(", %.3g of the kept positions moved", agreement.maskMismatch);
    if (!agreement.passed())
      os << (agreement.tolerance.exact ? std::string("; expected equality")
             : agreement.counts
                 ? llvm::formatv("; expected differences of the counts <= {0:e2} of their sum (got {1:e2})",
                                 agreement.tolerance.countMismatch, agreement.countMismatch)
                       .str()
                 : llvm::formatv("; expected relative error <= {0:e2}, of an element <= {1:e2} "
                                 "(got {2:e2}), moved <= {3:e2}",
                                 agreement.tolerance.relative, agreement.tolerance.element, agreement.element,
                                 agreement.tolerance.maskMismatch)
                       .str());
    os << "\n";
  }
  return text;
}
