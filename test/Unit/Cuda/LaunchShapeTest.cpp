//===- LaunchShapeTest.cpp - grids, counters and tensor maps against a walk over the tiles ------------------------===//

#include "winnow/Target/Cuda/LaunchShape.h"

#include "winnow/Jit/Compiler.h"
#include "winnow/Target/Cuda/TranslateToPlan.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace winnow;

namespace {

constexpr int64_t kTokenCounts[] = {1, 7, 64, 65, 255, 256, 257, 777, 4096, 8191, 16384};

struct Module {
  explicit Module(const std::string &text) {
    mlir::DialectRegistry registry;
    jit::registerDialects(registry);
    context.appendDialectRegistry(registry);
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }
  template <typename Op> Op first() { return *module->getOps<Op>().begin(); }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

std::string gemm(const std::string &attributes) {
  return "kern.gemm @g attributes {" + attributes + "} {\n^bb0(%x: f32):\n  kern.yield %x : f32\n}\n";
}

const char *const kDense =
    "lhs = !kern.buffer<?x4480xf8E4M3FN>, rhs = !kern.buffer<15680x4480xf8E4M3FN>, transpose_rhs, "
    "out = !kern.buffer<?x15680xbf16>, schedule = #kern.schedule<wgmma, tile = [256, 192], "
    "warpgroups = 2, stages = 4, raster = 8, pacing = 16>";

int64_t countTiles(int64_t m, int64_t n, int64_t tileM, int64_t tileN) {
  int64_t tiles = 0;
  for (int64_t i = 0; i < m; i += tileM)
    for (int64_t j = 0; j < n; j += tileN)
      ++tiles;
  return tiles;
}

TEST(LaunchShape, TilesOfAProductCoverTheResult) {
  Module module(gemm(kDense));
  mlir::FailureOr<cuda::LaunchShape> shape = cuda::getLaunchShape(module.first<kern::GemmOp>());
  ASSERT_TRUE(succeeded(shape));
  EXPECT_TRUE(shape->persistent);
  EXPECT_EQ(shape->threads, 384u);
  EXPECT_EQ(shape->sharedBytes, 4u * (256 * 128 + 192 * 128) + 256 + 2 * (192 + 128 + 4) * 4);
  for (int64_t tokens : kTokenCounts)
    EXPECT_EQ(shape->tiles.evaluate(tokens), countTiles(tokens, 15680, 256, 192));
}

TEST(LaunchShape, TilesOfACompressedResultReachItsPadding) {
  Module module(gemm("lhs = !kern.buffer<?x4480xf8E4M3FN>, rhs = !kern.buffer<15648x4480xf8E4M3FN>, transpose_rhs, "
                     "out = !kern.buffer<?x15648xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>, "
                     "schedule = #kern.schedule<wgmma, tile = [64, 128], warpgroups = 1, stages = 6, raster = 8>"));
  mlir::FailureOr<cuda::LaunchShape> shape = cuda::getLaunchShape(module.first<kern::GemmOp>());
  ASSERT_TRUE(succeeded(shape));
  for (int64_t tokens : kTokenCounts) {
    int64_t paddedM = (tokens + 255) / 256 * 256, paddedN = (15648 + 127) / 128 * 128;
    EXPECT_EQ(shape->tiles.evaluate(tokens), countTiles(paddedM, paddedN, 64, 128));
  }
}

/// What the kernel's Pacer computes for itself (gemm_wgmma.cuh): it never touches a counter beyond this.
int64_t countersTouched(int64_t tiles, int64_t slabs, int64_t pacing) {
  return ((tiles + 131) / 132 + 1) * ((slabs + pacing - 1) / pacing + 1);
}

TEST(LaunchShape, PacingCountersSufficeForDynamicTokens) {
  Module module(gemm(kDense));
  mlir::FailureOr<rt::Extent> bytes = cuda::getCounterBytes(module.first<kern::GemmOp>());
  ASSERT_TRUE(succeeded(bytes));
  for (int64_t tokens = 1; tokens < 40000; tokens += 97)
    EXPECT_GE(bytes->evaluate(tokens), 4 * countersTouched(countTiles(tokens, 15680, 256, 192), 35, 16)) << tokens;
}

TEST(LaunchShape, PartsOfTheLastWaveHaveCountersSumsAndMultiprocessors) {
  std::string split = std::string(kDense);
  split.replace(split.find("pacing = 16"), 11, "pacing = 16, split = 4");
  Module plain(gemm(kDense)), cut(gemm(split.c_str()));
  auto op = cut.first<kern::GemmOp>();
  mlir::FailureOr<rt::Extent> bytes = cuda::getCounterBytes(op),
                              plainBytes = cuda::getCounterBytes(plain.first<kern::GemmOp>());
  ASSERT_TRUE(succeeded(bytes) && succeeded(plainBytes));
  EXPECT_EQ(bytes->evaluate(777), plainBytes->evaluate(777) + 4 * 132);
  EXPECT_EQ(cuda::getPartialBytes(plain.first<kern::GemmOp>()), 0);
  // 33 tiles in four parts; three of the four have sums.
  EXPECT_EQ(cuda::getPartialBytes(op), 3 * 33 * 256 * 192 * 4);
  mlir::FailureOr<cuda::LaunchShape> shape = cuda::getLaunchShape(op);
  ASSERT_TRUE(succeeded(shape));
  EXPECT_EQ(shape->tiles.evaluate(777), 4 * countTiles(777, 15680, 256, 192));
}

TEST(LaunchShape, PacingCountersSufficeForADynamicDepth) {
  Module module(
      gemm("lhs = !kern.buffer<?x16384xf8E4M3FN, #kern.packed24<axis = 0, panel = 256>>, transpose_lhs, "
           "rhs = !kern.buffer<?x4096xf8E5M2, #kern.transposed>, out = !kern.buffer<16384x4096xf32>, schedule = "
           "#kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 5, raster = 8, pacing = 16>"));
  mlir::FailureOr<rt::Extent> bytes = cuda::getCounterBytes(module.first<kern::GemmOp>());
  ASSERT_TRUE(succeeded(bytes));
  int64_t tiles = countTiles(16384, 4096, 256, 192);
  for (int64_t tokens = 1; tokens < 40000; tokens += 97)
    EXPECT_GE(bytes->evaluate(tokens), 4 * countersTouched(tiles, (tokens + 127) / 128, 16)) << tokens;
}

TEST(LaunchShape, PermutedRowsOfTheRightOperandAreAllVisitedOnce) {
  Module module(gemm(kDense));
  rt::TensorMap map = cuda::getRhsMap(module.first<kern::GemmOp>());
  ASSERT_EQ(map.extents.size(), 5u);
  EXPECT_EQ(map.element, rt::ElementType::u8);
  std::vector<int> visits(15680, 0);
  std::vector<int64_t> order;
  // Innermost first, as the copy engine walks a box.
  for (int64_t g = 0; g < map.extents[4].evaluate(1); ++g)
    for (int64_t b = 0; b < map.extents[3].evaluate(1); ++b)
      for (int64_t q = 0; q < map.extents[2].evaluate(1); ++q)
        for (int64_t e = 0; e < map.extents[1].evaluate(1); ++e) {
          int64_t offset = e * map.strides[0].evaluate(1) + q * map.strides[1].evaluate(1) +
                           b * map.strides[2].evaluate(1) + g * map.strides[3].evaluate(1);
          ASSERT_EQ(offset % 4480, 0);
          order.push_back(offset / 4480);
          ++visits[offset / 4480];
        }
  EXPECT_TRUE(llvm::all_of(visits, [](int count) { return count == 1; }));
  // Tile row 32g + 8b + 2q + e holds operand row 32g + 8q + 2b + e.
  EXPECT_EQ(order[32 + 8 * 3 + 2 * 1 + 1], 32 + 8 * 1 + 2 * 3 + 1);
}

TEST(LaunchShape, BoxesOfAStagedResultAreAWarpgroupsRows) {
  std::string staged = std::string(kDense);
  staged.replace(staged.find("pacing = 16"), 11, "staged = 1");
  Module module(gemm(staged));
  rt::TensorMap map = cuda::getOutMap(module.first<kern::GemmOp>());
  EXPECT_EQ(map.element, rt::ElementType::bf16);
  EXPECT_EQ(map.box, (std::vector<uint32_t>{32, 128}));
  EXPECT_FALSE(map.swizzle128);
  for (int64_t tokens : kTokenCounts) {
    EXPECT_EQ(map.extents[0].evaluate(tokens), 15680);
    EXPECT_EQ(map.extents[1].evaluate(tokens), tokens);
    EXPECT_EQ(map.strides[0].evaluate(tokens), 2 * 15680);
  }
}

TEST(LaunchShape, TransposedOperandsArePaddedAlongK) {
  Module module(gemm("lhs = !kern.buffer<?x512xbf16, #kern.transposed>, transpose_lhs, "
                     "rhs = !kern.buffer<?x300xbf16, #kern.transposed>, out = !kern.buffer<512x300xf32>, schedule = "
                     "#kern.schedule<wgmma, tile = [64, 128], warpgroups = 1, stages = 6, raster = 8>"));
  auto op = module.first<kern::GemmOp>();
  rt::TensorMap lhs = cuda::getLhsMap(op), rhs = cuda::getRhsMap(op);
  for (int64_t tokens : kTokenCounts) {
    int64_t pitch = (tokens + 127) / 128 * 128;
    EXPECT_EQ(lhs.extents[0].evaluate(tokens), pitch);
    EXPECT_EQ(lhs.extents[1].evaluate(tokens), 512);
    EXPECT_EQ(lhs.strides[0].evaluate(tokens), pitch * 2);
    EXPECT_EQ(rhs.strides[0].evaluate(tokens), pitch * 2);
  }
  ASSERT_EQ(rhs.extents.size(), 2u) << "300 columns are not a multiple of 32, so rows stay in order";
  EXPECT_EQ(lhs.box, (std::vector<uint32_t>{64, 64}));
  EXPECT_EQ(rhs.box, (std::vector<uint32_t>{64, 128}));
}

TEST(LaunchShape, PatchGridsReachTheirOutputsPadding) {
  Module module(
      "kern.map @m attributes {input = !kern.buffer<?x300xbf16>, select = array<i64: 0>, scale_mode = \"none\", "
      "granularity = \"tensor\", outputs = [!kern.buffer<?x300xbf16, #kern.packed24<axis = 0, panel = 256>>, "
      "!kern.buffer<?x300xbf16, #kern.transposed>], schedule = #kern.schedule<patch, tile = [64, 128]>} {\n"
      "^bb0(%x: f32):\n  kern.yield %x : f32\n}\n");
  mlir::FailureOr<cuda::LaunchShape> shape = cuda::getLaunchShape(module.first<kern::MapOp>());
  ASSERT_TRUE(succeeded(shape));
  for (int64_t tokens : kTokenCounts) // Rows to the pitch of 128, columns to the panel of 256.
    EXPECT_EQ(shape->tiles.evaluate(tokens), countTiles((tokens + 127) / 128 * 128, 512, 64, 128));
}

TEST(LaunchShape, RowGridsReachTheirPanel) {
  Module module(
      "kern.map @m attributes {input = !kern.buffer<?x512xbf16>, select = array<i64: 1>, scale_mode = \"dynamic\", "
      "granularity = \"row\", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<?x512xf8E4M3FN, "
      "#kern.packed24<axis = 1, panel = 128>>], schedule = #kern.schedule<row, tile = [8, 0]>} {\n"
      "^bb0(%x: f32):\n  kern.yield %x : f32\n}\n");
  mlir::FailureOr<cuda::LaunchShape> shape = cuda::getLaunchShape(module.first<kern::MapOp>());
  ASSERT_TRUE(succeeded(shape));
  EXPECT_EQ(shape->threads, 256u);
  for (int64_t tokens : kTokenCounts)
    EXPECT_EQ(shape->tiles.evaluate(tokens), (tokens + 127) / 128 * 128 / 8);
}

TEST(LaunchShape, RowClustersAreWhole) {
  struct Slices {
    int64_t columns, slice;
    uint32_t threads;
  };
  // Eight CTAs for every eight rows: also where seven slices would cover them.
  for (const Slices &slices : {Slices{73728, 9216, 512}, Slices{8200, 1280, 256}}) {
    std::string columns = "?x" + std::to_string(slices.columns);
    Module module("kern.map @m attributes {input = !kern.buffer<" + columns +
                  "xbf16>, select = array<i64>, scale_mode = "
                  "\"dynamic\", granularity = \"row\", scale = !kern.buffer<?xf32>, outputs = [!kern.buffer<" +
                  columns + "xf8E4M3FN>], schedule = #kern.schedule<row, tile = [8, " + std::to_string(slices.slice) +
                  "]>} {\n"
                  "^bb0(%x: f32):\n  kern.yield %x : f32\n}\n");
    mlir::FailureOr<cuda::LaunchShape> shape = cuda::getLaunchShape(module.first<kern::MapOp>());
    ASSERT_TRUE(succeeded(shape));
    EXPECT_EQ(shape->threads, slices.threads);
    for (int64_t tokens : kTokenCounts)
      EXPECT_EQ(shape->tiles.evaluate(tokens), (tokens + 7) / 8 * 8);
  }
}

} // namespace
