//===- FakeCuda.cpp - a CUDA driver for tests ---------------------------------------------------------------------===//

#include "FakeCuda.h"

#include "winnow/Runtime/Driver.h"

#include <cstdlib>
#include <cstring>
#include <memory>

using namespace winnow::rt;
using fakecuda::State;

namespace {
struct Context {
  int device;
};
struct Module {
  std::string kernels; ///< the image: names between commas, ",one,two,"
};
struct Function {
  std::string name;
};
using fakecuda::GraphRecord;
std::vector<fakecuda::MemoryRecord> &memoryOf(State &state, void *stream) {
  auto capture = state.captures.find(stream);
  return capture == state.captures.end() ? state.memory : capture->second.memory;
}
constexpr int kInvalidContext = 201, kInvalidDevice = 101, kNotFound = 500, kOutOfMemory = 2;
thread_local std::vector<Context *> currentContexts;
Context contexts[8] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
} // namespace

extern "C" State *fakeCudaState() {
  static State state;
  return &state;
}

/// Records the call; the entry point returns at once where the test wants it to fail.
#define ENTER(name)                                                                                                    \
  State &state = *fakeCudaState();                                                                                     \
  std::lock_guard<std::mutex> lock(state.mutex);                                                                       \
  ++state.calls[#name];                                                                                                \
  if (auto failure = state.failures.find(#name); failure != state.failures.end())                                      \
    return failure->second;
#define NEEDS_CONTEXT                                                                                                  \
  if (currentContexts.empty())                                                                                         \
    return kInvalidContext;

extern "C" {

int cuInit(unsigned) { ENTER(cuInit) return 0; }
int cuDriverGetVersion(int *version) {
  ENTER(cuDriverGetVersion)
  *version = state.version;
  return 0;
}
int cuGetErrorName(int code, const char **name) {
  static const std::map<int, const char *> names = {
      {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"},     {34, "CUDA_ERROR_STUB_LIBRARY"},
      {100, "CUDA_ERROR_NO_DEVICE"},   {201, "CUDA_ERROR_INVALID_CONTEXT"}, {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
      {500, "CUDA_ERROR_NOT_FOUND"}};
  auto found = names.find(code);
  if (found == names.end())
    return 1;
  *name = found->second;
  return 0;
}
int cuGetErrorString(int code, const char **text) {
  *text = "text of the driver";
  return code == 999 ? 1 : 0;
}
int cuDeviceGetCount(int *count) {
  ENTER(cuDeviceGetCount)
  *count = int(state.devices.size());
  return 0;
}
int cuDeviceGet(int *device, int ordinal) {
  ENTER(cuDeviceGet)
  *device = ordinal;
  return ordinal < int(state.devices.size()) ? 0 : kInvalidDevice;
}
int cuDeviceGetName(char *name, int size, int device) {
  ENTER(cuDeviceGetName)
  std::strncpy(name, state.devices[device].name.c_str(), size);
  return 0;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) {
  ENTER(cuDeviceTotalMem)
  *bytes = size_t(80) << 30;
  return 0;
}
int cuDeviceGetAttribute(int *value, int32_t attribute, int device) {
  ENTER(cuDeviceGetAttribute)
  const fakecuda::DeviceModel &model = state.devices[device];
  *value = attribute == 16   ? model.multiprocessors
           : attribute == 75 ? model.major
           : attribute == 76 ? model.minor
                             : model.sharedBytes;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
  ENTER(cuDevicePrimaryCtxRetain)
  ++state.devices[device].retained;
  *context = &contexts[device];
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int device) {
  ENTER(cuDevicePrimaryCtxRelease)
  --state.devices[device].retained;
  return 0;
}
int cuCtxPushCurrent_v2(void *context) {
  ENTER(cuCtxPushCurrent)
  currentContexts.push_back(static_cast<Context *>(context));
  return 0;
}
int cuCtxPopCurrent_v2(void **context) {
  ENTER(cuCtxPopCurrent)
  NEEDS_CONTEXT
  *context = currentContexts.back();
  currentContexts.pop_back();
  return 0;
}
int cuCtxSynchronize() {
  ENTER(cuCtxSynchronize)
  NEEDS_CONTEXT
  return 0;
}
int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int32_t *options, void **values) {
  // CU_JIT_ERROR_LOG_BUFFER, then its size.
  if (count == 2 && options[0] == 5 && options[1] == 6)
    std::strncpy(static_cast<char *>(values[0]), fakeCudaState()->moduleLog.c_str(), size_t(values[1]));
  ENTER(cuModuleLoadDataEx)
  NEEDS_CONTEXT
  ++state.liveModules;
  *module = new Module{static_cast<const char *>(image)};
  return 0;
}
int cuModuleUnload(void *module) {
  ENTER(cuModuleUnload)
  NEEDS_CONTEXT
  --state.liveModules;
  delete static_cast<Module *>(module);
  return 0;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
  ENTER(cuModuleGetFunction)
  NEEDS_CONTEXT
  if (static_cast<Module *>(module)->kernels.find("," + std::string(name) + ",") == std::string::npos)
    return kNotFound;
  static std::map<std::string, Function> functions;
  *function = &(functions[name] = {name});
  return 0;
}
int cuFuncSetAttribute(void *function, int32_t attribute, int value) {
  ENTER(cuFuncSetAttribute)
  NEEDS_CONTEXT
  if (attribute == 8)
    state.sharedLimits[static_cast<Function *>(function)->name] = value;
  return 0;
}
int cuLaunchKernelEx(const cuda::LaunchConfig *config, void *function, void **parameters, void **extra) {
  ENTER(cuLaunchKernelEx)
  NEEDS_CONTEXT
  fakecuda::LaunchRecord record = {currentContexts.back()->device,
                                   static_cast<Function *>(function)->name,
                                   {config->gridX, config->gridY, config->gridZ},
                                   {config->blockX, config->blockY, config->blockZ},
                                   config->sharedBytes,
                                   config->stream,
                                   {},
                                   config->attributeCount == 1};
  const auto isOverlap = [](const cuda::LaunchAttribute &attribute) {
    return attribute.id == cuda::kProgrammaticSerialization && attribute.value == 1;
  };
  if (extra || config->attributeCount > 1 || (record.overlaps && !isOverlap(*config->attributes)))
    return 1;
  const std::vector<size_t> &sizes = state.signatures[record.kernel];
  for (size_t i = 0; i < sizes.size(); ++i) {
    const uint8_t *bytes = static_cast<const uint8_t *>(parameters[i]);
    record.parameters.emplace_back(bytes, bytes + sizes[i]);
  }
  auto capture = state.captures.find(config->stream);
  (capture == state.captures.end() ? state.launches : capture->second.launches).push_back(std::move(record));
  return 0;
}
#ifndef FAKE_CUDA_WITHOUT_TENSOR_MAPS
int cuTensorMapEncodeTiled(cuda::EncodedTensorMap *map, int32_t type, uint32_t rank, void *address,
                           const uint64_t *extents, const uint64_t *strides, const uint32_t *box,
                           const uint32_t *elementStrides, int32_t interleave, int32_t swizzle, int32_t promotion,
                           int32_t fill) {
  ENTER(cuTensorMapEncodeTiled)
  if (reinterpret_cast<uint64_t>(map) % 64 != 0)
    return 1;
  // The test recognises the map in the launch by its number.
  std::memset(map, 0, sizeof(*map));
  map->opaque[0] = state.tensorMaps.size();
  state.tensorMaps.push_back({type,
                              reinterpret_cast<uint64_t>(address),
                              {extents, extents + rank},
                              {strides, strides + rank - 1},
                              {box, box + rank},
                              {elementStrides, elementStrides + rank},
                              interleave,
                              swizzle,
                              promotion,
                              fill});
  return 0;
}
#endif
int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  ENTER(cuMemAlloc)
  NEEDS_CONTEXT
  void *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!memory)
    return kOutOfMemory;
  ++state.liveAllocations;
  *address = reinterpret_cast<uint64_t>(memory);
  return 0;
}
int cuMemFree_v2(uint64_t address) {
  ENTER(cuMemFree)
  NEEDS_CONTEXT
  --state.liveAllocations;
  std::free(reinterpret_cast<void *>(address));
  return 0;
}
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  ENTER(cuMemcpyHtoD)
  NEEDS_CONTEXT
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return 0;
}
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
  ENTER(cuMemcpyDtoH)
  NEEDS_CONTEXT
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return 0;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  ENTER(cuMemcpyDtoDAsync)
  NEEDS_CONTEXT
  memoryOf(state, stream).push_back({"cuMemcpyDtoDAsync", to, from, bytes, stream});
  return 0;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
  ENTER(cuMemsetD8Async)
  NEEDS_CONTEXT
  memoryOf(state, stream).push_back({"cuMemsetD8Async", to, value, bytes, stream});
  return 0;
}
int cuStreamCreate(void **stream, unsigned) {
  ENTER(cuStreamCreate)
  NEEDS_CONTEXT
  *stream = new int(++state.liveStreams);
  return 0;
}
int cuStreamDestroy_v2(void *stream) {
  ENTER(cuStreamDestroy)
  NEEDS_CONTEXT
  --state.liveStreams;
  delete static_cast<int *>(stream);
  return 0;
}
int cuStreamSynchronize(void *) {
  ENTER(cuStreamSynchronize)
  NEEDS_CONTEXT
  return 0;
}
int cuStreamBeginCapture_v2(void *stream, int32_t) {
  ENTER(cuStreamBeginCapture)
  NEEDS_CONTEXT
  return state.captures.emplace(stream, GraphRecord()).second ? 0 : 1;
}
int cuStreamEndCapture(void *stream, void **graph) {
  // Capturing ends whether a graph comes of it or not.
  auto *record = new GraphRecord(fakeCudaState()->captures[stream]);
  fakeCudaState()->captures.erase(stream);
  std::unique_ptr<GraphRecord> owner(record);
  ENTER(cuStreamEndCapture)
  NEEDS_CONTEXT
  ++state.liveGraphs;
  *graph = owner.release();
  return 0;
}
int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
  ENTER(cuGraphInstantiateWithFlags)
  NEEDS_CONTEXT
  ++state.liveGraphs;
  *executable = new GraphRecord(*static_cast<GraphRecord *>(graph));
  return 0;
}
int cuGraphUpload(void *, void *) {
  ENTER(cuGraphUpload)
  NEEDS_CONTEXT
  return 0;
}
int cuGraphLaunch(void *executable, void *stream) {
  ENTER(cuGraphLaunch)
  NEEDS_CONTEXT
  for (fakecuda::LaunchRecord launch : static_cast<GraphRecord *>(executable)->launches) {
    launch.stream = stream;
    state.launches.push_back(std::move(launch));
  }
  for (fakecuda::MemoryRecord record : static_cast<GraphRecord *>(executable)->memory) {
    record.stream = stream;
    state.memory.push_back(std::move(record));
  }
  return 0;
}
static int destroyGraph(State &state, void *graph) {
  --state.liveGraphs;
  delete static_cast<GraphRecord *>(graph);
  return 0;
}
int cuGraphDestroy(void *graph) {
  ENTER(cuGraphDestroy)
  NEEDS_CONTEXT
  return destroyGraph(state, graph);
}
int cuGraphExecDestroy(void *executable) {
  ENTER(cuGraphExecDestroy)
  NEEDS_CONTEXT
  return destroyGraph(state, executable);
}
int cuEventCreate(void **event, unsigned) {
  ENTER(cuEventCreate)
  NEEDS_CONTEXT
  *event = new int(++state.liveEvents);
  return 0;
}
int cuEventDestroy_v2(void *event) {
  ENTER(cuEventDestroy)
  NEEDS_CONTEXT
  --state.liveEvents;
  delete static_cast<int *>(event);
  return 0;
}
int cuEventRecord(void *, void *) {
  ENTER(cuEventRecord)
  NEEDS_CONTEXT
  return 0;
}
int cuEventSynchronize(void *) {
  ENTER(cuEventSynchronize)
  NEEDS_CONTEXT
  return 0;
}
int cuEventElapsedTime(float *milliseconds, void *, void *) {
  ENTER(cuEventElapsedTime)
  NEEDS_CONTEXT
  *milliseconds = 1.5f;
  return 0;
}

} // extern "C"
