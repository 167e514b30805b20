//===- QuietLowering.cpp - lower a spec for other token counts, unheard -------------------------------------------===//

#include "TokenRanges.h"

#include "winnow/Spec/Spec.h"
#include "winnow/Support/HeldSignals.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

#include <atomic>
#include <system_error>
#include <thread>

using namespace mlir;
using namespace winnow;
using namespace winnow::jit;

/// Side by side: more contexts take more to make than they save.
static constexpr unsigned kMostWorkers = 4;

/// A context with the spec in it, for one thread at a time.
class QuietLowering::Worker {
public:
  Worker(StringRef text, const CompileOptions &options) : context(MLIRContext::Threading::DISABLED), options(options) {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      if (problem.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
        problem = diagnostic.str();
      return success();
    });
    spec = parseSpec(text, "spec", &context);
    unreadable = problem;
  }

  Outcome lower(int64_t tokens) {
    if (!spec)
      return {tokens, "", unreadable, {}};
    problem.clear();
    options.tokens = tokens;
    OwningOpRef<ModuleOp> module(spec->clone());
    if (failed(lowerToKernels(*module, options)) || failed(lowerToKern(*module, options)))
      return {tokens, "", problem.empty() ? "lowering failed without saying why" : problem, {}};
    std::string text;
    llvm::raw_string_ostream os(text);
    module->print(os);
    modules.push_back(std::move(module));
    return {tokens, std::move(text), "", *modules.back()};
  }

private:
  MLIRContext context;
  CompileOptions options;
  OwningOpRef<ModuleOp> spec;
  std::vector<OwningOpRef<ModuleOp>> modules;
  std::string problem, unreadable;
};

QuietLowering::QuietLowering(std::string text, const CompileOptions &given) : spec(std::move(text)), options(given) {
  options.dumpPhasesTo.clear();
  options.progress = nullptr;
}
QuietLowering::~QuietLowering() = default;

std::vector<QuietLowering::Outcome> QuietLowering::lower(ArrayRef<int64_t> counts) {
  unsigned cores = options.threads ? options.threads : std::thread::hardware_concurrency();
  size_t wanted = std::min<size_t>({std::max(1u, cores), kMostWorkers, counts.size()});
  if (workers.size() < wanted)
    workers.resize(wanted);
  std::vector<Outcome> outcomes(counts.size());
  std::atomic<size_t> next{0};
  auto work = [&](std::unique_ptr<Worker> &worker) {
    for (size_t index = next++; index < counts.size(); index = next++) {
      if (!worker)
        worker = std::make_unique<Worker>(spec, options);
      outcomes[index] = worker->lower(counts[index]);
    }
  };
  HeldSignals signals; // Threads that are started here must not take them.
  std::vector<std::thread> threads;
  try {
    for (size_t i = 1; i < wanted; ++i)
      threads.emplace_back([&, i] { work(workers[i]); });
  } catch (const std::system_error &) {
    // The system has no more threads: those that there are do the work.
  }
  work(workers[0]);
  for (std::thread &thread : threads)
    thread.join();
  return outcomes;
}
