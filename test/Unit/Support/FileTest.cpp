//===- FileTest.cpp - whole files, read and published -------------------------------------------------------------===//

#include "winnow/Support/File.h"

#include "ScratchFolder.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <unistd.h>

using namespace winnow;

static std::string contentsOf(const std::string &path) {
  Result<std::vector<uint8_t>> bytes = readFile(path);
  return bytes ? std::string(bytes->begin(), bytes->end()) : bytes.message();
}

namespace {
/// With unnamed files, and as on a file system without them.
class PublishedFile : public testing::TestWithParam<bool> {
protected:
  PublishOptions options(Publish mode = Publish::replace) const {
    PublishOptions options;
    options.mode = mode;
    options.unnamed = GetParam();
    return options;
  }
  ScratchFolder scratch;
  std::string path = scratch.path() + "/x.wnw";
};
} // namespace

INSTANTIATE_TEST_SUITE_P(File, PublishedFile, testing::Bool(), [](const testing::TestParamInfo<bool> &info) {
  return std::string(info.param ? "Unnamed" : "Named");
});

TEST_P(PublishedFile, IsReplaced) {
  Result<bool> published = publishFile(path, "first", 5, options());
  ASSERT_TRUE(published) << published.message();
  EXPECT_TRUE(*published);
  EXPECT_EQ(contentsOf(path), "first");
  ASSERT_TRUE(publishFile(path, "second", 6, options()));
  EXPECT_EQ(contentsOf(path), "second");
  ASSERT_TRUE(publishFile(path, nullptr, 0, options()));
  EXPECT_EQ(contentsOf(path), "");
  EXPECT_EQ(scratch.names(), std::set<std::string>{"x.wnw"});
}

TEST_P(PublishedFile, KeepsTheFirstWhereAsked) {
  EXPECT_TRUE(*publishFile(path, "first", 5, options(Publish::keepFirst)));
  EXPECT_FALSE(*publishFile(path, "second", 6, options(Publish::keepFirst)));
  EXPECT_EQ(contentsOf(path), "first");
  EXPECT_EQ(scratch.names(), std::set<std::string>{"x.wnw"});
}

TEST_P(PublishedFile, KeepsItsContentsThroughAnError) {
  ASSERT_TRUE(publishFile(path, "first", 5, options()));
  PublishOptions failing = options();
  failing.write = [](int file, const void *data, size_t size) -> ssize_t {
    if (size > 3)
      return ::write(file, data, 3);
    errno = ENOSPC;
    return -1;
  };
  Result<bool> published = publishFile(path, "second", 6, failing);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.message(), "cannot write '" + path + "': No space left on device");
  EXPECT_EQ(contentsOf(path), "first");
  EXPECT_EQ(scratch.names(), std::set<std::string>{"x.wnw"});
}

TEST_P(PublishedFile, HasThePermissionsAskedFor) {
  PublishOptions secret = options();
  secret.permissions = 0600;
  ASSERT_TRUE(publishFile(path, "x", 1, secret));
  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(File, WritesShortWritesAndInterruptsToTheEnd) {
  ScratchFolder scratch;
  int calls = 0;
  PublishOptions slow;
  slow.write = [&](int file, const void *data, size_t) -> ssize_t {
    if (++calls % 2) {
      errno = EINTR;
      return -1;
    }
    return ::write(file, data, 1);
  };
  ASSERT_TRUE(publishFile(scratch.path() + "/x", "grain", 5, slow));
  EXPECT_EQ(contentsOf(scratch.path() + "/x"), "grain");
  EXPECT_EQ(calls, 10);
}

TEST(File, SaysWhatItCannotDo) {
  ScratchFolder scratch;
  std::string missing = scratch.path() + "/none/x";
  EXPECT_EQ(publishFile(missing, "x", 1).message(),
            "cannot create a file for '" + missing + "': No such file or directory");
  EXPECT_EQ(publishFile(scratch.path(), "x", 1).message(), "cannot write '" + scratch.path() + "': it is a folder");
  EXPECT_EQ(publishFile("/dev/full", "x", 1).message(), "cannot write '/dev/full': No space left on device");
  EXPECT_TRUE(publishFile("/dev/null", "x", 1));
  EXPECT_EQ(readFile(missing).message(), "cannot open '" + missing + "': No such file or directory");
  EXPECT_EQ(readFile(scratch.path()).message(),
            "cannot read '" + scratch.path() + "': expected a regular file, got a folder");
  EXPECT_EQ(readFile("/dev/zero").message(), "cannot read '/dev/zero': expected a regular file, got a special file");
}
