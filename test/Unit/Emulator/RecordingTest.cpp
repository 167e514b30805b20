//===- RecordingTest.cpp - streams that are recorded --------------------------------------------------------------===//

#include "EmulatorTest.h"

using namespace winnow;
using namespace winnow::rt;

namespace {
class RecordingTest : public EmulatorTest {
protected:
  void SetUp() override {
    EmulatorTest::SetUp();
    ASSERT_EQ(driver->cuStreamCreate(&stream, cuda::kNonBlockingStream), cuda::kSuccess);
  }
  void TearDown() override {
    driver->cuStreamDestroy(stream);
    EmulatorTest::TearDown();
  }
  cuda::StreamHandle stream = nullptr;
};
} // namespace

TEST_F(RecordingTest, DoesWhatWasEnqueuedEveryTimeThatItIsLaunched) {
  uint32_t *counter = allocate(1), *copy = allocate(1);
  const auto address = reinterpret_cast<cuda::Address>(counter);
  auto add = compile("u32 *counter, u32 amount", "atomicAdd(counter, amount);");
  ASSERT_EQ(driver->cuStreamBeginCapture(stream, cuda::kCaptureThisThread), cuda::kSuccess);
  EXPECT_EQ(driver->cuMemsetD8Async(address, 0, 4, stream), cuda::kSuccess);
  for (uint32_t amount : {1u, 10u}) // the parameters are those of the call, not what stands there later
    EXPECT_EQ(launch(add, {2, 32, 0, stream}, counter, amount), "");
  EXPECT_EQ(driver->cuMemcpyDtoDAsync(reinterpret_cast<cuda::Address>(copy), address, 4, stream), cuda::kSuccess);
  EXPECT_EQ(*counter, 0xFFFFFFFFu) << "recording runs nothing";
  cuda::Graph graph = nullptr;
  ASSERT_EQ(driver->cuStreamEndCapture(stream, &graph), cuda::kSuccess);
  cuda::GraphExecutable executable = nullptr;
  ASSERT_EQ(driver->cuGraphInstantiateWithFlags(&executable, graph, 0), cuda::kSuccess);
  EXPECT_EQ(driver->cuGraphDestroy(graph), cuda::kSuccess);
  for (int times = 0; times < 2; ++times) {
    *copy = 0;
    EXPECT_EQ(driver->cuGraphLaunch(executable, stream), cuda::kSuccess);
    EXPECT_EQ(*copy, 2u * 32 * 11);
  }
  EXPECT_EQ(driver->cuGraphExecDestroy(executable), cuda::kSuccess);
}

TEST_F(RecordingTest, GivesTheErrorOfAKernelWhenTheGraphRuns) {
  auto function = compile("u32 *out", "*out = 0;");
  ASSERT_EQ(driver->cuStreamBeginCapture(stream, cuda::kCaptureThisThread), cuda::kSuccess);
  EXPECT_EQ(launch(function, {1, 1, 0, stream}, static_cast<uint32_t *>(nullptr)), "");
  cuda::Graph graph = nullptr;
  cuda::GraphExecutable executable = nullptr;
  ASSERT_EQ(driver->cuStreamEndCapture(stream, &graph), cuda::kSuccess);
  ASSERT_EQ(driver->cuGraphInstantiateWithFlags(&executable, graph, 0), cuda::kSuccess);
  EXPECT_EQ(driver->cuGraphLaunch(executable, stream), cuda::kSuccess);
  cuda::Code code = driver->cuStreamSynchronize(stream);
  EXPECT_TRUE(has(driver->error(code, "launch").message, "f: block 0, thread 0: an access of memory"));
  driver->cuGraphDestroy(graph);
  driver->cuGraphExecDestroy(executable);
}

TEST_F(RecordingTest, BeginsLaunchesThatOverlapBeforeTheOneBefore) {
  uint32_t *value = allocate(1), *seen = allocate(2);
  auto write = compile("u32 *value", "*value = 7;");
  auto read = compile("u32 *value, u32 *seen", "seen[0] = *value; ptx::wait_for_launches_before(); seen[1] = *value;");
  const auto enqueueBoth = [&] {
    EXPECT_EQ(launch(write, {1, 1, 0, stream}, value), "");
    EXPECT_EQ(launch(read, {1, 1, 0, stream, true}, value, seen), "");
  };
  enqueueBoth();
  EXPECT_EQ(driver->cuStreamSynchronize(stream), cuda::kSuccess);
  EXPECT_EQ(seen[0], 0xFFFFFFFFu) << "as the memory was before both";
  EXPECT_EQ(seen[1], 7u);

  *value = 3;
  ASSERT_EQ(driver->cuStreamBeginCapture(stream, cuda::kCaptureThisThread), cuda::kSuccess);
  enqueueBoth();
  cuda::Graph graph = nullptr;
  cuda::GraphExecutable executable = nullptr;
  ASSERT_EQ(driver->cuStreamEndCapture(stream, &graph), cuda::kSuccess);
  ASSERT_EQ(driver->cuGraphInstantiateWithFlags(&executable, graph, 0), cuda::kSuccess);
  EXPECT_EQ(driver->cuGraphLaunch(executable, stream), cuda::kSuccess);
  EXPECT_EQ(driver->cuStreamSynchronize(stream), cuda::kSuccess);
  EXPECT_EQ(seen[0], 3u);
  EXPECT_EQ(seen[1], 7u);
  driver->cuGraphDestroy(graph);
  driver->cuGraphExecDestroy(executable);
}

TEST_F(RecordingTest, FindsALaunchThatOverlapsWithoutWaiting) {
  uint32_t *value = allocate(1);
  auto write = compile("u32 *value", "*value = 7;");
  EXPECT_EQ(launch(write, {1, 1, 0, stream}, value), "");
  EXPECT_EQ(launch(write, {1, 1, 0, stream, true}, value), "");
  cuda::Code code = driver->cuStreamSynchronize(stream);
  EXPECT_TRUE(
      has(driver->error(code, "launch").message, "no thread has waited for the launches that this one overlaps"));
}

TEST_F(RecordingTest, RefusesWhatCannotBeRecorded) {
  cuda::Address address = 0;
  cuda::Graph graph = nullptr;
  EXPECT_NE(driver->cuStreamBeginCapture(nullptr, cuda::kCaptureThisThread), cuda::kSuccess);
  EXPECT_NE(driver->cuStreamEndCapture(stream, &graph), cuda::kSuccess);
  ASSERT_EQ(driver->cuStreamBeginCapture(stream, cuda::kCaptureThisThread), cuda::kSuccess);
  EXPECT_NE(driver->cuStreamBeginCapture(stream, cuda::kCaptureThisThread), cuda::kSuccess);
  EXPECT_NE(driver->cuStreamSynchronize(stream), cuda::kSuccess);
  EXPECT_TRUE(has(driver->error(driver->cuMemAlloc(&address, 4), "allocate").message,
                  "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED (900): allocating memory while this thread records a stream"));
  ASSERT_EQ(driver->cuStreamEndCapture(stream, &graph), cuda::kSuccess);
  driver->cuGraphDestroy(graph);
  EXPECT_EQ(driver->cuStreamSynchronize(stream), cuda::kSuccess);
}
