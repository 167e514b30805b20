//===- NvrtcTest.cpp - CUDA C++ to PTX and machine code -----------------------------------------------------------===//

#include "winnow/Jit/Nvrtc.h"

#include "BesideProgram.h"
#include "FakeNvrtc.h"
#include "ScratchFolder.h"
#include "winnow/Support/SharedLibrary.h"

#include <gtest/gtest.h>

#include <thread>

using namespace winnow;
using namespace winnow::jit;

namespace {

/// The stand-in for libnvrtc, and one from before machine code.
std::string fakeNvrtc() { return besideProgram(FAKE_NVRTC); }
std::string fakeNvrtcWithoutCubin() { return besideProgram(FAKE_NVRTC_WITHOUT_CUBIN); }

class NvrtcTest : public testing::Test {
protected:
  void SetUp() override { state.reset(); }

  std::shared_ptr<const Nvrtc> load() {
    auto nvrtc = Nvrtc::load({fakeNvrtc()});
    EXPECT_TRUE(nvrtc) << nvrtc.message();
    return *nvrtc;
  }

  static fakenvrtc::State &fakeState() {
    auto library = SharedLibrary::openFirst({fakeNvrtc()}, "the fake NVRTC");
    return *reinterpret_cast<fakenvrtc::State *(*)()>(library->find("fakeNvrtcState"))();
  }
  fakenvrtc::State &state = fakeState();
};

} // namespace

TEST_F(NvrtcTest, NamesEveryLibraryItTried) {
  EXPECT_EQ(Nvrtc::load({"libno-such-nvrtc.so.13", "/no/such/libnvrtc.so.12"}).message(),
            "NVRTC was not found; tried:\n"
            "  libno-such-nvrtc.so.13: cannot open shared object file: No such file or directory\n"
            "  /no/such/libnvrtc.so.12: cannot open shared object file: No such file or directory\n"
            "install the CUDA toolkit or the pip package nvidia-cuda-nvrtc, or set WINNOW_NVRTC to its path");
}

TEST_F(NvrtcTest, NamesTheEntryPointsThatALibraryLacks) {
  EXPECT_EQ(Nvrtc::load({fakeNvrtcWithoutCubin()}).message(),
            "NVRTC '" + fakeNvrtcWithoutCubin() + "' lacks nvrtcGetCUBIN; expected NVRTC of CUDA 12 or 13");
}

TEST_F(NvrtcTest, RefusesAnOldVersion) {
  state.major = 11;
  state.minor = 8;
  EXPECT_EQ(Nvrtc::load({fakeNvrtc()}).message(),
            "NVRTC '" + fakeNvrtc() + "' is too old: expected version 12.0 or later, got 11.8");
  state.failures["nvrtcVersion"] = 9;
  EXPECT_EQ(Nvrtc::load({fakeNvrtc()}).message(),
            "cannot ask NVRTC '" + fakeNvrtc() + "' for its version: NVRTC_ERROR_OTHER (9)");
}

TEST_F(NvrtcTest, CompilesToEverythingAtOnce) {
  auto nvrtc = load();
  EXPECT_EQ(nvrtc->library(), fakeNvrtc());
  EXPECT_EQ(nvrtc->version(), "13.0");
  Result<CompiledImage> image = nvrtc->compile("source", "ffn.cu", "sm_90a", {"--fmad=false"});
  ASSERT_TRUE(image) << image.message();
  EXPECT_EQ(image->ptx, "PTX of source");
  EXPECT_EQ(std::string(image->cubin.begin(), image->cubin.end()), "cubin of the fake");
  EXPECT_EQ(image->log, "log of the fake");
  EXPECT_EQ(state.name, "ffn.cu");
  EXPECT_EQ(state.options, (std::vector<std::string>{"--gpu-architecture=sm_90a", "--std=c++17", "--ptxas-options=-v",
                                                     "--minimal", "--no-cache", "--fmad=false"}));
  EXPECT_EQ(state.livePrograms, 0);
}

