//===- Tune.cpp - winnow tune -------------------------------------------------------------------------------------===//

#include "GpuRun.h"
#include "Input.h"
#include "NotedInterrupt.h"
#include "Options.h"
#include "Tensors.h"
#include "Tool.h"
#include "TuneDatabase.h"
#include "TuneInputs.h"
#include "TuneReport.h"
#include "TuneTrial.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Dialect/Kern/Transforms/TuningCandidates.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <map>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

namespace {
/// A function of a spec, lowered for one token count by the model alone.
struct Network {
  size_t spec = 0; ///< which of the command line
  int64_t tokens = 1;
  OwningOpRef<ModuleOp> lowered, kern;
  std::vector<std::pair<kern::GemmOp, size_t>> products; ///< and where they stand in the report
};

struct TuneVerb {
  SpecOptions spec; ///< its path is not used
  std::vector<std::string> paths;
  std::vector<int64_t> tokenCounts;
  interp::RandomOptions random;
  TrialOptions trial;
  std::string load = "sustained";
  double budget = 120;
  size_t candidates = 12;
  int device = 0;
  std::string output;
  bool resume = false;
  bool dryRun = false;
  bool json = false;

  int run();

private:
  Status openDeviceAndDatabase();
  Status survey(size_t index);
  Status surveyAt(size_t index, int64_t tokens);
  void addCandidates(kern::GemmOp op, TunedProduct &product) const;
  double wanted(const TunedProduct &product) const;
  void announce() const;
  Status tune(Network &network);
  Result<std::unique_ptr<GpuRun>> runModelsChoice(Network &network);
  Status tuneProduct(kern::GemmOp op, Network &network, const GpuRun &run, TunedProduct &product, double deadline);
  Result<std::vector<IsolatedProduct>> compileForms(kern::GemmOp op, ModuleOp kernModule,
                                                    const jit::CompileOptions &options, const TunedProduct &product,
                                                    std::string &messages);
  jit::CompileOptions optionsFor(int64_t tokens);
  double spent() const;

  std::vector<std::unique_ptr<Input>> inputs;
  std::vector<Network> networks;
  KeptArguments weights; ///< of the spec that is being tuned, by argument
  size_t weightsOf = 0;
  std::shared_ptr<const rt::Device> owner;
  TuneDatabase database;
  kern::TunedSchedules planned; ///< what has been surveyed, for telling what is the same
  TuneReport report;
  ProgressLine progress;
  std::chrono::steady_clock::time_point began;
  double outstanding = 0; ///< seconds that the products still to come want
  size_t toMeasure = 0, done = 0;
  std::vector<std::string> failures;
};
} // namespace

void tool::addTune(CLI::App &app, Action &action) {
  auto verb = std::make_shared<TuneVerb>();
  CLI::App *command = app.add_subcommand(
      "tune", "Measure schedules of every matrix product on a GPU, and keep the fastest for later compilations");
  command->add_option("specs", verb->paths, "MLIR files of networks; - is standard input")->required();
  command->add_option("--entry", verb->spec.entry, "function to take of each; default: @forward, or the only one");
  addTokens(*command, verb->tokenCounts,
            "token counts to tune for, between commas: each stands for those from the power of two below to the one "
            "above; default 8192");
  command->add_option("--output", verb->output, "database to add to; default: the user's, which every verb consults");
  command
      ->add_option("--load", verb->load,
                   "what the GPU does around a sample: sustained, never idle, so that the power limit decides as in "
                   "long runs; burst, it rests before each")
      ->check([](const std::string &text) -> std::string {
        return text == "sustained" || text == "burst" ? "" : "expected sustained or burst, got '" + text + "'";
      })
      ->capture_default_str();
  command->add_option("--budget", verb->budget, "seconds in all, compiling included; what does not fit is named")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  command->add_flag("--resume", verb->resume,
                    "leave out products that the database has from this build of Winnow and such a GPU");
  command->add_option("--candidates", verb->candidates, "schedules to try for a product besides the model's choice")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--iterations", verb->trial.iterations, "rounds that the best schedules are timed in")
      ->check(CLI::Range(kLeastRounds, 100000))
      ->capture_default_str();
  command
      ->add_option("--warm-up", verb->trial.warmUpSeconds,
                   "seconds of load, by the schedules themselves, before a product is timed")
      ->check(CLI::Range(0.0, 600.0))
      ->capture_default_str();
  command->add_option("--seed", verb->random.seed, "of the random inputs, and of the order of turns")
      ->capture_default_str();
  command->add_option("--device", verb->device, "ordinal of the GPU")->check(CLI::NonNegativeNumber);
  command->add_flag("--no-cache", verb->spec.noCache, "compile every kernel anew and store none");
  command->add_flag("--dry-run", verb->dryRun, "list the schedules that would be tried; needs no GPU");
  command->add_flag("--json", verb->json, "print JSON");
  command->footer("Ctrl-C ends it early and keeps what was found until then; a second one ends it at once.");
  command->callback([verb, &action] { action = [verb] { return verb->run(); }; });
}

