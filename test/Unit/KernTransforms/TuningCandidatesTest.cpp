//===- TuningCandidatesTest.cpp - which schedules are worth measuring ---------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/TuningCandidates.h"

#include "winnow/Target/Cuda/Layout.h"

#include <gtest/gtest.h>

#include <map>

using namespace winnow;
using namespace winnow::kern;

namespace {

GemmProblem sparseProblem(int64_t tokens) {
  GemmProblem problem;
  problem.m = cuda::kTokens;
  problem.n = 8192;
  problem.k = 28672;
  problem.sparse = true;
  problem.expectedTokens = tokens;
  return problem;
}

std::vector<ScheduleCandidate> candidatesFor(const GemmProblem &problem, size_t limit) {
  Result<GemmSchedule> chosen = chooseSchedule(problem);
  EXPECT_TRUE(chosen.ok());
  return tuningCandidates(problem, *chosen, limit);
}

TEST(TuningCandidates, AreLegalDifferentAndNotTheModelsChoice) {
  for (int64_t tokens : {1, 64, 512, 8192}) {
    GemmProblem problem = sparseProblem(tokens);
    GemmSchedule chosen = *chooseSchedule(problem);
    std::vector<ScheduleCandidate> candidates = tuningCandidates(problem, chosen, 1000);
    EXPECT_GT(candidates.size(), 20u);
    for (size_t i = 0; i < candidates.size(); ++i) {
      EXPECT_EQ(whyIllegal(problem, candidates[i].schedule), "");
      EXPECT_FALSE(sameSchedule(candidates[i].schedule, chosen));
      EXPECT_EQ(candidates[i].clocks, predictClocks(problem, candidates[i].schedule));
      for (size_t j = 0; j < i; ++j)
        EXPECT_FALSE(sameSchedule(candidates[i].schedule, candidates[j].schedule)) << toString(candidates[i].schedule);
    }
  }
}

TEST(TuningCandidates, NoTileTakesMoreThanAQuarterOfThePlaces) {
  std::vector<ScheduleCandidate> candidates = candidatesFor(sparseProblem(8192), 12);
  ASSERT_EQ(candidates.size(), 12u);
  std::map<std::tuple<int64_t, int64_t, int64_t, bool>, int> count;
  for (const ScheduleCandidate &candidate : candidates) {
    const GemmSchedule &schedule = candidate.schedule;
    int ofThisTile = ++count[{schedule.tileM, schedule.tileN, schedule.warpgroups, schedule.turns}];
    EXPECT_LE(ofThisTile, 3);
  }
  EXPECT_EQ(candidatesFor(sparseProblem(8192), 1).size(), 1u);
  EXPECT_TRUE(candidatesFor(sparseProblem(8192), 0).empty());
}

TEST(TuningCandidates, KeepThePanelOfTheirOperandAndWhatACompressedResultAsksFor) {
  GemmProblem problem = sparseProblem(8192);
  problem.panel = 128;
  problem.compress = true;
  problem.outPanel = 256;
  problem.out = rt::ElementType::f8e4m3;
  std::vector<ScheduleCandidate> candidates = candidatesFor(problem, 100);
  ASSERT_FALSE(candidates.empty());
  for (const ScheduleCandidate &candidate : candidates) {
    EXPECT_EQ(candidate.schedule.tileM, 128);
    EXPECT_EQ(candidate.schedule.tileN % 64, 0);
  }
}

TEST(TuningCandidates, TheModelsChoiceIsTriedStagedAndNot) {
  for (int64_t tokens : {2048, 8192, 16384}) {
    GemmProblem problem = sparseProblem(tokens);
    GemmSchedule other = *chooseSchedule(problem);
    other.staged = !other.staged;
    EXPECT_TRUE(sameSchedule(tuningCandidates(problem, *chooseSchedule(problem), 1).front().schedule, other)) << tokens;
  }
}

TEST(TuningCandidates, WhatCannotMatterIsNotVaried) {
  GemmProblem problem = sparseProblem(64); // one row of tiles, a single wave of those of 256 columns
  problem.n = 4096;
  for (const ScheduleCandidate &candidate : candidatesFor(problem, 1000)) {
    EXPECT_EQ(candidate.schedule.raster, 3072 / candidate.schedule.tileM);
    if (nominalTiles(problem, candidate.schedule) <= 132) {
      EXPECT_EQ(candidate.schedule.pacing, 0);
      EXPECT_FALSE(candidate.schedule.staged);
      EXPECT_FALSE(candidate.schedule.turns);
    }
  }
}

} // namespace
