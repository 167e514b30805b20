//===- Tune.cpp - winnow tune -------------------------------------------------------------------------------------===//

#include "GpuRun.h"
#include "Input.h"
#include "NotedInterrupt.h"
#include "Options.h"
#include "Tensors.h"
#include "Tool.h"
#include "TuneReport.h"
#include "TuneTrial.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"
#include "winnow/Dialect/Kern/Transforms/TuningCandidates.h"
#include "winnow/Support/BuildId.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

namespace {
struct TuneVerb {
  SpecOptions spec;
  std::vector<int64_t> tokenCounts;
  interp::RandomOptions random;
  TrialOptions trial;
  double budget = 120;
  size_t candidates = 12;
  int device = 0;
  std::string output;
  bool dryRun = false;
  bool json = false;

  int run();

private:
  Status tuneAt(int64_t tokens, size_t remaining);
  Result<std::unique_ptr<GpuRun>> runModelsChoice(ModuleOp kernModule, const jit::CompileOptions &options,
                                                  int64_t tokens);
  Status tuneProduct(kern::GemmOp op, ModuleOp kernModule, func::FuncOp lowered, const GpuRun &run,
                     const jit::CompileOptions &options, TunedProduct &product);
  Result<std::vector<IsolatedProduct>> compileForms(kern::GemmOp op, ModuleOp kernModule,
                                                    const jit::CompileOptions &options, const TunedProduct &product,
                                                    std::string &messages);
  kern::TunedEntry entryFor(const TunedProduct &product) const;
  Result<kern::TunedSchedules> readDatabase() const;
  Status store(const TunedProduct &product);
  bool alreadyTuned(const kern::GemmProblem &problem) const;

  std::unique_ptr<Input> input;
  std::shared_ptr<const rt::Device> owner;
  kern::TunedSchedules known; ///< as found
  TuneReport report;
  ProgressLine progress;
  double spent = 0; ///< seconds of measuring
};
} // namespace

void tool::addTune(CLI::App &app, Action &action) {
  auto verb = std::make_shared<TuneVerb>();
  CLI::App *command = app.add_subcommand(
      "tune", "Measure schedules of every matrix product on a GPU, and keep those that beat the model's choice");
  command->add_option("spec", verb->spec.path, "MLIR file of the network; - is standard input")->required();
  command->add_option("--entry", verb->spec.entry, "function to take; default: @forward, or the only one");
  addTokens(*command, verb->tokenCounts,
            "token counts to tune for, between commas: each stands for those from the power of two below to the one "
            "above; default 8192");
  command->add_option("--output", verb->output, "database to add to; default: the user's, which every verb consults");
  command->add_option("--budget", verb->budget, "seconds of measuring in all; compiling comes on top")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  command->add_option("--candidates", verb->candidates, "schedules to try for a product besides the model's choice")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--iterations", verb->trial.iterations, "rounds that the best schedules are timed in")
      ->check(CLI::Range(kLeastRounds, 100000))
      ->capture_default_str();
  command->add_option("--warm-up", verb->trial.warmUpSeconds, "seconds of load before a product is timed")
      ->check(CLI::Range(0.0, 600.0))
      ->capture_default_str();
  command->add_option("--seed", verb->random.seed, "of the random inputs")->capture_default_str();
  command->add_option("--device", verb->device, "ordinal of the GPU")->check(CLI::NonNegativeNumber);
  command->add_flag("--no-cache", verb->spec.noCache, "compile every kernel anew and store none");
  command->add_flag("--dry-run", verb->dryRun, "list the schedules that would be tried; needs no GPU");
  command->add_flag("--json", verb->json, "print JSON");
  command->footer("Ctrl-C ends it early and keeps what was found until then; a second one ends it at once.");
  command->callback([verb, &action] { action = [verb] { return verb->run(); }; });
}

//===--------------------------------------------------------------------------------------------------------------===//
// The database
//===--------------------------------------------------------------------------------------------------------------===//

