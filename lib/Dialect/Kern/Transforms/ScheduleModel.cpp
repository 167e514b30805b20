//===- ScheduleModel.cpp - which schedule a matrix product gets ---------------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"

#include "winnow/Target/Cuda/InstructionTable.h"
#include "winnow/Target/Cuda/Layout.h"

#include <algorithm>
#include <cmath>

using namespace winnow;
using namespace winnow::kern;

/// Bytes of the mbarriers and the two scale vectors that follow the stages.
static constexpr int64_t kBarrierBytes = 256;
/// Clocks of the epilogue of a 256 x 192 tile: measured 5.8 thousand (docs/benchmarks.md, "Since then").
static constexpr double kEpilogueClocksPerElement = 5800.0 / (256 * 192);
/// The same for a staged one, measured: 3.8 thousand against 5.8 thousand in that run.
static constexpr double kStagedClocksPerElement = 3800.0 / (256 * 192);

/// A later tile must be predicted to take at most this fraction of the time of the best before it: the first is the one
/// that has been measured, and the prediction is not exact to a few percent.
static constexpr double kWorthwhile = 0.95;

/// The tiles that are considered, in order of preference, and the deepest ring of each. Deep rings pay where few tokens
/// leave nothing but streaming the weights: a 64 x 128 tile with 9 stages reads them at 93 % of the copy bandwidth
/// (docs/benchmarks.md, "Few tokens"). Dense products begin with warpgroups that take turns, which hide their
/// epilogues; sparse ones, which shared memory bounds, have to fetch as little as possible. Where weights of few rows
/// leave multiprocessors without work, tiles are cut along K. Narrow tiles, a stage of which is small, are the other
/// way to give all of them work, and the faster one. They come last and are considered for the rows that they were
/// measured at.
struct TileShape {
  int64_t tileM, tileN, warpgroups, mostStages;
  enum { any, dense, sparse } products = any;
  bool turns = false;
  int64_t cluster = 0;
  int64_t leastRows = 1, mostRows = 0; ///< 0: no most
};
static constexpr int64_t kFewRows = 64, kMediumRows = 256;
static constexpr TileShape kTiles[] = {{128, 192, 2, 9, TileShape::dense, true},
                                       {256, 192, 2, 9},
                                       {128, 256, 2, 9, TileShape::dense, false, 0, kMediumRows + 1},
                                       {128, 256, 2, 9, TileShape::sparse, false, 2},
                                       {64, 128, 1, 9},
                                       {128, 128, 2, 9, TileShape::any, false, 0, kFewRows + 1, kMediumRows},
                                       {128, 96, 2, 9, TileShape::any, false, 0, kFewRows + 1, kMediumRows},
                                       {64, 64, 1, 14, TileShape::any, false, 0, 1, 2 * kFewRows},
                                       {64, 32, 1, 15, TileShape::any, false, 0, 1, 2 * kFewRows}};
/// The tile whose deep ring serves few rows best, and the last that is considered for any number of them.
static constexpr int64_t kSmallTile[] = {64, 128};

/// What the device code has registers and barriers for (gemm_wgmma.cuh).
static constexpr int64_t kMostWarpgroups = 3, kMostRingStages = 15;
/// The mbarriers that there is room for, and those that turns take.
static constexpr int64_t kBarriers = 32, kTurnBarriers = 2;
/// Measured on the sparse product at (16384, 8192, 28672), sustained: 2299 TFLOP/s with pacing 8, 2255 with 16, 2123
/// without; 2292 with raster 12 against 2255 with 8.
static constexpr int64_t kRasterRows = 12 * 256;
static constexpr int64_t kPacing = 8;

