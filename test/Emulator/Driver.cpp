//===- Driver.cpp - a CUDA driver whose device is this machine ----------------------------------------------------===//
//
// Stands in for libcuda.so.1: one device of compute capability 9.0 with few multiprocessors
// (WINNOW_EMULATOR_MULTIPROCESSORS, 4 unless told), so that small grids make several rounds. Everything is done when the call returns. Images are the
// host's shared libraries, which the stand-in for NVRTC makes. WINNOW_EMULATOR_SEED chooses the order of things.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "DeviceMemory.h"
#include "Grid.h"
#include "MatrixUnit.h"
#include "Multiprocessor.h"

#include "winnow/Runtime/Driver.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <memory>
#include <unistd.h>

using namespace emulator;
using namespace winnow::rt::cuda;

namespace {
enum Error : Code { kInvalidValue = 1, kNoMemory = 2, kInvalidImage = 200, kNotFound = 500, kLaunchFailed = 719, kNotSupported = 801 };

uint64_t numberFrom(const char *variable, uint64_t otherwise) {
  const char *text = std::getenv(variable);
  return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}
unsigned multiprocessors() { return static_cast<unsigned>(numberFrom("WINNOW_EMULATOR_MULTIPROCESSORS", 4)); }

/// Of this process: the driver's handles have to point somewhere.
char something;
std::atomic<uint64_t> launches = 0;

struct LoadedFunction {
  emulator::Kernel kernel;
  unsigned cluster;
  std::string name;
};

/// Bytes of an ELF file: the section headers end it.
size_t imageBytes(const void *image) {
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return 0;
  return header.e_shoff + static_cast<size_t>(header.e_shnum) * header.e_shentsize;
}

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
} // namespace

extern "C" {

Code cuInit(unsigned) { return kSuccess; }
Code cuDriverGetVersion(int *version) { return *version = 13000, kSuccess; }
Code cuGetErrorName(Code code, const char **name) {
  *name = code == kInvalidValue   ? "CUDA_ERROR_INVALID_VALUE"
          : code == kNoMemory     ? "CUDA_ERROR_OUT_OF_MEMORY"
          : code == kInvalidImage ? "CUDA_ERROR_INVALID_IMAGE"
          : code == kNotFound     ? "CUDA_ERROR_NOT_FOUND"
          : code == kLaunchFailed ? "CUDA_ERROR_LAUNCH_FAILED"
                                  : "CUDA_ERROR_NOT_SUPPORTED";
  return kSuccess;
}
Code cuGetErrorString(Code, const char **text) { return *text = "of the emulated device", kSuccess; }
Code cuDeviceGetCount(int *count) { return *count = 1, kSuccess; }
Code cuDeviceGet(Device *device, int ordinal) { return *device = ordinal, ordinal == 0 ? kSuccess : 101; }
Code cuDeviceGetName(char *name, int size, Device) { return std::snprintf(name, static_cast<size_t>(size), "Emulated sm_90a"), kSuccess; }
Code cuDeviceTotalMem_v2(size_t *bytes, Device) { return *bytes = size_t(8) << 30, kSuccess; }
Code cuDeviceGetAttribute(int *value, int32_t attribute, Device) {
  switch (attribute) {
  case kMultiprocessorCount:
    return *value = static_cast<int>(multiprocessors()), kSuccess;
  case kComputeCapabilityMajor:
    return *value = 9, kSuccess;
  case kComputeCapabilityMinor:
    return *value = 0, kSuccess;
  case kMaxSharedBytesPerBlockOptin:
    return *value = emulator::kSharedBytes, kSuccess;
  default:
    return *value = 1, kSuccess;
  }
}
Code cuDevicePrimaryCtxRetain(Context *context, Device) { return *context = &something, kSuccess; }
Code cuDevicePrimaryCtxRelease_v2(Device) { return kSuccess; }
Code cuCtxPushCurrent_v2(Context) { return kSuccess; }
Code cuCtxPopCurrent_v2(Context *context) { return *context = &something, kSuccess; }
Code cuCtxSynchronize() { return kSuccess; }

Code cuModuleLoadDataEx(Module *module, const void *image, unsigned, int32_t *, void **) {
  size_t bytes = imageBytes(image);
  if (bytes == 0)
    return kInvalidImage;
  char path[] = "/tmp/winnow-emulator-XXXXXX";
  int file = ::mkstemp(path);
  if (file < 0)
    return kInvalidImage;
  bool written = ::write(file, image, bytes) == static_cast<ssize_t>(bytes);
  ::close(file);
  void *library = written ? ::dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (!library)
    std::fprintf(stderr, "emulator: %s\n", written ? ::dlerror() : "cannot write the image");
  ::unlink(path);
  if (!library)
    return kInvalidImage;
  auto *bind = reinterpret_cast<emulator::Bind *>(::dlsym(library, "emulator_bind"));
  if (!bind)
    return kInvalidImage;
  bind(Multiprocessor::current);
  *module = library;
  return kSuccess;
}
Code cuModuleUnload(Module module) { return ::dlclose(module), kSuccess; }
Code cuModuleGetFunction(Function *function, Module module, const char *name) {
  void *kernel = ::dlsym(module, (std::string(name) + "_emulated").c_str());
  void *cluster = ::dlsym(module, (std::string(name) + "_cluster").c_str());
  if (!kernel || !cluster)
    return kNotFound;
  *function = new LoadedFunction{*static_cast<emulator::Kernel *>(kernel), *static_cast<unsigned *>(cluster), name};
  return kSuccess;
}
Code cuFuncSetAttribute(Function, int32_t, int value) { return value <= static_cast<int>(emulator::kSharedBytes) ? kSuccess : kInvalidValue; }

Code cuLaunchKernelEx(const LaunchConfig *config, Function function, void **parameters, void **) {
  const auto &loaded = *static_cast<LoadedFunction *>(function);
  if (config->gridX == 0 || config->gridY != 1 || config->gridZ != 1 || config->blockY != 1 || config->blockZ != 1 ||
      config->blockX > 1024)
    return kInvalidValue;
  std::string wrong =
      runGrid(loaded.kernel, parameters, {config->gridX, config->blockX, config->sharedBytes, loaded.cluster},
              multiprocessors(), (numberFrom("WINNOW_EMULATOR_SEED", 1) << 32) + (launches++ << 20));
  if (wrong.empty())
    return kSuccess;
  std::fprintf(stderr, "emulator: %s: %s\n", loaded.name.c_str(), wrong.c_str());
  return kLaunchFailed;
}

Code cuTensorMapEncodeTiled(EncodedTensorMap *encoded, int32_t type, uint32_t rank, void *address,
                            const uint64_t *extents, const uint64_t *strides, const uint32_t *box,
                            const uint32_t *elementStrides, int32_t interleave, int32_t swizzle, int32_t, int32_t fill) {
  emulator::TensorMap map = {};
  map.elementBytes = type == kMapU8 ? 1 : type == kMapF16 || type == kMapBF16 ? 2 : 4;
  if (rank < 1 || rank > 5 || interleave != kInterleaveNone || fill != kFillZero ||
      (swizzle != kSwizzleNone && swizzle != kSwizzle128) || reinterpret_cast<uintptr_t>(address) % 16 != 0)
    return kInvalidValue;
  map.rank = static_cast<uint8_t>(rank);
  map.address = reinterpret_cast<uint64_t>(address);
  map.swizzled = swizzle == kSwizzle128;
  map.valid = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    if (extents[i] == 0 || box[i] == 0 || box[i] > 256 || elementStrides[i] != 1 ||
        (i + 1 < rank && (strides[i] % 16 != 0 || strides[i] >> 40)))
      return kInvalidValue;
    map.extents[i] = extents[i];
    map.box[i] = box[i];
    if (i + 1 < rank)
      map.strides[i] = strides[i];
  }
  const uint32_t inner = box[0] * map.elementBytes;
  if (inner % 16 != 0 || (map.swizzled && inner > 128))
    return kInvalidValue;
  static_assert(sizeof(map) <= sizeof(*encoded));
  std::memcpy(encoded, &map, sizeof(map));
  return kSuccess;
}

