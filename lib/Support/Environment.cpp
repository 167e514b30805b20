//===- Environment.cpp - the environment variables that Winnow reads ----------------------------------------------===//

#include "winnow/Support/Environment.h"

#include <cstdlib>

using namespace winnow;

const std::vector<EnvironmentVariable> &winnow::environmentVariables() {
  static const std::vector<EnvironmentVariable> variables = {
      {"WINNOW_CACHE_DIR", "folder of the kernel cache", false},
      {"WINNOW_CACHE_MAX_MB", "greatest size of the kernel cache in MiB", false},
      {"WINNOW_NVRTC", "path of the NVRTC library; its version is part of every cache key", true},
      {"XDG_CACHE_HOME", "the kernel cache is its winnow/ where WINNOW_CACHE_DIR is not set", false},
      {"XDG_DATA_HOME", "schedules that winnow tune has found are in its winnow/", false},
      {"HOME", "stands in for XDG_CACHE_HOME (.cache/) and XDG_DATA_HOME (.local/share/) where they are not set",
       false},
      {"CUDA_HOME", "CUDA toolkit to look for NVRTC in", true},
      {"VIRTUAL_ENV", "Python environment to look for NVRTC's wheel in", true},
      {"PATH", "where python3 is, to look for NVRTC's wheel beside it", true},
      {"LD_LIBRARY_PATH", "where the dynamic linker looks for NVRTC first", true},
  };
  return variables;
}

static std::string valueOf(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

Environment Environment::read() {
  Environment environment;
  environment.cacheDir = valueOf("WINNOW_CACHE_DIR");
  environment.cacheMaxMegabytes = valueOf("WINNOW_CACHE_MAX_MB");
  environment.nvrtc = valueOf("WINNOW_NVRTC");
  environment.xdgCacheHome = valueOf("XDG_CACHE_HOME");
  environment.xdgDataHome = valueOf("XDG_DATA_HOME");
  environment.home = valueOf("HOME");
  environment.cudaHome = valueOf("CUDA_HOME");
  environment.virtualEnv = valueOf("VIRTUAL_ENV");
  environment.path = valueOf("PATH");
  environment.ldLibraryPath = valueOf("LD_LIBRARY_PATH");
  return environment;
}