//===--------------------------------------------------------------------------------------------------------------===//
// What there is to measure
//===--------------------------------------------------------------------------------------------------------------===//

jit::CompileOptions TuneVerb::optionsFor(int64_t tokens) {
  jit::CompileOptions options = spec.compileOptions(report.target, progress);
  options.progress = nullptr;
  options.tokens = tokens;
  options.tuning = "none"; // Candidates compete with the model, whatever is known already.
  return options;
}

double TuneVerb::spent() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

void TuneVerb::addCandidates(kern::GemmOp op, TunedProduct &product) const {
  const kern::GemmProblem &problem = product.problem;
  kern::GemmSchedule model = kern::toSchedule(*op.getSchedule());
  auto add = [&](const kern::GemmSchedule &schedule) {
    product.candidates.emplace_back();
    product.candidates.back().schedule = schedule;
    product.candidates.back().clocks = kern::predictClocks(problem, schedule);
  };
  add(model);
  for (const kern::ScheduleCandidate &candidate : kern::tuningCandidates(problem, model, candidates))
    add(candidate.schedule);
  // What has won before defends its place.
  for (const kern::TunedEntry *entry : database.find(problem))
    if (kern::whyIllegal(problem, entry->schedule).empty() &&
        llvm::none_of(product.candidates, [&](const TunedCandidate &candidate) {
          return kern::sameSchedule(candidate.schedule, entry->schedule);
        }))
      add(entry->schedule);
}

double TuneVerb::wanted(const TunedProduct &product) const {
  constexpr double kClocksPerSecond = 1.4e9; // Under sustained load.
  return wantedSeconds(trial, product.candidates.size(), product.candidates.front().clocks / kClocksPerSecond);
}

Status TuneVerb::surveyAt(size_t index, int64_t tokens) {
  Input &input = *inputs[index];
  jit::CompileOptions options = optionsFor(tokens);
  Network network;
  network.spec = index;
  network.tokens = tokens;
  network.kern = input.clone();
  if (failed(jit::lowerToKernels(*network.kern, options)))
    return Error{"could not compile '" + paths[index] + "'"};
  network.lowered = cast<ModuleOp>(network.kern->getOperation()->clone());
  if (failed(jit::lowerToKern(*network.kern, options)))
    return Error{"could not compile '" + paths[index] + "'"};
  for (auto op : network.kern->getOps<kern::GemmOp>()) {
    if (!op.getSchedule() || op.getSchedule()->getFamily() != kern::Family::Wgmma)
      continue;
    FailureOr<kern::GemmProblem> problem = kern::describe(op);
    if (failed(problem))
      return Error{"could not compile '" + paths[index] + "'"};
    problem->expectedTokens = tokens;
    if (llvm::any_of(planned.find(report.target, *problem),
                     [&](const kern::TunedEntry *entry) { return entry->problem.panel == problem->panel; }))
      continue; // The same as another, here or in another spec.
    TunedProduct product;
    product.spec = paths[index];
    product.kernel = op.getSymName().str();
    product.problem = *problem;
    addCandidates(op, product);
    planned.put(database.entryFor(product));
    if (resume && database.hasMeasured(*problem)) {
      product.note = "measured before, and left out: --resume";
    } else {
      network.products.push_back({op, report.products.size()});
      outstanding += wanted(product);
      ++toMeasure;
    }
    report.products.push_back(std::move(product));
  }
  if (!network.products.empty())
    networks.push_back(std::move(network));
  return {};
}

