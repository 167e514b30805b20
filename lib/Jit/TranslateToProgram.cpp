//===- TranslateToProgram.cpp - from a spec to plans by token count -----------------------------------------------===//

#include "TokenRanges.h"

#include "winnow/Dialect/FFN/Analysis/TokenDependence.h"
#include "winnow/Runtime/PlanVerifier.h"
#include "winnow/Spec/Spec.h"

#include "mlir/IR/Remarks.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::jit;

static remark::RemarkOpts remarkOptions(StringRef name, StringRef function) {
  return remark::RemarkOpts::name(name).category("token-ranges").function(function);
}

/// Text that another context reads as the same module, down to the locations, which arguments have their names from.
static std::string printWithLocations(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os, OpPrintingFlags().enableDebugInfo());
  return text;
}

static std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os);
  return text;
}

namespace {

/// Decisions at token counts other than the default one, and the ranges that follow.
class RangeFinder {
public:
  RangeFinder(std::string spec, const CompileOptions &options, ModuleOp defaultModule)
      : lowering(std::move(spec), options) {
    add({rt::Program::kDefaultTokens, print(defaultModule), "", defaultModule});
  }

  /// Samples until it is enough; false, with the reason, where a count could not be lowered.
  bool sample(std::string &problem) {
    std::vector<int64_t> counts = TokenSampler::firstCounts();
    while (!counts.empty()) {
      for (QuietLowering::Outcome &outcome : lowering.lower(counts)) {
        if (outcome.text.empty()) {
          problem = "at " + std::to_string(outcome.tokens) + " tokens: " + outcome.problem;
          return false;
        }
        add(std::move(outcome));
      }
      counts.clear();
      if (int64_t tokens = sampler.next())
        counts.push_back(tokens);
    }
    return true;
  }

  std::vector<TokenRange> ranges() const { return sampler.ranges(rt::Program::kDefaultTokens); }
  ModuleOp moduleFor(int64_t tokens) const { return modules[decisionOf.at(tokens)]; }

private:
  void add(QuietLowering::Outcome outcome) {
    auto [entry, isNew] = numbers.try_emplace(std::move(outcome.text), modules.size());
    if (isNew)
      modules.push_back(outcome.module);
    decisionOf[outcome.tokens] = entry->second;
    sampler.add(outcome.tokens, entry->second);
  }

  QuietLowering lowering;
  TokenSampler sampler;
  std::map<std::string, size_t> numbers; ///< of decisions, by the text of their modules
  std::vector<ModuleOp> modules;         ///< of decisions
  std::map<int64_t, size_t> decisionOf;  ///< by token count
};

} // namespace

/// Ranges end where their plan's kernels cannot count further; what comes after the last is out of reach.
static void limitRanges(rt::Program &program) {
  std::vector<rt::Specialization> &all = program.specializations;
  while (all.size() > 1 && all.back().plan.maxTokens <= all[all.size() - 2].lastTokens)
    all.pop_back();
  for (rt::Specialization &specialization : all)
    specialization.lastTokens = std::min(specialization.lastTokens, specialization.plan.maxTokens);
  all.back().lastTokens = all.back().plan.maxTokens;
}

/// A program of `plan` and of what is decided for other token counts; of `plan` alone, and why, where that fails.
static rt::Program specialize(const rt::Plan &plan, RangeFinder &finder, const CompileOptions &options,
                              std::string &problem) {
  if (!finder.sample(problem))
    return plan;
  CompileOptions quiet = options;
  quiet.dumpPhasesTo.clear();
  rt::Program program;
  for (const TokenRange &range : finder.ranges()) {
    ModuleOp module = finder.moduleFor(range.decidedFor);
    rt::Specialization specialization{range.last, range.decidedFor, summarize(module), plan};
    if (range.decidedFor != rt::Program::kDefaultTokens) {
      FailureOr<rt::Plan> other = translateToPlan(module, quiet);
      if (failed(other)) {
        problem = "at " + std::to_string(range.decidedFor) + " tokens: translation to CUDA failed";
        return plan;
      }
      specialization.plan = std::move(*other);
    }
    program.specializations.push_back(std::move(specialization));
  }
  limitRanges(program);
  if (Status status = rt::verify(program); !status) {
    problem = status.message();
    return plan;
  }
  return program;
}

FailureOr<rt::Program> jit::translateToProgram(ModuleOp module, const CompileOptions &options) {
  Result<func::FuncOp> entry = findEntry(module, options.entry);
  if (!entry)
    return module.emitError() << entry.message();
  keepOnly(module, *entry);
  std::string name = entry->getSymName().str(), spec;
  Location loc = entry->getLoc();
  bool severalPlans = options.tokens == 0 && ffn::hasDynamicTokens(*entry);
  if (severalPlans)
    spec = printWithLocations(module);
  if (failed(lowerToKernels(module, options)) || failed(lowerToKern(module, options)))
    return failure();
  FailureOr<rt::Plan> plan = translateToPlan(module, options);
  if (failed(plan))
    return failure();
  int64_t decidedFor = options.tokens ? options.tokens : rt::Program::kDefaultTokens;
  rt::Program program;
  std::string problem;
  if (severalPlans) {
    RangeFinder finder(std::move(spec), options, module);
    program = specialize(*plan, finder, options, problem);
  }
  if (!severalPlans || !problem.empty()) {
    program = rt::Program(std::move(*plan), decidedFor);
    program.specializations.front().summary = summarize(module);
  }
  if (!problem.empty())
    remark::missed(loc, remarkOptions("OnePlan", name))
        << remark::reason("one plan serves all token counts, because others could not be decided: {0}", problem);
  for (size_t i = 0; severalPlans && i < program.specializations.size(); ++i) {
    const rt::Specialization &specialization = program.specializations[i];
    remark::passed(loc, remarkOptions("TokenRange", name))
        << std::to_string(program.firstTokens(i)) + " to " + std::to_string(specialization.lastTokens) +
               " tokens, decided for " + std::to_string(specialization.decidedFor) + ": " + specialization.summary;
  }
  return program;
}
