/* An NVRTC whose machine code is the source, so that timed_driver.c can read in it which schedule it runs. A source with
 * the tile that REFUSED_TILE names ("128 x 96") does not compile. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *nvrtcGetErrorString(int code) { return (void)code, "NVRTC_ERROR_COMPILATION"; }
/* No version that there is: what it gives must not be found in the cache of a real one. */
int nvrtcVersion(int *major, int *minor) { return *major = 13, *minor = 99, 0; }
int nvrtcCreateProgram(void **program, const char *source, const char *name, int count, const char *const *headers,
                       const char *const *names) {
  (void)name, (void)count, (void)headers, (void)names;
  return *program = strdup(source), 0;
}
int nvrtcDestroyProgram(void **program) { return free(*program), 0; }
int nvrtcCompileProgram(void *program, int count, const char *const *options) {
  (void)count, (void)options;
  const char *refused = getenv("REFUSED_TILE");
  int rows = 0, columns = 0;
  char line[64];
  if (!refused || sscanf(refused, "%d x %d", &rows, &columns) != 2)
    return 0;
  snprintf(line, sizeof line, "kTileM = %d;\n  static constexpr int kTileN = %d;", rows, columns);
  return strstr(program, line) ? 6 : 0;
}
int nvrtcGetPTXSize(void *program, size_t *size) { return *size = strlen(program) + 1, 0; }
int nvrtcGetPTX(void *program, char *text) { return strcpy(text, program), 0; }
int nvrtcGetCUBINSize(void *program, size_t *size) { return *size = strlen(program) + 1, 0; }
int nvrtcGetCUBIN(void *program, char *bytes) { return strcpy(bytes, program), 0; }
int nvrtcGetProgramLogSize(void *program, size_t *size) { return (void)program, *size = 16, 0; }
int nvrtcGetProgramLog(void *program, char *log) { return (void)program, strcpy(log, "it is refused"), 0; }
