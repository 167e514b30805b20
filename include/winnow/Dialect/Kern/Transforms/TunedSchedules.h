//===- TunedSchedules.h - schedules of products that were measured ------------------------------------------------===//
//
// A database of schedules that beat the model's choice on a device: JSON text, one entry per line (docs/tuning.md). One
// is shipped inside the library, a user's own goes on top. Nothing here reads the environment or keeps state.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_TRANSFORMS_TUNEDSCHEDULES_H
#define WINNOW_DIALECT_KERN_TRANSFORMS_TUNEDSCHEDULES_H

#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace winnow::kern {

/// Token counts for which an entry holds, both ends included.
struct TokenRange {
  int64_t first = 0, last = 0;

  bool contains(int64_t tokens) const { return first <= tokens && tokens <= last; }
};

/// The range between two powers of two that `tokens` lies in: 1, 2, 3 to 4, 5 to 8, …
TokenRange tokenBucket(int64_t tokens);

/// True if some extent of the problem is the token count.
bool dependsOnTokens(const GemmProblem &problem);

/// One measured schedule.
struct TunedEntry {
  std::string chip;                 ///< name in ChipTable.h, "sm_90a": what an entry is looked up by
  std::string device;               ///< on which it was measured, as the driver calls it; for the reader
  GemmProblem problem;              ///< `expectedTokens` says nothing here
  std::optional<TokenRange> tokens; ///< if and only if the problem depends on the token count
  GemmSchedule schedule;            ///< of family wgmma
  double microseconds = 0;          ///< median time of the schedule
  double modelMicroseconds = 0;     ///< median time of the model's choice, in the same run
  std::string date;                 ///< "2026-11-22"
  std::string build;                ///< id of the Winnow that measured
};

/// "8.10 us on NVIDIA H100 80GB HBM3 (2026-11-22, winnow 0.1.0+…), the model's choice 9.00 us".
std::string describeMeasurement(const TunedEntry &entry);

/// Entries in order of chip and problem, at most one for each problem, token range and chip.
class TunedSchedules {
public:
  static constexpr int kVersion = 1;

  /// Reads a database. An error starts with `name` and says where the text is wrong.
  static Result<TunedSchedules> parse(std::string_view text, const std::string &name);
  /// The database that comes with the library.
  static Result<TunedSchedules> shipped();
  /// The text that `parse` reads: equal databases give equal bytes.
  std::string print() const;

  const std::vector<TunedEntry> &entries() const { return all; }
  /// Adds an entry, in place of the one for the same problem, tokens and chip.
  void put(TunedEntry entry);
  /// Removes the entry for the same problem, tokens and chip; false if there was none.
  bool remove(const TunedEntry &entry);
  /// The entries that speak of `problem` at its expected token count, best first: with the problem's own panel before
  /// those where the panel was free, narrow token ranges before wide ones.
  std::vector<const TunedEntry *> find(std::string_view chip, const GemmProblem &problem) const;

private:
  std::vector<TunedEntry> all;
};

/// What a compilation consults: nothing, the shipped database, or a user's on top of it.
class Tuning {
public:
  /// The model alone.
  Tuning() = default;
  /// `source` is "none" for the model alone, "" for the shipped database, else the path of a user's database, which is
  /// asked before the shipped one.
  static Result<Tuning> open(const std::string &source);
  explicit Tuning(std::vector<TunedSchedules> databases) : databases(std::move(databases)) {}

  /// As `TunedSchedules::find`; all entries of an earlier database come before those of a later one.
  std::vector<const TunedEntry *> find(std::string_view chip, const GemmProblem &problem) const;

private:
  std::vector<TunedSchedules> databases;
};

/// A schedule, and who decided.
struct ScheduleDecision {
  GemmSchedule schedule;
  std::optional<TunedEntry> tuned; ///< the entry that decided; none: the model
  std::vector<std::string> unused; ///< entries for the problem that cannot be used, each with the reason
};

/// The schedule of the first tuned entry for the problem that is legal, else the model's choice.
Result<ScheduleDecision> decideSchedule(const GemmProblem &problem, const Tuning &tuning, std::string_view chipName,
                                        const ChipLimits &chip = {});

} // namespace winnow::kern

#endif // WINNOW_DIALECT_KERN_TRANSFORMS_TUNEDSCHEDULES_H
