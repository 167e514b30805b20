//===- Program.cpp - plans of one function, by token count --------------------------------------------------------===//

#include "winnow/Runtime/Program.h"

#include <algorithm>

using namespace winnow;
using namespace winnow::rt;

Program::Program(Plan plan, int64_t decidedFor) {
  int64_t last = plan.maxTokens;
  specializations.push_back({last, decidedFor, "", std::move(plan)});
}

size_t Program::indexFor(int64_t tokens) const {
  auto endsBefore = [](const Specialization &specialization, int64_t count) {
    return specialization.lastTokens < count;
  };
  auto found = std::lower_bound(specializations.begin(), specializations.end(), tokens, endsBefore);
  size_t index = static_cast<size_t>(found - specializations.begin());
  return std::min(index, specializations.size() - 1);
}
