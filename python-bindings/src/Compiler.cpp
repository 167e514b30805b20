//===- Compiler.cpp - modules and programs for Python -------------------------------------------------------------===//

#include "Support.h"

#include <mutex>
#include <utility>

namespace nb = nanobind;
using namespace nb::literals;
using namespace winnow::python;

namespace {

struct Diagnostic {
  std::string severity, location, message;
};

struct Remark {
  std::string kind, pass, name, function, location, facts, message;
};

/// Kernels of a function.
struct Program {
  ProgramOwner program;

  /// Name, CUDA C++, PTX and machine code of each.
  std::vector<std::tuple<std::string, std::string, std::string, nb::bytes>> images() const {
    std::vector<std::tuple<std::string, std::string, std::string, nb::bytes>> result;
    for (size_t i = 0; i < winnow_program_image_count(program.get()); ++i) {
      winnow_image image;
      check(winnow_program_image(program.get(), i, &image));
      result.emplace_back(image.name, std::string(image.cuda, image.cuda_size), std::string(image.ptx, image.ptx_size),
                          nb::bytes(image.cubin, image.cubin_size));
    }
    return result;
  }

  std::vector<TokenRange> ranges() const {
    const winnow_program *owner = program.get();
    return rangesOf(owner, winnow_program_range_count(owner), winnow_program_range);
  }

  int64_t workspaceBytes(int64_t tokens) const {
    int64_t bytes;
    check(winnow_program_workspace_bytes(program.get(), tokens, &bytes));
    return bytes;
  }

  nb::bytes artifact() const {
    winnow_bytes *bytes = nullptr;
    check(winnow_program_artifact(program.get(), &bytes));
    BytesOwner owner(bytes);
    return nb::bytes(winnow_bytes_data(bytes), winnow_bytes_size(bytes));
  }
};

/// Options that own their strings.
struct Options {
  Options(const std::string &target, const std::string &entry, int64_t tokens, const std::string &tuning,
          bool useCache = true)
      : target(target), entry(entry), tuning(tuning), options{sizeof options,
                                                              this->target.c_str(),
                                                              this->entry.c_str(),
                                                              tokens,
                                                              useCache ? 0 : 1,
                                                              0,
                                                              this->tuning.empty() ? nullptr : this->tuning.c_str()} {}
  Options(const Options &) = delete;

  std::string target, entry, tuning;
  winnow_compile_options options;
};

using Function = std::tuple<std::string, std::vector<Argument>, std::vector<Argument>>;

/// A context, and what the compiler has said in it since it was last asked.
class Session {
public:
  Session() {
    winnow_context *made = nullptr;
    check(winnow_context_create(&made));
    owner.reset(made);
    check(winnow_context_set_diagnostic_callback(made, noteDiagnostic, this));
    check(winnow_context_set_remark_callback(made, noteRemark, this));
  }
  Session(const Session &) = delete;

  winnow_context *context() const { return owner.get(); }

  std::vector<Diagnostic> takeDiagnostics() {
    std::lock_guard<std::mutex> lock(mutex);
    return std::exchange(diagnostics, {});
  }
  std::vector<Remark> takeRemarks() {
    std::lock_guard<std::mutex> lock(mutex);
    return std::exchange(remarks, {});
  }

private:
  // Called without the interpreter's lock: Python is told later, by whoever asks.
  static void noteDiagnostic(const winnow_diagnostic *diagnostic, void *user) {
    static constexpr const char *kNames[] = {"error", "warning", "note", "remark"};
    auto *self = static_cast<Session *>(user);
    std::lock_guard<std::mutex> lock(self->mutex);
    self->diagnostics.push_back({kNames[diagnostic->severity], diagnostic->location, diagnostic->message});
  }
  static void noteRemark(const winnow_remark *remark, void *user) {
    static constexpr const char *kNames[] = {"passed", "missed", "analysis", "failed"};
    auto *self = static_cast<Session *>(user);
    std::lock_guard<std::mutex> lock(self->mutex);
    self->remarks.push_back({kNames[remark->kind], remark->pass, remark->name, remark->function, remark->location,
                             remark->facts, remark->message});
  }

