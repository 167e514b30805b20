//===- TuneReport.h - what winnow tune has found, for people and for scripts --------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_TUNEREPORT_H
#define WINNOW_TOOLS_WINNOW_TUNEREPORT_H

#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"

#include <optional>
#include <string>
#include <vector>

namespace winnow::tool {

/// One schedule of a product, and what became of it.
struct TunedCandidate {
  kern::GemmSchedule schedule;
  double clocks = 0;             ///< predicted
  std::optional<double> seconds; ///< of a launch, median of the rounds, where it was timed
  double low = 0, high = 0;      ///< 10th and 90th percentile of them
  size_t rounds = 0;
  std::string problem; ///< why it was not
};

/// One product at one token count.
struct TunedProduct {
  std::string spec; ///< path of the first file that it was met in
  std::string kernel;
  kern::GemmProblem problem;
  std::vector<TunedCandidate> candidates; ///< the model's choice first
  size_t winner = 0;                      ///< 0: the model's choice stands
  size_t weightCopies = 1;                ///< that took turns
  int launchesPerTurn = 1;
  std::string note; ///< why it was not measured; else empty

  bool measured() const { return note.empty() && !candidates.empty() && candidates.front().seconds.has_value(); }
};

struct TuneReport {
  std::string function, device, target;
  std::string database; ///< where winners went; empty: nowhere
  size_t specs = 1;     ///< files
  bool sustained = true;
  bool dryRun = false;
  std::vector<TunedProduct> products;

  std::string table() const;
  std::string json() const;
};

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_TUNEREPORT_H
