//===- EnvironmentTest.cpp - the environment variables that Winnow reads ------------------------------------------===//

#include "winnow/Support/Environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace winnow;

TEST(Environment, ReadsEveryVariableItDeclaresAndNoOther) {
  for (const EnvironmentVariable &variable : environmentVariables())
    ::setenv(variable.name, (std::string("value of ") + variable.name).c_str(), 1);
  Environment environment = Environment::read();
  EXPECT_EQ(environment.cacheDir, "value of WINNOW_CACHE_DIR");
  EXPECT_EQ(environment.cacheMaxMegabytes, "value of WINNOW_CACHE_MAX_MB");
  EXPECT_EQ(environment.nvrtc, "value of WINNOW_NVRTC");
  EXPECT_EQ(environment.xdgCacheHome, "value of XDG_CACHE_HOME");
  EXPECT_EQ(environment.xdgDataHome, "value of XDG_DATA_HOME");
  EXPECT_EQ(environment.home, "value of HOME");
  EXPECT_EQ(environment.cudaHome, "value of CUDA_HOME");
  EXPECT_EQ(environment.virtualEnv, "value of VIRTUAL_ENV");
  EXPECT_EQ(environment.path, "value of PATH");
  EXPECT_EQ(environment.ldLibraryPath, "value of LD_LIBRARY_PATH");
  for (const EnvironmentVariable &variable : environmentVariables())
    ::unsetenv(variable.name);
  EXPECT_EQ(Environment::read().cacheDir, "");
  EXPECT_EQ(environmentVariables().size(), 10u);
}

TEST(Environment, OnlyWhatChoosesTheCompilerIsCacheRelevant) {
  for (const EnvironmentVariable &variable : environmentVariables()) {
    std::string name = variable.name;
    EXPECT_EQ(variable.cacheRelevant, name == "WINNOW_NVRTC" || name == "CUDA_HOME" || name == "VIRTUAL_ENV" ||
                                          name == "PATH" || name == "LD_LIBRARY_PATH")
        << name;
  }
}
