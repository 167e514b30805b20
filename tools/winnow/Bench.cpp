//===- Bench.cpp - winnow bench -----------------------------------------------------------------------------------===//

#include "GpuRun.h"
#include "Input.h"
#include "Options.h"
#include "Sampling.h"
#include "Tensors.h"
#include "Tool.h"

#include "winnow/Support/BuildId.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

namespace {
/// Times of one thing, in seconds.
struct Samples {
  std::vector<double> seconds;

  double percentile(double fraction) const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? 0 : sorted[static_cast<size_t>(fraction * static_cast<double>(sorted.size() - 1) + 0.5)];
  }
};

/// One way of running the function.
struct Contender {
  std::string name; ///< "winnow", "dense"
  std::unique_ptr<GpuRun> run;
  Samples whole;
  std::vector<Samples> launches;
};

struct BenchVerb {
  SpecOptions spec;
  interp::RandomOptions random;
  double warmUp = 0.5;
  int iterations = 100;
  int device = 0;
  bool noDense = false;
  bool json = false;

  int run();

private:
  Result<Contender> prepare(const std::string &name, bool dense, std::shared_ptr<const rt::Device> owner);
  Status measureWhole(Contender &contender, rt::OwnedStream &stream);
  Status measureLaunches(Contender &contender, rt::OwnedStream &stream);
  Status measure(rt::OwnedStream &stream, ProgressLine &progress);
  std::string table() const;
  std::string jsonText() const;

  std::unique_ptr<Input> input;
  std::vector<interp::TensorRef> arguments;
  std::vector<Contender> contenders;
  int64_t tokens = 0;
};
} // namespace

void tool::addBench(CLI::App &app, Action &action) {
  auto verb = std::make_shared<BenchVerb>();
  CLI::App *command = app.add_subcommand(
      "bench", "Measure every kernel and the whole on a GPU, against the same network compiled dense");
  verb->spec.addTo(*command);
  command->add_option("--iterations", verb->iterations, "measured runs of each")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--warm-up", verb->warmUp, "seconds of load before the first measured run")
      ->check(CLI::Range(0.0, 600.0))
      ->capture_default_str();
  command->add_option("--seed", verb->random.seed, "of the random inputs")->capture_default_str();
  command->add_option("--device", verb->device, "ordinal of the GPU")->check(CLI::NonNegativeNumber);
  command->add_flag("--no-dense", verb->noDense, "do not measure the dense form");
  command->add_flag("--json", verb->json, "print JSON");
  command->callback([verb, &action] { action = [verb] { return verb->run(); }; });
}

/// Takes away what the spec says of sparsity, so that nothing is worth a 2:4 product unless the spec selects by itself.
static void dropAnnotations(ModuleOp module) {
  module.walk([](Operation *op) { op->removeAttr(ffn::kSparsityAttrName); });
  for (auto function : module.getOps<func::FuncOp>())
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      function.removeArgAttr(i, ffn::kSparsityAttrName);
}

Result<Contender> BenchVerb::prepare(const std::string &name, bool dense, std::shared_ptr<const rt::Device> owner) {
  std::optional<rt::Program> program = dense ? std::nullopt : input->artifact();
  if (!program) {
    OwningOpRef<ModuleOp> module = input->clone();
    if (dense)
      dropAnnotations(*module);
    ProgressLine progress;
    FailureOr<rt::Program> compiled = jit::compile(*module, spec.compileOptions(targetOf(owner->info()), progress));
    if (failed(compiled))
      return Error{"could not compile the " + name + " form of '" + spec.path + "'"};
    program = std::move(*compiled);
  }
  Result<std::unique_ptr<GpuRun>> run = GpuRun::create(std::move(*program), owner, tokens);
  if (!run)
    return run.error();
  for (size_t index = 0; index < arguments.size(); ++index)
    if (Status status = (*run)->setInput(index, *arguments[index]); !status)
      return status.error();
  Contender contender;
  contender.name = name;
  contender.run = std::move(*run);
  contender.launches.resize(contender.run->plan().launches.size());
  return contender;
}

Status BenchVerb::measureWhole(Contender &contender, rt::OwnedStream &stream) {
  Result<rt::Event> start = rt::Event::create(contender.run->owningDevice());
  Result<rt::Event> end = rt::Event::create(contender.run->owningDevice());
  if (!start || !end)
    return start ? end.error() : start.error();
  Status status = start->record(stream.get());
  if (status)
    status = contender.run->enqueue(stream.get());
  if (status)
    status = end->record(stream.get());
  if (status)
    status = end->synchronize();
  if (!status)
    return status;
  Result<float> milliseconds = end->millisecondsSince(*start);
  if (!milliseconds)
    return milliseconds.error();
  contender.whole.seconds.push_back(*milliseconds * 1e-3);
  return {};
}

Status BenchVerb::measureLaunches(Contender &contender, rt::OwnedStream &stream) {
  std::vector<rt::Event> events;
  for (size_t i = 0; i <= contender.launches.size(); ++i) {
    Result<rt::Event> event = rt::Event::create(contender.run->owningDevice());
    if (!event)
      return event.error();
    events.push_back(std::move(*event));
  }
  Status status = events[0].record(stream.get());
  for (size_t i = 0; status && i < contender.launches.size(); ++i) {
    status = contender.run->enqueueLaunch(i, stream.get());
    if (status)
      status = events[i + 1].record(stream.get());
  }
  if (status)
    status = events.back().synchronize();
  for (size_t i = 0; status && i < contender.launches.size(); ++i) {
    Result<float> milliseconds = events[i + 1].millisecondsSince(events[i]);
    if (!milliseconds)
      return milliseconds.error();
    contender.launches[i].seconds.push_back(*milliseconds * 1e-3);
  }
  return status;
}

