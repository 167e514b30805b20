//===- Owners.h - owners of C objects, and errors as exceptions ---------------------------------------------------===//

#ifndef WINNOW_PYTHON_OWNERS_H
#define WINNOW_PYTHON_OWNERS_H

#include "winnow-c/Winnow.h"

#include <memory>
#include <stdexcept>
#include <string>

namespace winnow::python {

/// Becomes winnow.Error.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws what `error` says, if it is one.
inline void check(winnow_error *error) {
  if (!error)
    return;
  std::string message = winnow_error_message(error);
  winnow_error_destroy(error);
  throw Failure(message);
}

template <auto destroy> struct Destroy {
  template <typename T> void operator()(T *object) const { destroy(object); }
};
using ContextOwner = std::unique_ptr<winnow_context, Destroy<winnow_context_destroy>>;
using ModuleOwner = std::unique_ptr<winnow_module, Destroy<winnow_module_destroy>>;
using ProgramOwner = std::unique_ptr<winnow_program, Destroy<winnow_program_destroy>>;
using ExecutableOwner = std::unique_ptr<winnow_executable, Destroy<winnow_executable_destroy>>;
using BytesOwner = std::unique_ptr<winnow_bytes, Destroy<winnow_bytes_destroy>>;

} // namespace winnow::python

#endif // WINNOW_PYTHON_OWNERS_H
