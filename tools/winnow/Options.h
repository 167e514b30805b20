//===- Options.h - options that several verbs share ---------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_OPTIONS_H
#define WINNOW_TOOLS_WINNOW_OPTIONS_H

#include "winnow/Jit/Compiler.h"

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace winnow::tool {

class ProgressLine;

/// What is compiled, and how.
struct SpecOptions {
  std::string path;
  std::string entry;
  int64_t tokens = 0; ///< 0: not given
  bool noCache = false;
  bool remarks = false;
  std::string dumpPhasesTo;
  std::string tuning; ///< empty: the user's database, where there is one

  void addTo(CLI::App &verb);
  /// The compiler's view of these; `progress` must outlive the result.
  jit::CompileOptions compileOptions(llvm::StringRef target, ProgressLine &progress) const;
};

/// The database that `winnow tune` writes: $XDG_DATA_HOME/winnow/tuned.json, else ~/.local/share/winnow/tuned.json;
/// empty where neither variable is set.
std::string userTuningPath();

/// Adds --tokens, checked to be between 1 and 2^31 - 1.
void addTokens(CLI::App &verb, int64_t &tokens, const std::string &help);
/// The same for several, between commas.
void addTokens(CLI::App &verb, std::vector<int64_t> &tokens, const std::string &help);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_OPTIONS_H
