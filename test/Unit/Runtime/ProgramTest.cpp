//===- ProgramTest.cpp - plans by token count ---------------------------------------------------------------------===//

#include "winnow/Runtime/Program.h"

#include "FakeDriver.h"
#include "SamplePlan.h"
#include "winnow/Runtime/Executable.h"
#include "winnow/Runtime/PlanVerifier.h"

#include <gtest/gtest.h>

#include <functional>

using namespace winnow;
using namespace winnow::rt;

//===--------------------------------------------------------------------------------------------------------------===//
// Choice and verification
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Program, ChoosesByTheTokenCount) {
  Program program = sampleProgram();
  const std::pair<int64_t, size_t> cases[] = {{-5, 0},   {0, 0},    {1, 0},    {64, 0},     {65, 1},
                                              {1024, 1}, {1025, 2}, {8192, 2}, {100000, 2}, {INT64_MAX, 2}};
  for (auto [tokens, index] : cases)
    EXPECT_EQ(program.indexFor(tokens), index) << tokens;
  EXPECT_EQ(&program.defaultPlan(), &program.specializations[2].plan);
  EXPECT_EQ(program.firstTokens(0), 1);
  EXPECT_EQ(program.firstTokens(2), 1025);
  EXPECT_EQ(program.maxTokens(), 100000);
}

TEST(Program, IsOnePlanForAll) {
  Program program = samplePlan();
  EXPECT_TRUE(verify(program));
  ASSERT_EQ(program.specializations.size(), 1u);
  EXPECT_EQ(program.indexFor(1), 0u);
  EXPECT_EQ(program.maxTokens(), 100000);
  // What it was decided for may be more than its kernels can index.
  EXPECT_TRUE(verify(Program(samplePlan(), INT32_MAX)));
}

namespace {
struct Case {
  const char *name;
  std::function<void(std::vector<Specialization> &)> damage;
  const char *message;
};

class MalformedProgram : public testing::TestWithParam<Case> {};

using All = std::vector<Specialization>;
const Case cases[] = {
    {"Empty", [](All &all) { all.clear(); }, "the program is malformed: token ranges: expected 1 to 16, got 0"},
    {"TooMany", [](All &all) { all.assign(17, all[0]); },
     "the program is malformed: token ranges: expected 1 to 16, got 17"},
    {"Plan", [](All &all) { all[1].plan.maxTokens = 0; },
     "token range 1: the plan is malformed: maxTokens: expected 1 to 2147483647, got 0"},
    {"Order", [](All &all) { std::swap(all[0], all[1]); },
     "token range 1 is malformed: last token count: expected 1025 to 5000, got 64"},
    {"EmptyRange", [](All &all) { all[1].lastTokens = 64; },
     "token range 1 is malformed: last token count: expected 65 to 100000, got 64"},
    {"BeyondThePlan", [](All &all) { all[0].plan.maxTokens = 63; },
     "token range 0 is malformed: last token count: expected 1 to 63, got 64"},
    {"NotToTheEnd", [](All &all) { all[2].lastTokens = 99999; },
     "token range 2 is malformed: last token count: expected 100000, the greatest of its plan, from 1025 on, got "
     "99999"},
    {"DecidedElsewhere", [](All &all) { all[1].decidedFor = 64; },
     "token range 1 is malformed: token count decided for: expected 65 to 1024, or 0, got 64"},
    {"DecidedForNegative", [](All &all) { all[0].decidedFor = -1; },
     "token range 0 is malformed: token count decided for: expected 1 to 64, or 0, got -1"},
    {"Name", [](All &all) { all[2].plan.name = "other"; },
     "token range 2 is malformed: name: expected 'forward', as the first range has, got 'other'"},
    {"Target", [](All &all) { all[1].plan.target = "sm_100a"; },
     "token range 1 is malformed: target: expected 'sm_90a', as the first range has, got 'sm_100a'"},
    {"Compiler", [](All &all) { all[1].plan.compiler = ""; },
     "token range 1 is malformed: compiler: expected 'test build', as the first range has, got ''"},
    {"Spec", [](All &all) { all[1].plan.spec = "module { }"; },
     "token range 1 is malformed: spec: expected that of the first range, got another"},
    {"FewerArguments", [](All &all) { all[1].plan.buffers[3].kind = BufferKind::workspace; },
     "token range 1 is malformed: arguments: expected 4, as the first range has, got 3"},
    {"Shape", [](All &all) { all[1].plan.buffers[1].shape = {256, 64}; },
     "token range 1 is malformed: argument 1: expected input 'w' of type 1, shape [64, 256], layout 0.1.0, a weight, "
     "bytes 0/0/32768, as the first range has, got input 'w' of type 1, shape [256, 64], layout 0.1.0, a weight, bytes "
     "0/0/32768"},
    {"Element", [](All &all) { all[2].plan.buffers[2].element = ElementType::f16; },
     "token range 2 is malformed: argument 2: expected output 'y' of type 1, shape [-1, 256], layout 0.1.0, no weight, "
     "bytes 1/512/0, as the first range has, got output 'y' of type 2, shape [-1, 256], layout 0.1.0, no weight, bytes "
     "1/512/0"},
};
} // namespace

