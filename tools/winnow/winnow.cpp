//===- winnow.cpp - the winnow command ----------------------------------------------------------------------------===//

#include "Tool.h"

#include "winnow/Support/BuildId.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <iostream>
#include <new>

using namespace winnow::tool;

static const char *const kFooter = R"(Examples:
  winnow run examples/minitron-8b.mlir --tokens=16 --check
  winnow compile examples/minitron-8b.mlir -o minitron.wnw
  winnow compile examples/minitron-8b.mlir --emit=ptx -o -
  winnow explain examples/minitron-8b.mlir --tokens=8192

Exit status: 0 on success, 1 if compiling, running or a check failed, 2 if the command line is wrong.
A spec may hold several functions: @forward is taken, or the only one, or the one that --entry names.)";

/// Names of all verbs; empty if `name` is one.
static std::string otherVerbs(const CLI::App &app, const std::string &name) {
  std::string names;
  for (const CLI::App *verb : app.get_subcommands([](const CLI::App *) { return true; })) {
    if (verb->get_name() == name)
      return "";
    names += (names.empty() ? "" : ", ") + verb->get_name();
  }
  return names;
}

int main(int argc, char **argv) {
  // A closed pipe and a file that grew too large are write errors with a message, not a silent death.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);

  CLI::App app("Winnow compiles feed-forward networks whose activations are sparse into GPU kernels, and runs them.",
               "winnow");
  app.set_version_flag("--version", std::string("winnow ") + winnow::buildId());
  app.require_subcommand(1);
  app.footer(kFooter);
  Action action;
  addCompile(app, action);
  addRun(app, action);
  addPrepare(app, action);
  addExplain(app, action);
  addBench(app, action);
  addTune(app, action);
  addCache(app, action);
  addEnv(app, action);
  if (argc > 1 && argv[1][0] != '-')
    if (std::string others = otherVerbs(app, argv[1]); !others.empty())
      return fail("there is no verb '" + std::string(argv[1]) + "'; there are " + others, kUsage);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    int code = app.exit(error, std::cout, std::cerr);
    return code == 0 ? kSuccess : kUsage;
  }
  try {
    return action();
  } catch (const std::bad_alloc &) {
    return fail("out of memory");
  }
}
