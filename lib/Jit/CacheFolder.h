//===- CacheFolder.h - the files of a kernel cache ----------------------------------------------------------------===//
//
// In one flat folder: DIGEST.wnk, an entry; DIGEST.lock, empty, held with flock(2) while the entry is being compiled;
// .winnow-*, a file without a name of its own yet, where the file system has no unnamed ones.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_LIB_JIT_CACHEFOLDER_H
#define WINNOW_LIB_JIT_CACHEFOLDER_H

#include "winnow/Support/Result.h"

#include <cstdint>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace winnow::jit {

/// Creates `path` and its parents where they are missing, for the owner alone, and checks that it is private to the
/// user.
Status preparePrivateFolder(const std::string &path);

bool endsWith(const std::string &text, const std::string &suffix);

struct FolderEntry {
  std::string name;
  int64_t bytes;
  struct timespec modified;
};

/// The regular files of a folder whose names end in `suffix`, oldest first.
Result<std::vector<FolderEntry>> listFiles(const std::string &folder, const std::string &suffix);

/// An exclusive lock on a file, between processes and between threads. The kernel drops it with its holder.
class FileLock {
public:
  FileLock() = default;
  FileLock(const FileLock &) = delete;
  FileLock &operator=(const FileLock &) = delete;
  /// Removes the file and lets go.
  ~FileLock();

  /// Tries for at most so long. False when the lock cannot be had: then the caller does without.
  bool acquire(const std::string &path, double patienceSeconds);

private:
  int file = -1;
  std::string path;
};

} // namespace winnow::jit

#endif // WINNOW_LIB_JIT_CACHEFOLDER_H
