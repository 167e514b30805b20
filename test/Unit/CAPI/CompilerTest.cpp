//===- CompilerTest.cpp - modules and compilation through the C API
//-------------------------------------------------===//

#include "CompilerTestUtils.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace winnow::test;

extern "C" int compilerHeaderFromC(void);

namespace {

TEST(CompilerCApi, EveryNullPointerIsAnErrorAlsoFromC) { EXPECT_EQ(compilerHeaderFromC(), 16); }

TEST(CompilerCApi, MalformedTextIsAnErrorWithItsPlace) {
  Context context = makeContext();
  std::string error;
  Module module = parse(context.get(), "func.func @f() {\n  ffn.nothing\n}", &error);
  EXPECT_EQ(module, nullptr);
  EXPECT_EQ(error.rfind("spec.mlir:2:3: error: ", 0), 0u) << error;
  EXPECT_NE(error.find("ffn.nothing"), std::string::npos) << error;
  EXPECT_NE(parse(context.get(), kRelu), nullptr) << "a context survives a failure";
}

TEST(CompilerCApi, TextPrintsAndParsesAgain) {
  Context context = makeContext();
  std::string once = print(parse(context.get(), kForward).get());
  EXPECT_NE(once.find("%w1: tensor<128x64xbf16> {ffn.weight}"), std::string::npos) << once;
  EXPECT_EQ(print(parse(context.get(), once).get()), once);
}

TEST(CompilerCApi, FunctionsAndTheirArguments) {
  Context context = makeContext();
  Module module = parse(context.get(), kForward);
  ASSERT_EQ(winnow_module_function_count(module.get()), 2u);
  EXPECT_STREQ(winnow_module_function_name(module.get(), 1), "scales");
  EXPECT_EQ(winnow_module_function_name(module.get(), 2), nullptr);
  size_t index = 9;
  EXPECT_EQ(take(winnow_module_find_function(module.get(), nullptr, &index)), "");
  EXPECT_EQ(index, 0u);
  EXPECT_EQ(take(winnow_module_find_function(module.get(), "scales", &index)), "");
  EXPECT_EQ(index, 1u);
  EXPECT_EQ(take(winnow_module_find_function(module.get(), "backward", &index)),
            "the module has no function @backward; there are @forward, @scales");

  EXPECT_EQ(winnow_module_input_count(module.get(), 0), 3u);
  EXPECT_EQ(winnow_module_output_count(module.get(), 1), 2u);
  winnow_argument argument;
  ASSERT_EQ(take(winnow_module_argument(module.get(), 0, 0, &argument)), "");
  EXPECT_STREQ(argument.name, "x");
  EXPECT_EQ(argument.element, WINNOW_BF16);
  ASSERT_EQ(argument.rank, 2u);
  EXPECT_EQ(argument.shape[0], -1);
  EXPECT_EQ(argument.shape[1], 64);
  EXPECT_FALSE(argument.is_weight);
  ASSERT_EQ(take(winnow_module_argument(module.get(), 0, 1, &argument)), "");
  EXPECT_TRUE(argument.is_weight);
  ASSERT_EQ(take(winnow_module_argument(module.get(), 1, 3, &argument)), "");
  EXPECT_STREQ(argument.name, "result1");
  EXPECT_EQ(argument.rank, 0u);
  EXPECT_EQ(take(winnow_module_argument(module.get(), 0, 4, &argument)), "expected an argument index below 4, got 4");
}

TEST(CompilerCApi, CompressedArgumentsAreDeclined) {
  Context context = makeContext();
  Module module =
      parse(context.get(), "func.func @f(%c: !ffn.sparse24<8x64xbf16, axis = 1>) -> tensor<8x64xbf16> {\n"
                           "  %d = ffn.decompress %c : !ffn.sparse24<8x64xbf16, axis = 1> -> tensor<8x64xbf16>\n"
                           "  return %d : tensor<8x64xbf16>\n}");
  ASSERT_NE(module, nullptr);
  winnow_argument argument;
  std::string error = take(winnow_module_argument(module.get(), 0, 0, &argument));
  EXPECT_EQ(error, "'c' is a !ffn.sparse24<8x64xbf16, axis = 1>, which has no plain row-major form to hand over");
}

TEST(CompilerCApi, LowersLevelByLevel) {
  Context context = makeContext();
  Module module = parse(context.get(), kForward), copy;
  winnow_module *clone = nullptr;
  ASSERT_EQ(take(winnow_module_clone(module.get(), &clone)), "");
  copy.reset(clone);
  ASSERT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, nullptr)), "");
  EXPECT_EQ(winnow_module_level(module.get()), WINNOW_LEVEL_FFN);
  EXPECT_NE(print(module.get()).find("ffn.kernel"), std::string::npos);
  EXPECT_EQ(winnow_module_function_count(module.get()), 1u);
  ASSERT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, nullptr)), "");
  EXPECT_NE(print(module.get()).find("kern.program"), std::string::npos);
  EXPECT_NE(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, nullptr)), "");
  // The copy is another module.
  EXPECT_EQ(winnow_module_level(copy.get()), WINNOW_LEVEL_SPEC);
  EXPECT_EQ(print(copy.get()).find("kern.program"), std::string::npos);
  // From either level on, the same.
  ASSERT_EQ(take(winnow_module_lower(copy.get(), WINNOW_LEVEL_KERN, nullptr)), "");
  EXPECT_EQ(print(copy.get()), print(module.get()));
}

