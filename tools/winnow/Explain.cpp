//===- Explain.cpp - winnow explain -------------------------------------------------------------------------------===//

#include "Input.h"
#include "Options.h"
#include "Remarks.h"
#include "Tool.h"

#include "winnow/Dialect/FFN/Analysis/CostModel.h"
#include "winnow/Dialect/FFN/Analysis/KernelForm.h"
#include "winnow/Dialect/FFN/Analysis/TensorCore.h"
#include "winnow/Target/ChipTable.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

namespace {
/// One kernel with what the cost model says of it, and of the same work on dense matrices.
struct KernelEstimate {
  std::string what;
  ffn::Prediction chosen, dense;
};

struct ExplainVerb {
  SpecOptions spec;
  std::string target = "sm_90a";
  bool json = false;

  int run();
  bool findRanges(bool tokensGiven);
  KernelEstimate estimate(ffn::KernelOp kernel, const Chip &chip) const;
  std::string table(const RemarkLog &log, const std::vector<KernelEstimate> &kernels) const;
  std::string jsonText(const RemarkLog &log, const std::vector<KernelEstimate> &kernels) const;

  std::unique_ptr<Input> input;
  rt::Program program; ///< plans for all token counts; none where one count was asked for
};
} // namespace

/// Token count to predict for where none is given.
static constexpr int64_t kDefaultTokens = rt::Program::kDefaultTokens;
/// Remarks that say what the ranges in `program` say.
static constexpr llvm::StringLiteral kRangeCategory = "token-ranges";

