//===- KernelCacheTest.cpp - compiled kernels on disk -------------------------------------------------------------===//

#include "winnow/Jit/KernelCache.h"

#include "ScratchFolder.h"

#include <filesystem>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace winnow;
using namespace winnow::jit;

namespace {

CacheKey keyOf(const std::string &source) { return {source, {"--std=c++17"}, "sm_90a", "13.0", "build 1"}; }

CompiledImage imageOf(const std::string &text) {
  return {{text.begin(), text.end()}, "ptx of " + text, "log of " + text};
}

/// A compiler that counts its calls.
struct FakeCompiler {
  std::atomic<int> calls{0};
  KernelCache::CompileFunction function(const std::string &text) {
    return [this, text]() -> Result<CompiledImage> {
      ++calls;
      return imageOf(text);
    };
  }
};

class KernelCacheTest : public testing::Test {
protected:
  CacheOptions options() {
    CacheOptions options;
    options.folder = scratch.path() + "/cache";
    options.warn = [this](const std::string &message) { warnings.push_back(message); };
    return options;
  }
  std::string entryPath(const CacheKey &key) const { return scratch.path() + "/cache/" + key.digest() + ".wnk"; }
  std::set<std::string> names() const {
    std::set<std::string> result;
    for (const auto &entry : std::filesystem::directory_iterator(scratch.path() + "/cache"))
      result.insert(entry.path().filename().string());
    return result;
  }