TEST(CompilerCApi, FailedLoweringLeavesTheModuleAsItWas) {
  Context context = makeContext();
  Module module = parse(context.get(), kForward);
  std::string before = print(module.get());
  winnow_compile_options options = {sizeof options, "sm_1", nullptr, 0, 0, 0, nullptr};
  std::string error = take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, &options));
  EXPECT_NE(error.find("unknown target 'sm_1', expected one of"), std::string::npos) << error;
  options.target = nullptr;
  options.entry = "backward";
  error = take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, &options));
  EXPECT_EQ(error, "the spec has no function @backward; there are @forward, @scales");
  options.entry = nullptr;
  options.tokens = int64_t(1) << 31;
  error = take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, &options));
  EXPECT_EQ(error, "expected a token count from 1 to 2147483647, or 0 for unknown, got 2147483648");
  EXPECT_EQ(print(module.get()), before);
  EXPECT_EQ(winnow_module_level(module.get()), WINNOW_LEVEL_SPEC);
}

TEST(CompilerCApi, OptionsOfAnotherSizeAreRejectedUnlessSmaller) {
  Context context = makeContext();
  Module module = parse(context.get(), kRelu);
  winnow_compile_options options = {};
  EXPECT_NE(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, &options)).find("got size 0"), std::string::npos);
  options.size = sizeof options + 8;
  EXPECT_NE(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, &options)).find("got size"), std::string::npos);
  options.size = offsetof(winnow_compile_options, entry);
  options.entry = "never read";
  EXPECT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_FFN, &options)), "");
}

TEST(CompilerCApi, TuningIsADatabaseThatMustBeReadable) {
  Context context = makeContext();
  Module module = parse(context.get(), kForward);
  winnow_compile_options options = {};
  options.size = sizeof options;
  options.tuning = "/nowhere/tuned.json";
  EXPECT_NE(take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, &options)).find("/nowhere/tuned.json"),
            std::string::npos);
  // A caller that was built before there was such a field.
  options.size = offsetof(winnow_compile_options, tuning);
  EXPECT_EQ(take(winnow_module_lower(module.get(), WINNOW_LEVEL_KERN, &options)), "");
}

TEST(CompilerCApi, EmitsCudaWithoutNvrtc) {
  Context context = makeContext();
  Module module = parse(context.get(), kForward);
  winnow_program *made = nullptr;
  ASSERT_EQ(take(winnow_module_emit_cuda(module.get(), nullptr, &made)), "");
  Program program(made);
  ASSERT_GE(winnow_program_image_count(made), 2u);
  std::string all;
  for (size_t i = 0; i < winnow_program_image_count(made); ++i) {
    winnow_image image;
    ASSERT_EQ(take(winnow_program_image(made, i, &image)), "");
    EXPECT_EQ(image.ptx_size + image.cubin_size, 0u);
    EXPECT_EQ(image.cuda[image.cuda_size], 0);
    all.append(image.cuda, image.cuda_size);
  }
  EXPECT_NE(all.find("wgmma.mma_async.sp"), std::string::npos);
  winnow_bytes *artifact = nullptr;
  int64_t few = 0, many = 0;
  EXPECT_EQ(take(winnow_program_workspace_bytes(made, 1, &few)), "");
  EXPECT_EQ(take(winnow_program_workspace_bytes(made, 1000, &many)), "");
  EXPECT_GT(few, 0);
  EXPECT_GT(many, 2 * few);
  EXPECT_NE(take(winnow_program_workspace_bytes(made, 0, &few)).find("expected 1 to "), std::string::npos);
  EXPECT_EQ(take(winnow_program_artifact(made, &artifact)),
            "expected a program of winnow_module_compile, got CUDA source without machine code");
  EXPECT_EQ(winnow_module_level(module.get()), WINNOW_LEVEL_SPEC);
}

