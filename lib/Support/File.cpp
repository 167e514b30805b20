//===- File.cpp - whole files, read and published -----------------------------------------------------------------===//

#include "winnow/Support/File.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

using namespace winnow;

namespace {

/// A file descriptor that is closed on the way out.
class Descriptor {
public:
  explicit Descriptor(int file) : file(file) {}
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  ~Descriptor() {
    if (file >= 0)
      ::close(file);
  }
  int get() const { return file; }
  bool valid() const { return file >= 0; }

private:
  int file;
};

/// Removes a file by name on the way out, unless it has got its final name.
class Unlinker {
public:
  ~Unlinker() {
    if (!path.empty())
      ::unlink(path.c_str());
  }
  std::string path;
};

} // namespace

std::string winnow::systemMessage(int code) { return std::generic_category().message(code); }

static Error fileError(const char *action, const std::string &path, int code) {
  return Error{std::string("cannot ") + action + " '" + path + "': " + systemMessage(code)};
}

Result<std::vector<uint8_t>> winnow::readFile(const std::string &path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid())
    return fileError("open", path, errno);
  struct stat info;
  if (::fstat(file.get(), &info) != 0)
    return fileError("inspect", path, errno);
  if (!S_ISREG(info.st_mode))
    return Error{"cannot read '" + path + "': expected a regular file, got " +
                 (S_ISDIR(info.st_mode) ? "a folder" : "a special file")};
  std::vector<uint8_t> bytes(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t step = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (step < 0 && errno == EINTR)
      continue;
    if (step < 0)
      return fileError("read", path, errno);
    if (step == 0)
      break; // the file shrank since fstat: what is left is what it holds
    done += static_cast<size_t>(step);
  }
  bytes.resize(done);
  return bytes;
}

/// 0, or the errno of the failure.
static int writeAll(int file, const void *data, size_t size, const WriteFunction &write) {
  const char *bytes = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t step = write ? write(file, bytes, size) : ::write(file, bytes, size);
    if (step < 0 && errno == EINTR)
      continue;
    if (step < 0)
      return errno;
    if (step == 0)
      return ENOSPC;
    bytes += step;
    size -= static_cast<size_t>(step);
  }
  return 0;
}

static std::string parentFolder(const std::string &path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// A hidden name in `folder` that no file has: the file behind `unnamed` is linked to it, or, where `unnamed` is -1, it
/// is created and `created` receives its descriptor. 0, or the errno of the failure.
static int takeTemporaryName(const std::string &folder, int unnamed, mode_t permissions, std::string &name,
                             int &created) {
  static constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char suffix[64];
    std::snprintf(suffix, sizeof(suffix), "/.winnow-%ld-%lx-%x", long(::getpid()),
                  static_cast<unsigned long>(now.tv_sec * 1000000000L + now.tv_nsec), unsigned(attempt));
    name = folder + suffix;
    if (unnamed >= 0) {
      std::string self = "/proc/self/fd/" + std::to_string(unnamed);
      if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
        return 0;
    } else {
      created = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
      if (created >= 0)
        return 0;
    }
    if (errno != EEXIST)
      return errno;
  }
  return EEXIST;
}

static Result<bool> writeInPlace(const std::string &path, const void *data, size_t size, const WriteFunction &write) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid())
    return fileError("open", path, errno);
  if (int code = writeAll(file.get(), data, size, write))
    return fileError("write", path, code);
  return true;
}

/// Writes the bytes to a file of `folder` with a hidden name, which `temporary` receives. False, with nothing done,
/// where the system has no unnamed files.
static Result<bool> writeTemporary(const std::string &folder, bool unnamed, const std::string &path, const void *data,
                                   size_t size, const PublishOptions &options, Unlinker &temporary) {
  std::string name;
  int created = -1;
  if (unnamed) {
    created = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, options.permissions);
    if (created < 0)
      return false;
  } else {
    if (int code = takeTemporaryName(folder, -1, options.permissions, name, created))
      return fileError("create a file for", path, code);
    temporary.path = name;
  }
  Descriptor file(created);
  if (int code = writeAll(file.get(), data, size, options.write))
    return fileError("write", path, code);
  if (options.durable && ::fsync(file.get()) != 0 && errno != EINVAL)
    return fileError("write", path, errno);
  if (unnamed) {
    int ignored = -1;
    if (takeTemporaryName(folder, file.get(), options.permissions, name, ignored) != 0)
      return false;
    temporary.path = name;
  }
  return true;
}

Result<bool> winnow::publishFile(const std::string &path, const void *data, size_t size,
                                 const PublishOptions &options) {
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    if (S_ISDIR(info.st_mode))
      return Error{"cannot write '" + path + "': it is a folder"};
    return writeInPlace(path, data, size, options.write);
  }
  std::string folder = parentFolder(path);
  Unlinker temporary;
  Result<bool> written = false;
  if (options.unnamed)
    written = writeTemporary(folder, true, path, data, size, options, temporary);
  if (written && !*written)
    written = writeTemporary(folder, false, path, data, size, options, temporary);
  if (!written)
    return written;

  if (options.mode == Publish::keepFirst) {
    // link(2) fails where the name is taken; rename(2) would take it over.
    if (::link(temporary.path.c_str(), path.c_str()) == 0)
      return true;
    if (errno == EEXIST)
      return false;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
      return fileError("name", path, errno);
    // A file system without links: the last of two at the same instant wins, and both are whole.
    if (::access(path.c_str(), F_OK) == 0)
      return false;
  }
  if (::rename(temporary.path.c_str(), path.c_str()) != 0)
    return fileError("name", path, errno);
  temporary.path.clear();
  return true;
}