/// Contenders take turns, so that all meet the same clocks: a GPU slows down as it warms up.
Status BenchVerb::measure(rt::OwnedStream &stream, ProgressLine &progress) {
  auto start = std::chrono::steady_clock::now();
  auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  do {
    for (Contender &contender : contenders) {
      if (Status status = contender.run->enqueue(stream.get()); !status)
        return status;
      if (Status status = stream.synchronize(); !status)
        return status;
    }
    progress.show("warming up", static_cast<size_t>(std::min(elapsed(), warmUp) * 100),
                  std::max<size_t>(1, static_cast<size_t>(warmUp * 100)));
  } while (elapsed() < warmUp);
  for (int turn = 0; turn < iterations; ++turn) {
    progress.show("measuring", turn, iterations);
    for (Contender &contender : contenders) {
      if (Status status = measureWhole(contender, stream); !status)
        return status;
      if (Status status = measureLaunches(contender, stream); !status)
        return status;
    }
  }
  progress.clear();
  return {};
}

static std::string launchName(const rt::Plan &plan, const rt::Launch &launch) {
  switch (launch.kind) {
  case rt::Launch::Kind::kernel:
    return plan.kernels[launch.kernel].name;
  case rt::Launch::Kind::fillZero:
    return "fill with zero";
  default:
    return "copy";
  }
}

std::string BenchVerb::table() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  const rt::DeviceInfo &info = contenders.front().run->device();
  double flops = 2 * countMultiplyAdds(input->function(), tokens);
  os << llvm::formatv("@{0}, {1} tokens, on {2}; {3} runs after {4} s of load; {5}\n\n", input->function().getSymName(),
                      tokens, info.name, iterations, warmUp, buildId());
  os << llvm::formatv("  {0,-40}  {1,10}  {2,10}  {3,10}  {4}\n", "", "median", "10 %", "90 %", "TFLOP/s");
  auto row = [&](const std::string &name, const Samples &samples, double work) {
    double median = samples.percentile(0.5);
    os << llvm::formatv("  {0,-40}  {1,10}  {2,10}  {3,10}  {4}\n", name, formatSeconds(median),
                        formatSeconds(samples.percentile(0.1)), formatSeconds(samples.percentile(0.9)),
                        work > 0 ? llvm::formatv("{0:f0}", work / median * 1e-12).str() : "");
  };
  for (const Contender &contender : contenders) {
    os << contender.name << "\n";
    const rt::Plan &plan = contender.run->plan();
    for (size_t i = 0; i < plan.launches.size(); ++i)
      row("  " + launchName(plan, plan.launches[i]), contender.launches[i], 0);
    row("in all", contender.whole, flops);
  }
  if (contenders.size() > 1)
    os << llvm::formatv("\nagainst dense: {0:f2}x\n",
                        contenders[1].whole.percentile(0.5) / contenders[0].whole.percentile(0.5));
  return text;
}

static llvm::json::Object toJson(const Samples &samples) {
  return llvm::json::Object{{"median", samples.percentile(0.5)},
                            {"p10", samples.percentile(0.1)},
                            {"p90", samples.percentile(0.9)},
                            {"min", samples.percentile(0)}};
}

std::string BenchVerb::jsonText() const {
  llvm::json::Array forms;
  for (const Contender &contender : contenders) {
    llvm::json::Array launches;
    const rt::Plan &plan = contender.run->plan();
    for (size_t i = 0; i < plan.launches.size(); ++i)
      launches.push_back(
          llvm::json::Object{{"name", launchName(plan, plan.launches[i])}, {"seconds", toJson(contender.launches[i])}});
    forms.push_back(llvm::json::Object{
        {"form", contender.name}, {"seconds", toJson(contender.whole)}, {"launches", std::move(launches)}});
  }
  llvm::json::Object root{{"function", input->function().getSymName()},
                          {"spec", spec.path},
                          {"tokens", tokens},
                          {"device", contenders.front().run->device().name},
                          {"winnow", buildId()},
                          {"iterations", iterations},
                          {"warm_up_seconds", warmUp},
                          {"flops", 2 * countMultiplyAdds(input->function(), tokens)},
                          {"forms", std::move(forms)}};
  return llvm::formatv("{0:2}\n", llvm::json::Value(std::move(root))).str();
}

int BenchVerb::run() {
  input = Input::load(spec.path, spec.entry);
  if (!input)
    return kFailure;
  Result<std::shared_ptr<const rt::Device>> owner = rt::Device::open(device);
  if (!owner)
    return fail("benchmarks need a GPU: " + owner.message());
  Result<std::vector<interp::InputType>> types = describeArguments(input->function());
  if (!types)
    return fail(types.message());
  tokens = spec.tokens;
  Result<std::vector<interp::TensorRef>> made =
      makeInputs(*types, {}, random, hasDynamicTokens(input->function()), tokens);
  if (!made)
    return fail(made.message());
  arguments = std::move(*made);
  tokens = std::max<int64_t>(tokens, 1);

  for (bool dense : {false, true}) {
    if (dense && noDense)
      continue;
    Result<Contender> contender = prepare(dense ? "dense" : "winnow", dense, *owner);
    if (!contender)
      return fail(contender.message());
    contenders.push_back(std::move(*contender));
  }
  Result<rt::OwnedStream> stream = rt::OwnedStream::create(*owner);
  if (!stream)
    return fail(stream.message());
  ProgressLine progress;
  if (Status status = measure(*stream, progress); !status)
    return fail(status.message());
  if (Status status = writeWhole("-", json ? jsonText() : table()); !status)
    return fail(status.message());
  return kSuccess;
}
