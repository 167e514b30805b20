//===- TokenRanges.cpp - how decisions change with the token count ------------------------------------------------===//

#include "TokenRanges.h"

#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Runtime/Program.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <iterator>

using namespace mlir;
using namespace winnow;
using namespace winnow::jit;

//===--------------------------------------------------------------------------------------------------------------===//
// Which counts
//===--------------------------------------------------------------------------------------------------------------===//

std::vector<int64_t> TokenSampler::firstCounts() {
  std::vector<int64_t> counts;
  for (int64_t count = 1; count <= kGreatestSample; count *= 4)
    counts.push_back(count);
  return counts;
}

/// A round number about the geometric mean of two counts, and between them.
static int64_t between(int64_t low, int64_t high) {
  int64_t mean = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(low) * static_cast<double>(high))));
  int64_t grain = static_cast<int64_t>(llvm::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, (high - low) / 4))));
  return std::clamp(llvm::alignTo(mean - grain / 2, grain), uint64_t(low + 1), uint64_t(high - 1));
}

int64_t TokenSampler::next() const {
  if (samples.size() >= kMostSamples)
    return 0;
  size_t found = samples.empty() ? 0 : 1;
  double widest = 1.25;
  int64_t result = 0;
  for (auto low = samples.begin(), high = low; high != samples.end(); low = high++) {
    if (low == high || low->second == high->second)
      continue;
    ++found;
    double gap = static_cast<double>(high->first) / static_cast<double>(low->first);
    if (high->first - low->first > 1 && gap > widest) {
      widest = gap;
      result = between(low->first, high->first);
    }
  }
  // Another sample may split a range in three.
  return found + 2 > rt::Program::kMostSpecializations ? 0 : result;
}

std::vector<TokenRange> TokenSampler::ranges(int64_t preferred) const {
  std::vector<TokenRange> result;
  size_t current = 0;
  for (auto [tokens, decision] : samples) {
    if (result.empty() || decision != current) {
      int64_t first = result.empty() ? 1 : result.back().last + 1;
      result.push_back({first, tokens, tokens});
      current = decision;
    }
    result.back().last = tokens;
    if (result.back().decidedFor != preferred)
      result.back().decidedFor = tokens;
  }
  if (!result.empty())
    result.back().last = INT32_MAX;
  return result;
}

//===--------------------------------------------------------------------------------------------------------------===//
// What was decided
//===--------------------------------------------------------------------------------------------------------------===//

std::string jit::summarize(ModuleOp kernModule) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (auto gemm : kernModule.getOps<kern::GemmOp>()) {
    std::optional<kern::ScheduleAttr> schedule = gemm.getSchedule();
    if (!schedule)
      continue;
    bool sparse = isa_and_nonnull<kern::Packed24Attr>(cast<kern::BufferType>(gemm.getLhs()).getLayout());
    os << (text.empty() ? "" : ", ") << gemm.getSymName() << (sparse ? " 2:4 " : " dense ");
    os << schedule->getTileM() << "x" << schedule->getTileN();
    if (schedule->getFamily() == kern::Family::Wgmma)
      os << " (" << schedule->getStages() << " stages, raster " << schedule->getRaster() << ", pacing "
         << schedule->getPacing();
    if (schedule->getSplit() > 1)
      os << ", split " << schedule->getSplit();
    if (schedule->getStaged())
      os << ", staged";
    if (schedule->getCluster())
      os << ", cluster " << schedule->getCluster();
    if (schedule->getTurns())
      os << ", turns";
    if (schedule->getFamily() == kern::Family::Wgmma)
      os << ")";
  }
  return text;
}
