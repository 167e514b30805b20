//===- Run.cpp - winnow run ---------------------------------------------------------------------------------------===//

#include "Check.h"
#include "GpuRun.h"
#include "Input.h"
#include "Options.h"
#include "Remarks.h"
#include "Sampling.h"
#include "Tensors.h"
#include "Tool.h"

#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

#include <chrono>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

namespace {
struct RunVerb {
  SpecOptions spec;
  std::string target;
  std::vector<std::string> inputs, outputs;
  interp::RandomOptions random;
  bool check = false;
  double checkSeconds = 10;
  int repeat = 1;
  int device = 0;

  int run();

private:
  int runOnCpu();
  int runOnGpu(std::shared_ptr<const rt::Device> owner);
  Result<rt::Program> programFor(const rt::DeviceInfo &info);
  Status prepare();
  int finish(const std::vector<interp::Tensor> &results, const std::string &where);

  std::unique_ptr<Input> input;
  std::optional<RemarkLog> remarks;
  std::vector<interp::TensorRef> arguments;
  int64_t tokens = 0;
  std::string report;
  bool sound = true; ///< no check has failed
};
} // namespace

void tool::addRun(CLI::App &app, Action &action) {
  auto verb = std::make_shared<RunVerb>();
  CLI::App *command = app.add_subcommand("run", "Run a spec or an artifact, on a GPU or on the CPU reference");
  verb->spec.addTo(*command);
  command->add_option("--target", verb->target, "gpu or cpu; default: gpu where there is one, else cpu")
      ->check(CLI::IsMember({"gpu", "cpu", "sm_90a"}));
  command->add_option("--inputs", verb->inputs,
                      "inputs as .npy files, by name (x=x.npy) or in order; what is not given is drawn at random");
  command->add_option("-o,--output", verb->outputs, "where to write the results: a folder, or one .npy file for each");
  command->add_option("--seed", verb->random.seed, "of the random inputs")->capture_default_str();
  command->add_flag(
      "--exact-inputs", verb->random.exact,
      "draw small integers, so that sums are exact and a device must agree bit for bit where they stay so");
  command->add_flag("--special-rows", verb->random.specialRows,
                    "let the first rows be zeros, negative zeros, a NaN, an infinity, and tiny values");
  command->add_flag("--check", verb->check, "compare the result, and every kernel's output, with the reference");
  command
      ->add_option("--check-seconds", verb->checkSeconds,
                   "time for each computation of the reference by --check; decides how many rows are compared")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
  command->add_option("--repeat", verb->repeat, "run so many times and expect identical bits")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--device", verb->device, "ordinal of the GPU")->check(CLI::NonNegativeNumber);
  command->callback([verb, &action] { action = [verb] { return verb->run(); }; });
}

static constexpr llvm::StringLiteral kFewerTokens = "fewer --tokens need less";

Status RunVerb::prepare() {
  if (const std::optional<PreparedFolder> &folder = input->prepared()) {
    ProgressLine progress;
    if (Status status = folder->verify(progress); !status)
      return status;
    llvm::append_range(inputs, folder->inputs());
  }
  Result<std::vector<interp::InputType>> types = describeArguments(input->function());
  if (!types)
    return types.error();
  Result<std::map<unsigned, std::string>> files = assignInputs(*types, inputs);
  if (!files)
    return files.error();
  tokens = spec.tokens;
  bool dynamic = hasDynamicTokens(input->function());
  if (!dynamic && tokens != 0)
    warn("--tokens has no effect: every extent of the function is fixed");
  if (Status status = checkMemory(estimateArgumentBytes(input->function(), std::max<int64_t>(tokens, 1)), kFewerTokens);
      !status)
    return status;
  Result<std::vector<interp::TensorRef>> made = makeInputs(*types, *files, random, dynamic, tokens);
  if (!made)
    return made.error();
  arguments = std::move(*made);
  tokens = std::max<int64_t>(tokens, 1);
  spec.tokens = tokens;
  return {};
}

int RunVerb::finish(const std::vector<interp::Tensor> &results, const std::string &where) {
  if (spec.remarks && remarks)
    llvm::errs() << remarks->text();
  std::string text = "@" + input->function().getSymName().str() + " on " + where + "\n";
  for (auto [index, result] : llvm::enumerate(results))
    text += "  result " + std::to_string(index) + ": " + summarize(result) + "\n";
  text += report;
  if (Status status = writeResults(results, outputs); !status)
    return fail(status.message());
  bool dataOnStdout = llvm::is_contained(outputs, "-");
  if (dataOnStdout)
    llvm::errs() << text;
  else if (Status status = writeWhole("-", text); !status)
    return fail(status.message());
  return sound ? kSuccess : fail("the check failed");
}

