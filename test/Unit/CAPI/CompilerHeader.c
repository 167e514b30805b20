/* The headers are C: this file is compiled as C99 and uses every declaration of the compiler and reference once. */

#include "winnow-c/Winnow.h"

/* Gives how many of the calls with null pointers failed with a message, or -1. */
int compilerHeaderFromC(void) {
  winnow_context *context = NULL;
  winnow_module *module = NULL;
  winnow_program *program = NULL;
  winnow_executable *executable = NULL;
  winnow_bytes *bytes = NULL;
  winnow_argument argument;
  winnow_image image;
  winnow_error *errors[16];
  size_t index;
  int64_t workspace;
  int failures = 0, i;
  errors[0] = winnow_context_create(NULL);
  errors[1] = winnow_context_set_diagnostic_callback(NULL, NULL, NULL);
  errors[2] = winnow_context_set_remark_callback(NULL, NULL, NULL);
  errors[3] = winnow_module_parse(NULL, "", 0, "", &module);
  errors[4] = winnow_module_clone(NULL, &module);
  errors[5] = winnow_module_print(NULL, &bytes);
  errors[6] = winnow_module_find_function(NULL, NULL, &index);
  errors[7] = winnow_module_argument(NULL, 0, 0, &argument);
  errors[8] = winnow_module_lower(NULL, WINNOW_LEVEL_FFN, NULL);
  errors[9] = winnow_module_emit_cuda(NULL, NULL, &program);
  errors[10] = winnow_module_compile(NULL, NULL, &program);
  errors[11] = winnow_program_image(NULL, 0, &image);
  errors[12] = winnow_program_artifact(NULL, &bytes);
  errors[13] = winnow_program_load(NULL, 0, &executable);
  errors[14] = winnow_module_interpret(NULL, NULL, NULL, 0, NULL, 0);
  errors[15] = winnow_program_workspace_bytes(NULL, 1, &workspace);
  for (i = 0; i < 16; ++i) {
    failures += errors[i] != NULL && winnow_error_message(errors[i])[0] != 0;
    winnow_error_destroy(errors[i]);
  }
  winnow_context_destroy(context);
  winnow_module_destroy(module);
  winnow_program_destroy(program);
  winnow_bytes_destroy(bytes);
  if (winnow_module_function_count(NULL) || winnow_module_function_name(NULL, 0) || winnow_module_input_count(NULL, 0) ||
      winnow_module_output_count(NULL, 0) || winnow_module_level(NULL) != WINNOW_LEVEL_SPEC ||
      winnow_program_image_count(NULL) || winnow_bytes_size(NULL) || winnow_bytes_data(NULL)[0])
    return -1;
  return winnow_compiler_abi_version() == WINNOW_COMPILER_ABI_VERSION && winnow_build_id()[0] ? failures : -1;
}
