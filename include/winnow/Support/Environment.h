//===- Environment.h - the environment variables that Winnow reads ------------------------------------------------===//
//
// The only place that reads the environment. None of these variables changes what a kernel computes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_ENVIRONMENT_H
#define WINNOW_SUPPORT_ENVIRONMENT_H

#include <string>
#include <vector>

namespace winnow {

/// What a variable is for, for `winnow env` and the documentation.
struct EnvironmentVariable {
  const char *name;
  const char *purpose;
  /// Whether its value can change the bytes of a compiled kernel and is therefore part of a cache key, directly or by
  /// way of what it selects.
  bool cacheRelevant;
};

/// Every variable that `Environment::read` looks at.
const std::vector<EnvironmentVariable> &environmentVariables();

/// Values as found; empty where unset.
struct Environment {
  std::string cacheDir;          ///< WINNOW_CACHE_DIR
  std::string cacheMaxMegabytes; ///< WINNOW_CACHE_MAX_MB
  std::string nvrtc;             ///< WINNOW_NVRTC
  std::string xdgCacheHome;      ///< XDG_CACHE_HOME
  std::string xdgDataHome;       ///< XDG_DATA_HOME
  std::string home;              ///< HOME
  std::string cudaHome;          ///< CUDA_HOME
  std::string virtualEnv;        ///< VIRTUAL_ENV
  std::string path;              ///< PATH
  std::string ldLibraryPath;     ///< LD_LIBRARY_PATH

  static Environment read();
};

} // namespace winnow

#endif // WINNOW_SUPPORT_ENVIRONMENT_H
