//===- SharedLibrary.h - a library opened at run time -------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_SHAREDLIBRARY_H
#define WINNOW_SUPPORT_SHAREDLIBRARY_H

#include "winnow/Support/Result.h"

#include <string>
#include <vector>

namespace winnow {

/// A library opened with dlopen. It stays mapped until the process ends: drivers and compilers keep threads and exit
/// handlers of their own, which must not outlive their code.
class SharedLibrary {
public:
  /// Opens the first of `candidates` (paths, or names for the dynamic linker to find) that opens. The error starts with
  /// `what` ("the CUDA driver") and lists each candidate with the linker's reason.
  static Result<SharedLibrary> openFirst(const std::vector<std::string> &candidates, const std::string &what);

  /// The candidate that opened.
  const std::string &name() const { return openedName; }
  /// Where the library lies, as the dynamic linker says; `name()` where it does not say.
  std::string path() const;
  /// Null when there is no such symbol.
  void *find(const char *symbol) const;

private:
  SharedLibrary(void *handle, std::string name) : handle(handle), openedName(std::move(name)) {}

  void *handle;
  std::string openedName;
};

} // namespace winnow

#endif // WINNOW_SUPPORT_SHAREDLIBRARY_H
