//===- RuntimeTest.cpp - the runtime's C API without a GPU --------------------------------------------------------===//

#include "winnow-c/Runtime.h"

#include <gtest/gtest.h>

#include <string>

extern "C" int runtimeHeaderFromC(void);

namespace {

/// Text of an error, which is destroyed.
std::string take(winnow_error *error) {
  std::string text = winnow_error_message(error);
  winnow_error_destroy(error);
  return text;
}

TEST(RuntimeCApi, EveryNullPointerIsAnErrorAlsoFromC) { EXPECT_EQ(runtimeHeaderFromC(), 8); }

TEST(RuntimeCApi, NullErrorHasEmptyTextAndCanBeDestroyed) {
  EXPECT_STREQ(winnow_error_message(nullptr), "");
  winnow_error_destroy(nullptr);
}

TEST(RuntimeCApi, MissingFileIsNamed) {
  winnow_executable *executable = nullptr;
  std::string text = take(winnow_executable_load("/nowhere/ffn.wnw", 0, &executable));
  EXPECT_NE(text.find("/nowhere/ffn.wnw"), std::string::npos) << text;
  EXPECT_EQ(executable, nullptr);
}

TEST(RuntimeCApi, BytesThatAreNoArtifactAreRejected) {
  winnow_executable *executable = nullptr;
  const char bytes[] = "this is not a compiled feed-forward network, but long enough to hold a header";
  std::string text = take(winnow_executable_load_bytes(bytes, sizeof bytes, 0, &executable));
  EXPECT_NE(text.find("artifact in memory"), std::string::npos) << text;
  EXPECT_EQ(executable, nullptr);
}

} // namespace
