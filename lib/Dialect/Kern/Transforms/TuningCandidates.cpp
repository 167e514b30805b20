//===- TuningCandidates.cpp - schedules worth measuring -----------------------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/TuningCandidates.h"

#include "winnow/Target/Cuda/Layout.h"

#include <algorithm>
#include <map>
#include <tuple>

using namespace winnow;
using namespace winnow::kern;

struct TileRows {
  int64_t rows, warpgroups;
  bool turns = false;
};
static constexpr TileRows kRows[] = {{64, 1}, {128, 1}, {128, 2}, {256, 2}, {64, 2, true}, {128, 2, true}};
static constexpr int64_t kLeastColumns = 32, kMostColumns = 256, kColumnStep = 32;
static constexpr int64_t kDeepestRing = 15;
static constexpr int64_t kRasterRows[] = {2048, 3072, 4096}, kUsualRasterRows = 3072;
static constexpr int64_t kPacings[] = {0, 8, 16}, kUsualPacing = 8;
static constexpr int64_t kClusters[] = {0, 2};
static constexpr double kCostOfDifference = 0.02;
/// So many tiles get a share of the candidates, where there are as many.
static constexpr size_t kLeastTiles = 4;

static auto fields(const GemmSchedule &schedule) {
  return std::tie(schedule.family, schedule.tileM, schedule.tileN, schedule.warpgroups, schedule.stages,
                  schedule.raster, schedule.pacing, schedule.split, schedule.staged, schedule.cluster, schedule.turns);
}

bool kern::sameSchedule(const GemmSchedule &a, const GemmSchedule &b) { return fields(a) == fields(b); }

/// The deepest legal ring of this tile; 0 if none is legal.
static int64_t deepestRing(const GemmProblem &problem, GemmSchedule schedule, const ChipLimits &chip) {
  for (schedule.stages = kDeepestRing; schedule.stages >= 2; --schedule.stages)
    if (whyIllegal(problem, schedule, chip).empty())
      return schedule.stages;
  return 0;
}

namespace {
struct Variant {
  int64_t pacing, split, cluster;
  bool staged;
};
} // namespace

static std::vector<Variant> variants(int64_t usualSplit) {
  std::vector<Variant> found;
  for (int64_t pacing : kPacings)
    for (int64_t cluster : kClusters)
      for (bool staged : {true, false}) {
        found.push_back({pacing, usualSplit, cluster, staged});
        if (usualSplit != 0)
          found.push_back({pacing, 0, cluster, staged});
      }
  return found;
}

std::vector<ScheduleCandidate> kern::tuningCandidates(const GemmProblem &problem, const GemmSchedule &chosen,
                                                      size_t limit, const ChipLimits &chip) {
  std::vector<std::pair<double, ScheduleCandidate>> ranked;
  for (auto [rows, warpgroups, turns] : kRows)
    for (int64_t columns = kLeastColumns; columns <= kMostColumns; columns += kColumnStep) {
      int64_t usualRaster = kUsualRasterRows / rows;
      GemmSchedule schedule{Family::Wgmma, rows, columns, warpgroups, 0, usualRaster, 0};
      schedule.turns = turns;
      int64_t deepest = deepestRing(problem, schedule, chip);
      int64_t m = problem.m == cuda::kTokens ? problem.expectedTokens : problem.m;
      int64_t rowsOfTiles = cuda::ceilDiv(m, rows);
      // A single wave has nothing to drift from, and no next tile to take turns with or to hide the stores of a tile.
      bool several = nominalTiles(problem, schedule) > chip.multiprocessors;
      if (turns && !several)
        continue;
      int64_t usual = usualSplit(problem, schedule, chip);
      for (int64_t stages : {deepest, deepest - 1})
        for (int64_t rasterRows : kRasterRows)
          for (auto [pacing, split, cluster, staged] : variants(usual)) {
            int64_t raster = rasterRows / rows;
            schedule.stages = stages;
            schedule.raster = raster;
            schedule.pacing = pacing;
            schedule.split = split;
            schedule.staged = staged;
            schedule.cluster = cluster;
            // Groups of more rows of tiles than there are walk them all the same.
            bool sameWalk =
                raster != usualRaster && std::min(raster, rowsOfTiles) == std::min(usualRaster, rowsOfTiles);
            if (((pacing > 0 || staged) && !several) || sameWalk || sameSchedule(schedule, chosen) ||
                !whyIllegal(problem, schedule, chip).empty())
              continue;
            int differences = (stages != deepest) + (raster != usualRaster) + (cluster != 0) +
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
  std::map<std::tuple<int64_t, int64_t, int64_t, bool>, size_t> taken;
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
    size_t &ofThisTile = taken[{schedule.tileM, schedule.tileN, schedule.warpgroups, schedule.turns}];
    if (candidates.size() == limit || ofThisTile == std::max<size_t>(1, limit / kLeastTiles))
      continue;
    ++ofThisTile;
    candidates.push_back(entry.second);
  }
  return candidates;
}