TEST_F(NvrtcTest, SaysWhichCallFailed) {
  auto nvrtc = load();
  const std::pair<const char *, const char *> calls[] = {
      {"nvrtcCreateProgram", ""},
      {"nvrtcGetProgramLogSize", " and read its log"},
      {"nvrtcGetProgramLog", " and read its log"},
      {"nvrtcGetPTXSize", " and read its PTX"},
      {"nvrtcGetPTX", " and read its PTX"},
      {"nvrtcGetCUBINSize", " and read its machine code"},
      {"nvrtcGetCUBIN", " and read its machine code"},
  };
  for (auto [entryPoint, doing] : calls) {
    state.failures = {{entryPoint, 9}};
    EXPECT_EQ(nvrtc->compile("source", "ffn.cu", "sm_90a").message(),
              "cannot compile 'ffn.cu' for sm_90a" + std::string(doing) + ": NVRTC_ERROR_OTHER (9)");
    EXPECT_EQ(state.livePrograms, 0) << entryPoint;
  }
  state.failures = {{"nvrtcCompileProgram", 6}};
  state.log = "ffn.cu(1): error: expected a \";\"";
  EXPECT_EQ(nvrtc->compile("source", "ffn.cu", "sm_90a").message(),
            "cannot compile 'ffn.cu' for sm_90a: NVRTC_ERROR_COMPILATION (6)\nffn.cu(1): error: expected a \";\"");
  state.failures.clear();
  state.cubin.clear();
  EXPECT_EQ(nvrtc->compile("source", "ffn.cu", "compute_90a").message(),
            "cannot compile 'ffn.cu' for compute_90a: NVRTC gave no machine code; expected a target such as sm_90a");
}

