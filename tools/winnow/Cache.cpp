//===- Cache.cpp - winnow cache -----------------------------------------------------------------------------------===//

#include "Tool.h"

#include "winnow/Jit/KernelCache.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

#include <ctime>

using namespace winnow;
using namespace winnow::tool;

/// Runs `work` on the cache that the environment describes, or says why there is none.
static int withCache(llvm::function_ref<int(const jit::KernelCache &)> work) {
  jit::KernelCache cache =
      jit::KernelCache::open(Environment::read(), [](const std::string &message) { warn(message); });
  if (!cache.enabled())
    return fail("there is no kernel cache: " + cache.problem());
  return work(cache);
}

static int print(const std::string &text) {
  if (Status status = writeWhole("-", text); !status)
    return fail(status.message());
  return kSuccess;
}

static std::string describeEntry(const jit::CacheEntry &entry) {
  char when[32] = "";
  std::time_t time = entry.lastUse;
  std::tm parts = {};
  if (localtime_r(&time, &parts))
    std::strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &parts);
  return llvm::formatv("  {0}  {1,10}  {2}  {3,-8} NVRTC {4}  {5}{6}\n", llvm::StringRef(entry.digest).take_front(12),
                       formatBytes(static_cast<double>(entry.bytes)), when, entry.target, entry.compiler, entry.label,
                       entry.problem.empty() ? "" : "  UNUSABLE: " + entry.problem)
      .str();
}

static int listEntries(const jit::KernelCache &cache) {
  Result<std::vector<jit::CacheEntry>> entries = cache.list();
  if (!entries)
    return fail(entries.message());
  double bytes = 0;
  std::string lines;
  for (const jit::CacheEntry &entry : *entries) {
    bytes += static_cast<double>(entry.bytes);
    lines += describeEntry(entry);
  }
  return print(llvm::formatv("{0}: {1} entries, {2} of at most {3}\n", cache.folder(), entries->size(),
                             formatBytes(bytes), formatBytes(static_cast<double>(cache.maxBytes())))
                   .str() +
               lines);
}

static int clearEntries(const jit::KernelCache &cache) {
  Result<jit::KernelCache::Removal> removal = cache.clear();
  if (!removal)
    return fail(removal.message());
  return print(llvm::formatv("{0}: removed {1} entries, {2}\n", cache.folder(), removal->entries,
                             formatBytes(static_cast<double>(removal->bytes)))
                   .str());
}

static int verifyEntries(const jit::KernelCache &cache) {
  Result<std::vector<jit::CacheEntry>> removed = cache.verify();
  if (!removed)
    return fail(removed.message());
  std::string lines;
  for (const jit::CacheEntry &entry : *removed)
    lines += describeEntry(entry);
  return print(cache.folder() + ": " +
               (removed->empty() ? std::string("every entry is sound")
                                 : "removed " + std::to_string(removed->size()) + " unusable entries") +
               "\n" + lines);
}

void tool::addCache(CLI::App &app, Action &action) {
  CLI::App *command = app.add_subcommand("cache", "Look after the cache of compiled kernels");
  command->require_subcommand(1);
  auto add = [&](const char *name, const char *help, int (*work)(const jit::KernelCache &)) {
    command->add_subcommand(name, help)->callback([&action, work] { action = [work] { return withCache(work); }; });
  };
  add("list", "Show every entry, the one used last first", listEntries);
  add("clear", "Remove every entry", clearEntries);
  add("verify", "Check every entry and remove those that cannot be used", verifyEntries);
}
