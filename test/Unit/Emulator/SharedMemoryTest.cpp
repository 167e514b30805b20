//===- SharedMemoryTest.cpp - shared memory, barriers, clusters and copies of small kernels -----------------------===//

#include "EmulatorTest.h"

using namespace winnow;

namespace {
class SharedMemoryTest : public EmulatorTest {
protected:
  /// Rows of bytes as a tensor map with boxes of 16 by 8, without swizzle.
  rt::cuda::EncodedTensorMap rowsMap(void *address, uint64_t columns, uint64_t rows) {
    rt::cuda::EncodedTensorMap map = {};
    const uint64_t extents[] = {columns, rows}, strides[] = {64};
    const uint32_t box[] = {16, 8}, steps[] = {1, 1};
    EXPECT_EQ(driver->cuTensorMapEncodeTiled(&map, rt::cuda::kMapU8, 2, address, extents, strides, box, steps,
                                             rt::cuda::kInterleaveNone, rt::cuda::kSwizzleNone, rt::cuda::kPromoteNone,
                                             rt::cuda::kFillZero),
              rt::cuda::kSuccess);
    return map;
  }
};

const std::string kMap = "const __grid_constant__ TensorMap map, u32 *out";
/// Loads the box at (x, 0) to `place` and gives it to `out`.
std::string loadBox(int x, int place) {
  return "const u32 ring = ptx::shared_address(shared), barrier = ring + 1024;"
         "if (threadIdx.x == 0) { ptx::mbarrier_init(barrier, 1); }"
         "__syncthreads();"
         "if (threadIdx.x == 0) { ptx::mbarrier_arrive_expect(barrier, 128);"
         "  ptx::tensor_load_2d(ring + " +
         std::to_string(place) + ", &map, " + std::to_string(x) +
         ", 0, barrier); }"
         "ptx::mbarrier_wait(barrier, 0);"
         "out[threadIdx.x] = reinterpret_cast<u32 *>(shared)[threadIdx.x];";
}
} // namespace

TEST_F(SharedMemoryTest, ChecksAddressesAndAlignment) {
  const std::string store = "ptx::store_shared(ptx::shared_address(shared) + offset, 1.0f);";
  auto function = compile("int offset", store);
  EXPECT_EQ(launch(function, {1, 1, 256}, 252), "");
  EXPECT_TRUE(has(launch(function, {1, 1, 256}, 256), "shared memory of 256 bytes was accessed at 256"));
  EXPECT_TRUE(has(launch(function, {1, 1, 256}, -4), "shared memory of 256 bytes was accessed at -4"));
  EXPECT_TRUE(has(launch(function, {1, 1, 256}, 2), "an access of 4 bytes of shared memory is not aligned"));
  EXPECT_TRUE(has(launch(compile("u32 *out", "*out = ptx::shared_address(out);"), {1, 1}, allocate(1)),
                  "a pointer that is not to shared memory was taken for one"));
}

TEST_F(SharedMemoryTest, ReportsWhoWaitsForWhat) {
  auto some = compile("", "if (threadIdx.x < 64) __syncthreads();");
  std::string message = launch(some, {1, 128});
  EXPECT_TRUE(has(message, "block 0 cannot go on:\n  thread 0 waits for bar.sync\n  thread 32 waits for bar.sync"));
  EXPECT_FALSE(has(message, "thread 64"));
  auto barrier = compile("", "const u32 barrier = ptx::shared_address(shared) + 8;"
                             "if (threadIdx.x == 0) { ptx::mbarrier_init(barrier, 1); }"
                             "__syncthreads(); ptx::mbarrier_wait(barrier, 0);");
  EXPECT_TRUE(has(launch(barrier, {1, 32, 64}), "thread 0 waits for an mbarrier at 8, parity 0"));
}

TEST_F(SharedMemoryTest, ChecksThatThreadsAgree) {
  EXPECT_TRUE(
      has(launch(compile("", "__syncwarp(threadIdx.x == 5 ? 0x20u : ~0u);"), {1, 32}), "named different partners"));
  EXPECT_TRUE(has(launch(compile("", "__syncwarp(~1u);"), {1, 32}), "a lane outside the mask takes part"));
  EXPECT_TRUE(has(launch(compile("", "ptx::named_barrier(1, threadIdx.x < 32 ? 64 : 32);"), {1, 64}),
                  "named different partners"));
  EXPECT_TRUE(has(launch(compile("", "ptx::named_barrier(16, 32);"), {1, 32}), "bar.sync needs a barrier of 0 to 15"));
}

