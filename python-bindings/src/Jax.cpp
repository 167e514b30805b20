//===- Jax.cpp - programs and handlers of XLA custom calls for Python ---------------------------------------------===//

#include "JaxHandler.h"
#include "JaxProgram.h"
#include "Support.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace winnow;
using namespace winnow::python;

static nb::capsule capsuleOf(xla::Error *(*handler)(xla::CallFrame *)) {
  return nb::capsule(reinterpret_cast<void *>(handler));
}

void winnow::python::bindJax(nb::module_ &m) {
  m.def(
      "add_jax_program",
      [](const std::string &key, nb::bytes text, const std::string &entry) {
        std::string copy(text.c_str(), text.size());
        nb::gil_scoped_release release;
        addJaxProgram(key, copy, entry);
      },
      "key"_a, "text"_a, "entry"_a, "Makes a function known to custom calls by its key.");
  m.def(
      "set_jax_artifact",
      [](const std::string &key, nb::bytes artifact) {
        std::string copy(artifact.c_str(), artifact.size());
        nb::gil_scoped_release release;
        std::shared_ptr<JaxProgram> program = findJaxProgram(key);
        if (!program)
          throw Failure("no program " + key);
        program->setArtifact(std::move(copy));
      },
      "key"_a, "artifact"_a, "Gives a function its kernels.");
  m.def(
      "jax_handlers", [] { return std::make_tuple(capsuleOf(handleOnCpu), capsuleOf(handleOnCuda)); },
      nb::sig("def jax_handlers() -> tuple[object, object]"), "XLA FFI handlers for the CPU and for CUDA.");
}
