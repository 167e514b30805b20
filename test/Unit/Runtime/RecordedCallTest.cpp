//===- RecordedCallTest.cpp - a call whose every launch is one ----------------------------------------------------===//

#include "winnow/Runtime/RecordedCall.h"

#include "FakeDriver.h"
#include "SamplePlan.h"

#include <gtest/gtest.h>

using namespace winnow;
using namespace winnow::rt;

namespace {

constexpr DevicePointer kWorkspace = 0x50000;
const std::vector<DevicePointer> kArguments = {0x10000, 0x20000, 0x30000, 0x40000};
constexpr int64_t kTokens = 129;

class RecordedCallTest : public FakeDriverTest {
protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    state.signatures = {{"forward_0", SAMPLE_MAP_SIGNATURE}, {"forward_1", SAMPLE_PRODUCT_SIGNATURE}};
    auto loaded = Executable::load(samplePlan(), open(0));
    ASSERT_TRUE(loaded) << loaded.message();
    executable = *loaded;
    bytes = *executable->workspaceBytes(kTokens);
  }

  Result<std::shared_ptr<const RecordedCall>> record() {
    return RecordedCall::record(executable, kTokens, kArguments, kWorkspace, bytes);
  }

  std::shared_ptr<Executable> executable;
  int64_t bytes = 0;
};

} // namespace

TEST_F(RecordedCallTest, LaunchesWhatTheCallWouldHave) {
  int place = 0;
  Stream stream = &place;
  ASSERT_TRUE(executable->execute(stream, kTokens, kArguments, kWorkspace, bytes));
  std::vector<fakecuda::LaunchRecord> launches = std::move(state.launches);
  std::vector<fakecuda::MemoryRecord> memory = std::move(state.memory);
  state.launches.clear();
  state.memory.clear();
  ASSERT_EQ(launches.size(), 2u);
  ASSERT_EQ(memory.size(), 2u);

  auto call = record();
  ASSERT_TRUE(call) << call.message();
  EXPECT_TRUE(state.launches.empty() && state.memory.empty()) << "recording runs nothing";
  state.calls.clear();
  for (int times = 1; times <= 2; ++times) {
    ASSERT_TRUE((*call)->launch(stream));
    ASSERT_EQ(state.launches.size(), launches.size() * times);
    ASSERT_EQ(state.memory.size(), memory.size() * times);
  }
  // One call of the driver each, and the context.
  EXPECT_EQ(state.calls,
            (std::map<std::string, int>{{"cuCtxPopCurrent", 2}, {"cuCtxPushCurrent", 2}, {"cuGraphLaunch", 2}}));
  for (size_t i = 0; i < launches.size(); ++i) {
    EXPECT_EQ(state.launches[i].kernel, launches[i].kernel);
    EXPECT_EQ(state.launches[i].stream, stream);
    EXPECT_EQ(state.launches[i].grid[0], launches[i].grid[0]);
    EXPECT_EQ(state.launches[i].parameters, launches[i].parameters);
  }
  for (size_t i = 0; i < memory.size(); ++i)
    EXPECT_EQ(state.memory[i].to, memory[i].to);
}

TEST_F(RecordedCallTest, KeepsTheExecutableAndGivesEverythingBack) {
  {
    auto call = record();
    ASSERT_TRUE(call);
    executable.reset();
    EXPECT_GT(state.liveModules, 0);
    EXPECT_EQ(state.liveStreams, 0);
    EXPECT_EQ(state.liveGraphs, 1);
    EXPECT_TRUE((*call)->launch(nullptr));
  }
  EXPECT_EQ(state.liveModules, 0);
  EXPECT_EQ(state.liveGraphs, 0);
}

TEST_F(RecordedCallTest, SaysWhatFailedAndLeavesNothing) {
  const std::pair<const char *, const char *> steps[] = {
      {"cuStreamCreate", "create a stream"},
      {"cuStreamBeginCapture", "begin to record a call"},
      {"cuLaunchKernelEx", "enqueue kernel 'forward_0'"},
      {"cuStreamEndCapture", "end recording a call"},
      {"cuGraphInstantiateWithFlags", "prepare a recorded call"},
      {"cuGraphUpload", "bring a recorded call to the device"},
      {"cuStreamSynchronize", "finish the stream's work"},
  };
  for (auto [entryPoint, what] : steps) {
    state.failures = {{entryPoint, 2}};
    auto call = record();
    ASSERT_FALSE(call) << entryPoint;
    EXPECT_NE(call.message().find(what), std::string::npos) << call.message();
    EXPECT_NE(call.message().find("CUDA_ERROR_OUT_OF_MEMORY"), std::string::npos) << call.message();
    EXPECT_TRUE(state.captures.empty()) << entryPoint << ": a stream is still being captured";
    EXPECT_EQ(state.liveGraphs, 0) << entryPoint;
    EXPECT_EQ(state.liveStreams, 0) << entryPoint;
  }
  state.failures.clear();
  auto call = record();
  ASSERT_TRUE(call);
  state.failures = {{"cuGraphLaunch", 2}};
  EXPECT_EQ((*call)->launch(nullptr).message(),
            "cannot enqueue a recorded call: CUDA_ERROR_OUT_OF_MEMORY (2): text of the driver");
}

TEST_F(RecordedCallTest, ChecksArgumentsAsACallDoes) {
  auto small = RecordedCall::record(executable, kTokens, kArguments, kWorkspace, bytes - 1);
  ASSERT_FALSE(small);
  EXPECT_EQ(small.message(), executable->execute(nullptr, kTokens, kArguments, kWorkspace, bytes - 1).message());
  auto few = RecordedCall::record(executable, kTokens, {0x10000}, kWorkspace, bytes);
  ASSERT_FALSE(few);
  EXPECT_NE(few.message().find("wrong number of buffers"), std::string::npos) << few.message();
  EXPECT_EQ(state.liveGraphs, 0);
  EXPECT_TRUE(state.captures.empty());
}