/// The last wave is cut into at most so many parts along K: 64-row tiles, whose sums are small, into more. Beyond
/// kMostSplitWaves waves there is nothing worth gaining, and below kLeastSplitSlabs slabs no part worth its sums.
static constexpr int64_t kMostParts = 4, kMostPartsOfSmallTiles = 8;
static constexpr int64_t kMostSplitWaves = 16, kLeastSplitSlabs = 16;
/// So many narrow tiles are not cut: 64 x 64 ones of 4096 x 16384 weights took 26.9 us whole, 28.4 us in parts.
static constexpr int64_t kEnoughReaders = 64;
/// Multiprocessors that counters and sums are allotted for.
static constexpr int64_t kSplitMultiprocessors = 132;
/// From the last sum written to the first one read: fences, a counter, copies that have to begin; fitted, together with
/// ChipLimits::sumBytesPerClock, to what cutting gained and cost (docs/benchmarks.md, "The last wave").
static constexpr double kHandOverClocks = 5000;

static int64_t nominal(const GemmProblem &problem, int64_t extent) {
  return extent == cuda::kTokens ? problem.expectedTokens : extent;
}

static std::string extentText(int64_t extent) { return extent == cuda::kTokens ? "?" : std::to_string(extent); }

static int64_t lhsStageBytes(const GemmProblem &problem, const GemmSchedule &schedule) {
  int64_t blockBytes = problem.sparse ? cuda::packedBlockBytes(cuda::elementBytes(problem.lhs)) : 64 * cuda::kSlabBytes;
  return schedule.tileM / 64 * blockBytes;
}

static int64_t stageBytes(const GemmProblem &problem, const GemmSchedule &schedule) {
  // Rounded up: the 128-byte swizzle of the next stage repeats every 1024 bytes.
  return cuda::roundUp(schedule.tileN * cuda::kSlabBytes + lhsStageBytes(problem, schedule), 1024);
}

static int64_t scaleBytes(const GemmSchedule &schedule) {
  // Of columns, of rows and, in 16 bytes, of operands.
  return schedule.warpgroups * (schedule.tileN + schedule.tileM / sharingWarpgroups(schedule) + 4) * 4;
}

int64_t kern::clusterSize(const GemmSchedule &schedule) { return std::max<int64_t>(1, schedule.cluster); }

int64_t kern::sharingWarpgroups(const GemmSchedule &schedule) { return schedule.turns ? 1 : schedule.warpgroups; }

int64_t kern::sharedMemoryBytes(const GemmProblem &problem, const GemmSchedule &schedule) {
  return schedule.stages * stageBytes(problem, schedule) + kBarrierBytes + scaleBytes(schedule);
}

int64_t kern::nominalTiles(const GemmProblem &problem, const GemmSchedule &schedule) {
  int64_t m = nominal(problem, problem.m), n = nominal(problem, problem.n);
  if (problem.compress) {
    m = cuda::roundUp(m, problem.outPanel);
    n = cuda::roundUp(n, cuda::slabElements(cuda::elementBytes(problem.out)));
  }
  return cuda::roundUp(cuda::ceilDiv(m, schedule.tileM), clusterSize(schedule)) * cuda::ceilDiv(n, schedule.tileN);
}

/// Why tensor copies cannot read an operand; empty if they can (PTX ISA: strides are multiples of 16 bytes).
static std::string whyUnreadable(const char *name, KOrder order, int64_t k, rt::ElementType type) {
  if (order == KOrder::padded)
    return "";
  if (order == KOrder::strided)
    return std::string("the ") + name + " operand is not contiguous along the reduction axis";
  if (k == cuda::kTokens)
    return std::string("rows of the ") + name +
           " operand are as long as the token count, which need not be a multiple of " +
           std::to_string(16 / cuda::elementBytes(type));
  int64_t bytes = k * cuda::elementBytes(type);
  if (bytes % 16 != 0)
    return std::string("rows of the ") + name + " operand are " + std::to_string(bytes) +
           " bytes apart, not a multiple of 16";
  return "";
}

