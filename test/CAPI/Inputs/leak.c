/* Forgets a context and an error. */
#include "winnow-c/Winnow.h"

int main(void) {
  winnow_context *context;
  winnow_module *module;
  winnow_context_create(&context);
  return winnow_module_parse(context, "x", 1, "leak.mlir", &module) == 0;
}
