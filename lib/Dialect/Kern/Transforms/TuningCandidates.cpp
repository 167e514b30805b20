//===- TuningCandidates.cpp - schedules worth measuring -----------------------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/TuningCandidates.h"

#include "winnow/Target/Cuda/Layout.h"

#include <algorithm>
#include <map>
#include <tuple>

using namespace winnow;
using namespace winnow::kern;

static constexpr int64_t kRows[][2] = {{64, 1}, {128, 1}, {128, 2}, {256, 2}}; ///< tile M, warpgroups
static constexpr int64_t kLeastColumns = 32, kMostColumns = 256, kColumnStep = 32;
static constexpr int64_t kDeepestRing = 15;
static constexpr int64_t kRasters[] = {8, 12, 16}, kPacings[] = {0, 8, 16};
static constexpr int64_t kUsualRaster = 12, kUsualPacing = 8;
static constexpr double kCostOfDifference = 0.02;
/// So many tiles get a share of the candidates, where there are as many.
static constexpr size_t kLeastTiles = 4;

static auto fields(const GemmSchedule &schedule) {
  return std::tie(schedule.family, schedule.tileM, schedule.tileN, schedule.warpgroups, schedule.stages,
                  schedule.raster, schedule.pacing, schedule.split, schedule.staged);
}

bool kern::sameSchedule(const GemmSchedule &a, const GemmSchedule &b) { return fields(a) == fields(b); }

/// The deepest legal ring of this tile; 0 if none is legal.
static int64_t deepestRing(const GemmProblem &problem, GemmSchedule schedule, const ChipLimits &chip) {
  for (schedule.stages = kDeepestRing; schedule.stages >= 2; --schedule.stages)
    if (whyIllegal(problem, schedule, chip).empty())
      return schedule.stages;
  return 0;
}

/// Pacing, split and whether the result is staged.
static std::vector<std::tuple<int64_t, int64_t, bool>> variants(int64_t usualSplit) {
  std::vector<std::tuple<int64_t, int64_t, bool>> found;
  for (int64_t pacing : kPacings)
    for (bool staged : {true, false}) {
      found.push_back({pacing, usualSplit, staged});
      if (usualSplit != 0)
        found.push_back({pacing, 0, staged});
    }
  return found;
}

std::vector<ScheduleCandidate> kern::tuningCandidates(const GemmProblem &problem, const GemmSchedule &chosen,
                                                      size_t limit, const ChipLimits &chip) {
  std::vector<std::pair<double, ScheduleCandidate>> ranked;
  for (auto [rows, warpgroups] : kRows)
    for (int64_t columns = kLeastColumns; columns <= kMostColumns; columns += kColumnStep) {
      GemmSchedule schedule{Family::Wgmma, rows, columns, warpgroups, 0, kUsualRaster, 0};
      int64_t deepest = deepestRing(problem, schedule, chip);
      int64_t m = problem.m == cuda::kTokens ? problem.expectedTokens : problem.m;
      int64_t rowsOfTiles = cuda::ceilDiv(m, rows);
      // A single wave has nothing to drift from, and no next tile to hide the stores of a tile.
      bool several = nominalTiles(problem, schedule) > chip.multiprocessors;
      int64_t usual = usualSplit(problem, schedule, chip);
      for (int64_t stages : {deepest, deepest - 1})
        for (int64_t raster : kRasters)
          for (auto [pacing, split, staged] : variants(usual)) {
            schedule.stages = stages;
            schedule.raster = raster;
            schedule.pacing = pacing;
            schedule.split = split;
            schedule.staged = staged;
            // Groups of more rows of tiles than there are walk them all the same.
            bool sameWalk =
                raster != kUsualRaster && std::min(raster, rowsOfTiles) == std::min(kUsualRaster, rowsOfTiles);
            if (((pacing > 0 || staged) && !several) || sameWalk || sameSchedule(schedule, chosen) ||
                !whyIllegal(problem, schedule, chip).empty())
              continue;
            int differences = (stages != deepest) + (raster != kUsualRaster) +
                              (pacing != (several ? kUsualPacing : 0)) + (split != usual) +
                              (staged != usuallyStaged(problem, schedule, chip));
            double clocks = predictClocks(problem, schedule, chip);
            ranked.push_back({clocks * (1 + kCostOfDifference * differences), {schedule, "", clocks}});
          }
    }
  std::sort(ranked.begin(), ranked.end(), [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first < b.first : fields(a.second.schedule) < fields(b.second.schedule);
  });
  std::vector<ScheduleCandidate> candidates;
  std::map<std::tuple<int64_t, int64_t, int64_t>, size_t> taken;
  // Always the model's choice with results stored the other way: how they are stored is predicted least well.
  GemmSchedule other = chosen;
  other.staged = !chosen.staged;
  for (auto it = ranked.begin(); it != ranked.end(); ++it)
    if (sameSchedule(it->second.schedule, other)) {
      std::rotate(ranked.begin(), it, it + 1);
      break;
    }
  for (const auto &entry : ranked) {
    const GemmSchedule &schedule = entry.second.schedule;
    size_t &ofThisTile = taken[{schedule.tileM, schedule.tileN, schedule.warpgroups}];
    if (candidates.size() == limit || ofThisTile == std::max<size_t>(1, limit / kLeastTiles))
      continue;
    ++ofThisTile;
    candidates.push_back(entry.second);
  }
  return candidates;
}