TEST_F(NvrtcTest, CompilesInManyThreads) {
  auto nvrtc = load();
  std::vector<std::thread> threads;
  std::vector<int> good(8);
  for (size_t t = 0; t < good.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        std::string source = std::to_string(t) + "/" + std::to_string(i);
        Result<CompiledImage> image = nvrtc->compile(source, "ffn.cu", "sm_90a");
        good[t] += image && image->ptx == "PTX of " + source;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(good, std::vector<int>(8, 100));
  EXPECT_EQ(state.livePrograms, 0);
}

TEST(NvrtcSearch, TakesWhatTheUserNamesAlone) {
  Environment environment;
  environment.nvrtc = "/opt/libnvrtc.so";
  environment.cudaHome = "/opt/cuda";
  EXPECT_EQ(Nvrtc::candidates(environment), (std::vector<std::string>{"/opt/libnvrtc.so"}));
}

TEST(NvrtcSearch, LooksInToolkitsAndWheels) {
  ScratchFolder scratch;
  std::string cuda13 = scratch.makeFile("cuda/lib64/libnvrtc.so.13"),
              cuda12 = scratch.makeFile("cuda/lib64/libnvrtc.so.12");
  std::string wheel = scratch.makeFile("venv/lib/python3.11/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
  std::string older = scratch.makeFile("home/.local/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
  scratch.makeFile("python/bin/python3", 0700);
  std::string beside = scratch.makeFile("python/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
  Environment environment;
  environment.cudaHome = scratch.path() + "/cuda";
  environment.virtualEnv = scratch.path() + "/venv";
  environment.home = scratch.path() + "/home";
  environment.path = "relative:/no/such/folder:" + scratch.path() + "/python/bin";
  std::vector<std::string> candidates = Nvrtc::candidates(environment);
  std::vector<std::string> expected = {"libnvrtc.so.13", "libnvrtc.so.12", cuda13, cuda12, wheel, beside, older};
  // Between and after them stands what this machine has in /usr/local.
  std::vector<std::string> here;
  for (const std::string &candidate : candidates)
    if (candidate.rfind("/usr/local/", 0) != 0)
      here.push_back(candidate);
  EXPECT_EQ(here, expected);
}

TEST(NvrtcSearch, ListsThePatternsThatFoundNothing) {
  Environment environment;
  environment.virtualEnv = "/no/such/venv";
  std::vector<std::string> candidates = Nvrtc::candidates(environment);
  EXPECT_NE(std::find(candidates.begin(), candidates.end(),
                      "/no/such/venv/lib/python3*/site-packages/nvidia/*/lib/libnvrtc.so.1[23]"),
            candidates.end());
}

TEST(CompileLog, TellsRegistersAndSpills) {
  CompileReport report = readLog("ptxas info    : 0 bytes gmem\n"
                                 "ptxas info    : Compiling entry function 'ffn_0' for 'sm_90a'\n"
                                 "ptxas info    : Function properties for ffn_0\n"
                                 "ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
                                 "ptxas info    : Used 168 registers, used 3 barriers\n"
                                 "ptxas info    : Compiling entry function 'ffn_1' for 'sm_90a'\n"
                                 "ptxas info    : Function properties for ffn_1\n"
                                 "    736 bytes stack frame, 944 bytes spill stores, 1068 bytes spill loads\n"
                                 "ptxas info    : Used 32 registers, 736 bytes cumulative stack size\n");
  ASSERT_EQ(report.kernels.size(), 2u);
  EXPECT_EQ(report.kernels[0].kernel, "ffn_0");
  EXPECT_EQ(report.kernels[0].registers, 168);
  EXPECT_EQ(report.kernels[0].barriers, 3);
  EXPECT_FALSE(report.kernels[0].spills());
  EXPECT_EQ(report.kernels[1].kernel, "ffn_1");
  EXPECT_EQ(report.kernels[1].registers, 32);
  EXPECT_EQ(report.kernels[1].barriers, 0);
  EXPECT_EQ(report.kernels[1].stackBytes, 736);
  EXPECT_EQ(report.kernels[1].spillStoreBytes, 944);
  EXPECT_EQ(report.kernels[1].spillLoadBytes, 1068);
  EXPECT_TRUE(report.kernels[1].spills());
  EXPECT_TRUE(report.serialisations.empty());
}

TEST(CompileLog, TellsSerialisedProducts) {
  const std::string note = "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are "
                           "serialized due to non wgmma instructions defining accumulator registers in 'ffn_0'";
  CompileReport report = readLog("a line\n" + note + "\nptxas info    : (C7600) another note\n(C751");
  EXPECT_EQ(report.serialisations, std::vector<std::string>{note});
  EXPECT_TRUE(report.kernels.empty());
}

TEST(RealNvrtc, CompilesForHopper) {
  Result<std::shared_ptr<const Nvrtc>> nvrtc = Nvrtc::load();
  if (!nvrtc)
    GTEST_SKIP() << nvrtc.message();
  Result<CompiledImage> image =
      (*nvrtc)->compile("extern \"C\" __global__ void one(int *x) { *x = 1; }", "one.cu", "sm_90a");
  ASSERT_TRUE(image) << image.message();
  EXPECT_NE(image->ptx.find(".target sm_90a"), std::string::npos);
  EXPECT_EQ(std::string(image->cubin.begin(), image->cubin.begin() + 4), "\x7f"
                                                                         "ELF");
  CompileReport report = readLog(image->log);
  ASSERT_EQ(report.kernels.size(), 1u) << image->log;
  EXPECT_EQ(report.kernels[0].kernel, "one");
  EXPECT_GT(report.kernels[0].registers, 0) << image->log;

  EXPECT_NE((*nvrtc)->compile("what", "one.cu", "sm_90a").message().find("one.cu(1): error"), std::string::npos);
  EXPECT_NE((*nvrtc)->compile("", "one.cu", "sm_1").message().find("--gpu-architecture"), std::string::npos);
}
