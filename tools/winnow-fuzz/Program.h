//===- Program.h - a program of the differential tester, and how it is run ----------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_FUZZ_PROGRAM_H
#define WINNOW_TOOLS_WINNOW_FUZZ_PROGRAM_H

#include "winnow/Support/Result.h"

#include <cstdint>
#include <string>

namespace winnow::fuzz {

/// A function in MLIR text and the inputs that it is evaluated on.
struct Program {
  std::string text;        ///< one module with one function
  uint64_t seed = 0;       ///< of the inputs
  int64_t tokens = 1;      ///< what the dynamic extent is
  bool structured = false; ///< inputs are zero wherever the row or the column is 2 or 3 modulo 4, so everything is 2:4
  bool special = false;    ///< inputs have rows of zeros, NaN, infinities and tiny values

  /// The text under a first line that says how to run it.
  std::string print() const;
  /// Reads what `print` wrote.
  static Result<Program> parse(const std::string &file, const std::string &name);
};

} // namespace winnow::fuzz

#endif // WINNOW_TOOLS_WINNOW_FUZZ_PROGRAM_H
