/* The header is C: this file is compiled as C99 and uses every declaration once. */

#include "winnow-c/Runtime.h"

int runtimeHeaderFromC(void) {
  winnow_executable *executable = NULL;
  winnow_argument argument;
  int64_t bytes = 0;
  int failures = 0;
  winnow_recorded_call *call = NULL;
  winnow_error *errors[8];
  int i;
  errors[0] = winnow_executable_load(NULL, 0, &executable);
  errors[1] = winnow_executable_load_bytes(NULL, 0, 0, &executable);
  errors[2] = winnow_executable_argument(NULL, 0, &argument);
  errors[3] = winnow_executable_workspace_bytes(NULL, 1, &bytes);
  errors[4] = winnow_executable_execute(NULL, NULL, 1, NULL, 0, 0, 0);
  errors[5] = winnow_executable_execute_launch(NULL, 0, NULL, 1, NULL, 0, 0, 0);
  errors[6] = winnow_executable_record(NULL, 1, NULL, 0, 0, 0, &call);
  errors[7] = winnow_recorded_call_launch(NULL, NULL);
  for (i = 0; i < 8; ++i) {
    failures += errors[i] != NULL && winnow_error_message(errors[i])[0] != 0;
    winnow_error_destroy(errors[i]);
  }
  winnow_executable_destroy(executable);
  winnow_recorded_call_destroy(call);
  if (winnow_executable_input_count(NULL) || winnow_executable_output_count(NULL) || winnow_executable_launch_count(NULL) ||
      winnow_executable_launch_name(NULL, 0))
    return -1;
  return winnow_runtime_abi_version() == WINNOW_RUNTIME_ABI_VERSION ? failures : -1;
}
