//===- Prepare.cpp - winnow prepare -------------------------------------------------------------------------------===//

#include "GpuRun.h"
#include "Input.h"
#include "PreparedFolder.h"
#include "Sampling.h"
#include "Tensors.h"
#include "Tool.h"

#include "winnow/Dialect/FFN/Transforms/Passes.h"
#include "winnow/Dialect/FFN/Transforms/SplitPreparation.h"
#include "winnow/Jit/Compiler.h"
#include "winnow/Spec/Spec.h"
#include "winnow/Support/HeldSignals.h"

#include "mlir/Pass/PassManager.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

namespace {
struct PrepareVerb {
  std::string path, entry, target, output;
  std::vector<std::string> inputs;
  int device = 0;
  bool force = false;
  bool noCache = false;

  int run();

private:
  Status split();
  Status readWeights(ProgressLine &progress);
  Status computeOnCpu();
  Status computeOnGpu(std::shared_ptr<const rt::Device> owner, ProgressLine &progress);

  std::unique_ptr<Input> input;
  OwningOpRef<ModuleOp> preparing; ///< a module with what is prepared alone
  PreparedContents contents;
  std::vector<interp::TensorRef> weights;
};
} // namespace

void tool::addPrepare(CLI::App &app, Action &action) {
  auto verb = std::make_shared<PrepareVerb>();
  CLI::App *command = app.add_subcommand(
      "prepare", "Compute once what a spec computes from its weights alone, and keep it in a folder for 'winnow run'");
  command->add_option("spec", verb->path, "MLIR file of the network; - is standard input")->required();
  command->add_option("--entry", verb->entry, "function to take; default: @forward, or the only one");
  command->add_option("--inputs", verb->inputs, "weights as .npy files, by name (w1=w1.npy) or in order");
  command->add_option("--target", verb->target, "gpu or cpu; default: gpu where there is one, else cpu")
      ->check(CLI::IsMember({"gpu", "cpu", "sm_90a"}));
  command->add_option("--device", verb->device, "ordinal of the GPU")->check(CLI::NonNegativeNumber);
  command->add_flag("--no-cache", verb->noCache, "compile every kernel anew and store none");
  command
      ->add_option("-o,--output", verb->output,
                   "folder that receives the spec that is left, a .npy file for each prepared tensor and prepared.json")
      ->required();
  command->add_flag("--force", verb->force, "replace the folder if it holds what 'winnow prepare' has written");
  command->callback([verb, &action] { action = [verb] { return verb->run(); }; });
}

/// Splits the function; `preparing` and the spec, entry and names of `contents` follow from it.
Status PrepareVerb::split() {
  OwningOpRef<ModuleOp> module = input->clone();
  {
    HeldSignals signals; // Passes may start threads of the context, which live as long as it does.
    PassManager manager(&input->context());
    manager.addPass(ffn::createVerifySpecPass());
    if (failed(manager.run(*module)))
      return Error{"'" + path + "' cannot be compiled"};
  }
  func::FuncOp rest = onlyFunction(*module);
  contents.entry = rest.getSymName().str();
  FailureOr<ffn::Preparation> preparation = ffn::splitPreparation(rest);
  if (failed(preparation))
    return Error{"'" + path + "' cannot be split"};
  if (!preparation->function)
    return Error{"nothing to prepare: @" + contents.entry +
                 " computes nothing from its weights (ffn.weight) alone; 'winnow run' takes the spec as it is"};
  preparing = cast<ModuleOp>(module->getOperation()->clone());
  keepOnly(*preparing, preparing->lookupSymbol<func::FuncOp>(preparation->function.getSymName()));
  keepOnly(*module, rest);
  contents.specText = printSpec(*module);
  contents.specFile = (path == "-" ? "stdin" : llvm::sys::path::stem(path).str()) + ".mlir";
  // Names as whoever reads the text sees them.
  OwningOpRef<ModuleOp> again = parseSpec(contents.specText, contents.specFile, &input->context());
  if (!again)
    return Error{"the spec that is left cannot be read again"};
  for (unsigned index : preparation->prepared)
    contents.names.push_back(argumentName(onlyFunction(*again), index));
  return {};
}