/// Counters are (waves) x (slabs / pacing): linear in the token count unless both factors depend on it.
static bool pacingIsLinear(const GemmProblem &problem) {
  return problem.k != cuda::kTokens || (problem.m != cuda::kTokens && problem.n != cuda::kTokens);
}

/// Why the result cannot leave through stages of the ring (store_staged.cuh); empty if it can.
static std::string whyNotStaged(const GemmProblem &problem, const GemmSchedule &schedule) {
  if (problem.compress || cuda::elementBytes(problem.out) != 2)
    return "a staged result is row-major and of a 16-bit type";
  if (problem.n == cuda::kTokens || problem.n % 32 != 0)
    return "a staged result expects a multiple of 32 columns, got " + extentText(problem.n);
  int64_t chunks = schedule.tileN / 32, chunkBytes = schedule.tileM / schedule.warpgroups * 64;
  int64_t batch = std::min(chunks, stageBytes(problem, schedule) / schedule.warpgroups / chunkBytes);
  if (batch < 1)
    return "a stage has no room for 32 columns of the result";
  int64_t borrowed = std::min<int64_t>(2, cuda::ceilDiv(chunks, batch));
  if (schedule.stages < borrowed + 2)
    return "a staged result borrows " + std::to_string(borrowed) + " stages and leaves the product at least 2, got " +
           std::to_string(schedule.stages);
  return "";
}

static std::string whyIllegalSimt(const GemmProblem &problem, const GemmSchedule &schedule) {
  if (problem.sparse)
    return "simt kernels read only uncompressed operands";
  if (problem.compress)
    return "simt kernels write only uncompressed results";
  if (schedule.tileM != 64 || schedule.tileN != 64)
    return "a simt tile is 64 x 64, not " + std::to_string(schedule.tileM) + " x " + std::to_string(schedule.tileN);
  return "";
}