static std::string today() {
  std::time_t now = std::time(nullptr);
  std::tm utc = {};
  ::gmtime_r(&now, &utc);
  char text[16];
  size_t length = std::strftime(text, sizeof(text), "%Y-%m-%d", &utc);
  return std::string(text, length);
}

kern::TunedEntry TuneVerb::entryFor(const TunedProduct &product) const {
  kern::TunedEntry entry;
  entry.chip = report.target;
  entry.device = report.device;
  entry.problem = product.problem;
  if (kern::dependsOnTokens(product.problem))
    entry.tokens = kern::tokenBucket(product.problem.expectedTokens);
  const TunedCandidate &winner = product.candidates[product.winner];
  entry.schedule = winner.schedule;
  entry.microseconds = winner.seconds.value_or(0) * 1e6;
  entry.modelMicroseconds = product.candidates.front().seconds.value_or(0) * 1e6;
  entry.date = today();
  entry.build = buildId();
  return entry;
}

Result<kern::TunedSchedules> TuneVerb::readDatabase() const {
  if (!llvm::sys::fs::exists(output))
    return kern::TunedSchedules();
  Result<std::string> text = readWhole(output);
  if (!text)
    return text.error();
  return kern::TunedSchedules::parse(*text, "'" + output + "'");
}

/// Puts the winner in the database, or takes out what no longer wins. Read again each time: another process may be
/// tuning another network.
Status TuneVerb::store(const TunedProduct &product) {
  Result<kern::TunedSchedules> database = readDatabase();
  if (!database)
    return database.error();
  kern::TunedEntry entry = entryFor(product);
  if (product.winner != 0)
    database->put(entry);
  else if (!database->remove(entry))
    return {};
  llvm::StringRef folder = llvm::sys::path::parent_path(output);
  if (std::error_code code = folder.empty() ? std::error_code() : llvm::sys::fs::create_directories(folder))
    return Error{"could not create the folder '" + folder.str() + "': " + code.message()};
  return writeWhole(output, database->print());
}

