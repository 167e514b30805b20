//===- TokenRangesTest.cpp - plans by token count -----------------------------------------------------------------===//

#include "TokenRanges.h"

#include "winnow/Runtime/PlanVerifier.h"
#include "winnow/Spec/Spec.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SourceMgr.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

using namespace winnow;
using namespace winnow::jit;

namespace {

/// Samples a decision function to the end; returns how many counts were sampled.
size_t sampleAll(TokenSampler &sampler, const std::function<size_t(int64_t)> &decide) {
  std::set<int64_t> seen = {8192};
  sampler.add(8192, decide(8192));
  for (int64_t tokens : TokenSampler::firstCounts()) {
    sampler.add(tokens, decide(tokens));
    seen.insert(tokens);
  }
  while (int64_t tokens = sampler.next()) {
    EXPECT_TRUE(seen.insert(tokens).second) << tokens << " again";
    EXPECT_GE(tokens, 1);
    EXPECT_LE(tokens, TokenSampler::kGreatestSample);
    sampler.add(tokens, decide(tokens));
  }
  return seen.size();
}

/// Ranges ascend from 1 without gaps, and each is what was decided for its sampled count.
void expectWhole(const std::vector<TokenRange> &ranges) {
  ASSERT_FALSE(ranges.empty());
  EXPECT_EQ(ranges.front().first, 1);
  EXPECT_EQ(ranges.back().last, INT32_MAX);
  for (size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_LE(ranges[i].first, ranges[i].decidedFor);
    EXPECT_LE(ranges[i].decidedFor, ranges[i].last);
    if (i > 0) {
      EXPECT_EQ(ranges[i].first, ranges[i - 1].last + 1);
    }
  }
}

TEST(TokenSampler, OneDecisionIsOneRange) {
  TokenSampler sampler;
  EXPECT_EQ(sampleAll(sampler, [](int64_t) { return 0; }), 9u);
  std::vector<TokenRange> ranges = sampler.ranges(8192);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].decidedFor, 8192);
  expectWhole(ranges);
}

TEST(TokenSampler, FindsABoundWithinAQuarter) {
  for (int64_t bound : {1, 5, 64, 100, 1000, 3000, 10000}) {
    TokenSampler sampler;
    EXPECT_LE(sampleAll(sampler, [=](int64_t tokens) { return tokens > bound; }), TokenSampler::kMostSamples);
    std::vector<TokenRange> ranges = sampler.ranges(8192);
    ASSERT_EQ(ranges.size(), 2u) << bound;
    // What lies between two samples belongs to the greater, so the bound found is at most the true one.
    EXPECT_LE(ranges[0].last, bound);
    EXPECT_GE(static_cast<double>(ranges[0].last) * 1.25 + 1, static_cast<double>(bound));
    expectWhole(ranges);
  }
}

TEST(TokenSampler, KeepsRangesOfADecisionThatComesBack) {
  TokenSampler sampler;
  sampleAll(sampler, [](int64_t tokens) { return tokens >= 200 && tokens <= 2000; });
  std::vector<TokenRange> ranges = sampler.ranges(8192);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[2].decidedFor, 8192);
  expectWhole(ranges);
}

TEST(TokenSampler, StopsWhenEveryCountIsAnother) {
  TokenSampler sampler;
  EXPECT_LE(sampleAll(sampler, [](int64_t tokens) { return static_cast<size_t>(tokens); }), TokenSampler::kMostSamples);
  std::vector<TokenRange> ranges = sampler.ranges(8192);
  EXPECT_LE(ranges.size(), rt::Program::kMostSpecializations);
  expectWhole(ranges);
}

/// A spec of an example in a context, with what was said while it was lowered.
class TranslateToProgram : public ::testing::Test {
protected:
  TranslateToProgram() {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
      diagnostics.push_back(diagnostic.str());
      return mlir::success();
    });
    options.target = "sm_90a";
  }

  mlir::OwningOpRef<mlir::ModuleOp> read(const std::string &example) {
    auto file = llvm::MemoryBuffer::getFile(std::string(WINNOW_EXAMPLES) + "/" + example);
    return parseSpec((*file)->getBuffer(), example, &context);
  }

  mlir::MLIRContext context;
  std::vector<std::string> diagnostics;
  CompileOptions options;
};

TEST_F(TranslateToProgram, EveryPlanIsTheOneDecidedForItsCount) {
  mlir::OwningOpRef<mlir::ModuleOp> module = read("minitron-8b.mlir");
  mlir::FailureOr<rt::Program> program = translateToProgram(*module, options);
  ASSERT_TRUE(mlir::succeeded(program));
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_TRUE(rt::verify(*program));
  EXPECT_GE(program->specializations.size(), 3u);
  for (rt::Specialization &specialization : program->specializations) {
    CompileOptions one = options;
    one.tokens = specialization.decidedFor;
    mlir::OwningOpRef<mlir::ModuleOp> again = read("minitron-8b.mlir");
    mlir::FailureOr<rt::Program> single = translateToProgram(*again, one);
    ASSERT_TRUE(mlir::succeeded(single));
    ASSERT_EQ(single->specializations.size(), 1u);
    EXPECT_EQ(single->specializations[0].summary, specialization.summary);
    const rt::Plan &expected = single->defaultPlan(), &plan = specialization.plan;
    ASSERT_EQ(plan.images.size(), expected.images.size());
    for (size_t i = 0; i < plan.images.size(); ++i)
      EXPECT_EQ(plan.images[i].source, expected.images[i].source);
    for (int64_t tokens : {int64_t(1), specialization.lastTokens})
      for (size_t i = 0; i < plan.buffers.size(); ++i)
        EXPECT_EQ(plan.buffers[i].bytes.evaluate(tokens), expected.buffers[i].bytes.evaluate(tokens));
  }
  // Nothing is decided for one token as for eight thousand.
  EXPECT_NE(program->specializations.front().summary, program->specializations.back().summary);
  EXPECT_NE(program->planFor(1).images.back().source, program->defaultPlan().images.back().source);
}

TEST_F(TranslateToProgram, AStaticTokenCountIsOnePlan) {
  mlir::OwningOpRef<mlir::ModuleOp> module =
      parseSpec("func.func @forward(%x: tensor<8x64xf32>, %w: tensor<32x64xf32>) -> tensor<8x32xf32> {\n"
                "  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<8x64xf32>, tensor<32x64xf32>) -> tensor<8x32xf32>\n"
                "  return %y : tensor<8x32xf32>\n}\n",
                "static", &context);
  ASSERT_TRUE(module);
  mlir::FailureOr<rt::Program> program = translateToProgram(*module, options);
  ASSERT_TRUE(mlir::succeeded(program));
  EXPECT_EQ(program->specializations.size(), 1u);
}

TEST_F(TranslateToProgram, SaysOnceWhatIsWrong) {
  mlir::OwningOpRef<mlir::ModuleOp> module = read("minitron-8b.mlir");
  options.target = "sm_1";
  EXPECT_TRUE(mlir::failed(translateToProgram(*module, options)));
  EXPECT_EQ(diagnostics.size(), 1u);
}

} // namespace