void tool::addExplain(CLI::App &app, Action &action) {
  auto verb = std::make_shared<ExplainVerb>();
  CLI::App *command =
      app.add_subcommand("explain", "Show what was chosen for every product, why, and what each kernel should cost");
  verb->spec.addTo(*command);
  command->add_option("--target", verb->target, "chip to decide for")->capture_default_str();
  command->add_flag("--json", verb->json, "print JSON");
  command->callback([verb, &action] { action = [verb] { return verb->run(); }; });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Cost of one kernel
//===--------------------------------------------------------------------------------------------------------------===//

static double countOf(Type type, int64_t tokens) {
  auto sparse = dyn_cast<ffn::Sparse24Type>(type);
  double count = 1;
  for (int64_t extent : sparse ? sparse.getShape() : cast<RankedTensorType>(type).getShape())
    count *= static_cast<double>(ShapedType::isDynamic(extent) ? tokens : extent);
  return count;
}

static double bytesOf(Type type, int64_t tokens, bool asDense) {
  auto sparse = dyn_cast<ffn::Sparse24Type>(type);
  Type element = sparse ? sparse.getElementType() : cast<RankedTensorType>(type).getElementType();
  double perElement = std::max(8u, element.getIntOrFloatBitWidth()) / 8.0;
  if (sparse && !asDense)
    perElement = perElement / 2 + 0.125; // half the values, and two 2-bit positions of every four
  return countOf(type, tokens) * perElement;
}

static ffn::Prediction predictProductKernel(ffn::MatmulOp matmul, Type result, bool sparse, bool compressed,
                                            int64_t tokens, const Chip &chip) {
  auto extent = [&](int64_t value) { return ShapedType::isDynamic(value) ? tokens : value; };
  ffn::ProductProblem problem;
  problem.m = extent(matmul.getM());
  problem.n = extent(matmul.getN());
  problem.k = extent(matmul.getK());
  problem.precision = ffn::getPrecision(ffn::getMatrixElementType(matmul.getLhs().getType()));
  problem.outBytes = std::max<int64_t>(1, ffn::getMatrixElementType(result).getIntOrFloatBitWidth() / 8);
  problem.compressesOut = compressed;
  return ffn::predictProduct(problem, sparse, chip);
}

KernelEstimate ExplainVerb::estimate(ffn::KernelOp kernel, const Chip &chip) const {
  KernelEstimate estimate;
  ffn::MatmulOp matmul;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (isa<arith::ConstantOp>(op))
      continue;
    std::string name = op.getName().stripDialect().str();
    if (auto product = dyn_cast<ffn::MatmulOp>(op)) {
      matmul = product;
      name = product.isSparse() ? "matmul (2:4)" : "matmul";
    }
    estimate.what += (estimate.what.empty() ? "" : ", ") + name;
  }
  if (matmul) {
    Type result = kernel->getResultTypes().front();
    estimate.chosen =
        predictProductKernel(matmul, result, matmul.isSparse(), isa<ffn::Sparse24Type>(result), spec.tokens, chip);
    estimate.dense = predictProductKernel(matmul, result, false, false, spec.tokens, chip);
    for (Type counts : llvm::drop_begin(kernel->getResultTypes())) // zeroed, and added to
      for (ffn::Prediction *prediction : {&estimate.chosen, &estimate.dense})
        prediction->bytes += 2 * bytesOf(counts, spec.tokens, /*asDense=*/true);
    return estimate;
  }
  for (bool asDense : {false, true}) {
    double bytes = 0;
    for (Type type : llvm::concat<const Type>(kernel->getOperandTypes(), kernel->getResultTypes()))
      bytes += bytesOf(type, spec.tokens, asDense);
    (asDense ? estimate.dense : estimate.chosen) =
        ffn::predictMap(countOf(kernel->getOperandTypes().front(), spec.tokens), bytes, chip);
  }
  return estimate;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Output
//===--------------------------------------------------------------------------------------------------------------===//

static bool isLayoutChoice(const RemarkRecord &record) { return record.metrics.count("Layout") != 0; }

static std::string percent(double chosen, double dense) {
  std::string text;
  if (chosen > 0)
    llvm::raw_string_ostream(text) << llvm::format("%.2fx", dense / chosen);
  return text;
}

std::string ExplainVerb::table(const RemarkLog &log, const std::vector<KernelEstimate> &kernels) const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "@" << input->function().getSymName() << " at " << spec.tokens << (spec.tokens == 1 ? " token" : " tokens")
     << " for " << target << "\n\nproducts (M x N x K)\n";
  for (const RemarkRecord &record : log.records())
    if (isLayoutChoice(record))
      os << "  " << record.location << "  " << record.metrics.at("Shape") << "  " << record.metrics.at("Layout")
         << "\n      " << record.reason << "\n";
  size_t width = 6;
  for (const KernelEstimate &kernel : kernels)
    width = std::max(width, kernel.what.size());
  auto padded = [&](llvm::StringRef what) { return what.str() + std::string(width - what.size(), ' '); };
  os << "\nkernels, predicted\n"
     << llvm::formatv("  {0}  {1,10}  {2,10}  {3,10}  {4,-7}  {5,10}  {6}\n", padded("kernel"), "time", "moved",
                      "TFLOP/s", "bound", "dense", "gain");
  auto row = [&](llvm::StringRef what, const ffn::Prediction &chosen, double dense, llvm::StringRef bound) {
    std::string rate = "-";
    if (chosen.flops > 0 && chosen.seconds > 0)
      rate = llvm::formatv("{0:f0}", chosen.flops / chosen.seconds * 1e-12).str();
    os << llvm::formatv("  {0}  {1,10}  {2,10}  {3,10}  {4,-7}  {5,10}  {6}\n", padded(what),
                        formatSeconds(chosen.seconds), formatBytes(chosen.bytes), rate, bound, formatSeconds(dense),
                        percent(chosen.seconds, dense));
  };
  ffn::Prediction total;
  double dense = 0;
  for (const KernelEstimate &kernel : kernels) {
    row(kernel.what, kernel.chosen, kernel.dense.seconds, kernel.chosen.memoryBound ? "memory" : "compute");
    total.seconds += kernel.chosen.seconds;
    total.bytes += kernel.chosen.bytes;
    total.flops += kernel.chosen.flops;
    dense += kernel.dense.seconds;
  }
  row("in all", total, dense, "");
  if (!program.specializations.empty())
    os << "\ntoken counts, and what an artifact does for them\n";
  for (auto [index, range] : llvm::enumerate(program.specializations))
    os << "  " << program.firstTokens(index) << " to " << range.lastTokens << ", as for " << range.decidedFor << ": "
       << range.summary << "\n";
  os << "\ndecisions\n";
  for (const RemarkRecord &record : log.records())
    if (!isLayoutChoice(record) && record.category != kRangeCategory)
      os << "  " << record.location << "  " << record.category << ": " << record.name << ": " << record.message << "\n";
  return text;
}