bool TuneVerb::alreadyTuned(const kern::GemmProblem &problem) const {
  kern::TunedSchedules seen;
  for (const TunedProduct &product : report.products)
    seen.put(entryFor(product));
  for (const kern::TunedEntry *entry : seen.find(report.target, problem))
    if (entry->problem.panel == problem.panel)
      return true;
  return false;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Tuning
//===--------------------------------------------------------------------------------------------------------------===//

Result<std::unique_ptr<GpuRun>> TuneVerb::runModelsChoice(ModuleOp kernModule, const jit::CompileOptions &options,
                                                          int64_t tokens) {
  Result<std::vector<interp::InputType>> types = describeArguments(input->function());
  if (!types)
    return types.error();
  int64_t count = tokens;
  Result<std::vector<interp::TensorRef>> arguments =
      makeInputs(*types, {}, random, hasDynamicTokens(input->function()), count);
  if (!arguments)
    return arguments.error();
  FailureOr<rt::Plan> plan = jit::translateToPlan(kernModule, options);
  if (failed(plan) || failed(jit::compileImages(*plan, options, kernModule.getLoc())))
    return Error{"could not compile '" + spec.path + "'"};
  Result<std::unique_ptr<GpuRun>> run = GpuRun::create(std::move(*plan), owner, tokens);
  if (!run)
    return run;
  for (size_t index = 0; index < arguments->size(); ++index)
    if (Status status = (*run)->setInput(index, *(*arguments)[index]); !status)
      return status.error();
  if (Status status = (*run)->runPoisoned(); !status)
    return status.error();
  return run;
}

/// What the result of a product owes the same product under another schedule.
static Tolerance toleranceOf(const rt::Buffer &result, func::FuncOp lowered, int64_t tokens) {
  int32_t stage = 0;
  for (auto kernel : lowered.getOps<ffn::KernelOp>())
    if (stage++ == result.stage)
      return toleranceFor(kernel, kernel.getResult(result.stageResult).getType(), tokens, /*sumsAreExact=*/false);
  Tolerance exact; // Between two parts of a kernel that was split.
  exact.exact = true;
  return exact;
}

/// The product under each schedule, compiled side by side; where one does not compile, without machine code.
Result<std::vector<IsolatedProduct>> TuneVerb::compileForms(kern::GemmOp op, ModuleOp kernModule,
                                                            const jit::CompileOptions &options,
                                                            const TunedProduct &product, std::string &messages) {
  ScopedDiagnosticHandler collect(kernModule.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      messages += (messages.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  std::vector<IsolatedProduct> forms;
  rt::Plan batch;
  batch.target = options.target;
  kern::ScheduleAttr before = *op.getSchedule();
  for (const TunedCandidate &candidate : product.candidates) {
    op.setScheduleAttr(kern::toAttribute(op.getContext(), candidate.schedule));
    FailureOr<rt::Plan> plan = jit::translateToPlan(kernModule, options);
    Result<IsolatedProduct> form = failed(plan) ? Result<IsolatedProduct>(Error{messages}) : isolateProduct(*plan, op);
    op.setScheduleAttr(before);
    if (!form)
      return form.error();
    batch.images.push_back(form->plan.images.front());
    forms.push_back(std::move(*form));
  }
  // Whatever compiled is filled in, also where something did not.
  bool whole = succeeded(jit::compileImages(batch, options, op.getLoc()));
  for (auto [form, image] : llvm::zip_equal(forms, batch.images))
    form.plan.images.front() = std::move(image);
  if (!whole && forms.front().plan.images.front().cubin.empty())
    return Error{messages};
  return forms;
}

Status TuneVerb::tuneProduct(kern::GemmOp op, ModuleOp kernModule, func::FuncOp lowered, const GpuRun &run,
                             const jit::CompileOptions &options, TunedProduct &product) {
  std::string messages;
  Result<std::vector<IsolatedProduct>> forms = compileForms(op, kernModule, options, product, messages);
  if (!forms)
    return forms.error();
  const rt::Buffer &result = run.plan().buffers[forms->front().sourceBuffers.back()];
  Result<ProductTrials> trials = ProductTrials::create(run, forms->front(), toleranceOf(result, lowered, run.tokens()));
  if (!trials)
    return trials.error();
  std::vector<size_t> added;
  for (size_t i = 0; i < forms->size(); ++i) {
    if ((*forms)[i].plan.images.front().cubin.empty()) {
      product.candidates[i].problem = "does not compile";
      continue;
    }
    if (Status status = trials->add(product.candidates[i].schedule, std::move((*forms)[i])); !status)
      return status;
    added.push_back(i);
  }
  if (!trials->trials().front().executable)
    return Error{"kernel '" + product.kernel + "' by itself: " + trials->trials().front().problem};
  auto begin = std::chrono::steady_clock::now();
  Status status = trials->measure(trial);
  spent += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!status)
    return status;
  for (size_t i = 0; i < added.size(); ++i) {
    const Trial &tried = trials->trials()[i];
    product.candidates[added[i]].problem = tried.problem;
    if (!tried.seconds.empty())
      product.candidates[added[i]].seconds = tried.median();
  }
  product.winner = added[trials->winner()];
  return {};
}

Status TuneVerb::tuneAt(int64_t tokens, size_t remaining) {
  jit::CompileOptions options = spec.compileOptions(report.target, progress);
  options.tokens = tokens;
  options.tuning = "none"; // Candidates compete with the model, whatever is known already.
  OwningOpRef<ModuleOp> module = input->clone();
  if (failed(jit::lowerToKernels(*module, options)))
    return Error{"could not compile '" + spec.path + "'"};
  OwningOpRef<ModuleOp> lowered = cast<ModuleOp>(module->getOperation()->clone());
  if (failed(jit::lowerToKern(*module, options)))
    return Error{"could not compile '" + spec.path + "'"};

  std::vector<kern::GemmOp> products;
  for (auto op : module->getOps<kern::GemmOp>())
    if (op.getSchedule() && op.getSchedule()->getFamily() == kern::Family::Wgmma)
      products.push_back(op);
  std::unique_ptr<GpuRun> run;
  for (auto [index, op] : llvm::enumerate(products)) {
    FailureOr<kern::GemmProblem> problem = kern::describe(op);
    if (failed(problem))
      return Error{"could not compile '" + spec.path + "'"};
    problem->expectedTokens = tokens;
    if (alreadyTuned(*problem))
      continue;
    TunedProduct product;
    product.kernel = op.getSymName().str();
    product.problem = *problem;
    kern::GemmSchedule model = kern::toSchedule(*op.getSchedule());
    product.candidates.push_back({model, kern::predictClocks(*problem, model), std::nullopt, ""});
    for (const kern::ScheduleCandidate &candidate : kern::tuningCandidates(*problem, model, candidates))
      product.candidates.push_back({candidate.schedule, candidate.clocks, std::nullopt, ""});
    // What has won before defends its place.
    for (const kern::TunedEntry *entry : known.find(report.target, *problem))
      if (kern::whyIllegal(*problem, entry->schedule).empty() &&
          llvm::none_of(product.candidates, [&](const TunedCandidate &candidate) {
            return kern::sameSchedule(candidate.schedule, entry->schedule);
          }))
        product.candidates.push_back(
            {entry->schedule, kern::predictClocks(*problem, entry->schedule), std::nullopt, ""});
    if (!dryRun && spent >= budget) {
      product.note = "not measured: the budget is spent (--budget)";
    } else if (!dryRun) {
      if (!run) {
        progress.show("computing what products read at " + std::to_string(tokens) + " tokens", index, products.size());
        Result<std::unique_ptr<GpuRun>> made = runModelsChoice(*module, options, tokens);
        if (!made)
          return made.error();
        run = std::move(*made);
      }
      progress.show("tuning " + product.kernel + " at " + std::to_string(tokens) + " tokens", index, products.size());
      trial.budgetSeconds =
          (budget - spent) / static_cast<double>(remaining) / static_cast<double>(products.size() - index);
      Status status = tuneProduct(op, *module, onlyFunction(*lowered), *run, options, product);
      if (status && product.measured())
        status = store(product);
      if (!status)
        return status;
    }
    report.products.push_back(std::move(product));
  }
  return {};
}

int TuneVerb::run() {
  input = Input::load(spec.path, spec.entry);
  if (!input)
    return kFailure;
  if (input->artifact())
    return fail("'" + spec.path + "' is an artifact, whose schedules are decided: give the spec that it was made of");
  report.function = input->function().getSymName().str();
  report.dryRun = dryRun;
  report.target = "sm_90a";
  if (!dryRun) {
    Result<std::shared_ptr<const rt::Device>> opened = rt::Device::open(device);
    if (!opened)
      return fail("tuning needs a GPU (--dry-run does not): " + opened.message());
    owner = *opened;
    report.target = targetOf(owner->info());
    report.device = owner->info().name;
  }
  if (output.empty())
    output = userTuningPath();
  if (output.empty() && !dryRun)
    return fail("neither XDG_DATA_HOME nor HOME is set: say with --output=FILE where winners are to be kept");
  Result<kern::TunedSchedules> database = readDatabase();
  if (!database)
    return fail(database.message());
  known = std::move(*database);
  report.database = dryRun ? "" : output;

  if (!hasDynamicTokens(input->function())) {
    if (!tokenCounts.empty())
      warn("--tokens has no effect: every extent of the function is fixed");
    tokenCounts = {1};
  } else if (tokenCounts.empty()) {
    tokenCounts = {8192};
  }
  Status status;
  {
    NotedInterrupt interrupt;
    trial.interrupted = [] { return NotedInterrupt::arrived(); };
    for (size_t i = 0; i < tokenCounts.size() && status; ++i)
      status =
          NotedInterrupt::arrived() ? Status(Error{"interrupted"}) : tuneAt(tokenCounts[i], tokenCounts.size() - i);
  }
  progress.clear();
  if (Status written = writeWhole("-", json ? report.json() : report.table()); !written)
    return fail(written.message());
  return status ? kSuccess : fail(status.message());
}
