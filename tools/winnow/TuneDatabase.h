//===- TuneDatabase.h - the file that winnow tune writes ----------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_TUNEDATABASE_H
#define WINNOW_TOOLS_WINNOW_TUNEDATABASE_H

#include "TuneReport.h"

#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"
#include "winnow/Support/Result.h"

#include <string>
#include <vector>

namespace winnow::tool {

/// What has been measured, kept in a file; and what it and the library knew before.
class TuneDatabase {
public:
  /// Reads the file at `path`, which need not exist. `chip` and `device` go into entries.
  static Result<TuneDatabase> open(std::string path, std::string chip, std::string device);

  const std::string &path() const { return file; }
  /// The entry for a product that was measured: its fastest schedule, which may be the model's.
  kern::TunedEntry entryFor(const TunedProduct &product) const;
  /// Writes the entry of `product` into the file, whole or not at all.
  Status store(const TunedProduct &product) const;
  /// Schedules that have won before, of the file and of the shipped database.
  std::vector<const kern::TunedEntry *> find(const kern::GemmProblem &problem) const {
    return known.find(chip, problem);
  }
  /// Whether this build of Winnow has measured the problem on such a device, by the file as it was opened.
  bool hasMeasured(const kern::GemmProblem &problem) const;

private:
  Result<kern::TunedSchedules> read() const;

  std::string file, chip, device;
  kern::TunedSchedules before;
  kern::Tuning known;
};

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_TUNEDATABASE_H