std::string kern::whyIllegal(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  if (problem.m == cuda::kTokens && problem.n == cuda::kTokens)
    return "both extents of the result are the token count";
  if (schedule.family == Family::Simt)
    return whyIllegalSimt(problem, schedule);
  if (schedule.family != Family::Wgmma)
    return "a matrix product takes family wgmma or simt, not " + stringifyFamily(schedule.family).str();

  const cuda::MmaInstruction *instruction = cuda::findInstruction(problem.sparse, problem.lhs, problem.rhs);
  if (!instruction)
    return std::string("no ") + (problem.sparse ? "sparse " : "") + "warpgroup instruction multiplies " +
           rt::elementName(problem.lhs) + " by " + rt::elementName(problem.rhs);
  if (!problem.sparse)
    if (std::string why = whyUnreadable("left", problem.lhsOrder, problem.k, problem.lhs); !why.empty())
      return why;
  if (std::string why = whyUnreadable("right", problem.rhsOrder, problem.k, problem.rhs); !why.empty())
    return why;

  int64_t tileM = schedule.tileM, tileN = schedule.tileN, warpgroups = schedule.warpgroups;
  if (warpgroups > kMostWarpgroups)
    return "expects 1 to " + std::to_string(kMostWarpgroups) + " warpgroups, got " + std::to_string(warpgroups);
  int64_t sharing = sharingWarpgroups(schedule);
  if (warpgroups <= 0 || (tileM != sharing * 64 && tileM != sharing * 128))
    return "tile M expects 64 or 128 rows per warpgroup, got " + std::to_string(tileM) + " for " +
           std::to_string(sharing) + " warpgroups";
  if (schedule.turns && (warpgroups != 2 || schedule.staged))
    return "two warpgroups take turns and store directly, got " + toString(schedule);
  if (tileN < 32 || tileN > instruction->nMax || tileN % 32 != 0)
    return "tile N expects a multiple of 32 in [32, " + std::to_string(instruction->nMax) + "], got " +
           std::to_string(tileN);
  // A thread of three consumer warpgroups has 160 registers instead of 240.
  int64_t room = warpgroups < kMostWarpgroups ? chip.accumulators : chip.accumulators - 80;
  if (int64_t count = tileN / 2 * (tileM / 64 / sharing); count > room)
    return "a thread would hold " + std::to_string(count) + " accumulators, more than " + std::to_string(room);
  if (schedule.stages < 2)
    return "a ring expects at least 2 stages, got " + std::to_string(schedule.stages);
  int64_t perStage = schedule.cluster != 0 ? 3 : 2;
  int64_t barriers = kBarriers - (schedule.turns ? kTurnBarriers : 0);
  if (int64_t most = std::min(kMostRingStages, barriers / perStage); schedule.stages > most)
    return "a ring expects at most " + std::to_string(most) + " stages, got " + std::to_string(schedule.stages);
  if (int64_t bytes = sharedMemoryBytes(problem, schedule); bytes > chip.sharedBytes)
    return std::to_string(schedule.stages) + " stages take " + std::to_string(bytes) +
           " bytes of shared memory, more than " + std::to_string(chip.sharedBytes);
  if (schedule.cluster != 0 && schedule.cluster != 2)
    return "cluster expects 0 or 2 CTAs, got " + std::to_string(schedule.cluster);
  if (schedule.cluster != 0 && tileN % 64 != 0)
    return "a cluster shares a tile N that is a multiple of 64, got " + std::to_string(tileN);
  if (schedule.raster < 1)
    return "raster expects at least 1, got " + std::to_string(schedule.raster);
  if (schedule.pacing < 0)
    return "pacing expects 0 or more slabs, got " + std::to_string(schedule.pacing);
  if (schedule.split < 0 || schedule.split > kMostPartsOfSmallTiles)
    return "split expects 0 to " + std::to_string(kMostPartsOfSmallTiles) + " parts, got " +
           std::to_string(schedule.split);
  if (schedule.pacing > 0 && !pacingIsLinear(problem))
    return "the number of pacing counters is not linear in the token count";

  if (schedule.staged)
    if (std::string why = whyNotStaged(problem, schedule); !why.empty())
      return why;

  if (problem.sparse && problem.panel != 0 && problem.panel != tileM)
    return "tile M " + std::to_string(tileM) + " is not the panel " + std::to_string(problem.panel) +
           " of the compressed operand";
  if (problem.compress) {
    if (schedule.cluster != 0)
      return "the epilogue of a compressed result leaves no registers to the producer of a cluster";
    if (problem.n == cuda::kTokens || problem.n % 32 != 0)
      return "a compressed result expects a multiple of 32 columns, got " + extentText(problem.n);
    if (tileN % 64 != 0)
      return "a compressed result expects tile N to be a multiple of 64, got " + std::to_string(tileN);
    if (cuda::elementBytes(problem.out) > 2)
      return std::string("a compressed result expects an f8 or 16-bit type, got ") + rt::elementName(problem.out);
  }
  return "";
}

namespace {
/// What takes time: the multiprocessors' own work, the way of the operands from device memory, sums of parts of tiles.
struct Clocks {
  double busy = 0, stream = 0, sums = 0;
  int64_t readers = 0; ///< multiprocessors that read the stream

  /// Where both take about as long, each hinders the other. Sums of parts of tiles come on top.
  double total() const { return std::pow(std::pow(busy, 4) + std::pow(stream, 4), 0.25) + sums; }
  /// What tiles are compared by: as long as the stream takes longer, it matters only how many multiprocessors read it.
  double compared(const ChipLimits &chip) const {
    double shared =
        std::max<double>(1, static_cast<double>(chip.streamingMultiprocessors) / std::max<int64_t>(1, readers));
    return std::max(busy, stream * shared) + sums;
  }
};
} // namespace

