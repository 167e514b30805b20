//===- Executable.h - what a winnow_executable holds --------------------------------------------------------------===//

#ifndef WINNOW_LIB_CAPI_EXECUTABLE_H
#define WINNOW_LIB_CAPI_EXECUTABLE_H

#include "winnow-c/Runtime.h"

#include "winnow/Runtime/Executable.h"

#include <memory>

struct winnow_executable {
  std::shared_ptr<winnow::rt::Executable> executable;
  size_t inputs = 0, outputs = 0;
};

namespace winnow::capi {

/// Loads `program`, or hands on why there is none.
winnow_error *load(Result<rt::Program> program, int device, winnow_executable **executable);

/// Range `index` of a program; lives as long as that.
winnow_error *rangeOf(const rt::Program &program, size_t index, winnow_token_range *range);

/// The C form of what a caller hands in; lives as long as `buffer`.
winnow_argument argumentOf(const rt::Buffer &buffer);

} // namespace winnow::capi

#endif // WINNOW_LIB_CAPI_EXECUTABLE_H
