//===- PlanVerifierTest.cpp - is a plan well formed? --------------------------------------------------------------===//

#include "winnow/Runtime/PlanVerifier.h"

#include "SamplePlan.h"

#include <gtest/gtest.h>

#include <functional>

using namespace winnow;
using namespace winnow::rt;

namespace {

struct Case {
  const char *name;
  std::function<void(Plan &)> damage;
  const char *message;
};

class MalformedPlan : public testing::TestWithParam<Case> {};

const Case cases[] = {
    {"NoTokens", [](Plan &plan) { plan.maxTokens = 0; },
     "the plan is malformed: maxTokens: expected 1 to 2147483647, got 0"},
    {"TooManyTokens", [](Plan &plan) { plan.maxTokens = int64_t(1) << 31; },
     "the plan is malformed: maxTokens: expected 1 to 2147483647, got 2147483648"},
    {"NoTarget", [](Plan &plan) { plan.target.clear(); },
     "the plan is malformed: target: expected a name such as sm_90a, got nothing"},
    {"BufferOrder", [](Plan &plan) { std::swap(plan.buffers[1], plan.buffers[2]); },
     "buffer 2 ('w') is malformed: order: expected inputs, then outputs, then the rest, got another order"},
    {"BufferKind", [](Plan &plan) { plan.buffers[6].kind = BufferKind(9); },
     "buffer 6 ('scale') is malformed: kind: expected 0 to 3, got 9"},
    {"BufferElement", [](Plan &plan) { plan.buffers[0].element = ElementType(8); },
     "buffer 0 ('x') is malformed: element type: expected 0 to 7, got 8"},
    {"BufferShape", [](Plan &plan) { plan.buffers[0].shape[1] = -2; },
     "buffer 0 ('x') is malformed: shape: expected -1 to 70368744177664, got -2"},
    {"BufferShrinks", [](Plan &plan) { plan.buffers[0].bytes.factor = -1; },
     "buffer 0 ('x') is malformed: size: factor: expected 0 to 70368744177664, got -1"},
    {"BufferDivisor", [](Plan &plan) { plan.buffers[0].bytes.divisor = -1; },
     "buffer 0 ('x') is malformed: size: divisor: expected 0 to 2147483648, got -1"},
    {"BufferAddend", [](Plan &plan) { plan.buffers[0].bytes.addend = INT64_MIN; },
     "buffer 0 ('x') is malformed: size: addend: expected -70368744177664 to 70368744177664, got -9223372036854775808"},
    {"BufferNegative", [](Plan &plan) { plan.buffers[0].bytes.addend = -129; },
     "buffer 0 ('x') is malformed: size at 1 token: expected at least 0, got -1"},
    {"BufferOverflow", [](Plan &plan) { plan.buffers[0].bytes.factor = int64_t(1) << 40; },
     "buffer 0 ('x') is malformed: size at 100000 tokens: expected at most 70368744177664, got more"},
    {"BufferLayout", [](Plan &plan) { plan.buffers[0].layout = Layout(3); },
     "buffer 0 ('x') is malformed: layout: expected 0 to 2, got 3"},
    {"BufferStage", [](Plan &plan) { plan.buffers[0].stage = -2; },
     "buffer 0 ('x') is malformed: stage: expected at least -1, got -2"},
    {"PackedAxis", [](Plan &plan) { plan.buffers[4].sparseAxis = 2; },
     "buffer 4 ('hidden') is malformed: sparse axis: expected 0 or 1, got 2"},
    {"PackedPanel", [](Plan &plan) { plan.buffers[4].panel = 96; },
     "buffer 4 ('hidden') is malformed: panel: expected a multiple of 64 rows, got 96"},
    {"PackedRank", [](Plan &plan) { plan.buffers[4].shape = {-1}; },
     "buffer 4 ('hidden') is malformed: rank: expected 2, for it is compressed, got 1"},
    {"ConstantContents", [](Plan &plan) { plan.buffers[6].contents.pop_back(); },
     "buffer 6 ('scale') is malformed: contents: expected 4 bytes, got 3"},
    {"ConstantSize", [](Plan &plan) { plan.buffers[6].bytes = Extent::tokens(4); },
     "buffer 6 ('scale') is malformed: size: expected the same for every token count, got one that depends on it"},
    {"ContentsElsewhere", [](Plan &plan) { plan.buffers[4].contents = {1}; },
     "buffer 4 ('hidden') is malformed: contents: expected none, for it is no constant, got 1 bytes"},
    {"KernelName", [](Plan &plan) { plan.kernels[0].name.clear(); },
     "kernel 0 ('') is malformed: name: expected a symbol, got nothing"},
    {"KernelImage", [](Plan &plan) { plan.kernels[0].image = 1; },
     "kernel 0 ('forward_0') is malformed: image: expected less than 1, got 1"},
    {"KernelThreads", [](Plan &plan) { plan.kernels[0].threads = 1025; },
     "kernel 0 ('forward_0') is malformed: threads: expected 1 to 1024, got 1025"},
    {"KernelShared", [](Plan &plan) { plan.kernels[0].sharedBytes = 0x80000000u; },
     "kernel 0 ('forward_0') is malformed: shared memory: expected at most 2147483647 bytes, got 2147483648"},
    {"LaunchKind", [](Plan &plan) { plan.launches[0].kind = Launch::Kind(3); },
     "launch 0 is malformed: kind: expected 0 to 2, got 3"},
    {"LaunchKernel", [](Plan &plan) { plan.launches[0].kernel = 2; },
     "launch 0 is malformed: kernel: expected less than 2, got 2"},
    {"LaunchCluster", [](Plan &plan) { plan.launches[2].cluster = 0; },
     "launch 2 ('forward_1') is malformed: cluster: expected 1 to 16 CTAs, got 0"},
    {"LaunchTilesOfClusters", [](Plan &plan) { plan.launches[2].tiles = {128, 3, 0}; },
     "launch 2 ('forward_1') is malformed: tiles: expected whole clusters of 2, got multiples of 3 and 0"},
    {"LaunchTiles", [](Plan &plan) { plan.launches[0].tiles = Extent::constant(0); },
     "launch 0 ('forward_0') is malformed: tiles at 1 token: expected at least 1, got 0"},
    {"FillOfNothing", [](Plan &plan) { plan.launches[1].buffer = 7; },
     "launch 1 is malformed: buffer: expected less than 7, got 7"},
    {"FillOfConstant", [](Plan &plan) { plan.launches[1].buffer = 6; },
     "launch 1 is malformed: buffer: expected an output or workspace to write to, got buffer 6 ('scale')"},
    {"CopyOfNothing", [](Plan &plan) { plan.launches[3].source = 7; },
     "launch 3 is malformed: source: expected less than 7, got 7"},
    {"CopyToItself", [](Plan &plan) { plan.launches[3].source = 3; },
     "launch 3 is malformed: source: expected another buffer than the one written, got buffer 3 ('z')"},
    {"CopyOfAnotherSize", [](Plan &plan) { plan.launches[3].source = 0; },
     "launch 3 is malformed: source at 1 tokens: expected 512 bytes, got 128"},
    {"ArgumentKind", [](Plan &plan) { plan.launches[0].arguments[0].kind = Argument::Kind(3); },
     "launch 0 ('forward_0'), argument 0 is malformed: kind: expected 0 to 2, got 3"},
    {"ArgumentBuffer", [](Plan &plan) { plan.launches[0].arguments[1].index = 7; },
     "launch 0 ('forward_0'), argument 1 is malformed: buffer: expected less than 7, got 7"},
    {"ArgumentTensorMap", [](Plan &plan) { plan.launches[2].arguments[1].index = 2; },
     "launch 2 ('forward_1'), argument 1 is malformed: tensor map: expected less than 2, got 2"},
    {"MapBuffer", [](Plan &plan) { plan.launches[2].tensorMaps[0].buffer = 7; },
     "launch 2 ('forward_1'), tensor map 0 is malformed: buffer: expected less than 7, got 7"},
    {"MapElement", [](Plan &plan) { plan.launches[2].tensorMaps[0].element = ElementType::f8e4m3; },
     "launch 2 ('forward_1'), tensor map 0 is malformed: element type: expected u8, i32, bf16, f16 or f32, got "
     "another"},
    {"MapRank", [](Plan &plan) { plan.launches[2].tensorMaps[1].extents.push_back(Extent::constant(1)); },
     "launch 2 ('forward_1'), tensor map 1 is malformed: rank: expected 1 to 5, got 6"},
    {"MapStrides", [](Plan &plan) { plan.launches[2].tensorMaps[0].strides.clear(); },
     "launch 2 ('forward_1'), tensor map 0 is malformed: strides: expected 1, one less than extents, got 0"},
    {"MapBox", [](Plan &plan) { plan.launches[2].tensorMaps[0].box.clear(); },
     "launch 2 ('forward_1'), tensor map 0 is malformed: box extents: expected 2, as many as extents, got 0"},
    {"MapBoxExtent", [](Plan &plan) { plan.launches[2].tensorMaps[0].box[1] = 257; },
     "launch 2 ('forward_1'), tensor map 0 is malformed: box extent 1: expected 1 to 256, got 257"},
    {"MapExtent", [](Plan &plan) { plan.launches[2].tensorMaps[0].extents[0] = Extent::constant(0); },
     "launch 2 ('forward_1'), tensor map 0 is malformed: extent 0 at 1 token: expected at least 1, got 0"},
    {"MapStride", [](Plan &plan) { plan.launches[2].tensorMaps[0].strides[0] = Extent::constant(120); },
     "launch 2 ('forward_1'), tensor map 0 is malformed: stride 0: expected a multiple of 16 bytes, got 120"},
    {"MapTokenStride", [](Plan &plan) { plan.launches[2].tensorMaps[0].strides[0] = Extent::tokens(8); },
     "launch 2 ('forward_1'), tensor map 0 is malformed: stride 0: expected a multiple of 16 bytes, got 8"},
    {"MapInnerBox", [](Plan &plan) { plan.launches[2].tensorMaps[0].box[0] = 12; },
     "launch 2 ('forward_1'), tensor map 0 is malformed: inner box extent: expected a multiple of 16 bytes, got 24"},
    {"MapSwizzledBox", [](Plan &plan) { plan.launches[2].tensorMaps[0].box[0] = 128; },
     "launch 2 ('forward_1'), tensor map 0 is malformed: inner box extent: expected at most 128 bytes, got 256"},
};

} // namespace

TEST(PlanVerifier, AcceptsTheSample) {
  Status status = verify(samplePlan());
  EXPECT_TRUE(status) << status.message();
}

TEST_P(MalformedPlan, IsRejected) {
  Plan plan = samplePlan();
  GetParam().damage(plan);
  Status status = verify(plan);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(PlanVerifier, MalformedPlan, testing::ValuesIn(cases),
                         [](const testing::TestParamInfo<Case> &info) { return std::string(info.param.name); });
