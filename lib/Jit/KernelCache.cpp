//===- KernelCache.cpp - compiled kernels on disk -----------------------------------------------------------------===//

#include "winnow/Jit/KernelCache.h"

#include "CacheFile.h"
#include "CacheFolder.h"
#include "winnow/Support/Sha256.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

using namespace winnow;
using namespace winnow::jit;

static constexpr char kEntrySuffix[] = ".wnk";
static constexpr char kLockSuffix[] = ".lock";
static constexpr char kTemporaryPrefix[] = ".winnow-";
/// No compilation takes as long: an older leftover belongs to a process that is gone.
static constexpr int64_t kLeftoverSeconds = 3600;

std::string CacheKey::digest() const {
  // Every field is preceded by its length, so that no two keys run together to the same text.
  Sha256 sha;
  auto add = [&sha](const std::string &field) {
    sha.update(std::to_string(field.size()) + ":");
    sha.update(field);
  };
  add("winnow kernel 1");
  add(source);
  add(std::to_string(options.size()));
  for (const std::string &option : options)
    add(option);
  add(target);
  add(compiler);
  add(build);
  return toHex(sha.finish());
}

Result<CacheOptions> winnow::jit::cacheOptions(const Environment &environment) {
  CacheOptions options;
  if (!environment.cacheDir.empty())
    options.folder = environment.cacheDir;
  else if (!environment.xdgCacheHome.empty() && environment.xdgCacheHome.front() == '/')
    options.folder = environment.xdgCacheHome + "/winnow"; // the XDG specification has relative paths ignored
  else if (!environment.home.empty())
    options.folder = environment.home + "/.cache/winnow";
  else
    return Error{"no folder for the kernel cache: set WINNOW_CACHE_DIR or HOME"};

  const std::string &limit = environment.cacheMaxMegabytes;
  if (!limit.empty()) {
    static constexpr size_t kMostDigits = 9;
    if (limit.size() > kMostDigits || limit.find_first_not_of("0123456789") != std::string::npos)
      return Error{fmt::format("WINNOW_CACHE_MAX_MB: expected a number of MiB up to 999999999, got '{}'", limit)};
    options.maxBytes = int64_t(std::strtol(limit.c_str(), nullptr, 10)) << 20;
  }
  return options;
}

struct KernelCache::Impl {
  CacheOptions options;
  std::string problem; ///< why the cache is off; empty when it is on
  mutable std::mutex warning;
  mutable bool warnedOfWriting = false;

  std::string entryPath(const std::string &digest) const { return options.folder + "/" + digest + kEntrySuffix; }
  void warn(const std::string &message) const;
  void warnOfWriting(const std::string &message) const;
  bool load(const std::string &digest, CompiledImage &image) const;
  CompiledImage store(const std::string &digest, const std::string &label, const CacheKey &key,
                      CompiledImage image) const;
  void trim(const std::string &keep) const;
  void removeLeftovers(int64_t olderThanSeconds) const; ///< 0: of any age
  Status checkEnabled() const;
};

KernelCache::KernelCache(std::shared_ptr<const Impl> impl) : impl(std::move(impl)) {}

KernelCache KernelCache::open(CacheOptions options) {
  auto impl = std::make_shared<Impl>();
  impl->options = std::move(options);
  if (impl->options.maxBytes <= 0) {
    impl->problem = "its size is limited to 0 bytes";
  } else if (Status status = preparePrivateFolder(impl->options.folder); !status) {
    impl->problem = status.message();
    impl->warn("kernel cache is off: " + impl->problem);
  }
  return KernelCache(std::move(impl));
}

KernelCache KernelCache::open(const Environment &environment, WarningHandler warn) {
  Result<CacheOptions> options = cacheOptions(environment);
  if (options) {
    options->warn = std::move(warn);
    return open(std::move(*options));
  }
  auto impl = std::make_shared<Impl>();
  impl->options.warn = std::move(warn);
  impl->problem = options.message();
  impl->warn("kernel cache is off: " + impl->problem);
  return KernelCache(std::move(impl));
}

