/* A CUDA driver for memory of the host: one H100 whose kernels take no time and do nothing; buffers are copied and
 * cleared. With it, what is left of a call is what the host does. Built by test_fast_calls.py. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING(name)                                                                                                  \
  int name(void) { return 0; }

int launches; /* how often a kernel was launched, a buffer cleared or copied */

NOTHING(cuInit)
int cuDriverGetVersion(int *version) { return *version = 13000, 0; }
int cuGetErrorName(int code, const char **name) { return (void)code, *name = "ERROR", 0; }
int cuGetErrorString(int code, const char **text) { return (void)code, *text = "text", 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int ordinal) { return *device = ordinal, 0; }
int cuDeviceGetName(char *name, int size, int device) { return (void)device, strncpy(name, "quiet", size), 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { return (void)device, *bytes = (size_t)1 << 36, 0; }
int cuDeviceGetAttribute(int *value, int32_t attribute, int device) {
  (void)device;
  /* multiprocessors, compute capability, shared memory per block */
  *value = attribute == 16 ? 132 : attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 97 ? 232448 : 1;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { return (void)device, *context = &launches, 0; }
NOTHING(cuDevicePrimaryCtxRelease_v2)
NOTHING(cuCtxPushCurrent_v2)
int cuCtxPopCurrent_v2(void **context) { return *context = &launches, 0; }
NOTHING(cuCtxSynchronize)
int cuModuleLoadDataEx(void **module) { return *module = &launches, 0; }
NOTHING(cuModuleUnload)
int cuModuleGetFunction(void **function) { return *function = &launches, 0; }
NOTHING(cuFuncSetAttribute)
int cuLaunchKernelEx(void) { return ++launches, 0; }
NOTHING(cuTensorMapEncodeTiled)
int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  *address = (uint64_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
  return *address ? 0 : 2;
}
int cuMemFree_v2(uint64_t address) { return free((void *)address), 0; }
NOTHING(cuMemcpyHtoD_v2)
NOTHING(cuMemcpyDtoH_v2)
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes) {
  return ++launches, memcpy((void *)to, (const void *)from, bytes), 0;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes) {
  return ++launches, memset((void *)to, value, bytes), 0;
}
int cuStreamCreate(void **stream) { return *stream = &launches, 0; }
NOTHING(cuStreamDestroy_v2)
NOTHING(cuStreamSynchronize)
NOTHING(cuStreamBeginCapture_v2)
int cuStreamEndCapture(void *stream, void **graph) { return (void)stream, *graph = &launches, 0; }
int cuGraphInstantiateWithFlags(void **executable) { return *executable = &launches, 0; }
NOTHING(cuGraphUpload)
NOTHING(cuGraphLaunch)
NOTHING(cuGraphDestroy)
NOTHING(cuGraphExecDestroy)
int cuEventCreate(void **event) { return *event = &launches, 0; }
NOTHING(cuEventDestroy_v2)
NOTHING(cuEventRecord)
NOTHING(cuEventSynchronize)
int cuEventElapsedTime(float *milliseconds) { return *milliseconds = 1, 0; }
