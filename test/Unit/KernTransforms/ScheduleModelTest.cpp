//===- ScheduleModelTest.cpp - what the schedule model prefers, and why not ---------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"

#include "winnow/Target/Cuda/Layout.h"

#include <gtest/gtest.h>

using namespace winnow;
using namespace winnow::kern;

namespace {

GemmProblem problem(int64_t m, int64_t n, int64_t k, bool sparse) {
  GemmProblem result;
  result.m = m;
  result.n = n;
  result.k = k;
  result.sparse = sparse;
  return result;
}

TEST(ScheduleModel, TheMeasuredSparseShapeGetsTheMeasuredTile) {
  Result<GemmSchedule> schedule = chooseSchedule(problem(16384, 8192, 28672, true));
  ASSERT_TRUE(schedule.ok());
  EXPECT_EQ(toString(*schedule), "wgmma 256 x 192, 2 warpgroups, 5 stages, staged");
  EXPECT_GT(schedule->pacing, 0);
}

TEST(ScheduleModel, EveryChoiceIsLegal) {
  for (int64_t m : {int64_t(1), int64_t(64), int64_t(777), int64_t(8192), cuda::kTokens})
    for (int64_t n : {32, 4480, 15680, 28672})
      for (bool sparse : {false, true}) {
        GemmProblem candidate = problem(m, n, 4096, sparse);
        Result<GemmSchedule> schedule = chooseSchedule(candidate);
        ASSERT_TRUE(schedule.ok()) << schedule.message();
        EXPECT_EQ(whyIllegal(candidate, *schedule), "");
        EXPECT_LE(sharedMemoryBytes(candidate, *schedule), ChipLimits().sharedBytes);
      }
}

TEST(ScheduleModel, FewTokensGetASmallTileAndASingleWaveNoPacing) {
  Result<GemmSchedule> schedule = chooseSchedule(problem(64, 4096, 4096, false));
  ASSERT_TRUE(schedule.ok());
  EXPECT_EQ(schedule->tileM, 64);
  EXPECT_EQ(schedule->pacing, 0);
}

TEST(ScheduleModel, SparseProductsArePredictedFasterThanDenseOnes) {
  GemmSchedule schedule{Family::Wgmma, 256, 192, 2, 4, 8, 0};
  double dense = predictClocks(problem(16384, 8192, 28672, false), schedule);
  double sparse = predictClocks(problem(16384, 8192, 28672, true), schedule);
  EXPECT_LT(sparse, dense);
  EXPECT_GT(sparse, dense / 2); // Shared memory, not the tensor core, limits the sparse one.
}

TEST(ScheduleModel, TilesOfTheLastWaveAreCutWhereThatIsFaster) {
  GemmSchedule schedule{Family::Wgmma, 256, 192, 2, 5, 12, 8, 4};
  GemmProblem sparse = problem(8192, 8192, 28672, true);
  int64_t cost = splitCost(sparse, schedule);
  EXPECT_EQ(cost, 18); // 12288 clocks for 196,608 bytes and 5000, 984 per slab
  // 1376 tiles leave 56 for the last wave: two parts each fill 112 CTAs.
  TailCut cut = cutTail(56, 224, 132, schedule, cost);
  EXPECT_EQ(cut.parts, 2);
  EXPECT_EQ(cut.slabs, 112);
  EXPECT_EQ(cut.sums, 18 * 1.5);
  EXPECT_EQ(cutTail(88, 128, 132, schedule, cost).parts, 1); // parts must not take a second round
  cut = cutTail(44, 128, 132, schedule, cost);
  EXPECT_EQ(cut.parts, 3);
  EXPECT_EQ(cut.slabs, 43);
  EXPECT_EQ(cut.sums, 18 * 2);
  // What is bound by memory is cut only until enough multiprocessors read.
  EXPECT_EQ(cutTail(64, 224, 132, schedule, cost, 720).parts, 2);
  EXPECT_EQ(cutTail(100, 224, 132, schedule, cost, 720).parts, 1);
  EXPECT_EQ(cutTail(28, 224, 132, schedule, cost).parts, 4);
  EXPECT_EQ(cutTail(112, 224, 132, schedule, cost).parts, 1); // nothing to gain
  EXPECT_EQ(cutTail(0, 224, 132, schedule, cost).slabs, 0);
  EXPECT_EQ(cutTail(28, 6, 132, schedule, cost).parts, 1); // no part is worth its sums
  // What the sums need is there.
  for (int64_t tail = 1; tail <= 132; ++tail)
    for (int64_t slabs : {16, 35, 128, 576})
      EXPECT_LE(tail * (cutTail(tail, slabs, 132, schedule, 1).parts - 1), splitSlots(schedule));
}

TEST(ScheduleModel, OnlyFewWavesAreCut) {
  EXPECT_EQ(chooseSchedule(problem(16384, 8192, 28672, true))->split, 0);
  EXPECT_EQ(chooseSchedule(problem(8192, 8192, 28672, true))->split, 4);
  EXPECT_EQ(chooseSchedule(problem(1, 4096, 16384, false))->split, 8);
  EXPECT_EQ(chooseSchedule(problem(8192, 8192, 1024, true))->split, 0); // eight slabs
}

TEST(ScheduleModel, ResultsAreStagedWhereAnotherTileFollows) {
  EXPECT_TRUE(chooseSchedule(problem(8192, 8192, 28672, true))->staged);
  EXPECT_FALSE(chooseSchedule(problem(64, 4096, 4096, false))->staged); // a single wave
  GemmProblem f8 = problem(8192, 8192, 28672, true);
  f8.out = rt::ElementType::f8e4m3;
  EXPECT_FALSE(chooseSchedule(f8)->staged);
  EXPECT_FALSE(chooseSchedule(problem(8192, 8200, 28672, true))->staged); // columns in another order
}

TEST(ScheduleModel, DenseProductsOfManyTokensTakeTurns) {
  for (bool compress : {false, true}) {
    GemmProblem dense = problem(8192, 28672, 8192, false);
    dense.compress = compress;
    dense.outPanel = compress ? 256 : 0;
    EXPECT_EQ(toString(*chooseSchedule(dense)), "wgmma 128 x 192, 2 warpgroups, 5 stages, turns");
  }
  EXPECT_FALSE(chooseSchedule(problem(8192, 8192, 28672, true))->turns);
  // All epilogues but one are hidden.
  GemmSchedule turns = *chooseSchedule(problem(8192, 28672, 8192, false)), together = turns;
  together.turns = false;
  EXPECT_LT(predictClocks(problem(8192, 28672, 8192, false), turns),
            predictClocks(problem(8192, 28672, 8192, false), together));
}

TEST(ScheduleModel, AFewWavesOfASparseProductAreClusters) {
  EXPECT_EQ(toString(*chooseSchedule(problem(4096, 4096, 16384, true))),
            "wgmma 128 x 256, 2 warpgroups, 5 stages, split 4, staged, cluster 2");
  EXPECT_EQ(chooseSchedule(problem(16384, 8192, 28672, true))->cluster, 0);
  // Three rows of tiles are two stacks of two.
  EXPECT_EQ(nominalTiles(problem(300, 4096, 16384, true), {Family::Wgmma, 128, 256, 2, 5, 24, 0, 0, false, 2}), 64);
}

TEST(ScheduleModel, DropsCountersThatOneRowOfTilesDoesNotNeed) {
  GemmSchedule paced{Family::Wgmma, 64, 128, 1, 9, 48, 8, 8};
  // 224 tiles: those of the second wave are too many to be cut among 132 multiprocessors.
  GemmSchedule plain = withoutIdleCounters(problem(16, 28672, 8192, false), paced);
  EXPECT_EQ(plain.pacing, 0);
  EXPECT_EQ(plain.split, 0);
  // One tile is cut into as many parts as may be.
  plain = withoutIdleCounters(problem(16, 128, 65536, false), paced);
  EXPECT_EQ(plain.pacing, 0);
  EXPECT_EQ(plain.split, 8);
  // Rows of tiles that share B are paced.
  plain = withoutIdleCounters(problem(65, 28672, 8192, false), paced);
  EXPECT_EQ(plain.pacing, 8);
  EXPECT_EQ(plain.split, 8);
}

TEST(ScheduleModel, SaysWhyTurnsOrAClusterAreIllegal) {
  GemmProblem dense = problem(8192, 8192, 8192, false);
  GemmSchedule schedule{Family::Wgmma, 128, 192, 2, 5, 24, 8, 0, false, 2, true};
  EXPECT_EQ(whyIllegal(dense, schedule), "");
  schedule.cluster = 4;
  EXPECT_EQ(whyIllegal(dense, schedule), "cluster expects 0 or 2 CTAs, got 4");
  schedule.cluster = 2;
  schedule.tileN = 160;
  EXPECT_EQ(whyIllegal(dense, schedule), "a cluster shares a tile N that is a multiple of 64, got 160");
  schedule.tileN = 64;
  schedule.stages = 11;
  EXPECT_EQ(whyIllegal(dense, schedule), "a ring expects at most 10 stages, got 11");
  schedule.cluster = 0;
  schedule.tileM = 64;
  schedule.tileN = 32;
  schedule.stages = 16;
  EXPECT_EQ(whyIllegal(dense, schedule), "a ring expects at most 15 stages, got 16");
  schedule = {Family::Wgmma, 256, 128, 2, 4, 12, 0, 0, false, 0, true};
  EXPECT_EQ(whyIllegal(dense, schedule), "tile M expects 64 or 128 rows per warpgroup, got 256 for 1 warpgroups");
  schedule = {Family::Wgmma, 128, 192, 2, 5, 24, 0, 0, true, 0, true};
  EXPECT_EQ(whyIllegal(dense, schedule), "two warpgroups take turns and store directly, got " + toString(schedule));
  dense.compress = true;
  dense.outPanel = 256;
  schedule = {Family::Wgmma, 128, 256, 2, 4, 24, 0, 0, false, 2};
  EXPECT_EQ(whyIllegal(dense, schedule),
            "the epilogue of a compressed result leaves no registers to the producer of a cluster");
}

TEST(ScheduleModel, SaysWhyAResultCannotBeStaged) {
  GemmProblem candidate = problem(8192, 8192, 8192, false);
  GemmSchedule schedule{Family::Wgmma, 256, 192, 2, 4, 12, 0, 0, true};
  EXPECT_EQ(whyIllegal(candidate, schedule), "");
  schedule.stages = 3;
  EXPECT_EQ(whyIllegal(candidate, schedule),
            "a staged result borrows 2 stages and leaves the product at least 2, got 3");
  schedule.tileN = 64; // a stage holds all columns
  EXPECT_EQ(whyIllegal(candidate, schedule), "");
  candidate.n = 8200;
  EXPECT_EQ(whyIllegal(candidate, schedule), "a staged result expects a multiple of 32 columns, got 8200");
  candidate.n = 8192;
  for (auto change :
       {+[](GemmProblem &of) { of.out = rt::ElementType::f32; }, +[](GemmProblem &of) { of.compress = true; }}) {
    GemmProblem other = candidate;
    change(other);
    EXPECT_EQ(whyIllegal(other, schedule), "a staged result is row-major and of a 16-bit type");
  }
}

TEST(ScheduleModel, MoreWorkNeverTakesLess) {
  GemmSchedule schedule{Family::Wgmma, 256, 192, 2, 4, 8, 0};
  double before = 0;
  for (int64_t m = 64; m <= 32768; m *= 2) {
    double clocks = predictClocks(problem(m, 8192, 8192, true), schedule);
    EXPECT_GE(clocks, before);
    before = clocks;
  }
}

TEST(ScheduleModel, ADynamicDepthOfRowMajorRowsIsLeftToSimt) {
  GemmProblem candidate = problem(512, 1024, cuda::kTokens, false);
  Result<GemmSchedule> schedule = chooseSchedule(candidate);
  ASSERT_TRUE(schedule.ok());
  EXPECT_EQ(schedule->family, Family::Simt);
  candidate.lhsOrder = candidate.rhsOrder = KOrder::padded;
  schedule = chooseSchedule(candidate);
  ASSERT_TRUE(schedule.ok());
  EXPECT_EQ(schedule->family, Family::Wgmma);
}

TEST(ScheduleModel, ThePanelOfACompressedOperandIsTheTile) {
  for (int64_t panel : {64, 128, 256}) {
    GemmProblem candidate = problem(cuda::kTokens, 8192, 28672, true);
    candidate.panel = panel;
    Result<GemmSchedule> schedule = chooseSchedule(candidate);
    ASSERT_TRUE(schedule.ok());
    EXPECT_EQ(schedule->tileM, panel);
  }
}

TEST(ScheduleModel, TwoDynamicExtentsOfTheResultAreRefusedWithTheReason) {
  Result<GemmSchedule> schedule = chooseSchedule(problem(cuda::kTokens, cuda::kTokens, 512, false));
  ASSERT_FALSE(schedule.ok());
  EXPECT_NE(schedule.message().find("both extents of the result are the token count"), std::string::npos);
}

} // namespace
