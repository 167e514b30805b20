//===- KernelCache.h - compiled kernels on disk -------------------------------------------------------------------===//
//
// Content-addressed: an entry's name is a hash of everything that its bytes depend on, so an entry is never out of
// date, only unused. Safe for any number of threads and processes, on one machine or on a shared file system. No
// function throws, prints or exits, and no failure of the cache is a failure of the compilation: it goes on without,
// after a warning.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_JIT_KERNELCACHE_H
#define WINNOW_JIT_KERNELCACHE_H

#include "winnow/Jit/Nvrtc.h"
#include "winnow/Support/Environment.h"
#include "winnow/Support/File.h"
#include "winnow/Support/Result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace winnow::jit {

/// Everything that the bytes of a compiled kernel depend on.
struct CacheKey {
  std::string source;
  std::vector<std::string> options; ///< of the compiler, the target among them
  std::string target;               ///< "sm_90a", suffix included
  std::string compiler;             ///< NVRTC version
  std::string build;                ///< Winnow build id

  /// SHA-256 in hexadecimal; no two keys share one.
  std::string digest() const;
};

using WarningHandler = std::function<void(const std::string &message)>;

struct CacheOptions {
  static constexpr int64_t kDefaultMaxBytes = int64_t(2) << 30;

  std::string folder;
  int64_t maxBytes = kDefaultMaxBytes; ///< entries used longest ago go first beyond it; 0: no cache
  WarningHandler warn;                 ///< may be called by any thread that uses the cache, one at a time
  WriteFunction write;                 ///< replaces write(2) in tests
  double patienceSeconds = 60;         ///< how long to wait for another's compilation of the same kernel
};

/// $WINNOW_CACHE_DIR, else $XDG_CACHE_HOME/winnow, else ~/.cache/winnow; $WINNOW_CACHE_MAX_MB MiB. The error says which
/// variable is wrong or missing.
Result<CacheOptions> cacheOptions(const Environment &environment);

/// An entry, as `winnow cache list` shows it.
struct CacheEntry {
  std::string digest;
  std::string label; ///< the kernel's name
  std::string target;
  std::string compiler; ///< NVRTC version
  std::string build;
  int64_t bytes = 0;
  int64_t lastUse = 0; ///< seconds since 1970
  std::string problem; ///< why it cannot be used; empty when it can
};

class KernelCache {
public:
  /// Opens the cache, creating its folder with access for its owner alone. A folder that cannot be made, belongs to
  /// someone else or is writable by others is not used: the cache is then off, after a warning.
  static KernelCache open(CacheOptions options);
  /// Opens the cache that the environment describes.
  static KernelCache open(const Environment &environment, WarningHandler warn = {});
  /// A cache that is off.
  static KernelCache off();

  bool enabled() const;
  /// Why the cache is off.
  const std::string &problem() const;
  const std::string &folder() const;
  int64_t maxBytes() const;

  using CompileFunction = std::function<Result<CompiledImage>()>;

  /// The entry for `key`, or what `compile` returns, which is then stored. While one thread or process compiles a key,
  /// others wait for it; all get the same bytes. `label` is shown in listings. `*hit` tells whether nothing was
  /// compiled.
  Result<CompiledImage> getOrCompile(const CacheKey &key, const std::string &label, const CompileFunction &compile,
                                     bool *hit = nullptr) const;

  /// Entries by descending time of last use, contents verified.
  Result<std::vector<CacheEntry>> list() const;

  struct Removal {
    int64_t entries = 0, bytes = 0;
  };
  /// Removes every entry and every leftover of an interrupted process.
  Result<Removal> clear() const;
  /// Removes the entries that cannot be used and returns them.
  Result<std::vector<CacheEntry>> verify() const;

private:
  struct Impl;
  explicit KernelCache(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl;
};

} // namespace winnow::jit

#endif // WINNOW_JIT_KERNELCACHE_H
