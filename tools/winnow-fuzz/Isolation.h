//===- Isolation.h - checks that survive a crash ------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_FUZZ_ISOLATION_H
#define WINNOW_TOOLS_WINNOW_FUZZ_ISOLATION_H

#include "Checker.h"

namespace winnow::fuzz {

/// Checks in a child process: a crash, or more than `seconds` of running, is an outcome like any other.
Outcome checkIsolated(Checker &checker, const Program &program, unsigned seconds = 20);

} // namespace winnow::fuzz

#endif // WINNOW_TOOLS_WINNOW_FUZZ_ISOLATION_H
