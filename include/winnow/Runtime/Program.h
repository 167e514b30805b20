//===- Program.h - plans of one function, by token count ----------------------------------------------------------===//
//
// The best kernels for one token are not the best for eight thousand. A program holds a plan for each of a few ranges
// of token counts; whoever runs it takes the plan of the range that the actual count lies in. All plans compute the
// same function, of the same arguments; workspaces and launches differ.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_PROGRAM_H
#define WINNOW_RUNTIME_PROGRAM_H

#include "winnow/Runtime/Plan.h"

#include <string>
#include <vector>

namespace winnow::rt {

/// A plan, and the token counts that it is for: from one after the range before, or 1, to `lastTokens`.
struct Specialization {
  int64_t lastTokens = INT32_MAX; ///< at most Plan::maxTokens
  int64_t decidedFor = 0;         ///< token count that layouts and schedules were decided for; 0: not known
  std::string summary;            ///< what was decided, for people: "forward_1_gemm dense 256x192"; may be empty
  Plan plan;
};

struct Program {
  static constexpr size_t kMostSpecializations = 16;
  /// The token count that stands for all where one plan must stand for all: in what is shown of a program.
  static constexpr int64_t kDefaultTokens = 8192;

  Program() = default;
  /// One plan for every token count that its kernels can index.
  Program(Plan plan, int64_t decidedFor = 0);

  std::vector<Specialization> specializations; ///< ascending, at least one; the last ends at its plan's maxTokens

  /// Index of the specialization for a token count; counts beyond either end get the nearest.
  size_t indexFor(int64_t tokens) const;
  const Plan &planFor(int64_t tokens) const { return specializations[indexFor(tokens)].plan; }
  /// The plan for kDefaultTokens.
  const Plan &defaultPlan() const { return planFor(kDefaultTokens); }
  /// First token count of range `index`.
  int64_t firstTokens(size_t index) const { return index == 0 ? 1 : specializations[index - 1].lastTokens + 1; }
  /// Greatest token count of all.
  int64_t maxTokens() const { return specializations.back().lastTokens; }
};

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_PROGRAM_H
