//===- Tool.cpp - what every verb of the winnow command shares ----------------------------------------------------===//

#include "Tool.h"

#include "winnow/Support/File.h"

#include "llvm/Support/Errno.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace winnow;
using namespace winnow::tool;

int tool::fail(llvm::StringRef message, ExitCode code) {
  llvm::errs() << "error: " << message << "\n";
  return code;
}

void tool::warn(llvm::StringRef message) { llvm::errs() << "warning: " << message << "\n"; }

/// Writes all of `contents` to a descriptor; the failure is an errno, because a stream would only report it on close.
static std::error_code writeAll(int descriptor, llvm::StringRef contents) {
  while (!contents.empty()) {
    ssize_t written = llvm::sys::RetryAfterSignal(-1, ::write, descriptor, contents.data(), contents.size());
    if (written < 0)
      return std::error_code(errno, std::generic_category());
    contents = contents.drop_front(static_cast<size_t>(written));
  }
  return {};
}

Result<std::string> tool::readWhole(llvm::StringRef path) {
  Result<std::vector<uint8_t>> bytes = readFile(path.str());
  if (!bytes)
    return bytes.error();
  return std::string(bytes->begin(), bytes->end());
}

Status tool::writeWhole(llvm::StringRef path, llvm::StringRef contents) {
  if (path == "-") {
    llvm::outs().flush();
    if (std::error_code code = writeAll(STDOUT_FILENO, contents))
      return Error{"could not write standard output: " + code.message()};
    return {};
  }
  Result<bool> published = publishFile(path.str(), contents.data(), contents.size());
  if (!published)
    return published.error();
  return {};
}

static std::string formatUnit(double value, llvm::ArrayRef<const char *> units, double step) {
  size_t unit = 0;
  while (unit + 1 < units.size() && value >= step) {
    value /= step;
    ++unit;
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::format(value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value) << " " << units[unit];
  return text;
}

std::string tool::formatBytes(double bytes) {
  if (bytes < 1000)
    return std::to_string(static_cast<int64_t>(bytes)) + " B";
  return formatUnit(bytes, {"B", "kB", "MB", "GB", "TB"}, 1000);
}

std::string tool::formatSeconds(double seconds) { return formatUnit(seconds * 1e9, {"ns", "us", "ms", "s"}, 1000); }

Status tool::checkMemory(double bytes, llvm::StringRef advice) {
  double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (bytes <= memory)
    return {};
  return Error{"expected to need at most the " + formatBytes(memory) + " of this machine's memory, got " +
               formatBytes(bytes) + "; " + advice.str()};
}

ProgressLine::ProgressLine() : onTerminal(llvm::sys::Process::StandardErrIsDisplayed()) {}
ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(llvm::StringRef what, size_t done, size_t total) {
  if (!onTerminal || total == 0)
    return;
  constexpr size_t kWidth = 24;
  size_t filled = done * kWidth / total;
  llvm::errs() << "\r[" << std::string(filled, '#') << std::string(kWidth - filled, ' ') << "] " << done << "/" << total
               << " " << what << "\x1b[K";
  shown = true;
}

void ProgressLine::clear() {
  if (shown)
    llvm::errs() << "\r\x1b[K";
  shown = false;
}
