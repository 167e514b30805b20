//===- Generator.h - random well-typed ffn functions --------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_FUZZ_GENERATOR_H
#define WINNOW_TOOLS_WINNOW_FUZZ_GENERATOR_H

#include "Program.h"

namespace winnow::fuzz {

/// The program of a seed: always the same. Some of its products ask for a layout that they may turn out not to be able
/// to have; everything else is legal.
Program generate(uint64_t seed);

} // namespace winnow::fuzz

#endif // WINNOW_TOOLS_WINNOW_FUZZ_GENERATOR_H
