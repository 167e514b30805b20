//===- module.cpp - the extension module winnow._winnow -----------------------------------------------------------===//

#include "Support.h"

namespace nb = nanobind;
using namespace winnow::python;

NB_MODULE(_winnow, m) {
  m.doc() = "Winnow's C API for the Python package; use the package winnow instead.";
  if (winnow_compiler_abi_version() != WINNOW_COMPILER_ABI_VERSION ||
      winnow_runtime_abi_version() != WINNOW_RUNTIME_ABI_VERSION)
    throw nb::import_error("libwinnow.so is of another version than the Python package; reinstall the package");
  nb::exception<Failure>(m, "Error").attr("__doc__") =
      "What the compiler or runtime could not do. The text holds every diagnostic, a line each.";
  m.def("build_id", &winnow_build_id);
  bindCompiler(m);
  bindExecutable(m);
  bindJax(m);
}