/// Clocks that a slab of a wgmma tile takes one multiprocessor.
static double slabClocks(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  double bytes = static_cast<double>(cuda::elementBytes(problem.lhs));
  int64_t slab = cuda::slabElements(cuda::elementBytes(problem.lhs)), blocks = schedule.tileM / 64;
  double tensor = static_cast<double>(schedule.tileM) * schedule.tileN * slab * bytes /
                  (chip.tensorBytes * (problem.sparse ? 2 : 1));
  // Every m64 block reads all of B's tile and its own rows of A from shared memory; what copies write hinders that.
  double read = static_cast<double>(blocks) *
                (schedule.tileN * cuda::kSlabBytes + 64 * cuda::kSlabBytes / (problem.sparse ? 2 : 1));
  double shared = (read + chip.sharedWriteCost * static_cast<double>(stageBytes(problem, schedule))) /
                  static_cast<double>(chip.sharedBytesPerClock);
  // The CTAs of a cluster fetch B together.
  double fetched = static_cast<double>(lhsStageBytes(problem, schedule)) +
                   static_cast<double>(schedule.tileN * cuda::kSlabBytes) / static_cast<double>(clusterSize(schedule));
  double fetch = fetched / static_cast<double>(chip.l2BytesPerClock);
  return std::max(
      {tensor, shared, fetch, static_cast<double>(problem.sparse ? chip.leastPackedSlabClocks : chip.leastSlabClocks)});
}

int64_t kern::splitCost(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  if (schedule.split < 2)
    return 0;
  double clocks = static_cast<double>(schedule.tileM * schedule.tileN * 4) / chip.sumBytesPerClock + kHandOverClocks;
  return static_cast<int64_t>(std::ceil(clocks / slabClocks(problem, schedule, chip)));
}

int64_t kern::splitStream(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  if (schedule.split < 2 || problem.k == cuda::kTokens || problem.n == cuda::kTokens)
    return 0;
  double bytes = static_cast<double>(problem.k * problem.n * cuda::elementBytes(problem.rhs));
  return static_cast<int64_t>(2 * bytes / static_cast<double>(chip.memoryBytesPerClock) /
                              slabClocks(problem, schedule, chip));
}

int64_t kern::splitSlots(const GemmSchedule &schedule) {
  // tail * parts <= multiprocessors, and every part but the last has sums.
  return schedule.split < 2 ? 0 : kSplitMultiprocessors * (schedule.split - 1) / schedule.split;
}

int64_t kern::splitCounters(const GemmSchedule &schedule) { return schedule.split < 2 ? 0 : kSplitMultiprocessors; }

TailCut kern::cutTail(int64_t tail, int64_t slabs, int64_t grid, const GemmSchedule &schedule, int64_t cost,
                      int64_t stream, const ChipLimits &chip) {
  auto streamed = [&](int64_t parts) {
    int64_t active = std::min(grid, tail * parts);
    return active == 0 ? 0 : stream * std::max(chip.streamingMultiprocessors, active) / active;
  };
  TailCut best{1, tail == 0 ? 0.0 : static_cast<double>(slabs), 0};
  if (tail == 0 || tail > splitCounters(schedule))
    return best;
  int64_t least = std::max(2 * slabs, streamed(1));
  for (int64_t parts = 2; parts <= std::min(schedule.split, slabs); ++parts) {
    if (tail * parts > grid || tail * (parts - 1) > splitSlots(schedule))
      break;
    int64_t busy = cuda::ceilDiv(slabs, parts), sums = cost * (parts + 1);
    if (int64_t time = std::max(2 * busy, streamed(parts)) + sums; time < least) {
      least = time;
      best = {parts, static_cast<double>(busy), sums / 2.0};
    }
  }
  return best;
}

/// At the expected token count.
static TailCut cutNominalTail(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  int64_t k = nominal(problem, problem.k),
          slabs = cuda::ceilDiv(k, cuda::slabElements(cuda::elementBytes(problem.lhs)));
  int64_t tiles = nominalTiles(problem, schedule), tail = tiles % chip.multiprocessors;
  return cutTail(tail, slabs, chip.multiprocessors, schedule, splitCost(problem, schedule, chip),
                 tail == tiles ? splitStream(problem, schedule, chip) : 0, chip);
}

