//===- PlanVerifier.h - is a plan, or a program, well formed? -----------------------------------------------------===//

#ifndef WINNOW_RUNTIME_PLANVERIFIER_H
#define WINNOW_RUNTIME_PLANVERIFIER_H

#include "winnow/Runtime/Plan.h"
#include "winnow/Runtime/Program.h"
#include "winnow/Support/Result.h"

namespace winnow::rt {

/// Checks everything that carrying out the plan relies on: enumerators and indices in range, buffers in the order that
/// Plan.h states, extents that neither shrink with the token count nor overflow up to `maxTokens`, tensor maps within
/// the driver's limits. The error names the part ("buffer 3 ('y1')") and what was expected and found. A plan that
/// passes can be executed without further checks except those of the token count and the pointers.
Status verify(const Plan &plan);

/// Checks every plan, and that they can stand for one another: at least one and at most kMostSpecializations, ranges
/// ascending and not empty, the last up to its plan's maxTokens, one name, target, compiler, spec and set of arguments.
Status verify(const Program &program);

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_PLANVERIFIER_H