Code cuMemAlloc_v2(Address *address, size_t bytes) {
  void *memory = bytes ? emulator::allocate(bytes) : nullptr;
  *address = reinterpret_cast<Address>(memory);
  return memory ? kSuccess : bytes ? kNoMemory : kInvalidValue;
}
Code cuMemFree_v2(Address address) { return emulator::release(reinterpret_cast<void *>(address)) ? kSuccess : kInvalidValue; }
Code cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
  return std::memcpy(reinterpret_cast<void *>(to), from, bytes), kSuccess;
}
Code cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
  return std::memcpy(to, reinterpret_cast<void *>(from), bytes), kSuccess;
}
Code cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, StreamHandle) {
  return std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes), kSuccess;
}
Code cuMemsetD8Async(Address to, unsigned char value, size_t bytes, StreamHandle) {
  return std::memset(reinterpret_cast<void *>(to), value, bytes), kSuccess;
}
Code cuStreamCreate(StreamHandle *stream, unsigned) { return *stream = &something, kSuccess; }
Code cuStreamDestroy_v2(StreamHandle) { return kSuccess; }
Code cuStreamSynchronize(StreamHandle) { return kSuccess; }
Code cuStreamBeginCapture_v2(StreamHandle, int32_t) { return kNotSupported; }
Code cuStreamEndCapture(StreamHandle, Graph *) { return kNotSupported; }
Code cuGraphInstantiateWithFlags(GraphExecutable *, Graph, unsigned long long) { return kNotSupported; }
Code cuGraphUpload(GraphExecutable, StreamHandle) { return kNotSupported; }
Code cuGraphLaunch(GraphExecutable, StreamHandle) { return kNotSupported; }
Code cuGraphDestroy(Graph) { return kNotSupported; }
Code cuGraphExecDestroy(GraphExecutable) { return kNotSupported; }
Code cuEventCreate(EventHandle *event, unsigned) { return *event = new double(0), kSuccess; }
Code cuEventDestroy_v2(EventHandle event) { return delete static_cast<double *>(event), kSuccess; }
Code cuEventRecord(EventHandle event, StreamHandle) { return *static_cast<double *>(event) = now(), kSuccess; }
Code cuEventSynchronize(EventHandle) { return kSuccess; }
Code cuEventElapsedTime(float *milliseconds, EventHandle start, EventHandle end) {
  return *milliseconds = static_cast<float>(*static_cast<double *>(end) - *static_cast<double *>(start)), kSuccess;
}

} // extern "C"