TEST_P(MalformedProgram, IsRejected) {
  Program program = sampleProgram();
  GetParam().damage(program.specializations);
  Status status = verify(program);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Program, MalformedProgram, testing::ValuesIn(cases),
                         [](const testing::TestParamInfo<Case> &info) { return std::string(info.param.name); });

TEST(Program, AcceptsTheSample) {
  Status status = verify(sampleProgram());
  EXPECT_TRUE(status) << status.message();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Execution
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
const std::vector<DevicePointer> kArguments = {0x10000, 0x20000, 0x30000, 0x40000};
constexpr DevicePointer kWorkspace = 0x50000;

class ProgramExecutable : public FakeDriverTest {
protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    state.signatures = {{"forward_0", SAMPLE_MAP_SIGNATURE},
                        {"forward_1", SAMPLE_PRODUCT_SIGNATURE},
                        {"small_1", SAMPLE_PRODUCT_SIGNATURE}};
    auto loaded = Executable::load(sampleProgram(), open());
    ASSERT_TRUE(loaded) << loaded.message();
    executable = *loaded;
  }

  /// The product that a call launches.
  fakecuda::LaunchRecord productOf(int64_t tokens) {
    state.launches.clear();
    Status status = executable->execute(nullptr, tokens, kArguments, kWorkspace, *executable->workspaceBytes(tokens));
    EXPECT_TRUE(status) << status.message();
    EXPECT_EQ(state.launches.size(), 2u);
    return state.launches.back();
  }

  std::shared_ptr<Executable> executable;
};
} // namespace

TEST_F(ProgramExecutable, LoadsEqualMachineCodeOnce) {
  EXPECT_EQ(state.calls["cuModuleLoadDataEx"], 2);
  EXPECT_EQ(state.calls["cuModuleGetFunction"], 3);
  // The kernel that two plans share may have what the greedier of them asks for.
  EXPECT_EQ(state.sharedLimits, (std::map<std::string, int>{{"forward_1", 210000}, {"small_1", 50000}}));
  executable.reset();
  EXPECT_EQ(state.liveModules, 0);
  EXPECT_EQ(state.liveAllocations, 0);
}

TEST_F(ProgramExecutable, KeepsTheGreaterLimitWhateverTheOrder) {
  Program program = sampleProgram();
  std::swap(program.specializations[1].plan.kernels, program.specializations[2].plan.kernels);
  ASSERT_TRUE(Executable::load(program, open()));
  EXPECT_EQ(state.sharedLimits["forward_1"], 210000);
}

