//===- LaunchTest.cpp - what the emulated driver accepts ----------------------------------------------------------===//

#include "EmulatorTest.h"

using namespace winnow;

namespace {
class LaunchTest : public EmulatorTest {};
} // namespace

TEST_F(LaunchTest, RunsEveryThreadOfEveryBlock) {
  uint32_t *out = allocate(1000), *sums = allocate(10);
  auto function = compile("u32 *out, u32 *sums, u32 base",
                          "__shared__ u32 words[4]; const u32 thread = threadIdx.x;"
                          "out[blockIdx.x * blockDim.x + thread] = base + thread;"
                          "if (thread % 32 == 0) words[thread / 32] = __shfl_sync(~0u, thread, 7);"
                          "else __shfl_sync(~0u, thread, 7);"
                          "__syncthreads();"
                          "if (thread == 0) sums[blockIdx.x] = words[0] + words[1] + words[2] + gridDim.x;");
  EXPECT_EQ(launch(function, {10, 96}, out, sums, 5u), "");
  for (uint32_t i = 0; i < 960; ++i)
    EXPECT_EQ(out[i], 5 + i % 96);
  for (uint32_t block = 0; block < 10; ++block)
    EXPECT_EQ(sums[block], 7u + 39 + 71 + 10);
}

TEST_F(LaunchTest, ChecksTheShape) {
  auto function = compile("", "");
  EXPECT_TRUE(has(launch(function, {1, 1025}), "expected a grid of one dimension and blocks of 1 to 1024 threads"));
  EXPECT_TRUE(has(launch(function, {0, 32}), "CUDA_ERROR_INVALID_VALUE"));
  EXPECT_TRUE(has(launch(function, {1, 32, 50000}),
                  "f: expected at most the 49152 bytes of shared memory that were asked for, got 50000"));
  EXPECT_EQ(driver->cuFuncSetAttribute(function, rt::cuda::kMaxDynamicSharedBytes, 232448), rt::cuda::kSuccess);
  EXPECT_EQ(launch(function, {1, 32, 232448}), "");
  EXPECT_NE(driver->cuFuncSetAttribute(function, rt::cuda::kMaxDynamicSharedBytes, 232449), rt::cuda::kSuccess);
}

/// A kernel f with this body.
static std::string sourceOf(const std::string &body) {
  return "namespace winnow { using u16 = unsigned short; using u32 = unsigned; using u64 = unsigned long long; "
         "struct TensorMap {}; }\nnamespace winnow::ptx {\n} // namespace winnow::ptx\n"
         "extern \"C\" __global__ void __launch_bounds__(32) f() { " +
         body + " }";
}

TEST_F(LaunchTest, SaysWhyAKernelDoesNotCompile) {
  auto image = nvrtc->compile(sourceOf("undeclared();"), "f.cu", "sm_90a");
  ASSERT_FALSE(image);
  EXPECT_TRUE(has(image.message(), "use of undeclared identifier 'undeclared'"));
  auto none = nvrtc->compile("int x;", "f.cu", "sm_90a");
  ASSERT_FALSE(none);
  EXPECT_TRUE(has(none.message(), "the source has no 'namespace winnow::ptx {'"));
}

TEST_F(LaunchTest, NamesAMissingKernelAndABadImage) {
  auto image = nvrtc->compile(sourceOf(""), "f.cu", "sm_90a");
  ASSERT_TRUE(image) << image.message();
  rt::cuda::Module module = nullptr;
  rt::cuda::Function function = nullptr;
  ASSERT_EQ(driver->cuModuleLoadDataEx(&module, image->cubin.data(), 0, nullptr, nullptr), rt::cuda::kSuccess);
  rt::cuda::Code code = driver->cuModuleGetFunction(&function, module, "g");
  EXPECT_TRUE(has(driver->error(code, "find").message, "the image has no kernel 'g'"));
  EXPECT_EQ(driver->cuModuleUnload(module), rt::cuda::kSuccess);
  code = driver->cuModuleLoadDataEx(&module, "no image", 0, nullptr, nullptr);
  EXPECT_TRUE(has(driver->error(code, "load").message, "the image is no ELF file"));
  std::vector<uint8_t> damaged = image->cubin;
  damaged[46] = 0xFF; // the section headers' offset
  code = driver->cuModuleLoadDataEx(&module, damaged.data(), 0, nullptr, nullptr);
  EXPECT_TRUE(has(driver->error(code, "load").message, "the image is damaged"));
}