static Clocks countClocks(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  int64_t m = nominal(problem, problem.m), n = nominal(problem, problem.n), k = nominal(problem, problem.k);
  double bytes = static_cast<double>(cuda::elementBytes(problem.lhs));
  double streamed = k * (m * bytes * (problem.sparse ? 0.5 : 1.0) + n * bytes);
  Clocks clocks;
  if (schedule.family == Family::Simt) { // One multiply-add per lane and clock, 128 lanes per multiprocessor.
    clocks.stream = streamed / static_cast<double>(chip.memoryBytesPerClock);
    clocks.busy = static_cast<double>(m) * n * k / (128.0 * chip.multiprocessors);
    return clocks;
  }
  int64_t slabs = cuda::ceilDiv(k, cuda::slabElements(cuda::elementBytes(problem.lhs)));
  int64_t tiles = nominalTiles(problem, schedule), waves = cuda::ceilDiv(tiles, chip.multiprocessors);
  TailCut cut = cutNominalTail(problem, schedule, chip);
  double perSlab = slabClocks(problem, schedule, chip);
  clocks.stream = streamed / static_cast<double>(chip.memoryBytesPerClock);
  clocks.readers = std::min(chip.multiprocessors, tiles * cut.parts);
  double product = slabs * perSlab;
  double epilogue = (schedule.staged ? kStagedClocksPerElement : kEpilogueClocksPerElement) *
                    static_cast<double>(std::min(m, schedule.tileM) * schedule.tileN);
  // In turns the product of one warpgroup hides the epilogue of the other, as far as it is long enough.
  double epilogues =
      schedule.turns ? epilogue + (waves - 1) * std::max(0.0, (epilogue - product) / 2) : waves * epilogue;
  clocks.busy = (tiles / chip.multiprocessors * slabs + cut.slabs) * perSlab + epilogues;
  clocks.sums = cut.sums * perSlab;
  return clocks;
}

double kern::predictClocks(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  return countClocks(problem, schedule, chip).total();
}

bool kern::usuallyStaged(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  return nominal(problem, problem.m) >= schedule.tileM && nominalTiles(problem, schedule) > chip.multiprocessors &&
         !schedule.turns && whyNotStaged(problem, schedule).empty();
}

int64_t kern::usualSplit(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip) {
  int64_t slabs = cuda::ceilDiv(nominal(problem, problem.k), cuda::slabElements(cuda::elementBytes(problem.lhs)));
  // The epilogue that compresses to 16 bits has no registers left.
  if (problem.compress && cuda::elementBytes(problem.out) > 1)
    return 0;
  if (slabs < kLeastSplitSlabs || nominalTiles(problem, schedule) >= kMostSplitWaves * chip.multiprocessors)
    return 0;
  // Half of the multiprocessors stream the weights as fast as all do, and nobody waits for sums.
  if (schedule.tileN < kSmallTile[1] && nominalTiles(problem, schedule) >= kEnoughReaders)
    return 0;
  return schedule.tileM == 64 ? kMostPartsOfSmallTiles : kMostParts;
}

GemmSchedule kern::withoutIdleCounters(const GemmProblem &problem, GemmSchedule schedule, const ChipLimits &chip) {
  if (schedule.family != Family::Wgmma || nominal(problem, problem.m) > schedule.tileM)
    return schedule;
  schedule.pacing = 0;
  if (schedule.split > 1 && cutNominalTail(problem, schedule, chip).parts == 1)
    schedule.split = 0;
  return schedule;
}

