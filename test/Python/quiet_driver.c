/* A CUDA driver for memory of the host: one H100 whose kernels take no time and do nothing; buffers are copied and
 * cleared. With it, what is left of a call is what the host does. Built by test_fast_calls.py. */

#include "../tools/stand_in_driver.h"

int launches; /* how often a kernel was launched, a buffer cleared or copied */

int cuDeviceGetName(char *name, int size, int device) { return (void)device, strncpy(name, "quiet", size), 0; }
int cuModuleLoadDataEx(void **module) { return *module = &something, 0; }
NOTHING(cuModuleUnload)
int cuModuleGetFunction(void **function) { return *function = &something, 0; }
int cuLaunchKernelEx(void) { return ++launches, 0; }
NOTHING(cuMemcpyHtoD_v2)
NOTHING(cuMemcpyDtoH_v2)
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes) {
  return ++launches, memcpy((void *)to, (const void *)from, bytes), 0;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes) {
  return ++launches, memset((void *)to, value, bytes), 0;
}
int cuEventCreate(void **event) { return *event = &something, 0; }
NOTHING(cuEventDestroy_v2)
NOTHING(cuEventRecord)
int cuEventElapsedTime(float *milliseconds) { return *milliseconds = 1, 0; }
