//===- JaxHandlerTest.cpp - what XLA's custom calls enqueue, without XLA and without a GPU ------------------------===//

#include "JaxHandler.h"

#include "BesideProgram.h"
#include "FakeCuda.h"
#include "JaxProgram.h"
#include "SamplePlan.h"
#include "winnow/Runtime/Artifact.h"
#include "winnow/Runtime/Executable.h"

#include <gtest/gtest.h>

#include <cstring>
#include <dlfcn.h>

using namespace winnow;
using namespace winnow::python;

namespace winnow::xla {

struct Context {
  int32_t device = 0;
  void *stream = nullptr;
  const char *failure = nullptr; ///< of getStream
};
struct Error {
  std::string message;
  ErrorCode code;
};

} // namespace winnow::xla

namespace {

xla::Error *createError(xla::ErrorArguments *arguments) { return new xla::Error{arguments->message, arguments->code}; }
xla::Error *getStream(xla::StreamArguments *arguments) {
  if (arguments->context->failure)
    return new xla::Error{arguments->context->failure, xla::ErrorCode::internal};
  arguments->stream = arguments->context->stream;
  return nullptr;
}
xla::Error *getDeviceOrdinal(xla::DeviceArguments *arguments) {
  arguments->ordinal = arguments->context->device;
  return nullptr;
}

/// The interface that the sample plan has.
constexpr const char *kSample = R"(
func.func @forward(%x: tensor<?x64xbf16>, %w: tensor<64x256xbf16> {ffn.weight})
    -> (tensor<?x256xbf16>, tensor<?x256xbf16>) {
  %y = ffn.matmul %x, %w : (tensor<?x64xbf16>, tensor<64x256xbf16>) -> tensor<?x256xbf16>
  return %y, %y : tensor<?x256xbf16>, tensor<?x256xbf16>
}
)";

/// A call of the sample, as XLA makes it.
struct Call {
  explicit Call(std::string program, int64_t tokens = 3, uint64_t workspace = 0x50010, int64_t workspaceBytes = 40000)
      : key(std::move(program)) {
    add(arguments, xla::ElementType::bf16, 0x10000, {tokens, 64});
    add(arguments, xla::ElementType::bf16, 0x20000, {64, 256});
    add(results, xla::ElementType::bf16, 0x30000, {tokens, 256});
    add(results, xla::ElementType::bf16, 0x40000, {tokens, 256});
    add(results, xla::ElementType::u8, workspace, {workspaceBytes});
  }

  struct Array {
    xla::Buffer buffer;
    std::vector<int64_t> shape;
  };
  static void add(std::vector<std::unique_ptr<Array>> &arrays, xla::ElementType element, uint64_t address,
                  std::vector<int64_t> shape) {
    auto array = std::make_unique<Array>();
    array->shape = std::move(shape);
    array->buffer = {sizeof(xla::Buffer),
                     nullptr,
                     element,
                     reinterpret_cast<void *>(address),
                     static_cast<int64_t>(array->shape.size()),
                     array->shape.data()};
    arrays.push_back(std::move(array));
  }

  /// The text of the error, or "".
  std::string run(xla::Error *(*handler)(xla::CallFrame *), xla::Stage stage = xla::Stage::execute) {
    xla::Api api = {};
    api.createError = createError;
    api.getStream = getStream;
    api.getDeviceOrdinal = getDeviceOrdinal;
    std::vector<int32_t> kinds(8, xla::kBufferArgument);
    std::vector<void *> inputs, outputs;
    for (auto &array : arguments)
      inputs.push_back(&array->buffer);
    for (auto &array : results)
      outputs.push_back(&array->buffer);
    xla::ByteSpan name = {"program", 7}, value = {key.data(), key.size()}, *names[] = {&name};
    int32_t attributeKinds[] = {xla::kStringAttribute};
    void *values[] = {&value};
    xla::CallFrame frame = {};
    frame.structSize = sizeof frame;
    frame.api = &api;
    frame.context = &context;
    frame.stage = stage;
    if (stage == xla::Stage::execute) {
      frame.arguments = {sizeof(xla::Buffers), nullptr, int64_t(inputs.size()), kinds.data(), inputs.data()};
      frame.results = {sizeof(xla::Buffers), nullptr, int64_t(outputs.size()), kinds.data(), outputs.data()};
    }
    frame.attributes = {sizeof(xla::Attributes), nullptr, 1, attributeKinds, names, values};
    std::unique_ptr<xla::Error> error(handler(&frame));
    code = error ? error->code : xla::ErrorCode::internal;
    return error ? error->message : "";
  }