std::vector<ScheduleCandidate> kern::enumerateSchedules(const GemmProblem &problem, const ChipLimits &chip) {
  std::vector<ScheduleCandidate> candidates;
  auto add = [&](const GemmSchedule &schedule) {
    ScheduleCandidate candidate{schedule, whyIllegal(problem, schedule, chip), 0};
    if (candidate.illegal.empty())
      candidate.clocks = predictClocks(problem, schedule, chip);
    candidates.push_back(std::move(candidate));
  };
  for (const TileShape &tile : kTiles) {
    int64_t m = nominal(problem, problem.m);
    if (tile.products == (problem.sparse ? TileShape::dense : TileShape::sparse) || m < tile.leastRows ||
        (tile.mostRows != 0 && m > tile.mostRows))
      continue;
    GemmSchedule schedule{Family::Wgmma, tile.tileM, tile.tileN, tile.warpgroups, 0, kRasterRows / tile.tileM, 0};
    schedule.turns = tile.turns;
    schedule.cluster = problem.compress ? 0 : tile.cluster;
    int64_t room = chip.sharedBytes - kBarrierBytes - scaleBytes(schedule);
    schedule.stages = std::min(tile.mostStages, room / stageBytes(problem, schedule));
    // A single wave has nothing to drift from; a cluster does not drift apart and is worth having in few waves alone.
    if (pacingIsLinear(problem) && tile.cluster == 0 && nominalTiles(problem, schedule) > chip.multiprocessors)
      schedule.pacing = kPacing;
    schedule.split = usualSplit(problem, schedule, chip);
    schedule.staged = usuallyStaged(problem, schedule, chip);
    add(schedule);
  }
  add(GemmSchedule{});
  return candidates;
}

Result<GemmSchedule> kern::chooseSchedule(const GemmProblem &problem, const ChipLimits &chip) {
  std::vector<ScheduleCandidate> candidates = enumerateSchedules(problem, chip);
  if (nominal(problem, problem.m) <= kFewRows) { // the small tile comes first
    auto small = std::find_if(candidates.begin(), candidates.end(), [](const ScheduleCandidate &candidate) {
      return candidate.schedule.tileM == kSmallTile[0] && candidate.schedule.tileN == kSmallTile[1];
    });
    if (small != candidates.end())
      std::reverse(candidates.begin(), small + 1);
  }
  const ScheduleCandidate *best = nullptr;
  for (const ScheduleCandidate &candidate : candidates) {
    if (!candidate.illegal.empty() || (best && candidate.schedule.family == Family::Simt))
      continue;
    auto clocks = [&](const ScheduleCandidate &of) { return countClocks(problem, of.schedule, chip).compared(chip); };
    if (!best || clocks(candidate) < kWorthwhile * clocks(*best))
      best = &candidate;
  }
  if (best)
    return best->schedule;
  std::string message = "no schedule can compute " + toString(problem);
  for (const ScheduleCandidate &candidate : candidates)
    message += "; " + toString(candidate.schedule) + ": " + candidate.illegal;
  return Error{message};
}

std::string kern::toString(const GemmProblem &problem) {
  return extentText(problem.m) + " x " + extentText(problem.n) + " x " + extentText(problem.k) +
         (problem.sparse ? " sparse " : " dense ") + rt::elementName(problem.lhs) + " x " +
         rt::elementName(problem.rhs) + " -> " + rt::elementName(problem.out) + (problem.compress ? " compressed" : "");
}

std::string kern::toString(const GemmSchedule &schedule) {
  std::string text = stringifyFamily(schedule.family).str() + " " + std::to_string(schedule.tileM) + " x " +
                     std::to_string(schedule.tileN);
  if (schedule.family == Family::Wgmma)
    text += ", " + std::to_string(schedule.warpgroups) + " warpgroups, " + std::to_string(schedule.stages) + " stages";
  if (schedule.split > 1)
    text += ", split " + std::to_string(schedule.split);
  if (schedule.staged)
    text += ", staged";
  if (schedule.cluster > 1)
    text += ", cluster " + std::to_string(schedule.cluster);
  if (schedule.turns)
    text += ", turns";
  return text;
}
