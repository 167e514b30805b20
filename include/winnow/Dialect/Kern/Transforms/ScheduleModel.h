//===- ScheduleModel.h - which schedule a matrix product gets -----------------------------------------------------===//
//
// Pure functions: problem -> candidates -> legality, with the reason -> predicted clocks -> choice. `decideSchedule`
// (TunedSchedules.h) puts measured schedules before that choice. The conversion from ffn asks it which panel the
// consumer of a compressed operand will want; the pass kern-choose-schedule writes its answer down; the pass
// kern-verify-emittable asks for legality alone. All three agree because all three ask here.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_TRANSFORMS_SCHEDULEMODEL_H
#define WINNOW_DIALECT_KERN_TRANSFORMS_SCHEDULEMODEL_H

#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Runtime/Plan.h"
#include "winnow/Support/Result.h"

#include <string>
#include <vector>

namespace winnow::kern {

/// How an operand's rows lie along the reduction axis.
enum class KOrder : uint8_t {
  rowMajor, ///< K contiguous, rows K elements apart
  padded,   ///< K contiguous, rows a multiple of 128 elements apart (`transposed` layout)
  strided,  ///< K not contiguous
};

/// Token count at which schedules are compared where nothing better is known.
inline constexpr int64_t kNominalTokens = 8192;

/// What is to be computed. Extents are static or cuda::kTokens.
struct GemmProblem {
  int64_t m = 0, n = 0, k = 0;
  rt::ElementType lhs = rt::ElementType::f8e4m3, rhs = rt::ElementType::f8e4m3, out = rt::ElementType::bf16;
  bool sparse = false;                ///< lhs is packed24
  int64_t panel = 0;                  ///< panel of a packed24 lhs; 0 while it is free
  KOrder lhsOrder = KOrder::rowMajor; ///< of a dense lhs
  KOrder rhsOrder = KOrder::rowMajor;
  bool compress = false;                   ///< out is packed24
  int64_t outPanel = 0;                    ///< its panel
  int64_t expectedTokens = kNominalTokens; ///< at which clocks are predicted
};

struct GemmSchedule {
  Family family = Family::Simt;
  int64_t tileM = 64, tileN = 64;
  int64_t warpgroups = 0, stages = 0, raster = 0, pacing = 0, split = 0;
  bool staged = false;
  int64_t cluster = 0;
  bool turns = false;
};

struct ScheduleCandidate {
  GemmSchedule schedule;
  std::string illegal; ///< why it cannot be used; empty if it can
  double clocks = 0;   ///< predicted, at the expected token count
};

/// Limits and rates of one chip that the model reads. The defaults are the H100 SXM's.
struct ChipLimits {
  int64_t multiprocessors = 132;
  int64_t sharedBytes = 232448; ///< dynamic shared memory that a CTA may have
  int64_t accumulators = 192;   ///< f32 accumulators per consumer thread that leave room for the rest
  int64_t tensorBytes = 4096;   ///< dense products per clock, times bytes per element
  int64_t sharedBytesPerClock = 128;
  /// What a byte that a copy writes there costs, of one that is read: 985 clocks per slab of the sparse product of 256 x
  /// 192 tiles, which reads 114,688 bytes and writes 45,056 (docs/benchmarks.md).
  double sharedWriteCost = 0.25;
  int64_t l2BytesPerClock = 64;       ///< from L2 into one multiprocessor
  /// A slab takes at least so long, however small its tile: 128 slabs took 34 us where the left operand is dense, 27 us
  /// where it is packed, of 64 x 64 and of 64 x 32 tiles alike.
  int64_t leastSlabClocks = 430, leastPackedSlabClocks = 340;
  int64_t sumBytesPerClock = 16;      ///< of f32 sums of parts of tiles, written and read, per multiprocessor
  int64_t memoryBytesPerClock = 1700; ///< of device memory: 3.0 TB/s at 1755 MHz
  /// So many read that much: 64 reached 2.4 TB/s (docs/benchmarks.md, "Few tokens").
  int64_t streamingMultiprocessors = 81;
};

/// CTAs that run together; 1 without a cluster.
int64_t clusterSize(const GemmSchedule &schedule);

/// Consumer warpgroups that share a tile.
int64_t sharingWarpgroups(const GemmSchedule &schedule);

/// Dynamic shared memory of a wgmma kernel, in bytes.
int64_t sharedMemoryBytes(const GemmProblem &problem, const GemmSchedule &schedule);

/// What the device code is told about cutting tiles of the last wave (gemm_work.cuh): slabs of the product that it
/// takes to write the sums of a tile and hand them over; half slabs that B takes from device memory; sums of how many
/// tiles there is memory for; counters. 0 without `split`.
int64_t splitCost(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip = {});
int64_t splitStream(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip = {});
int64_t splitSlots(const GemmSchedule &schedule);
int64_t splitCounters(const GemmSchedule &schedule);

/// Into how many parts the device code cuts each of the `tail` tiles of an incomplete last wave, and how long that
/// keeps the multiprocessors busy, in slabs, products and sums apart. `stream`: half slabs that B takes from memory if
/// all of them read it and there is no other wave; else 0.
struct TailCut {
  int64_t parts = 1;
  double slabs = 0, sums = 0;
};
TailCut cutTail(int64_t tail, int64_t slabs, int64_t grid, const GemmSchedule &schedule, int64_t cost,
                int64_t stream = 0, const ChipLimits &chip = {});

/// Output tiles, those that only complete a packed result or a cluster included; at the expected token count.
int64_t nominalTiles(const GemmProblem &problem, const GemmSchedule &schedule);

/// Why `schedule` cannot compute `problem`; empty if it can.
std::string whyIllegal(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip = {});

/// Whether the model stages the result of a tile: wherever it can, if tiles have all their rows and
/// some CTA more than one tile.
bool usuallyStaged(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip = {});

/// The `split` that the model gives a tile: where the last wave may be a part of the time worth saving.
int64_t usualSplit(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip = {});

/// Predicted clocks of a legal schedule.
double predictClocks(const GemmProblem &problem, const GemmSchedule &schedule, const ChipLimits &chip = {});

/// `schedule` without pacing, and without a split that cuts nothing, where the product has a single row of tiles:
/// nobody shares what pacing would keep in L2, and counters that nobody needs cost the fill that zeroes them.
GemmSchedule withoutIdleCounters(const GemmProblem &problem, GemmSchedule schedule, const ChipLimits &chip = {});

/// Every schedule that is considered, wgmma tiles first, with legality and prediction.
std::vector<ScheduleCandidate> enumerateSchedules(const GemmProblem &problem, const ChipLimits &chip = {});

/// The legal candidate that takes the fewest clocks, by the longer of work and stream; an earlier one where they are
/// within 5 %; `simt` only where no wgmma tile is legal. The error lists why each candidate is illegal.
Result<GemmSchedule> chooseSchedule(const GemmProblem &problem, const ChipLimits &chip = {});

std::string toString(const GemmProblem &problem);
std::string toString(const GemmSchedule &schedule);

} // namespace winnow::kern

#endif // WINNOW_DIALECT_KERN_TRANSFORMS_SCHEDULEMODEL_H