static llvm::json::Object toJson(const ffn::Prediction &prediction) {
  return llvm::json::Object{{"seconds", prediction.seconds},
                            {"bytes", prediction.bytes},
                            {"flops", prediction.flops},
                            {"bound", prediction.memoryBound ? "memory" : "compute"}};
}

std::string ExplainVerb::jsonText(const RemarkLog &log, const std::vector<KernelEstimate> &kernels) const {
  llvm::json::Array decisions, estimates, ranges;
  for (const RemarkRecord &record : log.records()) {
    if (record.category == kRangeCategory)
      continue;
    llvm::json::Object metrics;
    for (const auto &[key, value] : record.metrics)
      metrics[key] = value;
    decisions.push_back(llvm::json::Object{{"kind", record.kind},
                                           {"pass", record.category},
                                           {"name", record.name},
                                           {"location", record.location},
                                           {"reason", record.reason},
                                           {"metrics", std::move(metrics)}});
  }
  for (const KernelEstimate &kernel : kernels)
    estimates.push_back(llvm::json::Object{
        {"kernel", kernel.what}, {"predicted", toJson(kernel.chosen)}, {"dense", toJson(kernel.dense)}});
  for (auto [index, range] : llvm::enumerate(program.specializations))
    ranges.push_back(llvm::json::Object{{"first", program.firstTokens(index)},
                                        {"last", range.lastTokens},
                                        {"decided_for", range.decidedFor},
                                        {"summary", range.summary}});
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv(
      "{0:2}\n", llvm::json::Value(llvm::json::Object{{"function", input->function().getSymName()},
                                                      {"target", target},
                                                      {"tokens", spec.tokens},
                                                      {"decisions", std::move(decisions)},
                                                      {"kernels", std::move(estimates)},
                                                      {"token_ranges", std::move(ranges)}}));
  return text;
}

/// What is there for which token counts: in an artifact, or to be made of a spec whose token count is open.
bool ExplainVerb::findRanges(bool tokensGiven) {
  if (input->artifact()) {
    program = *input->artifact();
    return true;
  }
  if (tokensGiven || target == "cpu" || !hasDynamicTokens(input->function()))
    return true;
  OwningOpRef<ModuleOp> module = input->clone();
  ProgressLine progress;
  jit::CompileOptions options = spec.compileOptions(target, progress);
  options.tokens = 0;
  options.dumpPhasesTo.clear();
  FailureOr<rt::Program> made = jit::translateToProgram(*module, options);
  if (failed(made))
    return false;
  program = std::move(*made);
  return true;
}

int ExplainVerb::run() {
  Result<const Chip *> chip = lookupTarget(target);
  if (!chip)
    return fail(chip.message());
  input = Input::load(spec.path, spec.entry);
  if (!input)
    return kFailure;
  bool tokensGiven = spec.tokens != 0;
  if (!tokensGiven)
    spec.tokens = kDefaultTokens;
  RemarkLog log(input->context());
  ProgressLine progress;
  OwningOpRef<ModuleOp> module = input->clone();
  jit::CompileOptions options = spec.compileOptions(target, progress);
  if (const std::optional<rt::Program> &artifact = input->artifact()) // What it will do, not what would be best.
    options.tokens = artifact->specializations[artifact->indexFor(spec.tokens)].decidedFor;
  if (failed(jit::lowerToKernels(*module, options)))
    return kFailure;
  std::vector<KernelEstimate> kernels;
  for (auto kernel : onlyFunction(*module).getOps<ffn::KernelOp>())
    kernels.push_back(estimate(kernel, **chip));
  // For the schedules that it chooses; what it says of them is among the decisions.
  if (target != "cpu" && failed(jit::lowerToKern(*module, options)))
    return kFailure;
  if (!findRanges(tokensGiven))
    return kFailure;
  if (Status status = writeWhole("-", json ? jsonText(log, kernels) : table(log, kernels)); !status)
    return fail(status.message());
  return kSuccess;
}
