//===- Sha256Test.cpp - SHA-256 of a byte sequence ----------------------------------------------------------------===//

#include "winnow/Support/Sha256.h"

#include "Sha256Compress.h"

#include <gtest/gtest.h>

using namespace winnow;

static std::string hashOf(const std::string &text) { return toHex(Sha256::hash(text.data(), text.size())); }

TEST(Sha256, MatchesTheStandard) {
  // FIPS 180-4 examples.
  EXPECT_EQ(hashOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hashOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hashOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hashOf(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnTheStepsOfTheInput) {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += char(i * 7);
  for (size_t length = 0; length <= text.size(); ++length)
    for (size_t step : {1, 3, 63, 64, 65}) {
      Sha256 sha;
      for (size_t i = 0; i < length; i += step)
        sha.update(std::string_view(text).substr(i, std::min(step, length - i)));
      ASSERT_EQ(toHex(sha.finish()), hashOf(text.substr(0, length))) << length << " by " << step;
    }
}

TEST(Sha256, InstructionsAgreeWithPlainArithmetic) {
  if (!sha256::hasInstructions())
    GTEST_SKIP() << "this machine has no instructions for SHA-256";
  sha256::State portable = {1, 2, 3, 4, 5, 6, 7, 0xffffffff}, fast = portable;
  uint8_t block[64];
  uint32_t random = 12345;
  for (int turn = 0; turn < 1000; ++turn) {
    for (uint8_t &byte : block)
      byte = uint8_t((random = random * 1664525 + 1013904223) >> 24);
    sha256::compressPortably(portable, block);
    sha256::compressByInstructions(fast, block);
    ASSERT_EQ(portable, fast) << turn;
  }
}
