//===- EmulatorTest.h - small kernels, run by the emulator --------------------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_EMULATOR_EMULATORTEST_H
#define WINNOW_TEST_UNIT_EMULATOR_EMULATORTEST_H

#include "winnow/Jit/Nvrtc.h"
#include "winnow/Runtime/Driver.h"

#include <gtest/gtest.h>

namespace winnow {

/// Compiles and launches kernels of its own through the two libraries, as the runtime does.
class EmulatorTest : public ::testing::Test {
protected:
  struct Shape {
    unsigned blocks = 1, threads = 32, sharedBytes = 0;
    void *stream = nullptr;
    bool overlaps = false; ///< may begin before the launch before it on the stream has ended
  };

  void SetUp() override {
    auto library = jit::Nvrtc::load({WINNOW_EMULATOR "/libnvrtc.so"});
    ASSERT_TRUE(library) << library.message();
    nvrtc = *library;
    auto loaded = rt::Driver::load({WINNOW_EMULATOR "/libcuda.so.1"});
    ASSERT_TRUE(loaded) << loaded.message();
    driver = *loaded;
  }
  void TearDown() override {
    for (rt::cuda::Address address : memory)
      driver->cuMemFree(address);
  }

  /// Filled with 0xFF, as the emulator does; freed at the end of the test.
  template <class T = uint32_t> T *allocate(size_t count) {
    rt::cuda::Address address = 0;
    EXPECT_EQ(driver->cuMemAlloc(&address, count * sizeof(T)), rt::cuda::kSuccess);
    memory.push_back(address);
    return reinterpret_cast<T *>(address);
  }

  /// A kernel `f` with these parameters and this body, in which `winnow::ptx` is at hand and `shared` is dynamic shared
  /// memory. Null, with a failure, if it does not compile.
  rt::cuda::Function compile(const std::string &parameters, const std::string &body,
                             const std::string &attributes = "__launch_bounds__(1024)") {
    const std::string source = "namespace winnow {\n"
                               "using u8 = unsigned char;\nusing u16 = unsigned short;\nusing u32 = unsigned;\n"
                               "using u64 = unsigned long long;\nusing i64 = long long;\n"
                               "struct alignas(64) TensorMap { char bytes[128]; };\n}\n"
                               "namespace winnow::ptx {\n} // namespace winnow::ptx\nusing namespace winnow;\n"
                               "extern \"C\" __global__ void " +
                               attributes + " f(" + parameters +
                               ") {\n  extern __shared__ __align__(1024) u8 shared[];\n" + body + "\n}\n";
    return compileSource(source);
  }

  /// The kernel `f` of a whole source.
  rt::cuda::Function compileSource(const std::string &source) {
    auto image = nvrtc->compile(source, "f.cu", "sm_90a");
    if (!image) {
      ADD_FAILURE() << image.message();
      return nullptr;
    }
    rt::cuda::Module module = nullptr;
    rt::cuda::Function function = nullptr;
    EXPECT_EQ(driver->cuModuleLoadDataEx(&module, image->cubin.data(), 0, nullptr, nullptr), rt::cuda::kSuccess);
    EXPECT_EQ(driver->cuModuleGetFunction(&function, module, "f"), rt::cuda::kSuccess);
    return function;
  }

  /// "" or the error of the launch. On the default stream waits for its end.
  template <class... Arguments> std::string launch(rt::cuda::Function function, Shape shape, Arguments... arguments) {
    if (!function)
      return "no kernel";
    void *pointers[] = {&arguments..., nullptr};
    rt::cuda::LaunchConfig config = {};
    config.gridX = shape.blocks;
    config.blockX = shape.threads;
    config.gridY = config.gridZ = config.blockY = config.blockZ = 1;
    config.sharedBytes = shape.sharedBytes;
    config.stream = shape.stream;
    rt::cuda::LaunchAttribute overlap = {rt::cuda::kProgrammaticSerialization, {}, 1, {}};
    config.attributes = &overlap;
    config.attributeCount = shape.overlaps ? 1 : 0;
    rt::cuda::Code code = driver->cuLaunchKernelEx(&config, function, pointers, nullptr);
    if (code == rt::cuda::kSuccess && !shape.stream)
      code = driver->cuCtxSynchronize();
    return code == rt::cuda::kSuccess ? "" : driver->error(code, "launch").message;
  }

  std::shared_ptr<const jit::Nvrtc> nvrtc;
  std::shared_ptr<const rt::Driver> driver;

private:
  std::vector<rt::cuda::Address> memory;
};

/// That a message has a text in it.
inline ::testing::AssertionResult has(const std::string &message, const std::string &text) {
  if (message.find(text) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "expected '" << text << "' in: " << message;
}

} // namespace winnow

#endif // WINNOW_TEST_UNIT_EMULATOR_EMULATORTEST_H
