//===- JaxHandler.h - XLA's way into Winnow -----------------------------------------------------------------------===//

#ifndef WINNOW_PYTHON_JAXHANDLER_H
#define WINNOW_PYTHON_JAXHANDLER_H

#include "XlaFfi.h"

namespace winnow::python {

/// Handlers of XLA custom calls. The attribute "program" is the key of a JaxProgram; arguments and results are its
/// inputs and outputs. They return null or an error that XLA owns, and throw nothing. Any thread may call them.
///
/// On the CPU: the reference.
xla::Error *handleOnCpu(xla::CallFrame *frame);
/// On CUDA devices: the kernels, on XLA's stream. One more result, the last, is the workspace: a buffer that XLA plans
/// like any other, so that it stays where it is when a CUDA graph is replayed. Nothing is allocated but in the stage
/// "initialize" (or the first call without one), and nothing waited for.
xla::Error *handleOnCuda(xla::CallFrame *frame);

} // namespace winnow::python

#endif // WINNOW_PYTHON_JAXHANDLER_H
