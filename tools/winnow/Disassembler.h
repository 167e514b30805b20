//===- Disassembler.h - machine code as text ----------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_DISASSEMBLER_H
#define WINNOW_TOOLS_WINNOW_DISASSEMBLER_H

#include "winnow/Runtime/Plan.h"
#include "winnow/Support/Result.h"

#include <string>

namespace winnow::tool {

/// Where cuobjdump was found, or an error that names the places that were tried: PATH, the CUDA toolkit, and the wheel
/// nvidia-cuda-cuobjdump in the Python environment.
Result<std::string> findDisassembler();

/// The SASS of a compiled image.
Result<std::string> disassemble(const rt::Image &image);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_DISASSEMBLER_H
