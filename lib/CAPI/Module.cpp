//===- Module.cpp - parsing, looking at and lowering modules from C -----------------------------------------------===//

#include "Module.h"

#include "Executable.h"

#include "winnow/Spec/Spec.h"

#include <cstddef>
#include <cstring>

using namespace mlir;
using namespace winnow;
using namespace winnow::capi;

/// Erasing operations writes to the context, which other threads may be using.
winnow_module::~winnow_module() {
  std::lock_guard<std::recursive_mutex> lock(state->mutex);
  module = {};
}

Result<jit::CompileOptions> capi::readOptions(const winnow_compile_options *options) {
  winnow_compile_options given = {};
  if (options) {
    // What a caller of an older header does not know stays at its default; what one of a newer header knows must not be
    // ignored in silence.
    if (options->size < offsetof(winnow_compile_options, target) || options->size > sizeof given)
      return Error{"expected compile options of at most " + std::to_string(sizeof given) +
                   " bytes with their size in the first field, got size " + std::to_string(options->size)};
    std::memcpy(&given, options, options->size);
  }
  if (given.tokens < 0 || given.tokens > INT32_MAX)
    return Error{"expected a token count from 1 to 2147483647, or 0 for unknown, got " + std::to_string(given.tokens)};
  jit::CompileOptions result;
  if (given.target)
    result.target = given.target;
  if (given.entry)
    result.entry = given.entry;
  result.tokens = given.tokens;
  result.useCache = !given.no_cache;
  result.threads = given.threads;
  if (given.tuning)
    result.tuning = given.tuning;
  return result;
}

winnow_error *capi::lowered(const winnow_module &module, winnow_level level, const jit::CompileOptions &options,
                            std::unique_ptr<winnow_module> &result) {
  if (level < module.level)
    return makeError("expected a level that is not above the module's, which has been lowered already");
  OwningOpRef<ModuleOp> copy(module.module.get().clone());
  std::vector<FunctionInfo> functions = module.functions;
  if (module.level == WINNOW_LEVEL_SPEC && level > WINNOW_LEVEL_SPEC) {
    Result<func::FuncOp> entry = findEntry(*copy, options.entry);
    if (!entry)
      return makeError(entry.message());
    keepOnly(*copy, *entry);
    functions = describeFunctions(*copy);
    if (failed(jit::lowerToKernels(*copy, options)))
      return module.state->failure("lowering to the ffn level failed without saying why");
  }
  if (module.level < WINNOW_LEVEL_KERN && level == WINNOW_LEVEL_KERN && failed(jit::lowerToKern(*copy, options)))
    return module.state->failure("lowering to the kern level failed without saying why");
  result.reset(new winnow_module{module.state, std::move(copy), std::move(functions), level});
  return nullptr;
}