Status PrepareVerb::readWeights(ProgressLine &progress) {
  func::FuncOp function = onlyFunction(*preparing);
  Result<std::vector<interp::InputType>> types = describeArguments(function);
  if (!types)
    return types.error();
  std::string all;
  for (const interp::InputType &type : *types)
    all += (all.empty() ? "" : ", ") + type.name;
  for (unsigned index = 0; index < input->function().getNumArguments(); ++index) {
    std::string name = argumentName(input->function(), index);
    bool taken = llvm::any_of(*types, [&](const interp::InputType &type) { return type.name == name; });
    if (!taken && llvm::any_of(inputs, [&](llvm::StringRef given) { return given.starts_with(name + "="); }))
      return Error{"'" + name + "' takes no part in the preparation, which is of " + all +
                   ": give it to 'winnow run', with the folder"};
  }
  Result<std::map<unsigned, std::string>> files = assignInputs(*types, inputs);
  if (!files)
    return files.error();
  std::string missing;
  for (auto [index, type] : llvm::enumerate(*types))
    if (!files->count(index))
      missing += (missing.empty() ? "" : ", ") + type.name + " (" + interp::shapeText(type.shape) + "x" +
                 rt::elementName(type.element) + ")";
  if (!missing.empty())
    return Error{"expected every weight that is prepared (" + all + "), got no " + missing +
                 ": give each with --inputs NAME=FILE.npy"};
  if (Status status = checkMemory(estimateReferenceBytes(function, 1), "a machine with more can prepare them"); !status)
    return status;
  weights.resize(types->size());
  for (auto &[index, file] : *files) {
    progress.show("reading " + file, index, types->size());
    int64_t tokens = 0;
    Result<std::vector<interp::TensorRef>> tensor =
        makeInputs({(*types)[index]}, {{0, file}}, {}, /*dynamicTokens=*/false, tokens);
    if (!tensor)
      return tensor.error();
    weights[index] = tensor->front();
  }
  progress.clear();
  return {};
}

Status PrepareVerb::computeOnCpu() {
  double seconds = estimateReferenceSeconds(onlyFunction(*preparing), 1);
  if (seconds > 20)
    llvm::errs() << "note: the CPU reference will take about " << formatSeconds(seconds) << "\n";
  llvm::Expected<llvm::SmallVector<interp::TensorRef>> values = interp::interpret(onlyFunction(*preparing), weights);
  if (!values)
    return Error{llvm::toString(values.takeError())};
  for (const interp::TensorRef &value : *values)
    contents.tensors.push_back(*value);
  return {};
}

Status PrepareVerb::computeOnGpu(std::shared_ptr<const rt::Device> owner, ProgressLine &progress) {
  jit::CompileOptions options;
  options.target = target.empty() || target == "gpu" ? targetOf(owner->info()) : target;
  options.tokens = 1;
  options.useCache = !noCache;
  options.progress = [&progress](const std::string &kernel, size_t done, size_t total) {
    progress.show("compiling " + kernel, done, total);
  };
  auto program = jit::compile(*preparing, options);
  if (failed(program))
    return Error{"could not compile the preparation of '" + path + "'; --target=cpu computes it without a compiler"};
  progress.clear();
  Result<std::unique_ptr<GpuRun>> gpu = GpuRun::create(std::move(*program), owner, /*tokens=*/1);
  if (!gpu)
    return gpu.error();
  for (auto [index, weight] : llvm::enumerate(weights))
    if (Status status = (*gpu)->setInput(index, *weight); !status)
      return status;
  if (Status status = (*gpu)->runPoisoned(); !status)
    return status;
  Result<std::vector<interp::Tensor>> outputs = (*gpu)->outputs();
  if (!outputs)
    return outputs.error();
  contents.tensors = std::move(*outputs);
  return {};
}

int PrepareVerb::run() {
  if (Status status = checkPreparedTarget(output, force); !status)
    return fail(status.message());
  input = Input::load(path, entry);
  if (!input)
    return kFailure;
  if (Status status = split(); !status)
    return fail(status.message());
  ProgressLine progress;
  if (Status status = readWeights(progress); !status)
    return fail(status.message());
  Result<std::shared_ptr<const rt::Device>> owner = openDevice(target, device);
  if (!owner)
    return fail(owner.message());
  progress.show("computing", 0, 1);
  if (Status status = *owner ? computeOnGpu(*owner, progress) : computeOnCpu(); !status)
    return fail(status.message());
  progress.clear();
  if (Status status = writePreparedFolder(output, force, contents, progress); !status)
    return fail(status.message());

  std::string text = "@" + contents.entry + ", prepared on " + (*owner ? (*owner)->info().name : "the CPU reference") +
                     ", is in '" + output + "'\n";
  for (auto [name, tensor] : llvm::zip_equal(contents.names, contents.tensors))
    text += "  " + name + ": " + summarize(tensor) + "\n";
  if (Status status = writeWhole("-", text); !status)
    return fail(status.message());
  return kSuccess;
}
