//===- TuneReport.cpp - what winnow tune has found, for people and for scripts ------------------------------------===//

#include "TuneReport.h"
#include "Tool.h"
#include "TuneTrial.h"

#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"
#include "winnow/Support/BuildId.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace winnow;
using namespace winnow::tool;

static std::string scheduleText(const kern::GemmSchedule &schedule) {
  return llvm::formatv("{0}, raster {1}, pacing {2}", kern::toString(schedule), schedule.raster, schedule.pacing);
}

static std::string verdict(const TunedProduct &product, size_t index) {
  const TunedCandidate &candidate = product.candidates[index];
  if (index == 0)
    return "the model's choice";
  if (!candidate.problem.empty())
    return candidate.problem;
  if (!candidate.seconds || !product.measured())
    return "";
  double gain = *product.candidates.front().seconds / *candidate.seconds;
  return llvm::formatv("{0:f3}x{1}", gain, index == product.winner ? "  kept" : "");
}

/// "(153 us to 155 us)": a tenth of the rounds lies on either side.
static std::string spreadText(const TunedCandidate &candidate) {
  return candidate.seconds ? " (" + formatSeconds(candidate.low) + " to " + formatSeconds(candidate.high) + ")" : "";
}

std::string TuneReport::table() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << (specs == 1 ? "@" + function : std::to_string(specs) + " specs")
     << (dryRun ? " for " + target : " on " + device) << ", winnow " << buildId() << ", "
     << (sustained ? "sustained" : "burst") << "\n";
  size_t kept = 0, measured = 0;
  for (const TunedProduct &product : products) {
    os << "\n" << (specs == 1 ? "" : product.spec + ": ") << product.kernel;
    if (kern::dependsOnTokens(product.problem))
      os << " at " << product.problem.expectedTokens << (product.problem.expectedTokens == 1 ? " token" : " tokens");
    os << ": " << kern::toString(product.problem) << "\n";
    if (!product.note.empty())
      os << "  " << product.note << "\n";
    if (!dryRun && !product.measured())
      continue;
    for (size_t i = 0; i < product.candidates.size(); ++i) {
      const TunedCandidate &candidate = product.candidates[i];
      std::string time = candidate.seconds ? formatSeconds(*candidate.seconds) : "-";
      std::string clocks = std::to_string(static_cast<int64_t>(candidate.clocks));
      os << llvm::formatv("  {0,-62}  {1,12} clocks predicted  {2,10}{3,-24}  {4}", scheduleText(candidate.schedule),
                          clocks, time, spreadText(candidate), verdict(product, i))
         << "\n";
    }
    kept += product.winner != 0;
    ++measured;
  }
  if (dryRun) {
    os << "\nnothing was measured: --dry-run\n";
    return text;
  }
  os << "\n"
     << kept << " of " << measured << " measured products have a schedule that beats the model's choice by "
     << static_cast<int>(kLeastGain * 100) << " % or more in three rounds of four";
  os << "; all that were measured are in " << database << "\n";
  return text;
}

static llvm::json::Object toJson(const TunedCandidate &candidate) {
  const kern::GemmSchedule &schedule = candidate.schedule;
  llvm::json::Object object{{"tile", llvm::json::Array{schedule.tileM, schedule.tileN}},
                            {"warpgroups", schedule.warpgroups},
                            {"stages", schedule.stages},
                            {"raster", schedule.raster},
                            {"pacing", schedule.pacing},
                            {"split", schedule.split},
                            {"staged", schedule.staged},
                            {"cluster", schedule.cluster},
                            {"turns", schedule.turns},
                            {"predicted_clocks", static_cast<int64_t>(candidate.clocks)}};
  object["seconds"] = candidate.seconds ? llvm::json::Value(*candidate.seconds) : llvm::json::Value(nullptr);
  object["seconds_p10"] = candidate.seconds ? llvm::json::Value(candidate.low) : llvm::json::Value(nullptr);
  object["seconds_p90"] = candidate.seconds ? llvm::json::Value(candidate.high) : llvm::json::Value(nullptr);
  object["rounds"] = static_cast<int64_t>(candidate.rounds);
  object["problem"] = candidate.problem;
  return object;
}

std::string TuneReport::json() const {
  llvm::json::Array list;
  for (const TunedProduct &product : products) {
    llvm::json::Array candidates;
    for (const TunedCandidate &candidate : product.candidates)
      candidates.push_back(toJson(candidate));
    llvm::json::Object object{{"spec", product.spec},
                              {"kernel", product.kernel},
                              {"product", kern::toString(product.problem)},
                              {"measured", product.measured()},
                              {"note", product.note},
                              {"weight_copies", static_cast<int64_t>(product.weightCopies)},
                              {"launches_per_turn", product.launchesPerTurn},
                              {"winner", static_cast<int64_t>(product.winner)},
                              {"schedules", std::move(candidates)}};
    object["tokens"] = kern::dependsOnTokens(product.problem) ? llvm::json::Value(product.problem.expectedTokens)
                                                              : llvm::json::Value(nullptr);
    list.push_back(std::move(object));
  }
  llvm::json::Object root{{"function", function},       {"device", device},
                          {"target", target},           {"winnow", buildId()},
                          {"dry_run", dryRun},          {"database", database},
                          {"least_gain", kLeastGain},   {"load", sustained ? "sustained" : "burst"},
                          {"products", std::move(list)}};
  return llvm::formatv("{0:2}\n", llvm::json::Value(std::move(root))).str();
}
