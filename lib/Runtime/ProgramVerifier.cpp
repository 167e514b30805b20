//===- ProgramVerifier.cpp - is a program well formed? ------------------------------------------------------------===//

#include "winnow/Runtime/PlanVerifier.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace winnow;
using namespace winnow::rt;

template <typename Expected, typename Got>
static Status fail(const std::string &where, const std::string &what, const Expected &expected, const Got &got) {
  return Error{fmt::format("{} is malformed: {}: expected {}, got {}", where, what, expected, got)};
}

/// An argument in words, for comparison and for messages.
static std::string describe(const Buffer &buffer) {
  const char *kind = buffer.kind == BufferKind::input ? "input" : "output";
  return fmt::format("{} '{}' of type {}, shape [{}], layout {}.{}.{}, {}, bytes {}/{}/{}", kind, buffer.name,
                     unsigned(buffer.element), fmt::join(buffer.shape, ", "), unsigned(buffer.layout),
                     unsigned(buffer.sparseAxis), buffer.panel, buffer.isWeight ? "a weight" : "no weight",
                     buffer.bytes.divisor, buffer.bytes.factor, buffer.bytes.addend);
}

static std::vector<std::string> describeArguments(const Plan &plan) {
  std::vector<std::string> arguments;
  for (const Buffer &buffer : plan.buffers)
    if (buffer.kind == BufferKind::input || buffer.kind == BufferKind::output)
      arguments.push_back(describe(buffer));
  return arguments;
}

/// Callers must not notice which plan they got: it takes and gives the same, and comes from the same place.
static Status verifySame(const Plan &first, const Plan &plan, const std::string &where) {
  const std::pair<const char *, std::string Plan::*> texts[] = {
      {"name", &Plan::name}, {"target", &Plan::target}, {"compiler", &Plan::compiler}};
  for (auto [what, text] : texts)
    if (plan.*text != first.*text)
      return fail(where, what, fmt::format("'{}', as the first range has", first.*text),
                  fmt::format("'{}'", plan.*text));
  if (plan.spec != first.spec)
    return fail(where, "spec", "that of the first range", "another");
  std::vector<std::string> expected = describeArguments(first), got = describeArguments(plan);
  if (expected.size() != got.size())
    return fail(where, "arguments", fmt::format("{}, as the first range has", expected.size()), got.size());
  for (size_t i = 0; i < got.size(); ++i)
    if (expected[i] != got[i])
      return fail(where, fmt::format("argument {}", i), fmt::format("{}, as the first range has", expected[i]), got[i]);
  return {};
}

Status winnow::rt::verify(const Program &program) {
  const std::vector<Specialization> &all = program.specializations;
  if (all.empty() || all.size() > Program::kMostSpecializations)
    return fail("the program", "token ranges", fmt::format("1 to {}", Program::kMostSpecializations), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    std::string where = fmt::format("token range {}", i);
    if (Status status = verify(all[i].plan); !status)
      return all.size() == 1 ? status : Status(Error{where + ": " + status.message()});
    int64_t first = program.firstTokens(i), last = all[i].lastTokens, most = all[i].plan.maxTokens;
    bool isLast = i + 1 == all.size();
    if (last < first || (isLast ? last != most : last > most))
      return fail(where, "last token count",
                  isLast ? fmt::format("{}, the greatest of its plan, from {} on", most, first)
                         : fmt::format("{} to {}", first, most),
                  last);
    // A plan for all counts may have been decided for more than its kernels can index.
    int64_t decided = all[i].decidedFor;
    if (decided < 0 || (all.size() > 1 && decided != 0 && (decided < first || decided > last)))
      return fail(where, "token count decided for", fmt::format("{} to {}, or 0", first, last), decided);
    if (Status status = verifySame(all[0].plan, all[i].plan, where); !status)
      return status;
  }
  return {};
}
