//===- File.h - whole files, read and published -------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_FILE_H
#define WINNOW_SUPPORT_FILE_H

#include "winnow/Support/Result.h"

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace winnow {

/// What `write(2)` does. Tests replace it to act out a full disk.
using WriteFunction = std::function<ssize_t(int file, const void *data, size_t size)>;

/// What happens when the path to be published exists already.
enum class Publish {
  replace,   ///< the new contents take its place, at once
  keepFirst, ///< the old contents stay; the new ones are dropped
};

struct PublishOptions {
  Publish mode = Publish::replace;
  mode_t permissions = 0666; ///< less the process's umask
  WriteFunction write;       ///< empty: write(2)
  bool durable = true;       ///< flush to the disk first, so that not even a power cut leaves half a file
  bool unnamed = true;       ///< try an unnamed file first; tests of the other way turn it off
};

/// The contents of a regular file.
Result<std::vector<uint8_t>> readFile(const std::string &path);

/// Makes `path` hold exactly these bytes: they go to an unnamed (or, where the file system has none, hidden
/// `.winnow-*`) file of the same folder that takes its name only when it is complete and flushed. Readers see the old
/// file, or none, or the whole new one; an error or an interrupt leaves the old one. A `path` that is not a regular
/// file (a device, a pipe) is written in place. Returns whether the bytes were published, which is false only under
/// `Publish::keepFirst`.
Result<bool> publishFile(const std::string &path, const void *data, size_t size, const PublishOptions &options = {});

/// "No space left on device" and the like, for `errno`.
std::string systemMessage(int code);

} // namespace winnow

#endif // WINNOW_SUPPORT_FILE_H
