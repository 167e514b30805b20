/*===- winnow-c/Reference.h - evaluate FFNs on the CPU from C -----------------------------------------------------===*\
|*                                                                                                                    *|
|* The reference: what an FFN means, on any machine, slowly. It is the target "cpu".                                  *|
|*                                                                                                                    *|
\*===--------------------------------------------------------------------------------------------------------------===*/

#ifndef WINNOW_C_REFERENCE_H
#define WINNOW_C_REFERENCE_H

#include "winnow-c/Compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A dense row-major tensor in host memory that the caller owns. `data` needs no alignment. */
typedef struct winnow_host_tensor {
  winnow_element_type element;
  size_t rank;
  const int64_t *shape;
  void *data;
} winnow_host_tensor;

/** Evaluates function `entry` (NULL: @forward, or the only one) of a module at level spec or ffn. Inputs are read, not
 *  written. Outputs have the shapes of the results and are written on success only; an output may be an input's memory.
 *  Uses as many threads as there are cores while it runs. */
WINNOW_C_API winnow_error *winnow_module_interpret(const winnow_module *module, const char *entry,
                                                   const winnow_host_tensor *inputs, size_t input_count,
                                                   const winnow_host_tensor *outputs, size_t output_count);

/** Fills `inputs`, whose element types and shapes are those of function `entry` with its token count, with realistic
 *  random values: the same for the same seed on every machine. */
WINNOW_C_API winnow_error *winnow_module_random_inputs(const winnow_module *module, const char *entry, uint64_t seed,
                                                       const winnow_host_tensor *inputs, size_t input_count);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_C_REFERENCE_H */