KernelCache KernelCache::off() {
  auto impl = std::make_shared<Impl>();
  impl->problem = "it was not asked for";
  return KernelCache(std::move(impl));
}

bool KernelCache::enabled() const { return impl->problem.empty(); }
const std::string &KernelCache::problem() const { return impl->problem; }
const std::string &KernelCache::folder() const { return impl->options.folder; }
int64_t KernelCache::maxBytes() const { return impl->options.maxBytes; }

void KernelCache::Impl::warn(const std::string &message) const {
  if (!options.warn)
    return;
  std::lock_guard<std::mutex> lock(warning);
  options.warn(message);
}

/// A full disk is one warning, not one a kernel.
void KernelCache::Impl::warnOfWriting(const std::string &message) const {
  if (!options.warn)
    return;
  std::lock_guard<std::mutex> lock(warning);
  if (!warnedOfWriting)
    options.warn("kernel was compiled but not cached: " + message);
  warnedOfWriting = true;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Looking up and storing
//===--------------------------------------------------------------------------------------------------------------===//

/// Reads an entry and marks it used. One that is there but of no use is removed, so that the next store takes its
/// place.
bool KernelCache::Impl::load(const std::string &digest, CompiledImage &image) const {
  std::string path = entryPath(digest);
  if (::access(path.c_str(), F_OK) != 0)
    return false;
  Result<std::vector<uint8_t>> bytes = readFile(path);
  if (!bytes) {
    // Another process may have removed it since we looked: then there is nothing to say.
    if (::access(path.c_str(), F_OK) == 0)
      warn(fmt::format("cache entry cannot be used, compiling again: {}", bytes.message()));
    return false;
  }
  Result<CacheFile> file = decodeCacheFile(*bytes, digest);
  if (!file) {
    warn(fmt::format("cache entry '{}' is {}; compiling again", path, file.message()));
    ::unlink(path.c_str());
    return false;
  }
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  image = std::move(file->image);
  return true;
}

/// Publishes `image` and returns what the cache holds afterwards: another's image, where that one was first.
CompiledImage KernelCache::Impl::store(const std::string &digest, const std::string &label, const CacheKey &key,
                                       CompiledImage image) const {
  CacheFile file = {digest, label, key.target, key.compiler, key.build, std::move(image)};
  std::vector<uint8_t> bytes = encodeCacheFile(file);
  if (static_cast<int64_t>(bytes.size()) > options.maxBytes) {
    warnOfWriting(fmt::format("it takes {} bytes and the cache may hold {}", bytes.size(), options.maxBytes));
    return std::move(file.image);
  }
  PublishOptions publication;
  publication.mode = Publish::keepFirst;
  publication.permissions = 0600;
  publication.write = options.write;
  publication.durable = false; // what a power cut destroys is found by its hash and compiled again
  Result<bool> published = publishFile(entryPath(digest), bytes.data(), bytes.size(), publication);
  if (!published) {
    warnOfWriting(published.message());
    return std::move(file.image);
  }
  if (*published) {
    trim(digest + kEntrySuffix);
    return std::move(file.image);
  }
  CompiledImage first;
  return load(digest, first) ? std::move(first) : std::move(file.image);
}

Result<CompiledImage> KernelCache::getOrCompile(const CacheKey &key, const std::string &label,
                                                const CompileFunction &compile, bool *hit) const {
  if (hit)
    *hit = false;
  if (!enabled())
    return compile();
  std::string digest = key.digest();
  CompiledImage image;
  auto found = [&] {
    if (!impl->load(digest, image))
      return false;
    if (hit)
      *hit = true;
    return true;
  };
  if (found())
    return image;
  // Without the lock (a read-only folder, a file system without locks, a holder that hangs) the kernel may be compiled
  // twice, but whoever stores first decides the bytes.
  FileLock lock;
  if (lock.acquire(impl->options.folder + "/" + digest + kLockSuffix, impl->options.patienceSeconds) && found())
    return image;
  Result<CompiledImage> compiled = compile();
  if (!compiled)
    return compiled;
  return impl->store(digest, label, key, std::move(*compiled));
}

void KernelCache::Impl::removeLeftovers(int64_t olderThanSeconds) const {
  Result<std::vector<FolderEntry>> files = listFiles(options.folder, "");
  if (!files)
    return;
  const int64_t now = ::time(nullptr);
  for (const FolderEntry &file : *files) {
    bool isLock = endsWith(file.name, kLockSuffix);
    bool isTemporary = file.name.rfind(kTemporaryPrefix, 0) == 0;
    // A file's time may be ahead of ours, which is read from a coarser clock: where any age will do, it is not asked.
    bool isOld = olderThanSeconds == 0 || now - file.modified.tv_sec >= olderThanSeconds;
    if ((isLock || isTemporary) && isOld)
      ::unlink((options.folder + "/" + file.name).c_str());
  }
}

/// Removes the entries used longest ago until the rest fits, but not `keep`.
void KernelCache::Impl::trim(const std::string &keep) const {
  Result<std::vector<FolderEntry>> entries = listFiles(options.folder, kEntrySuffix);
  if (!entries)
    return;
  int64_t total = 0;
  for (const FolderEntry &entry : *entries)
    total += entry.bytes;
  if (total <= options.maxBytes)
    return;
  for (const FolderEntry &entry : *entries) {
    if (total <= options.maxBytes)
      break;
    if (entry.name == keep)
      continue;
    ::unlink((options.folder + "/" + entry.name).c_str());
    total -= entry.bytes;
  }
  removeLeftovers(kLeftoverSeconds);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Housekeeping
//===--------------------------------------------------------------------------------------------------------------===//

Status KernelCache::Impl::checkEnabled() const {
  return problem.empty() ? Status() : Status(Error{"kernel cache is off: " + problem});
}

Result<std::vector<CacheEntry>> KernelCache::list() const {
  if (Status status = impl->checkEnabled(); !status)
    return status.error();
  Result<std::vector<FolderEntry>> files = listFiles(folder(), kEntrySuffix);
  if (!files)
    return files.error();
  std::vector<CacheEntry> entries;
  for (auto file = files->rbegin(); file != files->rend(); ++file) {
    CacheEntry entry;
    entry.digest = file->name.substr(0, file->name.size() - std::strlen(kEntrySuffix));
    entry.bytes = file->bytes;
    entry.lastUse = file->modified.tv_sec;
    std::string path = impl->entryPath(entry.digest);
    Result<std::vector<uint8_t>> bytes = readFile(path);
    if (!bytes && ::access(path.c_str(), F_OK) != 0)
      continue; // removed by another process since the folder was listed
    Result<CacheFile> content = bytes ? decodeCacheFile(*bytes, entry.digest) : Result<CacheFile>(bytes.error());
    if (content) {
      entry.label = content->label;
      entry.target = content->target;
      entry.compiler = content->compiler;
      entry.build = content->build;
    } else {
      entry.problem = content.message();
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<KernelCache::Removal> KernelCache::clear() const {
  if (Status status = impl->checkEnabled(); !status)
    return status.error();
  Result<std::vector<FolderEntry>> files = listFiles(folder(), kEntrySuffix);
  if (!files)
    return files.error();
  Removal removal;
  for (const FolderEntry &file : *files) {
    std::string path = folder() + "/" + file.name;
    if (::unlink(path.c_str()) == 0) {
      ++removal.entries;
      removal.bytes += file.bytes;
    } else if (errno != ENOENT) {
      return Error{fmt::format("cannot remove '{}': {}", path, systemMessage(errno))};
    }
  }
  impl->removeLeftovers(0);
  return removal;
}

Result<std::vector<CacheEntry>> KernelCache::verify() const {
  Result<std::vector<CacheEntry>> entries = list();
  if (!entries)
    return entries;
  std::vector<CacheEntry> bad;
  for (CacheEntry &entry : *entries) {
    if (entry.problem.empty())
      continue;
    std::string path = impl->entryPath(entry.digest);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return Error{fmt::format("cannot remove '{}': {}", path, systemMessage(errno))};
    bad.push_back(std::move(entry));
  }
  return bad;
}
