//===- TuneDatabase.cpp - the file that winnow tune writes --------------------------------------------------------===//

#include "TuneDatabase.h"
#include "Tool.h"

#include "winnow/Support/BuildId.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <ctime>

using namespace winnow;
using namespace winnow::tool;

static std::string today() {
  std::time_t now = std::time(nullptr);
  std::tm utc = {};
  ::gmtime_r(&now, &utc);
  char text[16];
  size_t length = std::strftime(text, sizeof(text), "%Y-%m-%d", &utc);
  return std::string(text, length);
}

Result<kern::TunedSchedules> TuneDatabase::read() const {
  if (!llvm::sys::fs::exists(file))
    return kern::TunedSchedules();
  Result<std::string> text = readWhole(file);
  if (!text)
    return text.error();
  return kern::TunedSchedules::parse(*text, "'" + file + "'");
}

Result<TuneDatabase> TuneDatabase::open(std::string path, std::string chip, std::string device) {
  TuneDatabase database;
  database.file = std::move(path);
  database.chip = std::move(chip);
  database.device = std::move(device);
  Result<kern::TunedSchedules> found = database.read();
  if (!found)
    return found.error();
  Result<kern::TunedSchedules> shipped = kern::TunedSchedules::shipped();
  if (!shipped)
    return shipped.error();
  database.before = *found;
  database.known = kern::Tuning({std::move(*found), std::move(*shipped)});
  return database;
}

kern::TunedEntry TuneDatabase::entryFor(const TunedProduct &product) const {
  kern::TunedEntry entry;
  entry.chip = chip;
  entry.device = device;
  entry.problem = product.problem;
  if (kern::dependsOnTokens(product.problem))
    entry.tokens = kern::tokenBucket(product.problem.expectedTokens);
  const TunedCandidate &winner = product.candidates[product.winner];
  entry.schedule = winner.schedule;
  entry.microseconds = winner.seconds.value_or(0) * 1e6;
  entry.modelMicroseconds = product.candidates.front().seconds.value_or(0) * 1e6;
  entry.date = today();
  entry.build = buildId();
  return entry;
}

/// Read again each time: another process may be tuning another network.
Status TuneDatabase::store(const TunedProduct &product) const {
  Result<kern::TunedSchedules> database = read();
  if (!database)
    return database.error();
  database->put(entryFor(product));
  llvm::StringRef folder = llvm::sys::path::parent_path(file);
  if (std::error_code code = folder.empty() ? std::error_code() : llvm::sys::fs::create_directories(folder))
    return Error{"could not create the folder '" + folder.str() + "': " + code.message()};
  return writeWhole(file, database->print());
}

bool TuneDatabase::hasMeasured(const kern::GemmProblem &problem) const {
  return llvm::any_of(before.find(chip, problem), [&](const kern::TunedEntry *entry) {
    return entry->problem.panel == problem.panel && entry->device == device && entry->build == buildId();
  });
}
