//===- Compiler.cpp - from an ffn module to a program -------------------------------------------------------------===//

#include "winnow/Jit/Compiler.h"

#include "PhaseDump.h"
#include "ProgramCache.h"

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Pipelines/Pipelines.h"
#include "winnow/Spec/Spec.h"
#include "winnow/Support/BuildId.h"
#include "winnow/Support/HeldSignals.h"
#include "winnow/Target/ChipTable.h"
#include "winnow/Target/Cuda/TranslateToPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace winnow;

void jit::registerDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect, ffn::FFNDialect, kern::KernDialect>();
}

static PipelineOptions toPipelineOptions(const jit::CompileOptions &options) {
  PipelineOptions result;
  result.target = options.target;
  result.tokens = options.tokens > 0 ? options.tokens : rt::Program::kDefaultTokens;
  result.tuning = options.tuning;
  return result;
}

/// Runs `phases`, dumping the module after each; the first gets the number `number`.
static LogicalResult runPhases(ModuleOp module, llvm::ArrayRef<Phase> phases, unsigned number,
                               const jit::CompileOptions &options) {
  HeldSignals signals; // The context may start threads here, which live as long as it does.
  jit::PhaseDump dump(options.dumpPhasesTo);
  for (const Phase &phase : phases) {
    PassManager manager(module.getContext());
    phase.build(manager, toPipelineOptions(options));
    if (failed(manager.run(module)) || failed(dump.write(number++, phase.name, module)))
      return failure();
  }
  return success();
}

LogicalResult jit::lowerToKernels(ModuleOp module, const CompileOptions &options) {
  if (Result<const Chip *> chip = lookupTarget(options.target); !chip)
    return module.emitError() << chip.message();
  Result<func::FuncOp> entry = findEntry(module, options.entry);
  if (!entry)
    return module.emitError() << entry.message();
  keepOnly(module, *entry);
  if (failed(PhaseDump(options.dumpPhasesTo).write(0, "input", module)))
    return failure();
  return runPhases(module, ffnPhases(), 1, options);
}

LogicalResult jit::lowerToKern(ModuleOp module, const CompileOptions &options) {
  return runPhases(module, kernPhases(), static_cast<unsigned>(ffnPhases().size()) + 1, options);
}

FailureOr<rt::Plan> jit::translateToPlan(ModuleOp kernModule, const CompileOptions &options) {
  Result<const Chip *> chip = lookupTarget(options.target);
  if (!chip)
    return kernModule.emitError() << chip.message();
  if (!(*chip)->wgmma)
    return kernModule.emitError() << "target " << options.target
                                  << " has no launch plan: it interprets the specification; plans are made for sm_90a";
  // lowerToKernels left one function, so there is one program unless the module came from elsewhere.
  bool single = llvm::hasSingleElement(kernModule.getOps<kern::ProgramOp>());
  FailureOr<rt::Plan> plan = cuda::translateToPlan(kernModule, single ? "" : options.entry);
  if (failed(plan))
    return failure();
  plan->target = options.target;
  plan->compiler = buildId();
  PhaseDump dump(options.dumpPhasesTo);
  if (dump.enabled()) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    cuda::printPlan(*plan, stream);
    if (failed(dump.write("plan.txt", text, kernModule.getLoc())))
      return failure();
    for (const rt::Image &image : plan->images)
      if (failed(dump.write(image.name + ".cu", image.source, kernModule.getLoc())))
        return failure();
  }
  return plan;
}

FailureOr<rt::Program> jit::compile(ModuleOp module, const CompileOptions &options) {
  Result<func::FuncOp> entry = findEntry(module, options.entry);
  if (!entry)
    return module.emitError() << entry.message();
  keepOnly(module, *entry);
  std::string spec = printSpec(module);
  return getOrCompileProgram(spec, entry->getName().str(), options, module.getLoc(), [&]() -> FailureOr<rt::Program> {
    FailureOr<rt::Program> program = translateToProgram(module, options);
    if (failed(program) || failed(compileImages(*program, options, module.getLoc())))
      return failure();
    for (rt::Specialization &specialization : program->specializations)
      specialization.plan.spec = spec;
    return program;
  });
}