  ScratchFolder scratch;
  FakeCompiler compiler;
  std::vector<std::string> warnings;
};

/// Runs `body` in a forked process and returns its exit status; a process killed by a signal gives 128 + signal.
int inChild(const std::function<int()> &body) {
  pid_t child = ::fork();
  if (child == 0)
    ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Keys and configuration
//===--------------------------------------------------------------------------------------------------------------===//

TEST(CacheKey, DependsOnEveryFieldAndOnTheirBounds) {
  const CacheKey base = {"source", {"a", "b"}, "sm_90a", "13.0", "build"};
  std::set<std::string> digests = {base.digest()};
  EXPECT_EQ(base.digest().size(), 64u);
  EXPECT_EQ(base.digest(), (CacheKey{"source", {"a", "b"}, "sm_90a", "13.0", "build"}).digest());
  const CacheKey others[] = {
      {"source ", {"a", "b"}, "sm_90a", "13.0", "build"}, {"source", {"b", "a"}, "sm_90a", "13.0", "build"},
      {"source", {"ab"}, "sm_90a", "13.0", "build"},      {"source", {"a", "b", ""}, "sm_90a", "13.0", "build"},
      {"source", {"a", "b"}, "sm_90", "13.0", "build"},   {"source", {"a", "b"}, "sm_90a", "12.9", "build"},
      {"source", {"a", "b"}, "sm_90a", "13.0", "bu"},     {"source", {"a", "b"}, "sm_90a", "13.", "0build"},
      {"source", {"a"}, "b", "sm_90a", "13.0build"},
  };
  for (const CacheKey &other : others)
    EXPECT_TRUE(digests.insert(other.digest()).second);
}

TEST(CacheOptions, ReadTheEnvironment) {
  Environment environment;
  EXPECT_EQ(cacheOptions(environment).message(), "no folder for the kernel cache: set WINNOW_CACHE_DIR or HOME");
  environment.home = "/home/me";
  EXPECT_EQ(cacheOptions(environment)->folder, "/home/me/.cache/winnow");
  EXPECT_EQ(cacheOptions(environment)->maxBytes, int64_t(2) << 30);
  environment.xdgCacheHome = "relative";
  EXPECT_EQ(cacheOptions(environment)->folder, "/home/me/.cache/winnow");
  environment.xdgCacheHome = "/caches";
  EXPECT_EQ(cacheOptions(environment)->folder, "/caches/winnow");
  environment.cacheDir = "here";
  EXPECT_EQ(cacheOptions(environment)->folder, "here");
  environment.cacheMaxMegabytes = "64";
  EXPECT_EQ(cacheOptions(environment)->maxBytes, 64 << 20);
  for (const char *wrong : {"-1", "1.5", "many", "1000000000", " 1"}) {
    environment.cacheMaxMegabytes = wrong;
    EXPECT_EQ(cacheOptions(environment).message(),
              "WINNOW_CACHE_MAX_MB: expected a number of MiB up to 999999999, got '" + std::string(wrong) + "'");
  }
}

TEST_F(KernelCacheTest, IsOffWhereTheEnvironmentIsWrong) {
  Environment environment;
  environment.home = "/home/me";
  environment.cacheMaxMegabytes = "many";
  KernelCache cache = KernelCache::open(environment, [&](const std::string &message) { warnings.push_back(message); });
  EXPECT_FALSE(cache.enabled());
  EXPECT_EQ(warnings, std::vector<std::string>{"kernel cache is off: WINNOW_CACHE_MAX_MB: expected a number of MiB up "
                                               "to 999999999, got 'many'"});
}

//===--------------------------------------------------------------------------------------------------------------===//
// Hits and misses
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(KernelCacheTest, CompilesOnceAndKeepsTheBytes) {
  bool hit = true;
  {
    KernelCache cache = KernelCache::open(options());
    ASSERT_TRUE(cache.enabled()) << cache.problem();
    Result<CompiledImage> image = cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first"), &hit);
    ASSERT_TRUE(image);
    EXPECT_EQ(*image, imageOf("first"));
    EXPECT_FALSE(hit);
  }
  KernelCache cache = KernelCache::open(options());
  Result<CompiledImage> image = cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("second"), &hit);
  ASSERT_TRUE(image);
  EXPECT_EQ(*image, imageOf("first"));
  EXPECT_TRUE(hit);
  EXPECT_EQ(compiler.calls, 1);
  ASSERT_TRUE(cache.getOrCompile(keyOf("b"), "ffn_1", compiler.function("other"), &hit));
  EXPECT_FALSE(hit);
  EXPECT_EQ(names(), (std::set<std::string>{keyOf("a").digest() + ".wnk", keyOf("b").digest() + ".wnk"}));
  EXPECT_TRUE(warnings.empty());
}

TEST_F(KernelCacheTest, IsPrivate) {
  KernelCache cache = KernelCache::open(options());
  ASSERT_TRUE(cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")));
  struct stat info;
  ASSERT_EQ(::stat((scratch.path() + "/cache").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(::stat(entryPath(keyOf("a")).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(KernelCacheTest, KeepsNothingOfAFailedCompilation) {
  KernelCache cache = KernelCache::open(options());
  auto fail = []() -> Result<CompiledImage> { return Error{"ffn.cu(1): error"}; };
  EXPECT_EQ(cache.getOrCompile(keyOf("a"), "ffn_0", fail).message(), "ffn.cu(1): error");
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(*cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")), imageOf("first"));
}

TEST_F(KernelCacheTest, CompilesAnewWhateverIsWrongWithAnEntry) {
  KernelCache cache = KernelCache::open(options());
  const std::string path = entryPath(keyOf("a"));
  ASSERT_TRUE(cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("good")));
  ASSERT_TRUE(cache.getOrCompile(keyOf("b"), "ffn_1", compiler.function("other")));
  const std::vector<uint8_t> good = *readFile(path), other = *readFile(entryPath(keyOf("b")));
  std::vector<std::vector<uint8_t>> damaged = {other};
  for (size_t size = 0; size < good.size(); size += 7)
    damaged.emplace_back(good.begin(), good.begin() + size);
  for (size_t i = 0; i < good.size(); i += 5) {
    damaged.push_back(good);
    damaged.back()[i] ^= 0x40;
  }
  for (const std::vector<uint8_t> &bytes : damaged) {
    ASSERT_TRUE(publishFile(path, bytes.data(), bytes.size()));
    warnings.clear();
    bool hit = true;
    Result<CompiledImage> image = cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("good"), &hit);
    ASSERT_TRUE(image);
    EXPECT_EQ(*image, imageOf("good"));
    EXPECT_FALSE(hit);
    EXPECT_EQ(warnings.size(), 1u);
    EXPECT_EQ(*readFile(path), good); // repaired
  }
  ASSERT_TRUE(publishFile(path, good.data(), good.size() - 1));
  warnings.clear();
  ASSERT_TRUE(cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("good")));
  EXPECT_EQ(warnings, std::vector<std::string>{"cache entry '" + path + "' is truncated: expected " +
                                               std::to_string(good.size()) + " bytes, got " +
                                               std::to_string(good.size() - 1) + "; compiling again"});
}

//===--------------------------------------------------------------------------------------------------------------===//
// Folders and disks that do not serve
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(KernelCacheTest, RefusesAFolderThatOthersMayWriteTo) {
  CacheOptions open = options();
  ::mkdir(open.folder.c_str(), 0700);
  ::chmod(open.folder.c_str(), 0770);
  KernelCache cache = KernelCache::open(open);
  EXPECT_FALSE(cache.enabled());
  const std::string problem = "'" + open.folder + "' is writable by other users (mode 770): expected 700";
  EXPECT_EQ(warnings, std::vector<std::string>{"kernel cache is off: " + problem});
  bool hit = true;
  EXPECT_EQ(*cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first"), &hit), imageOf("first"));
  EXPECT_FALSE(hit);
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(cache.list().message(), "kernel cache is off: " + problem);
  EXPECT_EQ(cache.clear().message(), "kernel cache is off: " + problem);
  EXPECT_EQ(cache.verify().message(), "kernel cache is off: " + problem);
}

TEST_F(KernelCacheTest, RefusesAFolderOfSomeoneElse) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root to give a folder away";
  CacheOptions open = options();
  ::mkdir(open.folder.c_str(), 0700);
  ASSERT_EQ(::chown(open.folder.c_str(), 65534, 65534), 0);
  EXPECT_EQ(KernelCache::open(open).problem(),
            "'" + open.folder + "' belongs to user 65534: expected the current user, 0");
}

TEST_F(KernelCacheTest, RefusesAFile) {
  CacheOptions open = options();
  open.folder = scratch.makeFile("file");
  EXPECT_EQ(KernelCache::open(open).problem(), "'" + open.folder + "' is not a folder");
  open.folder += "/below";
  EXPECT_EQ(KernelCache::open(open).problem(), "cannot create '" + open.folder + "': Not a directory");
}

TEST_F(KernelCacheTest, MakesTheFoldersAbove) {
  CacheOptions open = options();
  open.folder = scratch.path() + "/one/two/three";
  EXPECT_TRUE(KernelCache::open(open).enabled());
}

TEST_F(KernelCacheTest, ServesFromAReadOnlyFolderAndDoesNotStore) {
  // Root may write anywhere, so the reader is a process of another user.
  // It must get to the scratch folder, which under lit lies in a folder that lets only its owner through.
  std::error_code ignored; // not ours, not needed
  std::filesystem::permissions(std::filesystem::temp_directory_path(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add, ignored);
  int status = inChild([&] {
    if (::geteuid() == 0 &&
        (::chown(scratch.path().c_str(), 65534, 65534) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0))
      return 10;
    KernelCache cache = KernelCache::open(options());
    if (!cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")))
      return 11;
    ::chmod((scratch.path() + "/cache").c_str(), 0500);
    bool hit = false;
    if (!cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("second"), &hit) || !hit || !warnings.empty())
      return 12;
    // Two kernels that cannot be stored are one warning.
    for (const char *source : {"b", "c"}) {
      Result<CompiledImage> image = cache.getOrCompile(keyOf(source), "ffn_1", compiler.function(source), &hit);
      if (!image || !(*image == imageOf(source)) || hit)
        return 13;
    }
    if (warnings.size() != 1 || warnings[0] != "kernel was compiled but not cached: cannot create a file for '" +
                                                   entryPath(keyOf("b")) + "': Permission denied")
      return 14;
    return names().size() == 1 ? 0 : 15;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(KernelCacheTest, GoesOnWithoutSpaceOnTheDisk) {
  // The disk fills up in the middle of an entry.
  CacheOptions full = options();
  int64_t space = 0;
  full.write = [&](int file, const void *data, size_t size) -> ssize_t {
    if (space == 0) {
      errno = ENOSPC;
      return -1;
    }
    ssize_t written = ::write(file, data, std::min<size_t>(size, space));
    space -= written;
    return written;
  };
  KernelCache cache = KernelCache::open(full);
  for (int64_t available : {0, 1, 20, 100, 150}) {
    space = available;
    bool hit = true;
    Result<CompiledImage> image = cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first"), &hit);
    ASSERT_TRUE(image);
    EXPECT_EQ(*image, imageOf("first"));
    EXPECT_FALSE(hit);
    EXPECT_TRUE(names().empty());
  }
  EXPECT_EQ(warnings, std::vector<std::string>{"kernel was compiled but not cached: cannot write '" +
                                               entryPath(keyOf("a")) + "': No space left on device"});
  space = 1 << 20;
  ASSERT_TRUE(cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")));
  EXPECT_EQ(names().size(), 1u);
}

TEST_F(KernelCacheTest, GoesOnUnderAFileSizeLimit) {
  int status = inChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {64, 64};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0)
      return 10;
    KernelCache cache = KernelCache::open(options());
    Result<CompiledImage> image = cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first"));
    if (!image || !(*image == imageOf("first")) || warnings.size() != 1)
      return 11;
    return warnings[0] ==
                   "kernel was compiled but not cached: cannot write '" + entryPath(keyOf("a")) + "': File too large"
               ? 0
               : 12;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(names().empty());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Many at once
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(KernelCacheTest, ThreadsThatWantOneKernelCompileItOnce) {
  KernelCache cache = KernelCache::open(options());
  std::vector<std::thread> threads;
  std::vector<CompiledImage> images(16);
  for (size_t t = 0; t < images.size(); ++t)
    threads.emplace_back([&, t] {
      auto compile = [&, t]() -> Result<CompiledImage> {
        ++compiler.calls;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return imageOf("by thread " + std::to_string(t));
      };
      Result<CompiledImage> image = cache.getOrCompile(keyOf("a"), "ffn_0", compile);
      if (image)
        images[t] = *image;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(compiler.calls, 1);
  EXPECT_FALSE(images[0].cubin.empty());
  for (const CompiledImage &image : images)
    EXPECT_EQ(image, images[0]);
  EXPECT_EQ(names(), std::set<std::string>{keyOf("a").digest() + ".wnk"});
}

TEST_F(KernelCacheTest, ProcessesThatWantOneKernelGetTheSameBytes) {
  // Each process would compile other bytes; with patience for the lock or without, the first to store decides.
  for (double patience : {60.0, 0.0}) {
    ScratchFolder results;
    CacheOptions shared = options();
    shared.patienceSeconds = patience;
    const CacheKey key = keyOf("patience " + std::to_string(patience));
    std::vector<pid_t> children;
    for (int p = 0; p < 8; ++p) {
      pid_t child = ::fork();
      if (child == 0) {
        KernelCache cache = KernelCache::open(shared);
        auto compile = [p]() -> Result<CompiledImage> {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          return imageOf("by process " + std::to_string(p));
        };
        Result<CompiledImage> image = cache.getOrCompile(key, "ffn_0", compile);
        std::string path = results.path() + "/" + std::to_string(p);
        ::_exit(image && publishFile(path, image->cubin.data(), image->cubin.size()) ? 0 : 1);
      }
      children.push_back(child);
    }
    for (pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      EXPECT_EQ(status, 0);
    }
    std::vector<uint8_t> first = *readFile(results.path() + "/0");
    for (int p = 0; p < 8; ++p)
      EXPECT_EQ(*readFile(results.path() + "/" + std::to_string(p)), first);
    bool hit = false;
    EXPECT_EQ(KernelCache::open(shared).getOrCompile(key, "ffn_0", compiler.function("late"), &hit)->cubin, first);
    EXPECT_TRUE(hit);
  }
  EXPECT_EQ(names().size(), 2u); // no lock, no temporary file
}

TEST_F(KernelCacheTest, AnInterruptedCompilationLeavesNothingWrong) {
  int status = inChild([&] {
    KernelCache cache = KernelCache::open(options());
    auto die = []() -> Result<CompiledImage> {
      ::raise(SIGKILL);
      return Error{"not reached"};
    };
    return cache.getOrCompile(keyOf("a"), "ffn_0", die) ? 1 : 2;
  });
  EXPECT_EQ(status, 128 + SIGKILL);
  EXPECT_EQ(names(), std::set<std::string>{keyOf("a").digest() + ".lock"});
  KernelCache cache = KernelCache::open(options());
  EXPECT_EQ(*cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")), imageOf("first"));
  EXPECT_EQ(names(), std::set<std::string>{keyOf("a").digest() + ".wnk"});
}

TEST_F(KernelCacheTest, AnInterruptedStoreLeavesNothingWrong) {
  int status = inChild([&] {
    CacheOptions dying = options();
    dying.write = [](int file, const void *data, size_t size) -> ssize_t {
      if (::write(file, data, size / 2) > 0)
        ::raise(SIGKILL);
      return -1;
    };
    return KernelCache::open(dying).getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")) ? 1 : 2;
  });
  EXPECT_EQ(status, 128 + SIGKILL);
  EXPECT_FALSE(std::filesystem::exists(entryPath(keyOf("a"))));
  KernelCache cache = KernelCache::open(options());
  EXPECT_EQ(*cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")), imageOf("first"));
  ASSERT_TRUE(cache.clear());
  EXPECT_TRUE(names().empty());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Size and housekeeping
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(KernelCacheTest, DropsWhatWasUsedLongestAgo) {
  CacheOptions small = options();
  KernelCache cache = KernelCache::open(small);
  ASSERT_TRUE(cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("image a")));
  small.maxBytes = 3 * (*cache.list())[0].bytes;
  cache = KernelCache::open(small);
  auto setAge = [&](const char *source, int64_t seconds) {
    struct timespec times[2] = {{::time(nullptr) - seconds, 0}, {::time(nullptr) - seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, entryPath(keyOf(source)).c_str(), times, 0), 0);
  };
  for (const char *source : {"b", "c"})
    ASSERT_TRUE(cache.getOrCompile(keyOf(source), "ffn_0", compiler.function(std::string("image ") + source)));
  setAge("a", 300);
  setAge("b", 200);
  setAge("c", 100);
  bool hit = false;
  ASSERT_TRUE(cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("unused"), &hit));
  EXPECT_TRUE(hit); // and is now the entry used last
  ASSERT_TRUE(cache.getOrCompile(keyOf("d"), "ffn_0", compiler.function("image d")));
  EXPECT_TRUE(std::filesystem::exists(entryPath(keyOf("a"))));
  EXPECT_FALSE(std::filesystem::exists(entryPath(keyOf("b"))));
  EXPECT_TRUE(std::filesystem::exists(entryPath(keyOf("c"))));
  EXPECT_TRUE(std::filesystem::exists(entryPath(keyOf("d"))));
}

TEST_F(KernelCacheTest, DoesNotStoreWhatIsLargerThanTheCache) {
  CacheOptions small = options();
  small.maxBytes = 100;
  KernelCache cache = KernelCache::open(small);
  EXPECT_EQ(*cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("image")), imageOf("image"));
  EXPECT_TRUE(names().empty());
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].substr(0, 45), "kernel was compiled but not cached: it takes ");

  small.maxBytes = 0;
  cache = KernelCache::open(small);
  EXPECT_FALSE(cache.enabled());
  EXPECT_EQ(cache.problem(), "its size is limited to 0 bytes");
}

TEST_F(KernelCacheTest, ListsVerifiesAndClears) {
  KernelCache cache = KernelCache::open(options());
  ASSERT_TRUE(cache.getOrCompile(keyOf("a"), "ffn_0", compiler.function("first")));
  ASSERT_TRUE(cache.getOrCompile(keyOf("b"), "ffn_1", compiler.function("second")));
  struct timespec past[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, entryPath(keyOf("a")).c_str(), past, 0), 0);

  Result<std::vector<CacheEntry>> entries = cache.list();
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].label, "ffn_1");
  EXPECT_EQ((*entries)[1].label, "ffn_0");
  EXPECT_EQ((*entries)[1].digest, keyOf("a").digest());
  EXPECT_EQ((*entries)[1].target, "sm_90a");
  EXPECT_EQ((*entries)[1].compiler, "13.0");
  EXPECT_EQ((*entries)[1].build, "build 1");
  EXPECT_EQ((*entries)[1].lastUse, 1000);
  EXPECT_EQ((*entries)[1].bytes, int64_t(std::filesystem::file_size(entryPath(keyOf("a")))));
  EXPECT_EQ((*entries)[1].problem, "");
  EXPECT_TRUE(cache.verify()->empty());

  std::filesystem::resize_file(entryPath(keyOf("a")), 40);
  EXPECT_EQ((*cache.list())[0].problem, "truncated: expected at least 52 bytes, got 40");
  Result<std::vector<CacheEntry>> removed = cache.verify();
  ASSERT_TRUE(removed);
  ASSERT_EQ(removed->size(), 1u);
  EXPECT_EQ((*removed)[0].digest, keyOf("a").digest());
  EXPECT_EQ(cache.list()->size(), 1u);

  scratch.makeFile("cache/.winnow-1-2-3");
  scratch.makeFile("cache/unrelated.txt");
  int64_t bytes = (*cache.list())[0].bytes;
  Result<KernelCache::Removal> removal = cache.clear();
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->entries, 1);
  EXPECT_EQ(removal->bytes, bytes);
  EXPECT_EQ(names(), std::set<std::string>{"unrelated.txt"}); // only what is the cache's own
}
