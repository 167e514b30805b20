/* A CUDA driver for memory of the host: one GPU whose kernels compute nothing and take a time that is read from their
 * source, which source_nvrtc.c gives for machine code. A product takes 100 us, 10 us more for every 64 rows and 32 columns
 * that its tile has more or less than 128 x 192, and 1 us more for every stage less than nine. Times vary by a part in a
 * thousand from launch to launch.
 *
 * WRONG_RASTER: products of this raster write zeros to the beginning of their result.
 * LAUNCH_LOG: a file that receives a line for every product that is launched.
 * INTERRUPT_AFTER: so many launches later the process gets SIGINT. */

#define OWN_TENSOR_MAPS
#include "../../tools/stand_in_driver.h"

#include <signal.h>
#include <stdio.h>

static double microseconds; /* of everything that was enqueued */
static long launches;

int cuDeviceGetName(char *name, int size, int device) { return (void)device, strncpy(name, "Stand-in GPU", size), 0; }
int cuModuleLoadDataEx(void **module, const void *image) { return *module = strdup(image), 0; }
int cuModuleUnload(void *module) { return free(module), 0; }
int cuModuleGetFunction(void **function, void *module) { return *function = module, 0; }

static int constant(const char *source, const char *name) {
  char pattern[64];
  snprintf(pattern, sizeof pattern, "int %s = ", name);
  const char *found = strstr(source, pattern);
  return found ? atoi(found + strlen(pattern)) : 0;
}

/* A tensor map begins with the address that it was made for. */
int cuTensorMapEncodeTiled(void **map, int type, uint32_t rank, void *address) {
  (void)type, (void)rank;
  return *map = address, 0;
}

/* Where the result of the kernel in `source` goes: its parameter "void *out", or the tensor map "out_map". */
static void *result(const char *source, void **parameters) {
  static const char *const names[] = {"void *out,", "const __grid_constant__ winnow::TensorMap out_map,"};
  const char *at = strstr(strstr(source, "extern \"C\" __global__"), "__launch_bounds__");
  at = strstr(strstr(at, ") ") + 2, "(");
  for (int index = 0; at; ++index, at = strchr(at + 1, ','))
    for (int i = 0; i < 2; ++i)
      if (!strncmp(at + 1 + (at[1] == ' '), names[i], strlen(names[i])))
        return *(void **)parameters[index];
  abort();
}

int cuLaunchKernelEx(const void *config, void *function, void **parameters, void **extra) {
  (void)config, (void)extra;
  const char *source = function, *wrong = getenv("WRONG_RASTER"), *interrupt = getenv("INTERRUPT_AFTER");
  int rows = constant(source, "kTileM"), columns = constant(source, "kTileN");
  if (++launches == (interrupt ? atol(interrupt) : 0))
    raise(SIGINT);
  if (!rows)
    return 0;
  microseconds += (109 + abs(rows - 128) / 64 * 10 + abs(columns - 192) / 32 * 10 - constant(source, "kStages")) *
                  (1 + launches % 3 * 1e-3);
  static FILE *log;
  if (!log && getenv("LAUNCH_LOG"))
    log = fopen(getenv("LAUNCH_LOG"), "w");
  if (log)
    fprintf(log, "%d x %d, stages %d, raster %d\n", rows, columns, constant(source, "kStages"),
            constant(source, "kRaster"));
  if (wrong && constant(source, "kRaster") == atoi(wrong))
    memset(result(source, parameters), 0, 16);
  return 0;
}
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) { return memcpy((void *)to, from, bytes), 0; }
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) { return memcpy(to, (void *)from, bytes), 0; }
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes) {
  return memcpy((void *)to, (const void *)from, bytes), 0;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes) {
  /* What clears the L2 cache holds nothing that is looked at. */
  return bytes < (size_t)1 << 27 ? memset((void *)to, value, bytes), 0 : 0;
}
int cuEventCreate(void **event) { return *event = malloc(sizeof(double)), 0; }
int cuEventDestroy_v2(void *event) { return free(event), 0; }
int cuEventRecord(void *event) { return *(double *)event = microseconds, 0; }
int cuEventElapsedTime(float *milliseconds, void *start, void *end) {
  return *milliseconds = (float)((*(double *)end - *(double *)start) * 1e-3), 0;
}