int RunVerb::runOnCpu() {
  if (Status status = checkMemory(estimateReferenceBytes(input->function(), tokens), kFewerTokens); !status)
    return fail(status.message());
  double seconds = estimateReferenceSeconds(input->function(), tokens);
  if (seconds > 20)
    llvm::errs() << "note: the CPU reference will take about " << formatSeconds(seconds)
                 << "; fewer --tokens take less\n";
  llvm::Expected<llvm::SmallVector<interp::TensorRef>> values = interp::interpret(input->function(), arguments);
  if (!values)
    return fail(llvm::toString(values.takeError()));
  std::vector<interp::Tensor> results;
  for (const interp::TensorRef &value : *values)
    results.push_back(*value);
  if (check) {
    ProgressLine progress;
    jit::CompileOptions options = spec.compileOptions("sm_90a", progress);
    OwningOpRef<ModuleOp> lowered = input->clone();
    if (failed(jit::lowerToKernels(*lowered, options)))
      return kFailure;
    Result<CheckReport> checked = checkLowering(input->function(), onlyFunction(*lowered), arguments, results);
    if (!checked)
      return fail(checked.message());
    report += checked->text;
    sound = checked->passed;
  }
  return finish(results, "the CPU reference");
}

Result<rt::Program> RunVerb::programFor(const rt::DeviceInfo &info) {
  if (input->artifact())
    return *input->artifact();
  ProgressLine progress;
  OwningOpRef<ModuleOp> module = input->clone();
  auto start = std::chrono::steady_clock::now();
  FailureOr<rt::Program> program =
      jit::compile(*module, spec.compileOptions(target == "gpu" || target.empty() ? targetOf(info) : target, progress));
  if (failed(program))
    return Error{"could not compile '" + spec.path + "'"};
  progress.clear();
  std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  llvm::errs() << "compiled " << program->planFor(tokens).kernels.size() << " kernels in "
               << formatSeconds(taken.count()) << "\n";
  return *program;
}

int RunVerb::runOnGpu(std::shared_ptr<const rt::Device> owner) {
  Result<rt::Program> program = programFor(owner->info());
  if (!program)
    return fail(program.message());
  Result<std::unique_ptr<GpuRun>> gpu = GpuRun::create(std::move(*program), owner, tokens);
  if (!gpu)
    return fail(gpu.message());
  for (size_t index = 0; index < arguments.size(); ++index)
    if (Status status = (*gpu)->setInput(index, *arguments[index]); !status)
      return fail(status.message());

  std::vector<std::vector<uint8_t>> first;
  for (int turn = 0; turn < repeat; ++turn) {
    if (Status status = (*gpu)->runPoisoned(); !status)
      return fail(status.message());
    Result<std::vector<std::vector<uint8_t>>> bits = resultBytes(**gpu);
    if (!bits)
      return fail(bits.message());
    if (turn == 0)
      first = std::move(*bits);
    else if (*bits != first) {
      report += "  WRONG run " + std::to_string(turn + 1) + " differs from the first\n";
      sound = false;
      break;
    }
  }
  if (repeat > 1 && sound)
    report += "  ok    " + std::to_string(repeat) + " runs gave identical bits\n";

  Result<std::vector<interp::Tensor>> results = (*gpu)->outputs();
  if (!results)
    return fail(results.message());
  if (check) {
    ProgressLine progress;
    OwningOpRef<ModuleOp> lowered = input->clone();
    jit::CompileOptions options = spec.compileOptions((*gpu)->plan().target, progress);
    options.tokens = (*gpu)->decidedFor();
    if (failed(jit::lowerToKernels(*lowered, options)))
      return kFailure;
    Result<CheckReport> checked =
        checkDevice(input->function(), onlyFunction(*lowered), arguments, *results, **gpu, checkSeconds, progress);
    if (!checked)
      return fail(checked.message());
    report += checked->text;
    sound &= checked->passed;
  }
  return finish(*results, owner->info().name + ", " + std::to_string(tokens) + (tokens == 1 ? " token" : " tokens"));
}

int RunVerb::run() {
  input = Input::load(spec.path, spec.entry);
  if (!input)
    return kFailure;
  if (spec.remarks)
    remarks.emplace(input->context());
  Result<std::shared_ptr<const rt::Device>> owner = openDevice(target, device);
  if (!owner)
    return fail(owner.message());
  if (Status status = prepare(); !status)
    return fail(status.message());
  return *owner ? runOnGpu(*owner) : runOnCpu();
}
