//===- Compile.cpp - winnow compile -------------------------------------------------------------------------------===//

#include "Disassembler.h"
#include "Input.h"
#include "Options.h"
#include "Remarks.h"
#include "Tool.h"

#include "winnow/Runtime/Artifact.h"
#include "winnow/Spec/Spec.h"
#include "winnow/Target/ChipTable.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

namespace {
enum class Emit { ffn, kern, cuda, ptx, cubin, sass, artifact };

struct CompileVerb {
  SpecOptions spec;
  std::string target = "sm_90a";
  std::string emitName = "artifact";
  Emit emit = Emit::artifact; ///< of that name
  std::string kernel;
  std::string output;

  int run();
  FailureOr<rt::Program> makeProgram(ModuleOp module, const jit::CompileOptions &options);
  Result<std::string> imageText(const rt::Image &image);
  int writeImages(const rt::Plan &plan);
  int write(llvm::StringRef path, llvm::StringRef contents);
};
} // namespace

static const std::map<std::string, Emit> kEmitNames = {
    {"ffn", Emit::ffn},     {"kern", Emit::kern}, {"cuda", Emit::cuda},        {"ptx", Emit::ptx},
    {"cubin", Emit::cubin}, {"sass", Emit::sass}, {"artifact", Emit::artifact}};

void tool::addCompile(CLI::App &app, Action &action) {
  auto verb = std::make_shared<CompileVerb>();
  CLI::App *command = app.add_subcommand("compile", "Compile a spec to an artifact, or to any stage on the way");
  verb->spec.addTo(*command);
  command->add_option("--target", verb->target, "chip to compile for")->capture_default_str();
  command
      ->add_option("--emit", verb->emitName,
                   "what to write. Without --tokens an artifact has kernels for every range of token counts; all else "
                   "is decided for 8192 tokens")
      ->check(CLI::IsMember({"ffn", "kern", "cuda", "ptx", "cubin", "sass", "artifact"}))
      ->capture_default_str();
  command->add_option("--kernel", verb->kernel, "only this kernel (cuda, ptx, cubin, sass)");
  command->add_option("-o,--output", verb->output,
                      "file to write, - for standard output; default: SPEC.wnw for an artifact, standard output for "
                      "text. With --emit=cubin and several kernels a folder that receives a file for each");
  command->callback([verb, &action] { action = [verb] { return verb->run(); }; });
}

int CompileVerb::write(llvm::StringRef path, llvm::StringRef contents) {
  if (Status status = writeWhole(path, contents); !status)
    return fail(status.message());
  return kSuccess;
}

FailureOr<rt::Program> CompileVerb::makeProgram(ModuleOp module, const jit::CompileOptions &options) {
  if (emit != Emit::cuda)
    return jit::compile(module, options);
  if (failed(jit::lowerToKernels(module, options)) || failed(jit::lowerToKern(module, options)))
    return failure();
  FailureOr<rt::Plan> plan = jit::translateToPlan(module, options);
  if (failed(plan))
    return failure();
  return rt::Program(std::move(*plan), options.tokens);
}

Result<std::string> CompileVerb::imageText(const rt::Image &image) {
  switch (emit) {
  case Emit::cuda:
    return image.source;
  case Emit::ptx:
    return image.ptx;
  case Emit::sass:
    return disassemble(image);
  default:
    return std::string(image.cubin.begin(), image.cubin.end());
  }
}

int CompileVerb::writeImages(const rt::Plan &plan) {
  std::vector<const rt::Image *> images;
  std::string names;
  for (const rt::Image &image : plan.images) {
    names += (names.empty() ? "" : ", ") + image.name;
    if (kernel.empty() || image.name == kernel)
      images.push_back(&image);
  }
  if (images.empty())
    return fail("there is no kernel '" + kernel + "'; there are " + names);

  if (emit == Emit::cubin && images.size() > 1) {
    if (output.empty() || output == "-")
      return fail("the spec compiles to " + std::to_string(images.size()) +
                      " cubins: give a folder with -o, or choose " + "one with --kernel; there are " + names,
                  kUsage);
    if (std::error_code code = llvm::sys::fs::create_directories(output))
      return fail("could not create the folder '" + output + "': " + code.message());
    for (const rt::Image *image : images) {
      llvm::SmallString<128> path(output);
      llvm::sys::path::append(path, image->name + ".cubin");
      if (int code = write(path, {reinterpret_cast<const char *>(image->cubin.data()), image->cubin.size()}))
        return code;
    }
    return kSuccess;
  }

  std::string contents;
  for (const rt::Image *image : images) {
    Result<std::string> text = imageText(*image);
    if (!text)
      return fail(text.message());
    if (images.size() > 1)
      contents += "// ===== " + image->name + " =====\n";
    contents += *text;
  }
  return write(output.empty() ? "-" : output, contents);
}

int CompileVerb::run() {
  emit = kEmitNames.at(emitName);
  if (emit == Emit::artifact && output.empty())
    output = (llvm::sys::path::stem(spec.path == "-" ? "stdin" : spec.path) + ".wnw").str();
  bool binary = emit == Emit::artifact || emit == Emit::cubin;
  if (binary && output == "-" && llvm::sys::Process::StandardOutIsDisplayed())
    return fail("an " + std::string(emit == Emit::cubin ? "cubin" : "artifact") +
                    " is not text: redirect standard output, or give a file with -o",
                kUsage);

  if (Result<const Chip *> chip = lookupTarget(target); !chip)
    return fail(chip.message());
  std::unique_ptr<Input> input = Input::load(spec.path, spec.entry);
  if (!input)
    return kFailure;
  std::optional<RemarkLog> remarks; // without it programs may come from the cache
  if (spec.remarks)
    remarks.emplace(input->context());
  ProgressLine progress;
  jit::CompileOptions options = spec.compileOptions(target, progress);
  OwningOpRef<ModuleOp> module = input->clone();
  auto finish = [&](int code) {
    progress.clear();
    if (remarks)
      llvm::errs() << remarks->text();
    return code;
  };

  if (emit == Emit::ffn || emit == Emit::kern) {
    if (failed(jit::lowerToKernels(*module, options)) ||
        (emit == Emit::kern && failed(jit::lowerToKern(*module, options))))
      return finish(kFailure);
    return finish(write(output.empty() ? "-" : output, printSpec(*module)));
  }
  FailureOr<rt::Program> program = makeProgram(*module, options);
  if (failed(program))
    return finish(kFailure);
  progress.clear();
  if (emit != Emit::artifact)
    return finish(writeImages(program->defaultPlan()));
  std::vector<uint8_t> bytes = rt::serialize(*program);
  return finish(write(output, {reinterpret_cast<const char *>(bytes.data()), bytes.size()}));
}