TEST_F(SharedMemoryTest, CountsArrivals) {
  auto function = compile("", "const u32 barrier = ptx::shared_address(shared);"
                              "if (threadIdx.x == 0) { ptx::mbarrier_init(barrier, 2); ptx::mbarrier_arrive_expect("
                              "barrier, 16); ptx::mbarrier_arrive(barrier); ptx::mbarrier_arrive(barrier); }");
  EXPECT_TRUE(has(launch(function, {1, 32, 64}), "an mbarrier got more arrivals than its phase expects"));
}

TEST_F(SharedMemoryTest, LoadsBoxesWithZerosOutside) {
  uint8_t *in = allocate<uint8_t>(64 * 6);
  for (int i = 0; i < 64 * 6; ++i)
    in[i] = static_cast<uint8_t>(i % 64 + 64 * (i / 64 % 2));
  uint32_t *out = allocate(32);
  auto map = rowsMap(in, 40, 6);
  EXPECT_EQ(launch(compile(kMap, loadBox(32, 0)), {1, 32, 1088}, map, out), "");
  const auto *bytes = reinterpret_cast<const uint8_t *>(out);
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 16; ++column)
      EXPECT_EQ(bytes[16 * row + column], row < 6 && column < 8 ? in[64 * row + 32 + column] : 0)
          << row << " " << column;
}

TEST_F(SharedMemoryTest, ChecksCopies) {
  uint8_t *in = allocate<uint8_t>(64 * 6);
  uint32_t *out = allocate(32);
  EXPECT_TRUE(has(launch(compile(kMap, loadBox(0, 64)), {1, 32, 1088}, rowsMap(in, 40, 6), out),
                  "the shared memory of a tensor copy is not aligned"));
  EXPECT_TRUE(has(launch(compile(kMap, loadBox(0, 0)), {1, 32, 1088}, rowsMap(in, 40, 7), out),
                  "a tensor copy whose map reaches outside of all allocations"));
  EXPECT_TRUE(has(launch(compile(kMap, loadBox(0, 0)), {1, 32, 1088}, rt::cuda::EncodedTensorMap(), out),
                  "a tensor copy without a tensor map"));
  auto bulk =
      compile("const u8 *in, u32 bytes", "const u32 ring = ptx::shared_address(shared);"
                                         "ptx::mbarrier_init(ring, 1); ptx::mbarrier_arrive_expect(ring, bytes);"
                                         "ptx::bulk_load(ring + 16, in, bytes, ring);");
  EXPECT_TRUE(has(launch(bulk, {1, 1, 1024}, in, 64u), "ended while copies into its shared memory were under way"));
  EXPECT_TRUE(has(launch(bulk, {1, 1, 1024}, in, 72u), "a bulk copy is of whole 16 bytes between multiples of 16"));
  EXPECT_TRUE(has(launch(bulk, {1, 1, 1024}, in, 400u), "a bulk copy reads outside of all allocations"));
  EXPECT_TRUE(has(launch(bulk, {1, 1, 64}, in, 64u), "shared memory of 64 bytes was accessed at 64"));
}

