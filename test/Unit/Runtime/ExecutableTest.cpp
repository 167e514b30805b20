//===- ExecutableTest.cpp - run a plan on a (fake) GPU ------------------------------------------------------------===//

#include "winnow/Runtime/Executable.h"

#include "FakeDriver.h"
#include "SamplePlan.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

using namespace winnow;
using namespace winnow::rt;

namespace {

constexpr DevicePointer kX = 0x10000, kW = 0x20000, kY = 0x30000, kZ = 0x40000, kWorkspace = 0x50000;
const std::vector<DevicePointer> kArguments = {kX, kW, kY, kZ};
constexpr int64_t kTokens = 129;
// hidden: two panels of 128 rows and 128 bytes; progress: 12 bytes, aligned up.
constexpr int64_t kWorkspaceBytes = 2 * 128 * 128 + 256;
constexpr DevicePointer kProgress = kWorkspace + 2 * 128 * 128;

class ExecutableTest : public FakeDriverTest {
protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    state.signatures = {{"forward_0", SAMPLE_MAP_SIGNATURE}, {"forward_1", SAMPLE_PRODUCT_SIGNATURE}};
  }

  Result<std::shared_ptr<Executable>> tryLoad(Plan plan = samplePlan(), int ordinal = 0) {
    return Executable::load(std::move(plan), open(ordinal));
  }
  std::shared_ptr<Executable> load(Plan plan = samplePlan(), int ordinal = 0) {
    auto executable = tryLoad(std::move(plan), ordinal);
    EXPECT_TRUE(executable) << executable.message();
    return *executable;
  }
  std::string loadMessage(Plan plan = samplePlan()) {
    auto executable = tryLoad(std::move(plan));
    return executable ? "loaded" : executable.message();
  }
};

template <typename T> T valueOf(const std::vector<uint8_t> &bytes) {
  T value;
  EXPECT_GE(bytes.size(), sizeof(T));
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

} // namespace

TEST_F(ExecutableTest, LaunchesWhatThePlanSays) {
  auto executable = load();
  EXPECT_EQ(executable->argumentCount(), 4u);
  EXPECT_EQ(executable->device().name, "Fake H100");
  EXPECT_EQ(state.sharedLimits, (std::map<std::string, int>{{"forward_1", 200000}}));
  Result<int64_t> workspace = executable->workspaceBytes(kTokens);
  ASSERT_TRUE(workspace);
  EXPECT_EQ(*workspace, kWorkspaceBytes);

  int dummy = 0;
  Stream stream = &dummy;
  state.calls.clear();
  Status status = executable->execute(stream, kTokens, kArguments, kWorkspace, kWorkspaceBytes);
  ASSERT_TRUE(status) << status.message();

  ASSERT_EQ(state.launches.size(), 2u);
  const fakecuda::LaunchRecord &map = state.launches[0], &product = state.launches[1];
  EXPECT_EQ(map.kernel, "forward_0");
  EXPECT_EQ(map.grid[0], 17u); // ceil(129 / 8)
  EXPECT_EQ(map.grid[1], 1u);
  EXPECT_EQ(map.grid[2], 1u);
  EXPECT_EQ(map.block[0], 256u);
  EXPECT_EQ(map.block[1], 1u);
  EXPECT_EQ(map.block[2], 1u);
  EXPECT_EQ(map.sharedBytes, 0u);
  EXPECT_EQ(map.stream, stream);
  EXPECT_EQ(valueOf<uint64_t>(map.parameters[0]), kX);
  EXPECT_EQ(valueOf<uint64_t>(map.parameters[1]), kWorkspace);
  EXPECT_EQ(valueOf<int32_t>(map.parameters[2]), 129);

  EXPECT_EQ(product.kernel, "forward_1");
  EXPECT_EQ(product.grid[0], 4u); // 2 * ceil(129 / 128), fewer than multiprocessors
  EXPECT_EQ(product.block[0], 384u);
  EXPECT_EQ(product.sharedBytes, 200000u);
  EXPECT_EQ(valueOf<uint64_t>(product.parameters[0]), 0u); // the first encoded map
  EXPECT_EQ(valueOf<uint64_t>(product.parameters[1]), 1u);
  float scale = 0;
  std::memcpy(&scale, reinterpret_cast<void *>(valueOf<uint64_t>(product.parameters[2])), sizeof(scale));
  EXPECT_EQ(scale, 1.0f); // the constant is on the device
  EXPECT_EQ(valueOf<uint64_t>(product.parameters[3]), kY);
  EXPECT_EQ(valueOf<uint64_t>(product.parameters[4]), kProgress);
  EXPECT_EQ(valueOf<int32_t>(product.parameters[5]), 129);

  ASSERT_EQ(state.memory.size(), 2u);
  EXPECT_EQ(state.memory[0].entryPoint, "cuMemsetD8Async");
  EXPECT_EQ(state.memory[0].to, kProgress);
  EXPECT_EQ(state.memory[0].from, 0u);
  EXPECT_EQ(state.memory[0].bytes, 12u);
  EXPECT_EQ(state.memory[0].stream, stream);
  EXPECT_EQ(state.memory[1].entryPoint, "cuMemcpyDtoDAsync");
  EXPECT_EQ(state.memory[1].to, kZ);
  EXPECT_EQ(state.memory[1].from, kY);
  EXPECT_EQ(state.memory[1].bytes, 129u * 512);

  // Nothing that allocates or waits.
  for (const char *entryPoint : {"cuMemAlloc", "cuMemFree", "cuCtxSynchronize", "cuStreamSynchronize", "cuMemcpyHtoD"})
    EXPECT_EQ(state.calls[entryPoint], 0) << entryPoint;
}