  std::mutex mutex; ///< guards the two lists
  std::vector<Diagnostic> diagnostics;
  std::vector<Remark> remarks;
  ContextOwner owner;
};

/// A module in a session that it shares with its copies.
class Module {
public:
  Module(nb::bytes text, const std::string &name) : session(std::make_shared<Session>()) {
    winnow_module *parsed = nullptr;
    checkUnlocked(
        [&] { return winnow_module_parse(session->context(), text.c_str(), text.size(), name.c_str(), &parsed); });
    module.reset(parsed);
  }

  std::unique_ptr<Module> clone() const {
    winnow_module *copy = nullptr;
    checkUnlocked([&] { return winnow_module_clone(module.get(), &copy); });
    return std::unique_ptr<Module>(new Module(session, ModuleOwner(copy)));
  }

  std::string print() const {
    winnow_bytes *bytes = nullptr;
    checkUnlocked([&] { return winnow_module_print(module.get(), &bytes); });
    BytesOwner owner(bytes);
    return std::string(winnow_bytes_data(bytes), winnow_bytes_size(bytes));
  }

  std::vector<Function> functions() const {
    std::vector<Function> result;
    for (size_t i = 0; i < winnow_module_function_count(module.get()); ++i) {
      std::vector<Argument> arguments[2];
      size_t inputs = winnow_module_input_count(module.get(), i);
      for (size_t j = 0; j < inputs + winnow_module_output_count(module.get(), i); ++j) {
        winnow_argument argument;
        check(winnow_module_argument(module.get(), i, j, &argument));
        arguments[j >= inputs].push_back(toArgument(argument));
      }
      result.emplace_back(winnow_module_function_name(module.get(), i), arguments[0], arguments[1]);
    }
    return result;
  }

  size_t findFunction(const std::string &name) const {
    size_t index;
    check(winnow_module_find_function(module.get(), name.c_str(), &index));
    return index;
  }

  bool isTokenWise(size_t function) const { return winnow_module_is_token_wise(module.get(), function) != 0; }

  void lower(int level, const std::string &target, const std::string &entry, int64_t tokens,
             const std::string &tuning) {
    Options options(target, entry, tokens, tuning);
    checkUnlocked(
        [&] { return winnow_module_lower(module.get(), static_cast<winnow_level>(level), &options.options); });
  }

  std::unique_ptr<Program> emitCuda(const std::string &target, const std::string &entry, int64_t tokens,
                                    const std::string &tuning) const {
    Options options(target, entry, tokens, tuning);
    winnow_program *program = nullptr;
    checkUnlocked([&] { return winnow_module_emit_cuda(module.get(), &options.options, &program); });
    return std::unique_ptr<Program>(new Program{ProgramOwner(program)});
  }

  std::unique_ptr<Program> compile(const std::string &target, const std::string &entry, int64_t tokens,
                                   const std::string &tuning, bool useCache) const {
    Options options(target, entry, tokens, tuning, useCache);
    winnow_program *program = nullptr;
    checkUnlocked([&] { return winnow_module_compile(module.get(), &options.options, &program); });
    return std::unique_ptr<Program>(new Program{ProgramOwner(program)});
  }

  void interpret(const std::string &entry, const std::vector<HostArray> &inputs,
                 const std::vector<HostArray> &outputs) const {
    std::vector<winnow_host_tensor> in = toHostTensors(inputs), out = toHostTensors(outputs);
    checkUnlocked([&] {
      return winnow_module_interpret(module.get(), entry.c_str(), in.data(), in.size(), out.data(), out.size());
    });
  }