TEST_F(SharedMemoryTest, StoresBoxesButNothingOutside) {
  uint8_t *out = allocate<uint8_t>(64 * 6);
  auto map = rowsMap(out, 40, 6);
  const std::string write = "const u32 box = ptx::shared_address(shared);"
                            "if (threadIdx.x < 8) ptx::store_shared(box + 16 * threadIdx.x, threadIdx.x, 1, 2, 3);";
  const std::string fence = "ptx::async_proxy_fence_shared(); __syncthreads();";
  const std::string store = "if (threadIdx.x == 0) { ptx::tensor_store_2d(&map, 32, 0, box); ptx::bulk_commit();";
  const std::string parameters = "const __grid_constant__ TensorMap map";
  for (int repetition = 0; repetition < 4; ++repetition)
    EXPECT_EQ(launch(compile(parameters, write + fence + store + "ptx::bulk_wait_all(); }"), {1, 32, 128}, map), "");
  for (int row = 0; row < 6; ++row)
    for (int column = 0; column < 64; ++column)
      EXPECT_EQ(out[64 * row + column], column < 32 || column >= 40 ? 0xFF
                                        : column == 32              ? row
                                        : column == 36              ? 1
                                                                    : 0)
          << row << " " << column;
  EXPECT_TRUE(has(
      launch(compile(parameters, write + "__syncthreads();" + store + "ptx::bulk_wait_all(); }"), {1, 32, 128}, map),
      "a tensor store reads what a thread wrote and did not fence"));
  EXPECT_TRUE(has(launch(compile(parameters, "const u32 box = ptx::shared_address(shared);"
                                             "if (threadIdx.x == 0) ptx::tensor_store_2d(&map, 32, 0, box);"),
                         {1, 32, 128}, map),
                  "ended with bulk stores that nobody waited for"));
}

TEST_F(SharedMemoryTest, StoresReadSharedMemoryUpToTheWait) {
  constexpr unsigned kBlocks = 32; // in each of which the order of things is another
  uint32_t *out = allocate(kBlocks * 8 * 16);
  auto map = rowsMap(out, 16, kBlocks * 8);
  // How many blocks stored the second value, which was written while the first was on its way.
  auto run = [&](const std::string &before, const std::string &after) {
    auto function = compile("const __grid_constant__ TensorMap map",
                            "const u32 box = ptx::shared_address(shared);"
                            "ptx::store_shared(box, 1, 0, 0, 0); ptx::async_proxy_fence_shared();"
                            "ptx::tensor_store_2d(&map, 0, 8 * blockIdx.x, box); ptx::bulk_commit();" +
                                before + "ptx::store_shared(box, 2, 0, 0, 0);" + after);
    EXPECT_EQ(launch(function, {kBlocks, 1, 128}, map), "");
    int wrong = 0;
    for (unsigned block = 0; block < kBlocks; ++block)
      wrong += out[block * 8 * 16] != 1;
    return wrong;
  };
  EXPECT_EQ(run("ptx::bulk_wait_read<0>();", ""), 0);
  EXPECT_GT(run("", "ptx::bulk_wait_read<0>();"), 0);
  EXPECT_GT(run("ptx::bulk_wait_read<1>();", "ptx::bulk_wait_read<0>();"), 0);
}

TEST_F(SharedMemoryTest, RunsClusters) {
  const std::string cluster = "__cluster_dims__(4, 1, 1) __launch_bounds__(32)";
  const std::string declare = "__shared__ u32 words[4]; const int rank = static_cast<int>(blockIdx.x) % 4;";
  const std::string store = "if (threadIdx.x < 4) ptx::store_cluster(ptx::shared_address(&words[rank]), "
                            "static_cast<int>(threadIdx.x), blockIdx.x + 100);";
  uint32_t *out = allocate(64);
  auto right = compile("u32 *out",
                       declare + "ptx::cluster_arrive_relaxed(); ptx::cluster_wait();" + store +
                           "ptx::cluster_arrive(); ptx::cluster_wait();"
                           "if (threadIdx.x < 4) out[4 * blockIdx.x + threadIdx.x] = words[threadIdx.x];",
                       cluster);
  for (int repetition = 0; repetition < 20; ++repetition) {
    EXPECT_EQ(launch(right, {16, 32}, out), "");
    for (uint32_t i = 0; i < 64; ++i)
      EXPECT_EQ(out[i], 100 + i / 16 * 4 + i % 4);
  }
  EXPECT_TRUE(has(launch(right, {6, 32}, out), "a grid of 6 blocks has no whole number of clusters of 4"));
  auto early =
      compile("u32 *out", declare + store + "ptx::cluster_arrive(); ptx::cluster_wait(); *out = words[0];", cluster);
  EXPECT_TRUE(has(launch(early, {4, 32}, out), "which has not begun or has ended"));
  auto missing = compile("u32 *out", "if (blockIdx.x != 3) { ptx::cluster_arrive(); ptx::cluster_wait(); }", cluster);
  EXPECT_TRUE(has(launch(missing, {4, 32}, out), "cannot go on:\n  thread 0 waits for its cluster"));
}