Status TuneVerb::survey(size_t index) {
  if (!hasDynamicTokens(inputs[index]->function())) {
    if (!tokenCounts.empty())
      warn("--tokens has no effect: every extent of the function is fixed");
    return surveyAt(index, 1);
  }
  std::vector<int64_t> counts = tokenCounts.empty() ? std::vector<int64_t>{8192} : tokenCounts;
  for (int64_t tokens : counts)
    if (Status status = surveyAt(index, tokens); !status)
      return status;
  return {};
}

/// On standard error, before it begins.
void TuneVerb::announce() const {
  std::string left = report.products.size() > toMeasure
                         ? ", " + std::to_string(report.products.size() - toMeasure) + " measured before"
                         : "";
  llvm::errs() << "note: " << toMeasure << (toMeasure == 1 ? " product" : " products") << " to measure" << left
               << llvm::formatv(": about {0:f0} s of measuring, and compiling on top; the budget is {1:f0} s",
                                outstanding, budget)
               << (outstanding > budget ? ", so fewer rounds are made, and some products may be left out" : "") << "\n";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Tuning
//===--------------------------------------------------------------------------------------------------------------===//

/// Weights are drawn and kept for all token counts of a spec.
Result<std::unique_ptr<GpuRun>> TuneVerb::runModelsChoice(Network &network) {
  Input &input = *inputs[network.spec];
  if (weightsOf != network.spec)
    weights.clear();
  weightsOf = network.spec;
  Result<std::vector<interp::InputType>> types = describeArguments(input.function());
  if (!types)
    return types.error();
  Result<std::vector<interp::TensorRef>> arguments = drawArguments(*types, weights, random, network.tokens);
  if (!arguments)
    return arguments.error();
  for (auto [index, type] : llvm::enumerate(*types))
    if (!llvm::is_contained(type.shape, -1))
      weights[static_cast<unsigned>(index)] = (*arguments)[index];
  jit::CompileOptions options = optionsFor(network.tokens);
  FailureOr<rt::Plan> plan = jit::translateToPlan(*network.kern, options);
  if (failed(plan) || failed(jit::compileImages(*plan, options, network.kern->getLoc())))
    return Error{"could not compile '" + paths[network.spec] + "'"};
  Result<std::unique_ptr<GpuRun>> run = GpuRun::create(std::move(*plan), owner, network.tokens);
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

/// Measures until about `deadline`, in seconds after the beginning.
Status TuneVerb::tuneProduct(kern::GemmOp op, Network &network, const GpuRun &run, TunedProduct &product,
                             double deadline) {
  std::string messages;
  Result<std::vector<IsolatedProduct>> forms =
      compileForms(op, *network.kern, optionsFor(network.tokens), product, messages);
  if (!forms)
    return forms.error();
  const rt::Buffer &result = run.plan().buffers[forms->front().sourceBuffers.back()];
  Tolerance tolerance = toleranceOf(result, onlyFunction(*network.lowered), run.tokens());
  Result<ProductTrials> trials = ProductTrials::create(run, forms->front(), tolerance);
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
  TrialOptions options = trial;
  options.seed = random.seed;
  options.budgetSeconds = std::max(0.0, deadline - spent() - options.warmUpSeconds);
  if (Status status = trials->measure(options); !status)
    return status;
  for (size_t i = 0; i < added.size(); ++i) {
    const Trial &tried = trials->trials()[i];
    TunedCandidate &candidate = product.candidates[added[i]];
    candidate.problem = tried.problem;
    if (tried.seconds.empty())
      continue;
    candidate.seconds = tried.median();
    candidate.low = tried.quantile(0.1);
    candidate.high = tried.quantile(0.9);
    candidate.rounds = tried.seconds.size();
  }
  product.winner = added[trials->winner()];
  product.weightCopies = trials->weightCopies();
  product.launchesPerTurn = trials->launchesPerTurn();
  return {};
}

/// Fails only where going on makes no sense; what befell one product is its note.
Status TuneVerb::tune(Network &network) {
  std::unique_ptr<GpuRun> run;
  for (auto [op, index] : network.products) {
    TunedProduct &product = report.products[index];
    if (NotedInterrupt::arrived())
      return Error{"interrupted"};
    double want = wanted(product), left = budget - spent();
    double share = left * want / std::max(outstanding, want);
    outstanding -= want;
    ++done;
    if (left <= 0) {
      product.note = "not measured: the budget is spent (--budget; --resume goes on)";
      continue;
    }
    std::string rest = llvm::formatv("about {0:f0} s left", std::min(left, outstanding + want));
    progress.show(product.kernel + " at " + std::to_string(network.tokens) + " tokens, " + rest, done, toMeasure);
    double deadline = spent() + std::min(share, want);
    Status status;
    if (!run) {
      Result<std::unique_ptr<GpuRun>> made = runModelsChoice(network);
      if (made)
        run = std::move(*made);
      else
        status = made.error();
    }
    if (status)
      status = tuneProduct(op, network, *run, product, deadline);
    if (NotedInterrupt::arrived() && !product.measured())
      return Error{"interrupted"};
    if (status && product.measured()) {
      status = database.store(product);
      if (!status)
        return status;
    }
    if (status)
      continue;
    product.note = "not measured: " + status.message();
    failures.push_back("'" + product.kernel + "' at " + std::to_string(network.tokens) + " tokens of '" + product.spec +
                       "': " + status.message());
    if (Status alive = owner->synchronize(); !alive)
      return Error{failures.back()}; // The device takes no more work.
  }
  return {};
}

Status TuneVerb::openDeviceAndDatabase() {
  report.target = "sm_90a";
  if (!dryRun) {
    Result<std::shared_ptr<const rt::Device>> opened = rt::Device::open(device);
    if (!opened)
      return Error{"tuning needs a GPU (--dry-run does not): " + opened.message()};
    owner = *opened;
    report.target = targetOf(owner->info());
    report.device = owner->info().name;
  }
  if (output.empty())
    output = userTuningPath();
  if (output.empty() && !dryRun)
    return Error{"neither XDG_DATA_HOME nor HOME is set: say with --output=FILE where winners are to be kept"};
  Result<TuneDatabase> opened = TuneDatabase::open(output, report.target, report.device);
  if (!opened)
    return opened.error();
  database = std::move(*opened);
  report.database = dryRun ? "" : output;
  return {};
}

int TuneVerb::run() {
  for (const std::string &path : paths) {
    inputs.push_back(Input::load(path, spec.entry));
    if (!inputs.back())
      return kFailure;
    if (inputs.back()->artifact())
      return fail("'" + path + "' is an artifact, whose schedules are decided: give the spec that it was made of");
  }
  report.function = inputs.front()->function().getSymName().str();
  report.specs = paths.size();
  trial.load = load == "burst" ? Load::burst : Load::sustained;
  report.sustained = trial.load == Load::sustained;
  report.dryRun = dryRun;
  if (Status status = openDeviceAndDatabase(); !status)
    return fail(status.message());
  for (size_t index = 0; index < inputs.size(); ++index) {
    progress.show("reading what there is to tune", index, inputs.size());
    if (Status status = survey(index); !status)
      return fail(status.message());
  }
  progress.clear();
  Status status;
  if (!dryRun) {
    announce();
    NotedInterrupt interrupt;
    trial.interrupted = [] { return NotedInterrupt::arrived(); };
    began = std::chrono::steady_clock::now();
    for (size_t i = 0; i < networks.size() && status; ++i)
      status = tune(networks[i]);
  }
  progress.clear();
  if (!status)
    for (TunedProduct &product : report.products)
      if (product.note.empty() && !product.measured())
        product.note = "not measured: " + status.message();
  if (Status written = writeWhole("-", json ? report.json() : report.table()); !written)
    return fail(written.message());
  if (status && !failures.empty())
    status = Error{std::to_string(failures.size()) + " of " + std::to_string(toMeasure) +
                   " products could not be measured; the first was " + failures.front()};
  return status ? kSuccess : fail(status.message());
}