  void randomInputs(const std::string &entry, uint64_t seed, const std::vector<HostArray> &inputs) const {
    std::vector<winnow_host_tensor> in = toHostTensors(inputs);
    checkUnlocked([&] { return winnow_module_random_inputs(module.get(), entry.c_str(), seed, in.data(), in.size()); });
  }

  std::vector<Diagnostic> takeDiagnostics() { return session->takeDiagnostics(); }
  std::vector<Remark> takeRemarks() { return session->takeRemarks(); }

private:
  Module(std::shared_ptr<Session> session, ModuleOwner module)
      : session(std::move(session)), module(std::move(module)) {}

  std::shared_ptr<Session> session;
  ModuleOwner module;
};

} // namespace

void winnow::python::bindCompiler(nb::module_ &m) {
  nb::class_<Argument>(m, "Argument", "An input or output; extent -1 is the token count.")
      .def_ro("name", &Argument::name)
      .def_ro("element", &Argument::element)
      .def_ro("shape", &Argument::shape)
      .def_ro("is_weight", &Argument::isWeight);

  nb::class_<Diagnostic>(m, "Diagnostic", "What the compiler found wrong, or worth a warning.")
      .def_ro("severity", &Diagnostic::severity, "error, warning, note or remark")
      .def_ro("location", &Diagnostic::location, "file:line:column, or empty")
      .def_ro("message", &Diagnostic::message)
      .def("__repr__", [](const Diagnostic &self) {
        return (self.location.empty() ? "" : self.location + ": ") + self.severity + ": " + self.message;
      });

  nb::class_<Remark>(m, "Remark", "A decision of the compiler.")
      .def_ro("kind", &Remark::kind, "passed, missed, analysis or failed")
      .def_ro("pass_name", &Remark::pass)
      .def_ro("name", &Remark::name, "what was decided")
      .def_ro("function", &Remark::function, "function or kernel it is about")
      .def_ro("location", &Remark::location, "file:line:column, or empty")
      .def_ro("facts", &Remark::facts, "values that went into it")
      .def_ro("message", &Remark::message, "why")
      .def("__repr__", [](const Remark &self) {
        return (self.location.empty() ? "" : self.location + ": ") + self.kind + ": " + self.name + ": " + self.message;
      });

  nb::class_<Program>(m, "Program", "Kernels of a function.")
      .def("images", &Program::images, "Name, CUDA C++, PTX and machine code of each.")
      .def("ranges", &Program::ranges, "First, last and decided-for token count, and a summary, of each range.")
      .def("workspace_bytes", &Program::workspaceBytes, "tokens"_a, "Of one call; needs no device.")
      .def("artifact", &Program::artifact, "The bytes of a .wnw file.");

  nb::class_<Module>(m, "Module", "An MLIR module in a context of its own.")
      .def(nb::init<nb::bytes, const std::string &>(), "text"_a, "name"_a)
      .def("clone", &Module::clone)
      .def("print", &Module::print)
      .def("functions", &Module::functions, "Name, inputs and outputs of each function.")
      .def("find_function", &Module::findFunction, "name"_a)
      .def("is_token_wise", &Module::isTokenWise, "function"_a,
           "Whether calls may be split and merged along the tokens.")
      .def("lower", &Module::lower, "level"_a, "target"_a, "entry"_a, "tokens"_a, "tuning"_a)
      .def("emit_cuda", &Module::emitCuda, "target"_a, "entry"_a, "tokens"_a, "tuning"_a)
      .def("compile", &Module::compile, "target"_a, "entry"_a, "tokens"_a, "tuning"_a, "use_cache"_a)
      .def("interpret", &Module::interpret, "entry"_a, "inputs"_a, "outputs"_a)
      .def("random_inputs", &Module::randomInputs, "entry"_a, "seed"_a, "inputs"_a)
      .def("take_diagnostics", &Module::takeDiagnostics)
      .def("take_remarks", &Module::takeRemarks);
}
