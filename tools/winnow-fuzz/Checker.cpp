//===- Checker.cpp - interprets a program before and after every phase --------------------------------------------===//

#include "Checker.h"

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Dialect/FFN/Transforms/SplitPreparation.h"
#include "winnow/Interpreter/Compare.h"
#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Interpreter/RandomInputs.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"

#include <cctype>
#include <regex>

using namespace mlir;

namespace winnow::fuzz {

const char *verdictName(Verdict verdict) {
  switch (verdict) {
  case Verdict::agrees:
    return "agrees";
  case Verdict::invalid:
    return "invalid program";
  case Verdict::declined:
    return "declined";
  case Verdict::pipelineFailed:
    return "pipeline failed";
  case Verdict::interpretFailed:
    return "interpretation failed";
  case Verdict::differs:
    return "results differ";
  case Verdict::crashed:
    return "crashed";
  }
  return "unknown";
}

/// `text` without its digits, which vary with extents.
static std::string withoutNumbers(const std::string &text) {
  std::string rest;
  for (char c : text)
    if (!std::isdigit(static_cast<unsigned char>(c)))
      rest += c;
  return rest;
}

bool Outcome::sameFailure(const Outcome &other) const {
  if (verdict != other.verdict || phase != other.phase)
    return false;
  return verdict != Verdict::pipelineFailed || withoutNumbers(message) == withoutNumbers(other.message);
}

namespace {

/// Wrong on purpose: a rectifier is not its square.
struct InjectedBug : PassWrapper<InjectedBug, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InjectedBug)
  StringRef getName() const override { return "InjectedBug"; }
  void runOnOperation() override {
    getOperation().walk([](ffn::Relu2Op op) {
      OpBuilder builder(op);
      auto relu = ffn::ReluOp::create(builder, op.getLoc(), op.getType(), op.getInput());
      op.replaceAllUsesWith(relu.getResult());
      op.erase();
    });
  }
};

/// Diagnostics as one text, with the line of the first.
class Diagnostics {
public:
  explicit Diagnostics(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return success();
          if (text.empty())
            if (auto file = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
              line = file.getLine();
          text += (text.empty() ? "" : "; ") + diagnostic.str();
          return success();
        }) {}

  std::string text;
  unsigned line = 0;

private:
  ScopedDiagnosticHandler handler;
};

bool allowsDropping(ModuleOp module) {
  bool allows = false;
  auto consider = [&](Attribute attribute) {
    if (auto sparsity = dyn_cast_or_null<ffn::SparsityAttr>(attribute))
      allows |= sparsity.getMaxDrop() > 0;
  };
  module.walk([&](Operation *op) { consider(op->getAttr(ffn::kSparsityAttrName)); });
  for (auto function : module.getOps<func::FuncOp>())
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      consider(function.getArgAttr(i, ffn::kSparsityAttrName));
  return allows;
}

/// Zeroes what makes every matrix that is computed from these 2:4 along both axes.
void makeStructured(interp::Tensor &tensor) {
  if (tensor.shape().size() != 2 || tensor.element() == rt::ElementType::i1)
    return;
  int64_t columns = tensor.shape()[1];
  for (int64_t i = 0; i < tensor.count(); ++i)
    if (i / columns % 4 >= 2 || i % columns % 4 >= 2)
      tensor.set(i, 0.0f);
}

Result<std::vector<interp::Tensor>> makeInputs(func::FuncOp function, const Program &program) {
  llvm::Expected<std::vector<interp::InputType>> types = interp::argumentTypes(function);
  if (!types)
    return Error{llvm::toString(types.takeError())};
  interp::RandomOptions options;
  options.tokens = program.tokens;
  options.seed = program.seed;
  options.specialRows = program.special;
  Result<std::vector<interp::Tensor>> inputs = interp::randomInputs(*types, options);
  if (inputs && program.structured)
    for (interp::Tensor &tensor : *inputs)
      makeStructured(tensor);
  return inputs;
}

/// What differs between the results; empty if nothing does.
std::string compareResults(llvm::ArrayRef<interp::Tensor> actual, llvm::ArrayRef<interp::Tensor> expected,
                           bool typesOnly) {
  if (actual.size() != expected.size())
    return "expects " + std::to_string(expected.size()) + " results, got " + std::to_string(actual.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    Result<interp::Comparison> comparison = interp::compare(actual[i], expected[i]);
    std::string prefix = "result " + std::to_string(i) + " ";
    if (!comparison)
      return prefix + comparison.message();
    if (!typesOnly && !comparison->identical())
      return prefix + interp::describe(*comparison, actual[i], expected[i]);
  }
  return {};
}

