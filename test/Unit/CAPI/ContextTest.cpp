//===- ContextTest.cpp - callbacks, lifetimes and threads of the C API --------------------------------------------===//

#include "CompilerTestUtils.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

using namespace winnow::test;

namespace {

struct Seen {
  std::vector<std::string> lines;
  winnow_context *context = nullptr; ///< to call into from the callback
};

void collect(const winnow_diagnostic *diagnostic, void *user) {
  static_cast<Seen *>(user)->lines.push_back(std::to_string(diagnostic->severity) + " " + diagnostic->location + " " +
                                             diagnostic->message);
}

void collectRemark(const winnow_remark *remark, void *user) {
  static_cast<Seen *>(user)->lines.push_back(std::string(remark->pass) + " " + remark->name + " " + remark->facts +
                                             " " + remark->function + " " + remark->location + " " + remark->message);
}

constexpr const char *kTwoTypes = R"(func.func @f(%x: tensor<?x4xf32>) -> tensor<?x8xf32> {
  %y = ffn.relu %x : tensor<?x4xf32> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
)";

TEST(ContextCApi, DiagnosticsReachTheCallbackWithTheirPlace) {
  Context context = makeContext();
  Seen seen;
  ASSERT_EQ(take(winnow_context_set_diagnostic_callback(context.get(), collect, &seen)), "");
  std::string error;
  parse(context.get(), kTwoTypes, &error);
  ASSERT_FALSE(seen.lines.empty());
  EXPECT_EQ(seen.lines[0].rfind("0 spec.mlir:2:8 ", 0), 0u) << seen.lines[0];
  EXPECT_NE(error.find(seen.lines[0].substr(seen.lines[0].find(' ', 2) + 1)), std::string::npos)
      << "the error holds the text of the diagnostic: " << error;
  size_t count = seen.lines.size();
  ASSERT_EQ(take(winnow_context_set_diagnostic_callback(context.get(), nullptr, nullptr)), "");
  parse(context.get(), kTwoTypes);
  EXPECT_EQ(seen.lines.size(), count);
}

TEST(ContextCApi, RemarksSayWhatWasDecidedOnce) {
  Context context = makeContext();
  Seen seen;
  ASSERT_EQ(take(winnow_context_set_remark_callback(context.get(), collectRemark, &seen)), "");
  Module module = parse(context.get(), kForward);
  EXPECT_TRUE(seen.lines.empty());
  winnow_compile_options options = {sizeof options, nullptr, nullptr, 1 << 20, 0, 0, nullptr};
  ASSERT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, &options)), "");
  auto has = [&](const std::string &start) {
    return std::any_of(seen.lines.begin(), seen.lines.end(), [&](auto &line) { return line.rfind(start, 0) == 0; });
  };
  EXPECT_TRUE(has("ffn-select-layout SparseProduct Layout=token_wise, "));
  EXPECT_TRUE(has("kern-choose-schedule schedule"));
  std::vector<std::string> sorted = seen.lines;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::unique(sorted.begin(), sorted.end()), sorted.end());
}

TEST(ContextCApi, ExceptionsOfCallbacksBecomeErrors) {
  Context context = makeContext();
  auto throwing = [](const winnow_diagnostic *, void *) { throw std::runtime_error("from the callback"); };
  ASSERT_EQ(take(winnow_context_set_diagnostic_callback(context.get(), throwing, nullptr)), "");
  std::string error;
  EXPECT_EQ(parse(context.get(), kTwoTypes, &error), nullptr);
  EXPECT_EQ(error.rfind("spec.mlir:2:8: error: ", 0), 0u) << "the first failure is the one that is told: " << error;

  auto throwingRemark = [](const winnow_remark *, void *) { throw 7; };
  ASSERT_EQ(take(winnow_context_set_remark_callback(context.get(), throwingRemark, nullptr)), "");
  Module module = parse(context.get(), kForward);
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, nullptr)),
            "the remark callback threw an exception: of unknown type");
  EXPECT_EQ(winnow_module_level(module.get()), WINNOW_LEVEL_SPEC);
  // The context is still good.
  ASSERT_EQ(take(winnow_context_set_remark_callback(context.get(), nullptr, nullptr)), "");
  EXPECT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, nullptr)), "");
}

TEST(ContextCApi, ACallbackMayCallIntoItsContext) {
  Context context = makeContext();
  Seen seen;
  seen.context = context.get();
  auto reenter = [](const winnow_diagnostic *, void *user) {
    auto *seen = static_cast<Seen *>(user);
    seen->lines.push_back(print(parse(seen->context, kRelu).get()));
  };
  ASSERT_EQ(take(winnow_context_set_diagnostic_callback(context.get(), reenter, &seen)), "");
  parse(context.get(), kTwoTypes);
  ASSERT_FALSE(seen.lines.empty());
  EXPECT_NE(seen.lines[0].find("ffn.relu"), std::string::npos);
}

TEST(ContextCApi, AModuleKeepsItsContextAlive) {
  Module module;
  {
    Context context = makeContext();
    module = parse(context.get(), kForward);
  }
  EXPECT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, nullptr)), "");
  EXPECT_NE(print(module.get()).find("kern.program"), std::string::npos);
}

/// Lowers and compares many times; gives the number of differences.
int workOn(winnow_context *context, const std::string &expected) {
  int differences = 0;
  for (int i = 0; i < 8; ++i) {
    Module module = parse(context, kForward);
    differences += !module || !take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, nullptr)).empty() ||
                   print(module.get()) != expected;
    std::string error;
    differences += parse(context, kTwoTypes, &error) != nullptr || error.rfind("spec.mlir:2:8: error: ", 0) != 0;
  }
  return differences;
}

TEST(ContextCApi, ThreadsShareAContextOrHaveTheirOwn) {
  Context shared = makeContext();
  Module module = parse(shared.get(), kForward);
  ASSERT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, nullptr)), "");
  std::string expected = print(module.get());
  std::vector<int> differences(6, -1);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < differences.size(); ++i)
    threads.emplace_back([&, i] {
      Context own = makeContext();
      differences[i] = workOn(i % 2 ? own.get() : shared.get(), expected);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(differences, std::vector<int>(6, 0));
}

} // namespace
