//===- SharedLibrary.cpp - a library opened at run time -----------------------------------------------------------===//

#include "winnow/Support/SharedLibrary.h"

#include <dlfcn.h>
#include <link.h>

using namespace winnow;

Result<SharedLibrary> SharedLibrary::openFirst(const std::vector<std::string> &candidates, const std::string &what) {
  std::string tried;
  for (const std::string &candidate : candidates) {
    if (void *handle = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
      return SharedLibrary(handle, candidate);
    const char *reason = ::dlerror();
    std::string text = reason ? reason : "unknown reason";
    // The linker starts most of its reasons with the name.
    if (text.compare(0, candidate.size() + 2, candidate + ": ") == 0)
      text.erase(0, candidate.size() + 2);
    tried += "\n  " + candidate + ": " + text;
  }
  return Error{what + " was not found; tried:" + (tried.empty() ? " nothing" : tried)};
}

std::string SharedLibrary::path() const {
  struct link_map *map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map && map->l_name && *map->l_name)
    return map->l_name;
  return openedName;
}

void *SharedLibrary::find(const char *symbol) const { return ::dlsym(handle, symbol); }