/// Whether `module` computes the same once what depends on weights alone is a function of its own, called first. Counts
/// the prepared tensors.
Outcome checkPreparation(ModuleOp module, llvm::ArrayRef<interp::Tensor> inputs,
                         llvm::ArrayRef<interp::Tensor> expected, const Diagnostics &diagnostics) {
  const char *phase = "split-preparation";
  OwningOpRef<ModuleOp> copy(module.clone());
  func::FuncOp rest = *copy->getOps<func::FuncOp>().begin();
  FailureOr<ffn::Preparation> split = ffn::splitPreparation(rest);
  if (failed(split) || failed(verify(*copy)))
    return {Verdict::pipelineFailed, phase, diagnostics.text, diagnostics.line};
  Outcome outcome;
  if (!split->function)
    return outcome;
  llvm::SmallVector<interp::Tensor> weights;
  for (unsigned index : split->weights)
    weights.push_back(inputs[index]);
  auto prepared = interp::interpret(split->function, weights);
  if (!prepared)
    return {Verdict::interpretFailed, phase, llvm::toString(prepared.takeError())};
  llvm::SmallVector<interp::Tensor> taken(rest.getNumArguments());
  for (auto [index, tensor] : llvm::zip_equal(split->prepared, *prepared))
    taken[index] = std::move(tensor);
  const unsigned *kept = split->kept.begin();
  for (unsigned index = 0; index < taken.size(); ++index)
    if (!llvm::is_contained(split->prepared, index))
      taken[index] = inputs[*kept++];
  auto actual = interp::interpret(rest, taken);
  if (!actual)
    return {Verdict::interpretFailed, phase, llvm::toString(actual.takeError())};
  if (std::string difference = compareResults(*actual, expected, /*typesOnly=*/false); !difference.empty())
    return {Verdict::differs, phase, difference};
  outcome.prepared = static_cast<unsigned>(split->prepared.size());
  return outcome;
}

} // namespace

Checker::Checker(bool injectBug) {
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect, ffn::FFNDialect>();
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  context.disableMultithreading(); // processes are forked
  PipelineOptions options;
  for (const Phase &phase : ffnPhases()) {
    auto manager = std::make_unique<PassManager>(&context);
    phase.build(*manager, options);
    phases.push_back({phase.name.str(), std::move(manager)});
  }
  if (injectBug) {
    auto manager = std::make_unique<PassManager>(&context);
    manager->addPass(std::make_unique<InjectedBug>());
    phases.push_back({"injected-bug", std::move(manager)});
  }
}

Outcome Checker::check(const Program &program) {
  Diagnostics diagnostics(&context);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(program.text, ParserConfig(&context), "program.mlir");
  if (!module)
    return {Verdict::invalid, "parse", diagnostics.text, diagnostics.line};
  auto functions = module->getOps<func::FuncOp>();
  if (functions.empty())
    return {Verdict::invalid, "parse", "expects a function, got none"};
  func::FuncOp function = *functions.begin();
  Result<std::vector<interp::Tensor>> inputs = makeInputs(function, program);
  if (!inputs)
    return {Verdict::invalid, "inputs", inputs.message()};
  auto expected = interp::interpret(function, *inputs);
  if (!expected)
    return {Verdict::invalid, "interpret", llvm::toString(expected.takeError())};
  bool relaxed = allowsDropping(*module) && !program.structured;
  Outcome outcome = checkPreparation(*module, *inputs, *expected, diagnostics);
  if (outcome.isFailure())
    return outcome;

  for (PhaseRun &phase : phases) {
    if (failed(phase.manager->run(*module))) {
      bool declined = diagnostics.text.find("which cannot be:") != std::string::npos;
      return {declined ? Verdict::declined : Verdict::pipelineFailed, phase.name, diagnostics.text, diagnostics.line};
    }
    auto actual = interp::interpret(*module->getOps<func::FuncOp>().begin(), *inputs);
    if (!actual)
      return {Verdict::interpretFailed, phase.name, llvm::toString(actual.takeError())};
    bool mayDiffer = relaxed && phase.name == "select-layout";
    std::string difference = compareResults(*actual, *expected, mayDiffer);
    if (!difference.empty())
      return {Verdict::differs, phase.name, difference};
    expected = std::move(actual);
  }
  module->walk([&](ffn::MatmulOp op) {
    if (op.isSparse())
      ++(op.getTransposeLhs() ? outcome.featureWise : outcome.tokenWise);
  });
  return outcome;
}

Outcome checkWithoutImpossibleLayouts(Checker &checker, Program &program) {
  static const std::regex request("(, )?ffn\\.layout = #ffn\\.layout<[a-z_]+>");
  while (true) {
    Outcome outcome = checker.check(program);
    if (outcome.verdict != Verdict::declined)
      return outcome;
    size_t begin = 0;
    for (unsigned line = 1; line < outcome.line && begin != std::string::npos; ++line) {
      begin = program.text.find('\n', begin);
      begin += begin != std::string::npos;
    }
    std::string rest = begin < program.text.size() ? program.text.substr(begin) : "";
    std::string changed = std::regex_replace(rest, request, "", std::regex_constants::format_first_only);
    if (changed == rest)
      return outcome;
    program.text = program.text.substr(0, begin) + changed;
  }
}

} // namespace winnow::fuzz
