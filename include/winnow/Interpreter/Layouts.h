//===- Layouts.h - tensors to and from the kernels' memory layouts ------------------------------------------------===//
//
// The host's own reading of docs/kernels.md, "Buffer layouts", used to look into buffers that a GPU has written. Knows
// nothing of MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_LAYOUTS_H
#define WINNOW_INTERPRETER_LAYOUTS_H

#include "winnow/Interpreter/Tensor.h"
#include "winnow/Runtime/Plan.h"
#include "winnow/Support/Result.h"

namespace winnow::interp {

/// The logical shape of `buffer` at this token count.
std::vector<int64_t> shapeAt(const rt::Buffer &buffer, int64_t tokens);

/// Bytes that the buffer's layout takes for this shape, padding included. Equals `buffer.bytes.evaluate(tokens)` in a
/// sound plan.
int64_t layoutBytes(const rt::Buffer &buffer, const std::vector<int64_t> &shape);

/// The tensor that `bytes` hold. Fails where they are not a possible content: too few bytes, metadata that is not an
/// ordered pair of positions, padding along the contiguous or compressed axis that is not zero. A packed24 buffer gives
/// a compressed tensor.
Result<Tensor> decode(const rt::Buffer &buffer, int64_t tokens, const std::vector<uint8_t> &bytes);

/// The inverse: what a kernel would write. For packed24 the tensor must be compressed along the buffer's axis.
Result<std::vector<uint8_t>> encode(const rt::Buffer &buffer, int64_t tokens, const Tensor &tensor);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_LAYOUTS_H