TEST_F(ProgramExecutable, LaunchesThePlanOfTheTokenCount) {
  for (int64_t tokens : {1, 63, 64}) {
    fakecuda::LaunchRecord product = productOf(tokens);
    EXPECT_EQ(product.kernel, "small_1") << tokens;
    EXPECT_EQ(product.block[0], 128u);
    EXPECT_EQ(product.grid[0], 2u);
    EXPECT_EQ(product.sharedBytes, 50000u);
  }
  for (int64_t tokens : {65, 1024}) {
    fakecuda::LaunchRecord product = productOf(tokens);
    EXPECT_EQ(product.kernel, "forward_1") << tokens;
    EXPECT_EQ(product.sharedBytes, 200000u);
  }
  fakecuda::LaunchRecord product = productOf(1025);
  EXPECT_EQ(product.kernel, "forward_1");
  EXPECT_EQ(product.sharedBytes, 210000u);
  // Back and forth, with the calls prepared before.
  EXPECT_EQ(productOf(64).kernel, "small_1");
  EXPECT_EQ(productOf(65).kernel, "forward_1");
  EXPECT_EQ(executable->plan(64).kernels[1].name, "small_1");
  EXPECT_EQ(executable->plan(65).kernels[1].name, "forward_1");
  EXPECT_EQ(executable->plan().kernels[1].sharedBytes, 210000u);

  for (const char *entryPoint : {"cuCtxSynchronize", "cuModuleUnload", "cuMemFree"})
    EXPECT_EQ(state.calls[entryPoint], 0) << entryPoint;
}

TEST_F(ProgramExecutable, NeedsTheWorkspaceOfThePlan) {
  auto bytes = [&](int64_t tokens) {
    Result<int64_t> result = executable->workspaceBytes(tokens);
    EXPECT_TRUE(result) << result.message();
    EXPECT_EQ(*Executable::workspaceBytes(sampleProgram(), tokens), *result);
    return *result;
  };
  EXPECT_EQ(bytes(1), 64 * 128 + 256);
  EXPECT_EQ(bytes(64), 64 * 128 + 256);
  EXPECT_EQ(bytes(65), 128 * 128 + 256);
  EXPECT_EQ(bytes(1025), 9 * 128 * 128 + 256);
  EXPECT_EQ(executable->execute(nullptr, 64, kArguments, kWorkspace, bytes(64) - 1).message(),
            "'forward': workspace too small for 64 tokens: expected at least 8448 bytes, got 8447");
  EXPECT_EQ(executable->execute(nullptr, 65, kArguments, kWorkspace, bytes(64)).message(),
            "'forward': workspace too small for 65 tokens: expected at least 16640 bytes, got 8448");
  // One plan's kernels could index fewer tokens; the program's last range says what is possible.
  EXPECT_EQ(executable->workspaceBytes(100001).message(),
            "'forward': token count out of range: expected 1 to 100000, got 100001");
}

TEST_F(ProgramExecutable, LocatesBuffersOfThePlan) {
  auto address = [&](int64_t tokens) { return *executable->bufferAddress(5, tokens, kArguments, kWorkspace); };
  EXPECT_EQ(address(64), kWorkspace + 64 * 128);
  EXPECT_EQ(address(65), kWorkspace + 128 * 128);
}

TEST_F(ProgramExecutable, RunsOneLaunchOfThePlan) {
  state.launches.clear();
  ASSERT_TRUE(executable->executeLaunch(2, nullptr, 64, kArguments, kWorkspace, 1 << 20));
  ASSERT_TRUE(executable->executeLaunch(2, nullptr, 65, kArguments, kWorkspace, 1 << 20));
  ASSERT_EQ(state.launches.size(), 2u);
  EXPECT_EQ(state.launches[0].kernel, "small_1");
  EXPECT_EQ(state.launches[1].kernel, "forward_1");
}

TEST_F(ProgramExecutable, SaysWhichImageDoesNotLoad) {
  Program program = sampleProgram();
  program.specializations[0].plan.images[1].cubin.clear();
  auto loaded = Executable::load(program, open());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.message(), "image 'small_kernels' holds no machine code: compile it before loading");
}