TEST(CompilerCApi, TheCpuHasNoKernels) {
  Context context = makeContext();
  Module module = parse(context.get(), kForward);
  winnow_compile_options options = {sizeof options, "cpu", nullptr, 0, 0, 0, nullptr};
  winnow_program *program = nullptr;
  std::string error = take(winnow_module_emit_cuda(module.get(), &options, &program));
  EXPECT_EQ(error.rfind("the target 'cpu' evaluates a module as it is", 0), 0u) << error;
}

TEST(CompilerCApi, MissingNvrtcIsAnErrorThatNamesIt) {
  Context context = makeContext();
  Module module = parse(context.get(), kForward);
  winnow_compile_options options = {sizeof options, nullptr, nullptr, 0, 1, 0, nullptr};
  winnow_program *program = nullptr;
  const char *before = getenv("WINNOW_NVRTC");
  std::string saved = before ? before : "";
  setenv("WINNOW_NVRTC", "/nowhere/libnvrtc.so", 1);
  std::string error = take(winnow_module_compile(module.get(), &options, &program));
  before ? setenv("WINNOW_NVRTC", saved.c_str(), 1) : unsetenv("WINNOW_NVRTC");
  EXPECT_NE(error.find("/nowhere/libnvrtc.so"), std::string::npos) << error;
  EXPECT_EQ(program, nullptr);
}

TEST(CompilerCApi, CompilesToAnArtifact) {
  Context context = makeContext();
  Module module = parse(context.get(), kRelu);
  winnow_compile_options options = {sizeof options, nullptr, nullptr, 0, 1, 1, nullptr};
  winnow_program *made = nullptr;
  std::string error = take(winnow_module_compile(module.get(), &options, &made));
  if (error.find("libnvrtc") != std::string::npos)
    GTEST_SKIP() << "needs nvrtc";
  ASSERT_EQ(error, "");
  Program program(made);
  winnow_image image;
  ASSERT_EQ(take(winnow_program_image(made, 0, &image)), "");
  EXPECT_NE(std::string(image.ptx, image.ptx_size).find(".target sm_90a"), std::string::npos);
  ASSERT_GT(image.cubin_size, 4u);
  EXPECT_EQ(std::string(static_cast<const char *>(image.cubin), 4), "\x7f"
                                                                    "ELF");
  winnow_bytes *artifact = nullptr;
  ASSERT_EQ(take(winnow_program_artifact(made, &artifact)), "");
  Bytes owner(artifact);
  EXPECT_GT(winnow_bytes_size(artifact), image.cubin_size);

  // Loading fails for want of a driver at the latest, with a message; with a GPU it succeeds.
  winnow_executable *fromProgram = nullptr, *fromBytes = nullptr;
  std::string first = take(winnow_program_load(made, 0, &fromProgram));
  std::string second =
      take(winnow_executable_load_bytes(winnow_bytes_data(artifact), winnow_bytes_size(artifact), 0, &fromBytes));
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.empty(), fromProgram != nullptr);
  if (fromProgram && fromBytes) {
    EXPECT_EQ(winnow_executable_input_count(fromProgram), 1u);
    EXPECT_EQ(winnow_executable_launch_count(fromProgram), winnow_executable_launch_count(fromBytes));
  }
  winnow_executable_destroy(fromProgram);
  winnow_executable_destroy(fromBytes);
}

TEST(CompilerCApi, DevicesAreCountedOrTheMissingDriverNamed) {
  int count = -1;
  std::string error = take(winnow_device_count(&count));
  winnow_bytes *target = nullptr;
  if (!error.empty()) {
    EXPECT_NE(error.find("libcuda"), std::string::npos) << error;
    EXPECT_EQ(take(winnow_device_target(0, &target)), error);
    return;
  }
  EXPECT_GE(count, 0);
  EXPECT_EQ(take(winnow_device_target(count, &target)),
            "expected a device below " + std::to_string(count) + ", got " + std::to_string(count));
}

} // namespace
