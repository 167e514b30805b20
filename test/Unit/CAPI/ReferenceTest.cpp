//===- ReferenceTest.cpp - the CPU reference through the C API ----------------------------------------------------===//

#include "CompilerTestUtils.h"

#include <gtest/gtest.h>

using namespace winnow::test;

namespace {

struct ReferenceCApi : testing::Test {
  Context context = makeContext();
  Module module = parse(context.get(), kRelu);
  std::vector<float> x = {1, -2, 3, -4, -5, 6, -7, 8}, y = std::vector<float>(8, 99);
  int64_t shape[2] = {2, 4};
  winnow_host_tensor input{WINNOW_F32, 2, shape, x.data()}, output{WINNOW_F32, 2, shape, y.data()};

  std::string run() { return take(winnow_module_interpret(module.get(), nullptr, &input, 1, &output, 1)); }
  /// Runs, expects this failure and an untouched output.
  void expectFailure(const std::string &text) {
    std::string error = run();
    EXPECT_NE(error.find(text), std::string::npos) << error;
    EXPECT_EQ(y, std::vector<float>(8, 99));
  }
};

TEST_F(ReferenceCApi, EvaluatesTheSpec) {
  ASSERT_EQ(run(), "");
  EXPECT_EQ(y, (std::vector<float>{1, 0, 3, 0, 0, 6, 0, 8}));
}

TEST_F(ReferenceCApi, EvaluatesTheLoweredModule) {
  ASSERT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, nullptr)), "");
  ASSERT_EQ(run(), "");
  EXPECT_EQ(y, (std::vector<float>{1, 0, 3, 0, 0, 6, 0, 8}));
  ASSERT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, nullptr)), "");
  y.assign(8, 99);
  expectFailure("expected a module at level spec or ffn, got one at level kern");
}

TEST_F(ReferenceCApi, InputAndOutputMayBeOneTensor) {
  output.data = x.data();
  ASSERT_EQ(run(), "");
  EXPECT_EQ(x, (std::vector<float>{1, 0, 3, 0, 0, 6, 0, 8}));
}

TEST_F(ReferenceCApi, DataNeedsNoAlignment) {
  std::vector<char> bytes(33);
  std::copy_n(reinterpret_cast<const char *>(x.data()), 32, bytes.data() + 1);
  input.data = bytes.data() + 1;
  ASSERT_EQ(run(), "");
  EXPECT_EQ(y[5], 6);
}

TEST_F(ReferenceCApi, WrongElementType) {
  input.element = WINNOW_I32;
  expectFailure("input 0 expects tensor<?x4xf32>, got 2x4xi32");
}

TEST_F(ReferenceCApi, UnknownElementType) {
  input.element = static_cast<winnow_element_type>(12);
  expectFailure("input 0: expected an element type from 0 to 7, got 12");
}

TEST_F(ReferenceCApi, WrongInputShape) {
  int64_t transposed[2] = {4, 2};
  input.shape = transposed;
  expectFailure("input 0 expects tensor<?x4xf32>, got 4x2xf32");
}

TEST_F(ReferenceCApi, WrongOutputShape) {
  int64_t one[2] = {1, 4};
  output.shape = one;
  expectFailure("output 0: expected room for 2x4xf32, got 1x4xf32");
}

TEST_F(ReferenceCApi, NoTokens) {
  int64_t none[2] = {0, 4};
  input.shape = output.shape = none;
  expectFailure("input 0: expected extents from 1 to 2147483647, got 0x4");
}

TEST_F(ReferenceCApi, WrongCounts) {
  EXPECT_EQ(take(winnow_module_interpret(module.get(), nullptr, &input, 1, &output, 0)),
            "@forward expects 1 inputs and 1 outputs, got 1 and 0");
}

TEST_F(ReferenceCApi, NoData) {
  input.data = nullptr;
  expectFailure("input 0: expected 8 elements, got a null pointer");
}

TEST_F(ReferenceCApi, RandomInputsDependOnTheSeedAlone) {
  std::vector<float> first(8), second(8);
  auto fill = [&](uint64_t seed, std::vector<float> &values) {
    input.data = values.data();
    return take(winnow_module_random_inputs(module.get(), nullptr, seed, &input, 1));
  };
  ASSERT_EQ(fill(1, first), "");
  ASSERT_EQ(fill(1, second), "");
  EXPECT_EQ(first, second);
  ASSERT_EQ(fill(2, second), "");
  EXPECT_NE(first, second);
  input.element = WINNOW_BF16;
  EXPECT_EQ(fill(1, second), "input 0: expected room for 2x4xf32");
  EXPECT_EQ(take(winnow_module_random_inputs(module.get(), nullptr, 1, &input, 2)), "expected 1 inputs, got 2");
}

TEST_F(ReferenceCApi, UnknownFunction) {
  EXPECT_EQ(take(winnow_module_interpret(module.get(), "backward", &input, 1, &output, 1)),
            "the spec has no function @backward; there are @forward");
}

} // namespace
