//===- WorkWalkTest.cpp - the device cuts a last wave as the schedule model thinks it does ------------------------===//

#include "EmulatorTest.h"

#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"
#include "winnow/Target/Cuda/DeviceLibrary.h"
#include "winnow/Target/Cuda/Layout.h"

using namespace winnow;
using namespace winnow::kern;

namespace {

std::string deviceFile(const std::string &name) {
  for (unsigned i = 0; i < cuda::kDeviceFileCount; ++i)
    if (cuda::kDeviceFiles[i].name == name)
      return std::string(cuda::kDeviceFiles[i].text);
  ADD_FAILURE() << "the device library has no file " << name;
  return "";
}

/// A kernel f(out, m) that writes how many units of work there are, and how many tiles.
std::string walkSource(const GemmProblem &problem, const GemmSchedule &schedule) {
  auto constant = [](const char *name, int64_t value) {
    return std::string("  static constexpr int ") + name + " = " + std::to_string(value) + ";\n";
  };
  int64_t slabs = cuda::ceilDiv(problem.k, 128);
  return deviceFile("types.cuh") + deviceFile("ptx.cuh") + deviceFile("gemm_work.cuh") + "struct Config {\n" +
         constant("kTileM", schedule.tileM) + constant("kTileN", schedule.tileN) +
         constant("kCluster", clusterSize(schedule)) + constant("kRaster", schedule.raster) + constant("kCompress", 0) +
         constant("kSplit", schedule.split) + constant("kSplitCost", splitCost(problem, schedule)) +
         constant("kSplitStream", splitStream(problem, schedule)) + constant("kSplitSlots", splitSlots(schedule)) +
         constant("kSplitCounters", splitCounters(schedule)) + "};\n" +
         "extern \"C\" __global__ void __launch_bounds__(32) f(int *out, int m) {\n"
         "  winnow::GemmArguments arguments;\n  arguments.m = m;\n  arguments.n = " +
         std::to_string(problem.n) + ";\n  const winnow::WorkWalk<Config> walk(arguments, " + std::to_string(slabs) +
         ");\n  if (blockIdx.x == 0 && threadIdx.x == 0) {\n    out[0] = walk.count();\n    out[1] = walk.tiles();\n"
         "  }\n}\n";
}

class WorkWalkTest : public EmulatorTest {};

} // namespace

TEST_F(WorkWalkTest, CutsAsTheScheduleModelDoes) {
  struct Case {
    int64_t n, k;
    bool sparse;
    GemmSchedule schedule;
  };
  const Case cases[] = {{8192, 28672, true, {Family::Wgmma, 256, 192, 2, 5, 12, 8, 4}},
                        {4096, 16384, false, {Family::Wgmma, 64, 128, 1, 9, 48, 0, 8}},
                        {4096, 16384, true, {Family::Wgmma, 128, 256, 2, 5, 24, 0, 4, false, 2}},
                        {6144, 24576, false, {Family::Wgmma, 128, 192, 2, 5, 24, 8, 4, false, 0, true}}};
  int cut = 0, whole = 0;
  for (const Case &of : cases) {
    GemmProblem problem;
    problem.n = of.n;
    problem.k = of.k;
    problem.sparse = of.sparse;
    auto function = compileSource(walkSource(problem, of.schedule));
    int *out = allocate<int>(2);
    for (int64_t grid : {132, 114, 16, 2})
      for (int m : {1, 64, 129, 300, 777, 2048, 4096, 5000}) {
        problem.m = m;
        int64_t tiles = nominalTiles(problem, of.schedule), tail = tiles % grid;
        TailCut expected = cutTail(tail, cuda::ceilDiv(of.k, 128), grid, of.schedule, splitCost(problem, of.schedule),
                                   tail == tiles ? splitStream(problem, of.schedule) : 0);
        ASSERT_EQ(launch(function, {static_cast<unsigned>(grid), 32}, out, m), "");
        EXPECT_EQ(out[1], tiles);
        EXPECT_EQ(out[0] * clusterSize(of.schedule), tiles - tail + tail * expected.parts)
            << toString(of.schedule) << ", " << m << " rows, " << grid << " CTAs";
        ++(expected.parts > 1 ? cut : whole);
      }
  }
  EXPECT_GT(cut, 20);
  EXPECT_GT(whole, 20);
}
