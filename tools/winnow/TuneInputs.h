//===- TuneInputs.h - random arguments of any size, soon ----------------------------------------------------------===//
//
// Drawn for tune, which measures time: what the numbers are matters little, that they are not all alike does.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_TUNEINPUTS_H
#define WINNOW_TOOLS_WINNOW_TUNEINPUTS_H

#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Interpreter/RandomInputs.h"
#include "winnow/Support/Result.h"

#include <map>
#include <vector>

namespace winnow::tool {

/// Arguments that exist already, by their place.
using KeptArguments = std::map<unsigned, interp::TensorRef>;

/// One value for each of `types` at this token count, those of `kept` as they are. Drawing billions of numbers would
/// take minutes: of a large matrix some rows are drawn, and repeated.
Result<std::vector<interp::TensorRef>> drawArguments(const std::vector<interp::InputType> &types,
                                                     const KeptArguments &kept, const interp::RandomOptions &random,
                                                     int64_t tokens);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_TUNEINPUTS_H
