//===- Reducer.h - the smallest program that still fails ----------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_FUZZ_REDUCER_H
#define WINNOW_TOOLS_WINNOW_FUZZ_REDUCER_H

#include "Checker.h"

namespace winnow::fuzz {

/// Repeats, as long as the program fails in the same phase in the same way: drop a result; replace a value by another
/// of its type or by a new argument; drop an annotation; shrink an extent; simplify the inputs. What is then unused
/// goes too.
Program reduce(Checker &checker, const Program &program, const Outcome &failure);

/// Operations in the function of `program`, its return not counted; 0 if it does not parse.
size_t countOperations(Checker &checker, const Program &program);

} // namespace winnow::fuzz

#endif // WINNOW_TOOLS_WINNOW_FUZZ_REDUCER_H