TEST_F(ExecutableTest, EncodesTensorMapsAsThePlanSays) {
  auto executable = load();
  ASSERT_TRUE(executable->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  ASSERT_EQ(state.tensorMaps.size(), 2u);
  const fakecuda::TensorMapRecord &lhs = state.tensorMaps[0], &rhs = state.tensorMaps[1];
  EXPECT_EQ(lhs.type, 9); // bf16
  EXPECT_EQ(lhs.address, kWorkspace);
  EXPECT_EQ(lhs.extents, (std::vector<uint64_t>{64, 129}));
  EXPECT_EQ(lhs.strides, (std::vector<uint64_t>{128}));
  EXPECT_EQ(lhs.box, (std::vector<uint32_t>{64, 128}));
  EXPECT_EQ(lhs.elementStrides, (std::vector<uint32_t>{1, 1}));
  EXPECT_EQ(lhs.interleave, 0);
  EXPECT_EQ(lhs.swizzle, 3); // 128 bytes
  EXPECT_EQ(lhs.promotion, 3);
  EXPECT_EQ(lhs.fill, 0);
  EXPECT_EQ(rhs.type, 0); // u8
  EXPECT_EQ(rhs.address, kW);
  EXPECT_EQ(rhs.extents, (std::vector<uint64_t>{128, 2, 4, 4, 8}));
  EXPECT_EQ(rhs.strides, (std::vector<uint64_t>{128, 1024, 256, 4096}));
  EXPECT_EQ(rhs.box, (std::vector<uint32_t>{128, 2, 4, 4, 6}));
  EXPECT_EQ(rhs.swizzle, 0);
}

TEST_F(ExecutableTest, MapsEveryElementType) {
  const std::pair<ElementType, int> types[] = {{ElementType::u8, 0},
                                               {ElementType::i32, 3},
                                               {ElementType::f16, 6},
                                               {ElementType::f32, 7},
                                               {ElementType::bf16, 9}};
  for (auto [element, type] : types) {
    Plan plan = samplePlan();
    plan.launches[2].tensorMaps[0].element = element;
    plan.launches[2].tensorMaps[0].box[0] = 16;
    state.tensorMaps.clear();
    ASSERT_TRUE(load(plan)->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
    EXPECT_EQ(state.tensorMaps[0].type, type);
  }
}

TEST_F(ExecutableTest, PersistentGridsStopAtTheMultiprocessors) {
  auto executable = load();
  int64_t tokens = 128 * 100;
  Result<int64_t> bytes = executable->workspaceBytes(tokens);
  ASSERT_TRUE(bytes);
  ASSERT_TRUE(executable->execute(nullptr, tokens, kArguments, kWorkspace, *bytes));
  EXPECT_EQ(state.launches[0].grid[0], 1600u);
  EXPECT_EQ(state.launches[1].grid[0], 132u);
}

TEST_F(ExecutableTest, EncodesOnceForTheSamePointersAndTokens) {
  auto executable = load();
  auto execute = [&](int64_t tokens, DevicePointer y, DevicePointer workspace) {
    return executable->execute(nullptr, tokens, {kX, kW, y, kZ}, workspace, 1 << 20);
  };
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(execute(kTokens, kY, kWorkspace));
  EXPECT_EQ(state.calls["cuTensorMapEncodeTiled"], 2);
  EXPECT_EQ(state.launches.size(), 20u);
  ASSERT_TRUE(execute(kTokens + 1, kY, kWorkspace));
  ASSERT_TRUE(execute(kTokens, kY + 16, kWorkspace));
  ASSERT_TRUE(execute(kTokens, kY, kWorkspace + 256));
  EXPECT_EQ(state.calls["cuTensorMapEncodeTiled"], 8);
  ASSERT_TRUE(execute(kTokens, kY, kWorkspace));
  EXPECT_EQ(state.calls["cuTensorMapEncodeTiled"], 8);
  EXPECT_EQ(valueOf<int32_t>(state.launches.back().parameters[5]), kTokens);

  // The cache is bounded: many other calls push the first out, and it is encoded anew.
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(execute(1 + i, kY, kWorkspace));
  int before = state.calls["cuTensorMapEncodeTiled"];
  ASSERT_TRUE(execute(kTokens, kY, kWorkspace));
  EXPECT_EQ(state.calls["cuTensorMapEncodeTiled"], before + 2);
}

TEST_F(ExecutableTest, FillsFirstSoThatKernelsOverlap) {
  auto executable = load();
  ASSERT_TRUE(executable->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  ASSERT_EQ(state.launches.size(), 2u);
  EXPECT_FALSE(state.launches[0].overlaps); // the first, of whatever the stream holds
  EXPECT_TRUE(state.launches[1].overlaps);  // the fill before it in the plan has come before both
  // Alone, nothing says what it would overlap.
  state.launches.clear();
  ASSERT_TRUE(executable->executeLaunch(2, nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  EXPECT_FALSE(state.launches[0].overlaps);
}

TEST_F(ExecutableTest, DoesNotOverlapWhereAFillOrTheDriverForbidsIt) {
  // The kernel before uses what is filled.
  Plan plan = samplePlan();
  plan.launches[0].arguments[1].index = 5;
  auto executable = load(plan);
  ASSERT_TRUE(executable->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  ASSERT_EQ(state.launches.size(), 2u);
  EXPECT_FALSE(state.launches[1].overlaps);
  EXPECT_EQ(state.memory.front().entryPoint, "cuMemsetD8Async");

  state.launches.clear();
  state.version = Driver::kOverlapVersion - 10;
  driver = *Driver::load({fakeCuda()});
  executable = load();
  ASSERT_TRUE(executable->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  EXPECT_FALSE(state.launches[1].overlaps);
}

TEST_F(ExecutableTest, FillsWhatAdjoinsAtOnce) {
  Plan plan = samplePlan();
  // A second buffer of counters behind the first, 256 bytes further on, and one that is an output.
  Buffer more = plan.buffers[5];
  more.name = "more";
  more.bytes = Extent::constant(1000);
  plan.buffers.insert(plan.buffers.begin() + 6, more);
  plan.launches[2].arguments[2].index = 7; // the constant
  Launch second = plan.launches[1], output = plan.launches[1];
  second.buffer = 6;
  output.buffer = 3;
  plan.launches.insert(plan.launches.begin() + 3, {second, output});
  auto executable = load(plan);
  ASSERT_TRUE(executable->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes + 1024));
  ASSERT_EQ(state.memory.size(), 3u);
  EXPECT_EQ(state.memory[0].to, kProgress);
  EXPECT_EQ(state.memory[0].bytes, 256u + 1000u);
  EXPECT_EQ(state.memory[1].entryPoint, "cuMemsetD8Async"); // the output, in its place
  EXPECT_EQ(state.memory[2].entryPoint, "cuMemcpyDtoDAsync");
}

TEST_F(ExecutableTest, LaunchesOneAlone) {
  auto executable = load();
  ASSERT_TRUE(executable->executeLaunch(2, nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  ASSERT_EQ(state.launches.size(), 1u);
  EXPECT_EQ(state.launches[0].kernel, "forward_1");
  EXPECT_TRUE(state.memory.empty());
  ASSERT_TRUE(executable->executeLaunch(1, nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  EXPECT_EQ(state.memory.size(), 1u);
  EXPECT_EQ(executable->executeLaunch(4, nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes).message(),
            "'forward': no launch 4: expected less than 4");
}

TEST_F(ExecutableTest, TellsWhereBuffersLie) {
  auto executable = load();
  auto address = [&](size_t index) {
    Result<DevicePointer> result = executable->bufferAddress(index, kTokens, kArguments, kWorkspace);
    EXPECT_TRUE(result) << result.message();
    return *result;
  };
  EXPECT_EQ(address(0), kX);
  EXPECT_EQ(address(3), kZ);
  EXPECT_EQ(address(4), kWorkspace);
  EXPECT_EQ(address(5), kProgress);
  EXPECT_NE(address(6), 0u);
  EXPECT_EQ(executable->bufferAddress(7, kTokens, kArguments, kWorkspace).message(),
            "'forward': no buffer 7: expected less than 7");
}

TEST_F(ExecutableTest, ChecksTokensPointersAndWorkspace) {
  auto executable = load();
  auto message = [&](int64_t tokens, std::vector<DevicePointer> arguments, DevicePointer workspace = kWorkspace,
                     int64_t bytes = int64_t(1) << 40) {
    Status status = executable->execute(nullptr, tokens, arguments, workspace, bytes);
    return status ? "executed" : status.message();
  };
  EXPECT_EQ(message(0, kArguments), "'forward': token count out of range: expected 1 to 100000, got 0");
  EXPECT_EQ(message(-1, kArguments), "'forward': token count out of range: expected 1 to 100000, got -1");
  EXPECT_EQ(message(int64_t(1) << 31, kArguments),
            "'forward': token count out of range: expected 1 to 100000, got 2147483648");
  EXPECT_EQ(executable->workspaceBytes(0).message(),
            "'forward': token count out of range: expected 1 to 100000, got 0");
  EXPECT_EQ(message(1, {kX, kW, kY}), "'forward': wrong number of buffers: expected 4 (2 inputs, 2 outputs), got 3");
  EXPECT_EQ(message(1, {kX, 0, kY, kZ}), "'forward': input 'w': expected a device address, got null");
  EXPECT_EQ(message(1, {kX, kW, kY, kZ + 8}),
            "'forward': output 'z': expected an address aligned to 16 bytes, got 0x40008");
  EXPECT_EQ(message(129, kArguments, kWorkspace, kWorkspaceBytes - 1),
            "'forward': workspace too small for 129 tokens: expected at least 33024 bytes, got 33023");
  EXPECT_EQ(message(129, kArguments, 0), "'forward': workspace: expected a device address, got null");
  EXPECT_EQ(message(129, kArguments, kWorkspace + 128),
            "'forward': workspace: expected an address aligned to 256 bytes, got 0x50080");
  EXPECT_TRUE(state.launches.empty());
  EXPECT_EQ(message(100000, kArguments), "executed");
}

TEST_F(ExecutableTest, ChecksThatTokensFitTheKernels) {
  Plan plan = samplePlan();
  plan.maxTokens = INT32_MAX;
  plan.launches[0].arguments[2].extent = Extent::tokens(2);
  auto executable = load(plan);
  EXPECT_EQ(executable->execute(nullptr, 2000000000, kArguments, kWorkspace, INT64_MAX).message(),
            "2000000000 tokens are too many for kernel 'forward_0': expected argument 2 to be at most 2147483647, got "
            "4000000000");
  plan.launches[0].tiles = Extent::tokens(2);
  executable = load(plan);
  EXPECT_EQ(executable->execute(nullptr, 2000000000, kArguments, kWorkspace, INT64_MAX).message(),
            "2000000000 tokens are too many for kernel 'forward_0': expected at most 2147483647 tiles, got 4000000000");
}

TEST_F(ExecutableTest, SaysWhyAPlanDoesNotLoad) {
  Plan plan = samplePlan();
  plan.kernels[0].image = 3;
  EXPECT_EQ(loadMessage(plan), "kernel 0 ('forward_0') is malformed: image: expected less than 1, got 3");

  plan = samplePlan();
  plan.target = "cpu";
  EXPECT_EQ(loadMessage(plan),
            "the plan is compiled for the cpu; compile the spec again with --target=sm_90a to run it on a GPU");

  plan = samplePlan();
  plan.images[0].cubin.clear();
  EXPECT_EQ(loadMessage(plan), "image 'forward_kernels' holds no machine code: compile it before loading");

  plan = samplePlan();
  plan.kernels[1].name = "forward_9";
  EXPECT_EQ(loadMessage(plan), "cannot find kernel 'forward_9' in image 'forward_kernels': CUDA_ERROR_NOT_FOUND (500): "
                               "text of the driver");

  plan = samplePlan();
  plan.kernels[1].sharedBytes = 232449;
  EXPECT_EQ(loadMessage(plan), "device 0 (Fake H100) cannot run kernel 'forward_1': expected 232449 bytes of shared "
                               "memory, got 232448");
  EXPECT_EQ(state.liveModules, 0);
  EXPECT_EQ(state.devices[0].retained, 0);

  state.devices[0].minor = 1;
  EXPECT_EQ(loadMessage(), "device 0 (Fake H100) cannot run code for sm_90a: expected compute capability 9.0, got 9.1");
}

TEST_F(ExecutableTest, SaysWhichDriverCallFailedWhileLoading) {
  const std::pair<const char *, const char *> actions[] = {
      {"cuCtxPushCurrent", "enter the context of device 0"},
      {"cuModuleLoadDataEx", "load image 'forward_kernels' on device 0 (Fake H100)"},
      {"cuModuleGetFunction", "find kernel 'forward_0' in image 'forward_kernels'"},
      {"cuFuncSetAttribute", "give kernel 'forward_1' 200000 bytes of shared memory"},
      {"cuMemAlloc", "allocate 4 bytes for constant 'scale' on device 0 (Fake H100, 85899345920 bytes in all)"},
      {"cuMemcpyHtoD", "copy 4 bytes to device 0"},
      {"cuStreamSynchronize", "finish a copy to device 0"},
  };
  for (auto [entryPoint, action] : actions) {
    state.failures = {{entryPoint, 209}};
    EXPECT_EQ(loadMessage(),
              "cannot " + std::string(action) + ": CUDA_ERROR_NO_BINARY_FOR_GPU (209): text of the driver");
    state.failures.clear();
    EXPECT_EQ(state.liveModules, 0) << entryPoint;
    EXPECT_EQ(state.liveAllocations, 0) << entryPoint;
    EXPECT_EQ(state.devices[0].retained, 0) << entryPoint;
  }
  state.failures = {{"cuModuleLoadDataEx", 209}};
  state.moduleLog = "no kernel image for this device";
  EXPECT_EQ(loadMessage(), "cannot load image 'forward_kernels' on device 0 (Fake H100): CUDA_ERROR_NO_BINARY_FOR_GPU "
                           "(209): text of the driver\nno kernel image for this device");
}

TEST_F(ExecutableTest, SaysWhichDriverCallFailedWhileExecuting) {
  auto executable = load();
  const std::pair<const char *, const char *> actions[] = {
      {"cuCtxPushCurrent", "enter the context of device 0"},
      {"cuTensorMapEncodeTiled", "encode the tensor map of buffer 'hidden' for kernel 'forward_1' (extents [64, 129], "
                                 "strides [128] bytes, box [64, 128])"},
      {"cuLaunchKernelEx", "enqueue kernel 'forward_0'"},
      {"cuMemsetD8Async", "enqueue the fills of the workspace"},
      {"cuMemcpyDtoDAsync", "enqueue the copy to buffer 'z'"},
  };
  for (auto [entryPoint, action] : actions) {
    state.failures = {{entryPoint, 1}};
    EXPECT_EQ(executable->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes).message(),
              "cannot " + std::string(action) + ": CUDA_ERROR_INVALID_VALUE (1): text of the driver");
  }
  // A call that failed leaves nothing behind that the next one trips over.
  state.failures.clear();
  state.launches.clear();
  EXPECT_TRUE(executable->execute(nullptr, kTokens, kArguments, kWorkspace, kWorkspaceBytes));
  EXPECT_EQ(state.launches.size(), 2u);
}

TEST_F(ExecutableTest, ReleasesWhatItHolds) {
  load();
  EXPECT_EQ(state.liveModules, 0);
  EXPECT_EQ(state.liveAllocations, 0);
  EXPECT_EQ(state.devices[0].retained, 0);
}

TEST_F(ExecutableTest, ServesManyThreadsStreamsAndDevices) {
  state.devices = {fakecuda::DeviceModel(), fakecuda::DeviceModel()};
  std::shared_ptr<Executable> executables[] = {load(samplePlan(), 0), load(samplePlan(), 1)};
  constexpr int kThreads = 8, kCalls = 200;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      // The stream says which device and arguments its launches must have.
      Stream stream = reinterpret_cast<Stream>(uintptr_t(1 + t));
      for (int i = 0; i < kCalls; ++i) {
        DevicePointer y = kY + 0x1000 * t;
        int64_t tokens = 1 + (t * 7 + i) % 20;
        if (!executables[t % 2]->execute(stream, tokens, {kX, kW, y, kZ}, kWorkspace + 0x100000 * t, 1 << 20))
          ++failures;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failures, 0);
  ASSERT_EQ(state.launches.size(), size_t(2 * kThreads * kCalls));
  for (const fakecuda::LaunchRecord &launch : state.launches) {
    int t = int(reinterpret_cast<uintptr_t>(launch.stream)) - 1;
    EXPECT_EQ(launch.device, t % 2);
    if (launch.kernel != "forward_1")
      continue;
    EXPECT_EQ(valueOf<uint64_t>(launch.parameters[3]), kY + 0x1000 * t);
    const fakecuda::TensorMapRecord &lhs = state.tensorMaps[valueOf<uint64_t>(launch.parameters[0])];
    EXPECT_EQ(lhs.address, kWorkspace + 0x100000 * t);
    EXPECT_EQ(lhs.extents[1], uint64_t(valueOf<int32_t>(launch.parameters[5])));
  }
}

TEST(Target, DecidesWhichDevicesServe) {
  auto serves = [](const char *target, int major, int minor) {
    DeviceInfo info;
    info.computeMajor = major;
    info.computeMinor = minor;
    return bool(checkTarget(target, info));
  };
  EXPECT_TRUE(serves("sm_90a", 9, 0));
  EXPECT_FALSE(serves("sm_90a", 9, 1));
  EXPECT_FALSE(serves("sm_90a", 10, 0));
  EXPECT_TRUE(serves("sm_80", 8, 0));
  EXPECT_TRUE(serves("sm_80", 8, 9));
  EXPECT_FALSE(serves("sm_86", 8, 0));
  EXPECT_FALSE(serves("sm_80", 9, 0));
  EXPECT_TRUE(serves("sm_120", 12, 0));
  EXPECT_TRUE(serves("sm_100f", 10, 3));

  DeviceInfo info;
  info.name = "Fake A100";
  info.computeMajor = 8;
  EXPECT_EQ(checkTarget("sm_90a", info).message(),
            "device 0 (Fake A100) cannot run code for sm_90a: expected compute capability 9.0, got 8.0");
  EXPECT_EQ(checkTarget("sm_86", info).message(),
            "device 0 (Fake A100) cannot run code for sm_86: expected compute capability 8.6 or a later 8.x, got 8.0");
  for (const char *target : {"", "sm_", "sm_9", "sm_90b", "sm_90aa", "gfx942", "sm_123456789012345"})
    EXPECT_EQ(checkTarget(target, info).message(),
              "unknown target '" + std::string(target) + "': expected sm_ and a compute capability, as in sm_90a");
}
