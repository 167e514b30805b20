//===- Support.h - what the parts of the extension module share ---------------------------------------------------===//

#ifndef WINNOW_PYTHON_SUPPORT_H
#define WINNOW_PYTHON_SUPPORT_H

#include "Owners.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

namespace winnow::python {

/// Runs a C function without the interpreter's lock, then throws what it says.
template <typename Call> void checkUnlocked(Call call) {
  winnow_error *error;
  {
    nanobind::gil_scoped_release release;
    error = call();
  }
  check(error);
}

/// An input or output; extent -1 is the token count.
struct Argument {
  std::string name, element;
  std::vector<int64_t> shape;
  bool isWeight;
};
Argument toArgument(const winnow_argument &argument);

/// First and last token count of a range, the one decided for, and what was decided.
using TokenRange = std::tuple<int64_t, int64_t, int64_t, std::string>;

/// The ranges of a program or executable; `at` is the C function that gives one of them.
template <typename Owner>
std::vector<TokenRange> rangesOf(const Owner *owner, size_t count,
                                 winnow_error *(*at)(const Owner *, size_t, winnow_token_range *)) {
  std::vector<TokenRange> ranges;
  for (size_t i = 0; i < count; ++i) {
    winnow_token_range range;
    check(at(owner, i, &range));
    ranges.emplace_back(range.first, range.last, range.decided_for, range.summary);
  }
  return ranges;
}

/// Address, element type and shape of an array that the caller keeps alive.
using HostArray = std::tuple<uint64_t, std::string, std::vector<int64_t>>;
/// The C form of `arrays`, which must outlive it.
std::vector<winnow_host_tensor> toHostTensors(const std::vector<HostArray> &arrays);

void bindCompiler(nanobind::module_ &module);
void bindExecutable(nanobind::module_ &module);
void bindJax(nanobind::module_ &module);

} // namespace winnow::python

#endif // WINNOW_PYTHON_SUPPORT_H
