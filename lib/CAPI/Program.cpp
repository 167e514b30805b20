//===- Program.cpp - compiling, artifacts and devices from C ------------------------------------------------------===//

#include "Executable.h"
#include "Module.h"

#include "winnow/Runtime/Artifact.h"
#include "winnow/Spec/Spec.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::capi;

struct winnow_program {
  rt::Program program;
  bool compiled = false; ///< images hold machine code
};

static winnow_error *compileSpec(const winnow_module &module, const jit::CompileOptions &options,
                                 rt::Program &program) {
  OwningOpRef<ModuleOp> copy(module.module.get().clone());
  if (Result<func::FuncOp> entry = findEntry(*copy, options.entry); !entry)
    return makeError(entry.message());
  FailureOr<rt::Program> compiled = jit::compile(*copy, options);
  if (failed(compiled))
    return module.state->failure("compilation failed without saying why");
  program = std::move(*compiled);
  return nullptr;
}

static winnow_error *translate(const winnow_module *module, const winnow_compile_options *options, bool compile,
                               winnow_program **program) {
  if (!module || !program)
    return gotNull("a module and a place for the program");
  auto result = std::make_unique<winnow_program>();
  winnow_error *error = inContext(*module->state, [&]() -> winnow_error * {
    Result<jit::CompileOptions> read = readOptions(options);
    if (!read)
      return makeError(read.message());
    if (read->target == "cpu")
      return makeError(
          "the target 'cpu' evaluates a module as it is (winnow_module_interpret) and has no kernels; name "
          "the chip to compile for");
    result->compiled = compile;
    if (compile && module->level == WINNOW_LEVEL_SPEC)
      return compileSpec(*module, *read, result->program);
    std::unique_ptr<winnow_module> kern;
    if (winnow_error *failure = lowered(*module, WINNOW_LEVEL_KERN, *read, kern))
      return failure;
    FailureOr<rt::Plan> plan = jit::translateToPlan(*kern->module, *read);
    if (failed(plan))
      return module->state->failure("translation to CUDA failed without saying why");
    if (compile && failed(jit::compileImages(*plan, *read, kern->module->getLoc())))
      return module->state->failure("the compilation of a kernel failed without saying why");
    result->program = rt::Program(std::move(*plan), read->tokens);
    return nullptr;
  });
  if (!error)
    *program = result.release();
  return error;
}

/// Every device that the driver knows; the error of a missing driver otherwise.
static Result<std::vector<rt::DeviceInfo>> listDevices() {
  auto driver = rt::Driver::load();
  if (!driver)
    return driver.error();
  return rt::listDevices(**driver);
}

extern "C" {

winnow_error *winnow_module_emit_cuda(const winnow_module *module, const winnow_compile_options *options,
                                      winnow_program **program) {
  return translate(module, options, /*compile=*/false, program);
}

winnow_error *winnow_module_compile(const winnow_module *module, const winnow_compile_options *options,
                                    winnow_program **program) {
  return translate(module, options, /*compile=*/true, program);
}

void winnow_program_destroy(winnow_program *program) { delete program; }

size_t winnow_program_range_count(const winnow_program *program) {
  return program ? program->program.specializations.size() : 0;
}

winnow_error *winnow_program_range(const winnow_program *program, size_t index, winnow_token_range *range) {
  return guarded([&]() -> winnow_error * {
    if (!program || !range)
      return gotNull("a program and a place for the range");
    return rangeOf(program->program, index, range);
  });
}

size_t winnow_program_image_count(const winnow_program *program) {
  return program ? program->program.defaultPlan().images.size() : 0;
}

winnow_error *winnow_program_image(const winnow_program *program, size_t index, winnow_image *image) {
  return guarded([&]() -> winnow_error * {
    if (!program || !image)
      return gotNull("a program and a place for the image");
    const std::vector<rt::Image> &images = program->program.defaultPlan().images;
    if (index >= images.size())
      return makeError("expected an image index below " + std::to_string(images.size()) + ", got " +
                       std::to_string(index));
    const rt::Image &from = images[index];
    *image = {from.name.c_str(), from.source.c_str(), from.source.size(), from.ptx.c_str(),
              from.ptx.size(),   from.cubin.data(),   from.cubin.size()};
    return nullptr;
  });
}

winnow_error *winnow_program_artifact(const winnow_program *program, winnow_bytes **artifact) {
  return guarded([&]() -> winnow_error * {
    if (!program || !artifact)
      return gotNull("a program and a place for the artifact");
    if (!program->compiled)
      return makeError("expected a program of winnow_module_compile, got CUDA source without machine code");
    std::vector<uint8_t> bytes = rt::serialize(program->program);
    *artifact = std::make_unique<winnow_bytes>(winnow_bytes{std::string(bytes.begin(), bytes.end())}).release();
    return nullptr;
  });
}

winnow_error *winnow_program_workspace_bytes(const winnow_program *program, int64_t tokens, int64_t *bytes) {
  return guarded([&]() -> winnow_error * {
    if (!program || !bytes)
      return gotNull("a program and a place for the size");
    Result<int64_t> result = rt::Executable::workspaceBytes(program->program, tokens);
    if (!result)
      return makeError(result.message());
    *bytes = *result;
    return nullptr;
  });
}

winnow_error *winnow_program_load(const winnow_program *program, int device, winnow_executable **executable) {
  return guarded([&]() -> winnow_error * {
    if (!program || !executable)
      return gotNull("a program and a place for the executable");
    return load(program->program, device, executable);
  });
}

winnow_error *winnow_device_count(int *count) {
  return guarded([&]() -> winnow_error * {
    if (!count)
      return gotNull("a place for the count");
    Result<std::vector<rt::DeviceInfo>> devices = listDevices();
    if (!devices)
      return makeError(devices.message());
    *count = static_cast<int>(devices->size());
    return nullptr;
  });
}

winnow_error *winnow_device_target(int device, winnow_bytes **target) {
  return guarded([&]() -> winnow_error * {
    if (!target)
      return gotNull("a place for the target");
    Result<std::vector<rt::DeviceInfo>> devices = listDevices();
    if (!devices)
      return makeError(devices.message());
    if (device < 0 || static_cast<size_t>(device) >= devices->size())
      return makeError("expected a device below " + std::to_string(devices->size()) + ", got " +
                       std::to_string(device));
    const rt::DeviceInfo &info = (*devices)[device];
    // From compute capability 9.0 on, the kernels use instructions of one architecture only (suffix "a").
    std::string name = "sm_" + std::to_string(info.computeMajor) + std::to_string(info.computeMinor) +
                       (info.computeMajor >= 9 ? "a" : "");
    *target = std::make_unique<winnow_bytes>(winnow_bytes{std::move(name)}).release();
    return nullptr;
  });
}

} // extern "C"
