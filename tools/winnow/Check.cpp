//===- Check.cpp - winnow run --check -----------------------------------------------------------------------------===//

#include "Check.h"
#include "GpuRun.h"
#include "Sampling.h"
#include "StageCheck.h"
#include "Tool.h"

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

using TensorList = std::vector<interp::TensorRef>;

static Result<TensorList> evaluate(func::FuncOp function, const TensorList &inputs) {
  llvm::Expected<llvm::SmallVector<interp::TensorRef>> values = interp::interpret(function, inputs);
  if (!values)
    return Error{"the reference failed: " + llvm::toString(values.takeError())};
  return TensorList(values->begin(), values->end());
}

/// True if the first axis of a matrix or vector of this type is the token count.
static bool hasTokenRows(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() > 0 && tensor.isDynamicDim(0);
}

static int64_t countSelections(func::FuncOp function) {
  int64_t count = 0;
  function.walk([&](ffn::SparsifyOp) { ++count; });
  return count;
}

/// Both functions have the same results; `lowered` may contain selections that the annotations of `spec` allow.
static std::string relaxationText(func::FuncOp spec, func::FuncOp lowered, const TensorList &relaxed,
                                  const TensorList &strict) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (size_t i = 0; i < relaxed.size(); ++i) {
    Agreement agreement = compareTensors("", "", *relaxed[i], *strict[i], {});
    os << "  note  result " << i << ": the 2:4 selection that the spec's annotations allow changes it by "
       << llvm::format("%.3g", agreement.relative) << " (relative, both by the reference)\n";
  }
  return text;
}

static CheckReport reportOf(const std::vector<Agreement> &agreements) {
  CheckReport report;
  report.text = agreementTable(agreements);
  report.passed = llvm::all_of(agreements, [](const Agreement &agreement) { return agreement.passed(); });
  return report;
}

Result<CheckReport> tool::checkLowering(func::FuncOp spec, func::FuncOp lowered, const TensorList &inputs,
                                        const std::vector<interp::Tensor> &results) {
  Result<TensorList> values = evaluate(lowered, inputs);
  if (!values)
    return values.error();
  TensorList strict;
  for (const interp::Tensor &result : results)
    strict.push_back(std::make_shared<interp::Tensor>(result));
  if (countSelections(lowered) > countSelections(spec)) {
    CheckReport report;
    report.text = relaxationText(spec, lowered, *values, strict);
    for (const interp::TensorRef &value : *values)
      report.passed &= compareTensors("", "", *value, *value, {}).problem.empty();
    return report;
  }
  std::vector<Agreement> agreements;
  Tolerance exact;
  exact.exact = true;
  for (size_t i = 0; i < results.size(); ++i)
    agreements.push_back(compareTensors("result " + std::to_string(i) + " after the ffn passes", "all of it",
                                        *(*values)[i], results[i], exact));
  return reportOf(agreements);
}

/// How far a whole function may be off. A product is off by `epsilon`; an activation such as relu2 doubles that;
/// rounding the activation to a type whose steps are `step` apart (relative) then turns a part 2 * epsilon / step of
/// the elements into errors of a whole step: sqrt(2 * epsilon * step) in the mean. The next product adds its own
/// epsilon and averages: an element's error is a sum of many, 8 standard deviations are never reached. Where a
/// selection lies between, near ties come on top, single values that bound no element; every kernel is bounded by
/// itself (StageCheck.h).
static Tolerance endToEnd(func::FuncOp lowered, Type result, int64_t tokens) {
  Tolerance tolerance = toleranceFor(lowered, result, tokens, /*sumsAreExact=*/false);
  if (tolerance.exact)
    return tolerance;
  bool f8 = false;
  lowered.walk([&](ffn::QuantizeOp) { f8 = true; });
  double epsilon = tolerance.relative, step = f8 ? 0x1p-3 : 0x1p-8;
  tolerance.relative = epsilon + std::sqrt(2 * epsilon * step);
  tolerance.element = std::max(tolerance.element, 8 * tolerance.relative);
  tolerance.countMismatch = 2 * tolerance.relative; // as for a kernel
  if (countSelections(lowered) > 0) {
    tolerance.relative = std::hypot(tolerance.relative, kNearTies);
    tolerance.element = HUGE_VAL;
  }
  return tolerance;
}

Result<CheckReport> tool::checkDevice(func::FuncOp spec, func::FuncOp lowered, const TensorList &inputs,
                                      const std::vector<interp::Tensor> &results, const GpuRun &run,
                                      double secondsPerReference, ProgressLine &progress) {
  progress.show("computing the reference", 0, 1);
  int64_t tokens = run.tokens(),
          affordable = affordableRows(countMultiplyAdds(lowered, tokens), tokens, secondsPerReference);
  bool independent = hasIndependentTokens(spec);
  RowSample sample = sampleRows(tokens, independent ? affordable : tokens);
  std::vector<Agreement> agreements;
  std::string notes;
  if (!independent && affordable < tokens) {
    notes = "  note  the results as a whole are not compared: their rows depend on all tokens, and the reference would "
            "take " +
            formatSeconds(estimateReferenceSeconds(lowered, tokens)) + "; every kernel is\n";
  } else {
    TensorList cut = inputs;
    for (auto [type, tensor] : llvm::zip_equal(spec.getArgumentTypes(), cut))
      if (!sample.whole() && hasTokenRows(type))
        tensor = std::make_shared<interp::Tensor>(takeRows(*tensor, sample));
    Result<TensorList> want = evaluate(lowered, cut);
    if (!want)
      return want.error();
    for (size_t i = 0; i < results.size(); ++i) {
      Type type = spec.getResultTypes()[i];
      if (!sample.whole() && results[i].element() == rt::ElementType::i32)
        continue; // counts of all tokens: checkStages compares them by columns
      bool rows = hasTokenRows(type);
      agreements.push_back(compareTensors("result " + std::to_string(i), rows ? sample.text() : "all of it",
                                          rows ? takeRows(results[i], sample) : results[i], *(*want)[i],
                                          endToEnd(lowered, type, tokens)));
    }
    if (countSelections(lowered) > countSelections(spec)) {
      Result<TensorList> strict = evaluate(spec, cut);
      if (!strict)
        return strict.error();
      notes = relaxationText(spec, lowered, *want, *strict);
    }
  }
  progress.clear();
  for (Agreement &agreement : checkStages(lowered, inputs, run, secondsPerReference, progress))
    agreements.push_back(std::move(agreement));
  CheckReport report = reportOf(agreements);
  report.text += notes;
  return report;
}

Result<std::vector<std::vector<uint8_t>>> tool::resultBytes(const GpuRun &run) {
  std::vector<std::vector<uint8_t>> all;
  for (size_t index = 0; index < run.plan().buffers.size(); ++index) {
    const rt::Buffer &buffer = run.plan().buffers[index];
    if (buffer.kind != rt::BufferKind::output && buffer.stage < 0)
      continue;
    Result<std::vector<uint8_t>> bytes = run.bytes(index);
    if (!bytes)
      return bytes.error();
    all.push_back(std::move(*bytes));
  }
  return all;
}
