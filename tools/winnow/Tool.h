//===- Tool.h - what every verb of the winnow command shares ------------------------------------------------------===//
//
// Conventions: results go to standard output, progress and errors to standard error; a verb returns its exit status and
// never calls exit.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_TOOL_H
#define WINNOW_TOOLS_WINNOW_TOOL_H

#include "winnow/Support/Result.h"

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace winnow::tool {

/// The exit statuses of the command, part of its interface.
enum ExitCode : int {
  kSuccess = 0,
  kFailure = 1, ///< compilation, execution or a check failed
  kUsage = 2,   ///< the command line cannot be understood
};

/// Set by the verb that was chosen; run once the command line has been parsed whole.
using Action = std::function<int()>;

void addCompile(CLI::App &app, Action &action);
void addRun(CLI::App &app, Action &action);
void addPrepare(CLI::App &app, Action &action);
void addExplain(CLI::App &app, Action &action);
void addBench(CLI::App &app, Action &action);
void addTune(CLI::App &app, Action &action);
void addCache(CLI::App &app, Action &action);
void addEnv(CLI::App &app, Action &action);

/// Prints "error: message" on standard error and returns `code`.
int fail(llvm::StringRef message, ExitCode code = kFailure);
/// Prints "warning: message" on standard error.
void warn(llvm::StringRef message);

/// Writes `contents` to `path` whole or not at all (publishFile); `-` is standard output.
Status writeWhole(llvm::StringRef path, llvm::StringRef contents);

/// The contents of a regular file.
Result<std::string> readWhole(llvm::StringRef path);

/// 1234567 bytes as "1.2 MB"; 0.0012 s as "1.20 ms".
std::string formatBytes(double bytes);
std::string formatSeconds(double seconds);

/// Whether this machine has so much memory: swapping or dying half-way helps nobody. `advice` ends the error.
Status checkMemory(double bytes, llvm::StringRef advice);

/// A line on standard error that shows how far something has come; only where that is a terminal.
class ProgressLine {
public:
  ProgressLine();
  ~ProgressLine();
  void show(llvm::StringRef what, size_t done, size_t total);
  /// Wipes the line, so that other output starts on a clean one.
  void clear();

private:
  bool onTerminal;
  bool shown = false;
};

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_TOOL_H
