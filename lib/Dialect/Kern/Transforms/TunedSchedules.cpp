//===- TunedSchedules.cpp - schedules of products that were measured ----------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"

#include "ShippedSchedules.h"

#include "winnow/Support/File.h"
#include "winnow/Target/Cuda/Layout.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <tuple>

using namespace winnow;
using namespace winnow::kern;

TokenRange kern::tokenBucket(int64_t tokens) {
  if (tokens <= 1)
    return {1, 1};
  int64_t last = static_cast<int64_t>(llvm::bit_ceil(static_cast<uint64_t>(tokens)));
  return {last / 2 + 1, last};
}

bool kern::dependsOnTokens(const GemmProblem &problem) {
  return problem.m == cuda::kTokens || problem.n == cuda::kTokens || problem.k == cuda::kTokens;
}

std::string kern::describeMeasurement(const TunedEntry &entry) {
  return llvm::formatv("{0:f2} us on {1} ({2}, winnow {3}), the model's choice {4:f2} us", entry.microseconds,
                       entry.device, entry.date, entry.build, entry.modelMicroseconds)
      .str();
}

/// What the two askers of a problem may describe differently, for it does not matter, made the same.
static GemmProblem normalized(GemmProblem problem) {
  if (problem.sparse)
    problem.lhsOrder = KOrder::rowMajor;
  else
    problem.panel = 0;
  if (!problem.compress)
    problem.outPanel = 0;
  return problem;
}

/// All of a problem but the panel of its left operand.
static auto shapeKey(const GemmProblem &problem) {
  return std::make_tuple(problem.sparse, problem.lhs, problem.rhs, problem.out, problem.compress, problem.m, problem.n,
                         problem.k, problem.lhsOrder, problem.rhsOrder, problem.outPanel);
}

static auto key(const TunedEntry &entry) {
  GemmProblem problem = normalized(entry.problem);
  TokenRange tokens = entry.tokens.value_or(TokenRange());
  return std::make_tuple(entry.chip, shapeKey(problem), problem.panel, tokens.first, tokens.last);
}

void TunedSchedules::put(TunedEntry entry) {
  auto place = std::lower_bound(all.begin(), all.end(), entry,
                                [](const TunedEntry &a, const TunedEntry &b) { return key(a) < key(b); });
  if (place != all.end() && key(*place) == key(entry))
    *place = std::move(entry);
  else
    all.insert(place, std::move(entry));
}

bool TunedSchedules::remove(const TunedEntry &entry) {
  auto place =
      std::find_if(all.begin(), all.end(), [&](const TunedEntry &candidate) { return key(candidate) == key(entry); });
  if (place == all.end())
    return false;
  all.erase(place);
  return true;
}

std::vector<const TunedEntry *> TunedSchedules::find(std::string_view chip, const GemmProblem &asked) const {
  GemmProblem problem = normalized(asked);
  std::vector<const TunedEntry *> found;
  for (const TunedEntry &entry : all) {
    GemmProblem known = normalized(entry.problem);
    if (entry.chip == chip && shapeKey(known) == shapeKey(problem) &&
        (known.panel == 0 || known.panel == problem.panel) &&
        (!entry.tokens || entry.tokens->contains(problem.expectedTokens)))
      found.push_back(&entry);
  }
  std::sort(found.begin(), found.end(), [](const TunedEntry *a, const TunedEntry *b) {
    auto rank = [](const TunedEntry *entry) {
      TokenRange tokens = entry->tokens.value_or(TokenRange());
      return std::make_tuple(entry->problem.panel == 0, tokens.last - tokens.first, tokens.first);
    };
    return rank(a) < rank(b);
  });
  return found;
}

Result<TunedSchedules> TunedSchedules::shipped() {
  TunedSchedules merged;
  for (unsigned i = 0; i < kShippedFileCount; ++i) {
    Result<TunedSchedules> file = parse(kShippedFiles[i].text, std::string("the shipped ") + kShippedFiles[i].name);
    if (!file)
      return file;
    for (const TunedEntry &entry : file->entries())
      merged.put(entry);
  }
  return merged;
}

Result<Tuning> Tuning::open(const std::string &source) {
  if (source == "none")
    return Tuning();
  std::vector<TunedSchedules> databases;
  if (!source.empty()) {
    Result<std::vector<uint8_t>> bytes = readFile(source);
    if (!bytes)
      return bytes.error();
    Result<TunedSchedules> user = TunedSchedules::parse(std::string(bytes->begin(), bytes->end()), "'" + source + "'");
    if (!user)
      return user.error();
    databases.push_back(std::move(*user));
  }
  Result<TunedSchedules> shipped = TunedSchedules::shipped();
  if (!shipped)
    return shipped.error();
  databases.push_back(std::move(*shipped));
  return Tuning(std::move(databases));
}

std::vector<const TunedEntry *> Tuning::find(std::string_view chip, const GemmProblem &problem) const {
  std::vector<const TunedEntry *> found;
  for (const TunedSchedules &database : databases)
    for (const TunedEntry *entry : database.find(chip, problem))
      found.push_back(entry);
  return found;
}

Result<ScheduleDecision> kern::decideSchedule(const GemmProblem &problem, const Tuning &tuning,
                                              std::string_view chipName, const ChipLimits &chip) {
  ScheduleDecision decision;
  for (const TunedEntry *entry : tuning.find(chipName, problem)) {
    std::string why = whyIllegal(problem, entry->schedule, chip);
    if (why.empty()) {
      decision.schedule = withoutIdleCounters(problem, entry->schedule, chip);
      decision.tuned = *entry;
      return decision;
    }
    decision.unused.push_back("the tuned schedule " + toString(entry->schedule) + " is not used: " + why);
  }
  Result<GemmSchedule> schedule = chooseSchedule(problem, chip);
  if (!schedule)
    return schedule.error();
  decision.schedule = withoutIdleCounters(problem, *schedule, chip);
  return decision;
}
