//===- FaultsTest.cpp - kernels that access what they must not ----------------------------------------------------===//

#include "EmulatorTest.h"

#include <csignal>

using namespace winnow;

namespace {
class FaultsTest : public EmulatorTest {};
} // namespace

TEST_F(FaultsTest, NamesTheThreadThatWritesBehindItsBuffer) {
  uint32_t *out = allocate(64);
  auto function = compile("u32 *out, int first", "out[first + threadIdx.x] = threadIdx.x;");
  EXPECT_EQ(launch(function, {1, 32}, out, 32), "");
  std::string message = launch(function, {1, 64}, out, 1);
  EXPECT_TRUE(has(message, "CUDA_ERROR_LAUNCH_FAILED (719): f: block 0, thread 63: an access of memory at 0x"));
  EXPECT_TRUE(has(message, ", 0 bytes behind the end of an allocation of 256 bytes"));
  EXPECT_EQ(launch(function, {1, 64}, out, 0), "") << "a fault ends one launch";
  EXPECT_EQ(out[63], 63u);
}

TEST_F(FaultsTest, NamesABufferThatIsLeftAtItsFront) {
  uint32_t *out = allocate(1024); // a page: its front is that of the mapping
  EXPECT_TRUE(has(launch(compile("u32 *out", "out[-1] = 0;"), {1, 1}, out),
                  ", 4 bytes in front of an allocation of 4096 bytes"));
  EXPECT_TRUE(has(launch(compile("u32 *out", "*out = 0;"), {1, 1}, static_cast<uint32_t *>(nullptr)),
                  "an access of memory at "));
}

TEST_F(FaultsTest, FindsWhatIsWrittenBetweenBuffers) {
  uint32_t *out = allocate(10); // 40 of 256 bytes
  auto function = compile("u32 *out, int index", "out[index] = 0;");
  EXPECT_TRUE(has(launch(function, {1, 1}, out, 10),
                  "f: memory was written 0 bytes behind the end of an allocation of 40 bytes"));
  EXPECT_TRUE(has(launch(function, {1, 1}, out, -2), "memory was written 8 bytes in front of an allocation of 40"));
  EXPECT_EQ(launch(function, {1, 1}, out, 9), "");
}

TEST_F(FaultsTest, FindsAddressesThatAreNotAligned) {
  uint32_t *out = allocate(64);
  const std::string message = "an access of memory at an address that is not a multiple of its size";
  EXPECT_TRUE(has(
      launch(compile("u8 *out", "*reinterpret_cast<u32 *>(out) = 0;"), {1, 1}, reinterpret_cast<uint8_t *>(out) + 2),
      message));
  EXPECT_TRUE(
      has(launch(compile("u32 *out", "*reinterpret_cast<uint4 *>(out) = make_uint4(1, 2, 3, 4);"), {1, 1}, out + 1),
          message));
  EXPECT_TRUE(has(launch(compile("u32 *out", "const uint2 v = *reinterpret_cast<const uint2 *>(out + 1); *out = v.y;"),
                         {1, 1}, out),
                  message));
  EXPECT_TRUE(has(launch(compile("u32 *out", "ptx::store_streaming(out, 1, 2, 3, 4);"), {1, 1}, out + 2), message));
}

TEST_F(FaultsTest, FindsAnIndexOutsideOfItsArray) {
  EXPECT_TRUE(
      has(launch(compile("u32 *out, int i", "u32 values[4] = {1, 2, 3, 4}; values[i & 7] = i; *out = values[1];"),
                 {1, 1}, allocate(1), 5),
          "an index outside of its array"));
}

TEST_F(FaultsTest, FindsAnAccessOutsideOfTheStack) {
  auto function = compile("u32 *out, int far", "u32 local = 7; u32 *volatile place = &local; *out = place[-far];");
  EXPECT_TRUE(has(launch(function, {1, 1}, allocate(1), 128 << 8), "an access outside of the thread's stack"));
}

TEST_F(FaultsTest, LeavesOtherFaultsToTheirHandler) {
  EXPECT_TRUE(has(launch(compile("u32 *out", "*out = 0;"), {1, 1}, static_cast<uint32_t *>(nullptr)), "access"));
  EXPECT_EXIT(std::raise(SIGSEGV), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(FaultsTest, ChecksCopiesOfTheHost) {
  uint32_t *memory = allocate(64), value = 0;
  auto address = reinterpret_cast<rt::cuda::Address>(memory);
  EXPECT_EQ(driver->cuMemcpyDtoH(&value, address + 252, 4), rt::cuda::kSuccess);
  EXPECT_EQ(value, 0xFFFFFFFFu) << "what is not written is NaN";
  rt::cuda::Code code = driver->cuMemcpyDtoH(&value, address + 253, 4);
  EXPECT_TRUE(has(driver->error(code, "copy").message, "are not those of one allocation"));
  EXPECT_TRUE(has(driver->error(driver->cuMemFree(address + 1), "free").message, "memory was freed that is not"));
}
