//===- CacheFolder.cpp - the files of a kernel cache --------------------------------------------------------------===//

#include "CacheFolder.h"

#include "winnow/Support/File.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

using namespace winnow;
using namespace winnow::jit;

/// mkdir -p with mode 0700. 0, or the errno of the failure.
static int makeFolders(const std::string &path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string prefix = path.substr(0, slash);
    if (::mkdir(prefix.c_str(), 0700) != 0 && errno != EEXIST) {
      int code = errno;
      // A parent on a read-only file system that exists is no obstacle.
      struct stat info;
      if (::stat(prefix.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
        return code;
    }
    if (slash == std::string::npos)
      return 0;
  }
}

Status winnow::jit::preparePrivateFolder(const std::string &path) {
  if (int code = makeFolders(path))
    return Error{fmt::format("cannot create '{}': {}", path, systemMessage(code))};
  struct stat info;
  if (::stat(path.c_str(), &info) != 0)
    return Error{fmt::format("cannot inspect '{}': {}", path, systemMessage(errno))};
  if (!S_ISDIR(info.st_mode))
    return Error{fmt::format("'{}' is not a folder", path)};
  // Whoever can write here can make this user run code of theirs.
  if (info.st_uid != ::geteuid())
    return Error{fmt::format("'{}' belongs to user {}: expected the current user, {}", path, info.st_uid, ::geteuid())};
  if (info.st_mode & (S_IWGRP | S_IWOTH))
    return Error{fmt::format("'{}' is writable by other users (mode {:o}): expected 700", path, info.st_mode & 0777)};
  return {};
}

bool winnow::jit::endsWith(const std::string &text, const std::string &suffix) {
  return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

Result<std::vector<FolderEntry>> winnow::jit::listFiles(const std::string &folder, const std::string &suffix) {
  DIR *stream = ::opendir(folder.c_str());
  if (!stream)
    return Error{fmt::format("cannot list '{}': {}", folder, systemMessage(errno))};
  std::vector<FolderEntry> entries;
  while (const dirent *item = ::readdir(stream)) {
    struct stat info;
    if (!endsWith(item->d_name, suffix) || ::fstatat(::dirfd(stream), item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode))
      continue;
    entries.push_back({item->d_name, static_cast<int64_t>(info.st_size), info.st_mtim});
  }
  ::closedir(stream);
  std::sort(entries.begin(), entries.end(), [](const FolderEntry &a, const FolderEntry &b) {
    if (a.modified.tv_sec != b.modified.tv_sec)
      return a.modified.tv_sec < b.modified.tv_sec;
    if (a.modified.tv_nsec != b.modified.tv_nsec)
      return a.modified.tv_nsec < b.modified.tv_nsec;
    return a.name < b.name;
  });
  return entries;
}

bool FileLock::acquire(const std::string &path, double patienceSeconds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(patienceSeconds));
  while (true) {
    int candidate = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (candidate < 0)
      return false;
    if (::flock(candidate, LOCK_EX | LOCK_NB) == 0) {
      // The last holder removed the file between our open and our lock: the name now means another file, or none.
      struct stat held, named;
      if (::fstat(candidate, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
          held.st_dev == named.st_dev) {
        file = candidate;
        this->path = path;
        return true;
      }
      ::close(candidate);
      continue;
    }
    int code = errno;
    ::close(candidate);
    if ((code != EWOULDBLOCK && code != EINTR) || Clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

FileLock::~FileLock() {
  if (file < 0)
    return;
  ::unlink(path.c_str());
  ::close(file);
}
