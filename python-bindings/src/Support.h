//===- Support.h - owners of C objects, and errors as exceptions --------------------------------------------------===//

#ifndef WINNOW_PYTHON_SUPPORT_H
#define WINNOW_PYTHON_SUPPORT_H

#include "winnow-c/Winnow.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace winnow::python {

/// Becomes winnow.Error.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws what `error` says, if it is one.
void check(winnow_error *error);

/// Runs a C function without the interpreter's lock, then throws what it says.
template <typename Call> void checkUnlocked(Call call) {
  winnow_error *error;
  {
    nanobind::gil_scoped_release release;
    error = call();
  }
  check(error);
}

template <auto destroy> struct Destroy {
  template <typename T> void operator()(T *object) const { destroy(object); }
};
using ContextOwner = std::unique_ptr<winnow_context, Destroy<winnow_context_destroy>>;
using ModuleOwner = std::unique_ptr<winnow_module, Destroy<winnow_module_destroy>>;
using ProgramOwner = std::unique_ptr<winnow_program, Destroy<winnow_program_destroy>>;
using ExecutableOwner = std::unique_ptr<winnow_executable, Destroy<winnow_executable_destroy>>;
using BytesOwner = std::unique_ptr<winnow_bytes, Destroy<winnow_bytes_destroy>>;

/// An input or output; extent -1 is the token count.
struct Argument {
  std::string name, element;
  std::vector<int64_t> shape;
  bool isWeight;
};
Argument toArgument(const winnow_argument &argument);

/// Address, element type and shape of an array that the caller keeps alive.
using HostArray = std::tuple<uint64_t, std::string, std::vector<int64_t>>;
/// The C form of `arrays`, which must outlive it.
std::vector<winnow_host_tensor> toHostTensors(const std::vector<HostArray> &arrays);

void bindCompiler(nanobind::module_ &module);
void bindExecutable(nanobind::module_ &module);

} // namespace winnow::python

#endif // WINNOW_PYTHON_SUPPORT_H
