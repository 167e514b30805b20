//===- SamplePlan.cpp - a small plan that uses everything a plan can say ------------------------------------------===//

#include "SamplePlan.h"

#include <utility>

using namespace winnow::rt;

static Argument pointerTo(uint32_t buffer) { return {Argument::Kind::pointer, buffer, {}}; }
static Argument tensorMap(uint32_t index) { return {Argument::Kind::tensorMap, index, {}}; }
static Argument tokenCount() { return {Argument::Kind::extent, 0, Extent::tokens()}; }

Plan samplePlan() {
  Plan plan;
  plan.name = "forward";
  plan.target = "sm_90a";
  plan.compiler = "test build";
  plan.spec = "module {}";
  plan.maxTokens = 100000;

  auto makeBuffer = [](const char *name, BufferKind kind, ElementType element, std::vector<int64_t> shape,
                       Extent bytes) {
    Buffer buffer;
    buffer.name = name;
    buffer.kind = kind;
    buffer.element = element;
    buffer.shape = std::move(shape);
    buffer.bytes = bytes;
    return buffer;
  };
  Buffer x = makeBuffer("x", BufferKind::input, ElementType::bf16, {-1, 64}, Extent::tokens(128));
  Buffer w = makeBuffer("w", BufferKind::input, ElementType::bf16, {64, 256}, Extent::constant(32768));
  Buffer y = makeBuffer("y", BufferKind::output, ElementType::bf16, {-1, 256}, Extent::tokens(512));
  Buffer z = makeBuffer("z", BufferKind::output, ElementType::bf16, {-1, 256}, Extent::tokens(512));
  Buffer hidden = makeBuffer("hidden", BufferKind::workspace, ElementType::bf16, {-1, 64}, {128, 128 * 128, 0});
  Buffer progress = makeBuffer("progress", BufferKind::workspace, ElementType::i32, {3}, Extent::constant(12));
  Buffer scale = makeBuffer("scale", BufferKind::constant, ElementType::f32, {1}, Extent::constant(4));
  w.isWeight = true;
  scale.contents = {0, 0, 128, 63};
  hidden.layout = Layout::packed24;
  hidden.sparseAxis = 0;
  hidden.panel = 128;
  hidden.stage = 2;
  hidden.stageResult = 1;
  plan.buffers = {x, w, y, z, hidden, progress, scale};

  Image image;
  image.name = "forward_kernels";
  static constexpr char names[] = "fake cubin of ,forward_0,forward_1,";
  image.cubin.assign(names, names + sizeof(names));
  image.ptx = ".version 8.7";
  image.source = "extern \"C\" __global__ void forward_0() {}";
  plan.images = {image};
  plan.kernels = {{"forward_0", 0, 256, 0}, {"forward_1", 0, 384, 200000}};

  Launch map;
  map.kernel = 0;
  map.arguments = {pointerTo(0), pointerTo(4), tokenCount()};
  map.tiles = {8, 1, 0};

  Launch fill;
  fill.kind = Launch::Kind::fillZero;
  fill.buffer = 5;

  Launch product;
  product.kernel = 1;
  TensorMap lhs{4,   ElementType::bf16, {Extent::constant(64), Extent::tokens()}, {Extent::constant(128)}, {64, 128},
                true};
  TensorMap rhs{
      1,
      ElementType::u8,
      {Extent::constant(128), Extent::constant(2), Extent::constant(4), Extent::constant(4), Extent::constant(8)},
      {Extent::constant(128), Extent::constant(1024), Extent::constant(256), Extent::constant(4096)},
      {128, 2, 4, 4, 6},
      false};
  product.tensorMaps = {lhs, rhs};
  product.arguments = {tensorMap(0), tensorMap(1), pointerTo(6), pointerTo(2), pointerTo(5), tokenCount()};
  product.tiles = {128, 2, 0};
  product.persistent = true;
  product.cluster = 2;
  product.overlaps = true;

  Launch copy;
  copy.kind = Launch::Kind::copy;
  copy.buffer = 3;
  copy.source = 2;

  plan.launches = {map, fill, product, copy};
  return plan;
}

Program sampleProgram() {
  Plan small = samplePlan(), large = samplePlan();
  Image image;
  image.name = "small_kernels";
  static constexpr char names[] = "fake cubin of ,small_1,";
  image.cubin.assign(names, names + sizeof(names));
  image.ptx = ".version 8.7";
  image.source = "extern \"C\" __global__ void small_1() {}";
  small.images.push_back(image);
  small.kernels[1] = {"small_1", 1, 128, 50000};
  small.buffers[4].bytes = {64, 64 * 128, 0};
  small.buffers[4].panel = 64;
  small.launches[2].tensorMaps[0].box[1] = 64;
  small.launches[2].tiles = {64, 2, 0};
  small.maxTokens = 5000;

  large.kernels[1].sharedBytes = 210000;
  large.launches[2].persistent = false;

  Program program;
  program.specializations = {{64, 16, "small_1 dense 64x128", small},
                             {1024, 1024, "forward_1 2:4 128x128", samplePlan()},
                             {100000, 8192, "", large}};
  return program;
}
