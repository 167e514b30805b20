//===- TuningCandidates.h - schedules worth measuring -------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_TRANSFORMS_TUNINGCANDIDATES_H
#define WINNOW_DIALECT_KERN_TRANSFORMS_TUNINGCANDIDATES_H

#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"

#include <vector>

namespace winnow::kern {

/// At most `limit` legal schedules besides `chosen`, the most promising first. Tiles are 64, 128 or 256 rows by a multiple
/// of 32 from 64 to 256 columns, 128 rows by one or two warpgroups; rings are as deep as memory allows (at most 9 stages)
/// or one stage less; raster is 8, 12 or 16, pacing 0, 8 or 16. In the order, a schedule counts as 2 % slower than
/// predicted for each of depth, raster and pacing in which it differs from what the model would take with its tile: the
/// prediction does not see them. No tile takes more than a quarter of the places.
std::vector<ScheduleCandidate> tuningCandidates(const GemmProblem &problem, const GemmSchedule &chosen, size_t limit,
                                                const ChipLimits &chip = {});

/// Whether all fields are the same.
bool sameSchedule(const GemmSchedule &a, const GemmSchedule &b);

} // namespace winnow::kern

#endif // WINNOW_DIALECT_KERN_TRANSFORMS_TUNINGCANDIDATES_H