  std::string key;
  xla::Context context;
  std::vector<std::unique_ptr<Array>> arguments, results;
  xla::ErrorCode code = xla::ErrorCode::internal;
};

class JaxHandler : public testing::Test {
protected:
  void SetUp() override {
    void *library = dlopen(besideProgram(FAKE_LIBCUDA).c_str(), RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    state = reinterpret_cast<fakecuda::State *(*)()>(dlsym(library, "fakeCudaState"))();
    // Programs stay in the process, so every test has one of its own.
    key = testing::UnitTest::GetInstance()->current_test_info()->name();
    program = addJaxProgram(key, kSample, "forward");
    state->reset();
    state->devices.resize(2);
    state->signatures = {{"forward_0", SAMPLE_MAP_SIGNATURE}, {"forward_1", SAMPLE_PRODUCT_SIGNATURE}};
  }

  void giveKernels() {
    std::vector<uint8_t> bytes = rt::serialize(samplePlan());
    program->setArtifact(std::string(bytes.begin(), bytes.end()));
  }

  static uint64_t pointerIn(const std::vector<uint8_t> &parameter) {
    uint64_t value;
    std::memcpy(&value, parameter.data(), sizeof value);
    return value;
  }

  fakecuda::State *state = nullptr;
  std::string key;
  std::shared_ptr<JaxProgram> program;
};

TEST_F(JaxHandler, SaysWhatItIs) {
  for (auto [handler, traits] :
       {std::pair(&handleOnCpu, 0u), std::pair(&handleOnCuda, xla::kCommandBufferCompatible)}) {
    xla::Metadata metadata = {};
    metadata.structSize = sizeof metadata;
    metadata.traits = 77;
    xla::MetadataExtension extension = {{sizeof extension, xla::ExtensionKind::metadata, nullptr}, &metadata};
    xla::CallFrame frame = {};
    frame.extension = &extension.base;
    EXPECT_EQ(handler(&frame), nullptr);
    EXPECT_EQ(metadata.version.majorVersion, xla::kMajorVersion);
    EXPECT_EQ(metadata.version.minorVersion, xla::kMinorVersion);
    EXPECT_EQ(metadata.traits, traits);
  }
}

TEST_F(JaxHandler, EnqueuesOnTheStreamAndDeviceOfTheCall) {
  giveKernels();
  Call call(key);
  call.context.device = 1;
  call.context.stream = reinterpret_cast<void *>(0x77);
  ASSERT_EQ(call.run(handleOnCuda, xla::Stage::initialize), "");
  state->calls.clear();
  EXPECT_EQ(call.run(handleOnCuda), "");
  ASSERT_EQ(state->launches.size(), 2u);
  for (const fakecuda::LaunchRecord &launch : state->launches) {
    EXPECT_EQ(launch.device, 1);
    EXPECT_EQ(launch.stream, call.context.stream);
  }
  EXPECT_EQ(pointerIn(state->launches[0].parameters[0]), 0x10000u);
  EXPECT_EQ(pointerIn(state->launches[0].parameters[1]), 0x50100u) << "the workspace begins at a multiple of 256";
  EXPECT_EQ(pointerIn(state->launches[1].parameters[3]), 0x30000u);
  for (const auto &[name, count] : state->calls)
    EXPECT_TRUE(name.find("Synchronize") == name.npos && name.find("Alloc") == name.npos)
        << name << " was called " << count << " times";
}

TEST_F(JaxHandler, LoadsOncePerDeviceAndBeforeTheCallWhereXlaAsks) {
  giveKernels();
  Call call(key);
  EXPECT_EQ(call.run(handleOnCuda, xla::Stage::initialize), "");
  EXPECT_EQ(state->liveModules, 1);
  EXPECT_TRUE(state->launches.empty());
  int allocations = state->calls["cuMemAlloc"];
  EXPECT_EQ(call.run(handleOnCuda), "");
  EXPECT_EQ(call.run(handleOnCuda), "");
  EXPECT_EQ(state->liveModules, 1);
  EXPECT_EQ(state->calls["cuMemAlloc"], allocations);
  call.context.device = 1;
  EXPECT_EQ(call.run(handleOnCuda), "");
  EXPECT_EQ(state->liveModules, 2);
}

TEST_F(JaxHandler, WorkspaceIsWhatIsLeftAfterAligning) {
  giveKernels();
  int64_t needed = *rt::Executable::workspaceBytes(samplePlan(), 3);
  EXPECT_EQ(Call(key, 3, 0x50000, needed).run(handleOnCuda), "");
  EXPECT_EQ(Call(key, 3, 0x50001, needed + 255).run(handleOnCuda), "");
  EXPECT_EQ(Call(key, 3, 0x50001, needed + 254).run(handleOnCuda),
            "'forward': workspace too small for 3 tokens: expected at least " + std::to_string(needed) +
                " bytes, got " + std::to_string(needed - 1));
}

TEST_F(JaxHandler, RefusesWhatItDoesNotHave) {
  Call missing("nothing");
  EXPECT_EQ(missing.run(handleOnCuda),
            "no program nothing in this process, which has not traced this call itself: make the same FFN with "
            "winnow.jax.compile, by the same build of Winnow, and call its preload()");
  EXPECT_EQ(missing.code, xla::ErrorCode::failedPrecondition);
  EXPECT_EQ(missing.run(handleOnCuda, xla::Stage::initialize).substr(0, 18), "no program nothing");
  EXPECT_EQ(Call(key).run(handleOnCuda),
            "@forward: no kernels for CUDA devices in this process; call preload(\"cuda\") of the winnow.jax.FFN");
}

TEST_F(JaxHandler, RefusesArraysThatDoNotFit) {
  giveKernels();
  Call tokens(key);
  tokens.results[1]->shape[0] = 4;
  EXPECT_EQ(tokens.run(handleOnCuda), "@forward: result1: expected (tokens, 256) of element type 1, got (4, 256) of "
                                      "element type 1");
  Call element(key);
  element.arguments[1]->buffer.element = xla::ElementType::f32;
  EXPECT_EQ(element.run(handleOnCuda),
            "@forward: w: expected (64, 256) of element type 1, got (64, 256) of element type 0");
  Call count(key);
  count.arguments.pop_back();
  EXPECT_EQ(count.run(handleOnCuda), "@forward: expected 2 inputs and 2 outputs, got 1 and 2");
  Call workspace(key);
  workspace.results.pop_back();
  EXPECT_EQ(workspace.run(handleOnCuda), "expected a workspace of u8 as the last result");
  EXPECT_TRUE(state->launches.empty());
}

TEST_F(JaxHandler, HandsOnTheErrorsOfXlaAndOfTheDriver) {
  giveKernels();
  Call call(key);
  call.context.failure = "no stream today";
  EXPECT_EQ(call.run(handleOnCuda), "no stream today");
  call.context.failure = nullptr;
  call.context.device = 7;
  EXPECT_NE(call.run(handleOnCuda).find("7"), std::string::npos);
  call.context.device = 0;
  state->failures["cuLaunchKernelEx"] = 700;
  EXPECT_NE(call.run(handleOnCuda).find("cannot enqueue kernel 'forward_0'"), std::string::npos);
}

} // namespace
