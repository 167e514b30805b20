/* What stand-ins for the CUDA driver have in common: one GPU of compute capability 9.0, memory of the host, no errors. For
 * libraries of one source file. */

#ifndef WINNOW_TEST_TOOLS_STAND_IN_DRIVER_H
#define WINNOW_TEST_TOOLS_STAND_IN_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING(name)                                                                                                  \
  int name(void) { return 0; }

static char something; /* what handles point to */

NOTHING(cuInit)
int cuDriverGetVersion(int *version) { return *version = 13000, 0; }
int cuGetErrorName(int code, const char **name) { return (void)code, *name = "ERROR", 0; }
int cuGetErrorString(int code, const char **text) { return (void)code, *text = "text", 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int ordinal) { return *device = ordinal, ordinal == 0 ? 0 : 101; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { return (void)device, *bytes = (size_t)1 << 36, 0; }
int cuDeviceGetAttribute(int *value, int32_t attribute, int device) {
  (void)device;
  /* multiprocessors, compute capability, shared memory per block */
  *value = attribute == 16 ? 132 : attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 97 ? 232448 : 1;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { return (void)device, *context = &something, 0; }
NOTHING(cuDevicePrimaryCtxRelease_v2)
NOTHING(cuCtxPushCurrent_v2)
int cuCtxPopCurrent_v2(void **context) { return *context = &something, 0; }
NOTHING(cuCtxSynchronize)
NOTHING(cuFuncSetAttribute)
#ifndef OWN_TENSOR_MAPS
NOTHING(cuTensorMapEncodeTiled)
#endif
int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  *address = (uint64_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
  return *address ? 0 : 2;
}
int cuMemFree_v2(uint64_t address) { return free((void *)address), 0; }
int cuStreamCreate(void **stream) { return *stream = &something, 0; }
NOTHING(cuStreamDestroy_v2)
NOTHING(cuStreamSynchronize)
NOTHING(cuStreamBeginCapture_v2)
int cuStreamEndCapture(void *stream, void **graph) { return (void)stream, *graph = &something, 0; }
int cuGraphInstantiateWithFlags(void **executable) { return *executable = &something, 0; }
NOTHING(cuGraphUpload)
NOTHING(cuGraphLaunch)
NOTHING(cuGraphDestroy)
NOTHING(cuGraphExecDestroy)
NOTHING(cuEventSynchronize)

#endif /* WINNOW_TEST_TOOLS_STAND_IN_DRIVER_H */