extern "C" {

winnow_error *winnow_module_parse(winnow_context *context, const char *text, size_t size, const char *name,
                                  winnow_module **module) {
  if (!context || (!text && size) || !name || !module)
    return gotNull("a context, text, a name for it and a place for the module");
  std::unique_ptr<winnow_module> result;
  winnow_error *error = inContext(*context->state, [&]() -> winnow_error * {
    OwningOpRef<ModuleOp> parsed = parseSpec(llvm::StringRef(text, size), name, &context->state->context);
    if (!parsed)
      return context->state->failure(std::string(name) + " could not be read, without saying why");
    std::vector<FunctionInfo> functions = describeFunctions(*parsed);
    result.reset(new winnow_module{context->state, std::move(parsed), std::move(functions), WINNOW_LEVEL_SPEC});
    return nullptr;
  });
  if (!error)
    *module = result.release();
  return error;
}

winnow_error *winnow_module_clone(const winnow_module *module, winnow_module **copy) {
  if (!module || !copy)
    return gotNull("a module and a place for its copy");
  std::unique_ptr<winnow_module> result;
  winnow_error *error = inContext(*module->state, [&] { return lowered(*module, module->level, {}, result); });
  if (!error)
    *copy = result.release();
  return error;
}

void winnow_module_destroy(winnow_module *module) { delete module; }

winnow_error *winnow_module_print(const winnow_module *module, winnow_bytes **text) {
  if (!module || !text)
    return gotNull("a module and a place for its text");
  std::unique_ptr<winnow_bytes> result;
  winnow_error *error = inContext(*module->state, [&]() -> winnow_error * {
    result = std::make_unique<winnow_bytes>(winnow_bytes{printSpec(*module->module)});
    return nullptr;
  });
  if (!error)
    *text = result.release();
  return error;
}

size_t winnow_module_function_count(const winnow_module *module) { return module ? module->functions.size() : 0; }

const char *winnow_module_function_name(const winnow_module *module, size_t index) {
  return module && index < module->functions.size() ? module->functions[index].name.c_str() : nullptr;
}

winnow_error *winnow_module_find_function(const winnow_module *module, const char *name, size_t *index) {
  return guarded([&]() -> winnow_error * {
    if (!module || !index)
      return gotNull("a module and a place for the index");
    std::string wanted = name ? name : "", names;
    for (size_t i = 0; i < module->functions.size(); ++i) {
      const std::string &candidate = module->functions[i].name;
      names += (i ? ", @" : "@") + candidate;
      if (candidate == (wanted.empty() ? "forward" : wanted) || (wanted.empty() && module->functions.size() == 1)) {
        *index = i;
        return nullptr;
      }
    }
    if (names.empty())
      return makeError("expected a function in the module, got none");
    if (wanted.empty())
      return makeError("none of the module's functions is called @forward: name one as the entry; there are " + names);
    return makeError("the module has no function @" + wanted + "; there are " + names);
  });
}

size_t winnow_module_input_count(const winnow_module *module, size_t function) {
  return module && function < module->functions.size() ? module->functions[function].inputs : 0;
}

size_t winnow_module_output_count(const winnow_module *module, size_t function) {
  if (!module || function >= module->functions.size())
    return 0;
  return module->functions[function].arguments.size() - module->functions[function].inputs;
}

winnow_error *winnow_module_argument(const winnow_module *module, size_t function, size_t index,
                                     winnow_argument *argument) {
  return guarded([&]() -> winnow_error * {
    if (!module || !argument)
      return gotNull("a module and a place for the argument");
    if (function >= module->functions.size())
      return makeError("expected a function index below " + std::to_string(module->functions.size()) + ", got " +
                       std::to_string(function));
    const std::vector<ArgumentInfo> &arguments = module->functions[function].arguments;
    if (index >= arguments.size())
      return makeError("expected an argument index below " + std::to_string(arguments.size()) + ", got " +
                       std::to_string(index));
    if (!arguments[index].problem.empty())
      return makeError(arguments[index].problem);
    *argument = argumentOf(arguments[index].buffer);
    return nullptr;
  });
}

int winnow_module_is_token_wise(const winnow_module *module, size_t function) {
  return module && function < module->functions.size() && module->functions[function].tokenWise;
}

winnow_level winnow_module_level(const winnow_module *module) { return module ? module->level : WINNOW_LEVEL_SPEC; }

winnow_error *winnow_module_lower(winnow_module *module, winnow_level level, const winnow_compile_options *options) {
  if (!module)
    return gotNull("a module");
  std::unique_ptr<winnow_module> result;
  winnow_error *error = inContext(*module->state, [&]() -> winnow_error * {
    Result<jit::CompileOptions> read = readOptions(options);
    if (!read)
      return makeError(read.message());
    if (level < WINNOW_LEVEL_SPEC || level > WINNOW_LEVEL_KERN)
      return makeError("expected a level from 0 to 2, got " + std::to_string(level));
    return lowered(*module, level, *read, result);
  });
  if (error)
    return error;
  std::lock_guard<std::recursive_mutex> lock(module->state->mutex);
  std::swap(module->module, result->module);
  std::swap(module->functions, result->functions);
  std::swap(module->level, result->level);
  return nullptr;
}

} // extern "C"
