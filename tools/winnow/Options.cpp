//===- Options.cpp - options that several verbs share -------------------------------------------------------------===//

#include "Options.h"
#include "Tool.h"

#include "winnow/Support/Environment.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"

#include <CLI/CLI.hpp>

using namespace winnow;
using namespace winnow::tool;

static CLI::Validator tokenValidator() {
  auto inRange = [](const std::string &text) -> std::string {
    int64_t value = 0;
    if (llvm::StringRef(text).getAsInteger(10, value) || value < 1 || value > INT32_MAX)
      return "expected a token count between 1 and 2147483647, got '" + text + "'";
    return "";
  };
  return CLI::Validator(inRange, "N", "tokens");
}

void tool::addTokens(CLI::App &verb, int64_t &tokens, const std::string &help) {
  verb.add_option("--tokens", tokens, help)->check(tokenValidator());
}

void tool::addTokens(CLI::App &verb, std::vector<int64_t> &tokens, const std::string &help) {
  verb.add_option("--tokens", tokens, help)->delimiter(',')->allow_extra_args(false)->check(tokenValidator());
}

std::string tool::userTuningPath() {
  Environment environment = Environment::read();
  if (!environment.xdgDataHome.empty())
    return environment.xdgDataHome + "/winnow/tuned.json";
  return environment.home.empty() ? "" : environment.home + "/.local/share/winnow/tuned.json";
}

void SpecOptions::addTo(CLI::App &verb) {
  verb.add_option("spec", path,
                  "MLIR file of the network, an artifact (.wnw), or a folder of winnow prepare; - is standard input")
      ->required();
  verb.add_option("--entry", entry, "function to take; default: @forward, or the only one");
  addTokens(verb, tokens, "value of the dynamic extent, the number of tokens");
  verb.add_flag("--no-cache", noCache, "compile every kernel anew and store none");
  verb.add_option(
      "--tuning", tuning,
      "database of tuned schedules to use besides the shipped one, or none for the model alone; default: what "
      "winnow tune has written, if anything");
  verb.add_flag("--remarks", remarks, "print every decision of the compiler, with its reason");
  verb.add_option("--dump-phases-to", dumpPhasesTo, "folder that receives the module after each phase");
}

jit::CompileOptions SpecOptions::compileOptions(llvm::StringRef target, ProgressLine &progress) const {
  jit::CompileOptions options;
  options.target = target.str();
  options.tokens = tokens;
  options.tuning = tuning;
  if (std::string path = userTuningPath(); tuning.empty() && llvm::sys::fs::exists(path))
    options.tuning = path;
  options.useCache = !noCache;
  options.dumpPhasesTo = dumpPhasesTo;
  options.progress = [&progress](const std::string &kernel, size_t done, size_t total) {
    progress.show("compiling " + kernel, done, total);
  };
  return options;
}
