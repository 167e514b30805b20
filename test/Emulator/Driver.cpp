//===- Driver.cpp - a CUDA driver whose device is this machine ----------------------------------------------------===//
//
// Stands in for libcuda.so.1: one device of compute capability 9.0 with few multiprocessors
// (WINNOW_EMULATOR_MULTIPROCESSORS, 4 unless told), so that small grids make several rounds. Everything but kernels is
// done when the call returns, unless the stream is being recorded; kernels are when something waits for them or follows
// them. WINNOW_EMULATOR_SEED (1 unless told) chooses the order of things.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "DeviceMemory.h"
#include "Grid.h"
#include "MatrixUnit.h"
#include "Modules.h"
#include "Multiprocessor.h"
#include "Recording.h"

#include "winnow/Runtime/Driver.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace emulator;
using namespace winnow::rt::cuda;

namespace {
enum Error : Code {
  kInvalidValue = 1,
  kNoMemory = 2,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kNotFound = 500,
  kLaunchFailed = 719,
  kCaptureUnsupported = 900,
};

/// Of this process: the driver's handles have to point somewhere.
char something;
/// Settings, read by cuInit.
uint64_t seed = 1, multiprocessors = 4;
std::atomic<uint64_t> launches = 0;
/// What cuGetErrorString says of the latest error on this thread; it stays readable until the next.
thread_local std::string explanation;

Code explain(Code code, std::string text) { return explanation = std::move(text), code; }

/// False, and a message, if the variable is set to anything but a number from `least` to `most`.
bool readSetting(const char *variable, uint64_t least, uint64_t most, uint64_t &value) {
  const char *text = std::getenv(variable);
  if (!text || !*text)
    return true;
  char *end = nullptr;
  unsigned long long number = std::strtoull(text, &end, 10);
  if (*end || *text == '-' || number < least || number > most) {
    explain(kInvalidValue, std::string(variable) + ": expected a number from " + std::to_string(least) + " to " +
                               std::to_string(most) + ", got '" + text + "'");
    return false;
  }
  value = number;
  return true;
}

Stream *streamOf(StreamHandle handle) { return static_cast<Stream *>(handle); }
template <class T = void> T *at(Address address) { return reinterpret_cast<T *>(address); }

/// 0, or the error that a copy to or from memory outside of all allocations is.
Code checkMemory(Address address, size_t bytes) {
  if (isDeviceMemory(at(address), bytes))
    return kSuccess;
  return explain(kInvalidValue, std::to_string(bytes) + " bytes at " + describeAddress(at(address)) +
                                    " are not those of one allocation");
}
Code codeOf(const Outcome &outcome) {
  return outcome.wrong.empty() ? outcome.code : explain(kLaunchFailed, outcome.wrong);
}
/// What waits for the device, or could: brings all kernels to their end.
Code settle(const char *what) {
  if (isRecording())
    return explain(kCaptureUnsupported, std::string(what) + " while this thread records a stream");
  return codeOf(finish());
}

/// The values of a launch's parameters, which the caller may change once the call has returned.
class Parameters {
public:
  Parameters(const Kernel &kernel, void **values) {
    constexpr size_t kAlignment = alignof(EncodedTensorMap);
    std::vector<size_t> offsets;
    size_t bytes = 0;
    for (int i = 0; i < kernel.parameterCount; ++i) {
      offsets.push_back(bytes);
      bytes += (static_cast<size_t>(kernel.parameterBytes[i]) + kAlignment - 1) / kAlignment * kAlignment;
    }
    storage.resize(bytes / sizeof(EncodedTensorMap));
    for (int i = 0; i < kernel.parameterCount; ++i) {
      char *place = reinterpret_cast<char *>(storage.data()) + offsets[i];
      std::memcpy(place, values[i], static_cast<size_t>(kernel.parameterBytes[i]));
      pointers.push_back(place);
    }
  }
  void **get() { return pointers.data(); }

private:
  std::vector<EncodedTensorMap> storage;
  std::vector<void *> pointers;
};

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
} // namespace

extern "C" {

Code cuInit(unsigned) {
  constexpr uint64_t kMost = 1000; // each is a thread of the host and some megabytes
  return readSetting("WINNOW_EMULATOR_SEED", 0, ~uint64_t{0} >> 32, seed) &&
                 readSetting("WINNOW_EMULATOR_MULTIPROCESSORS", 1, kMost, multiprocessors)
             ? kSuccess
             : kInvalidValue;
}
Code cuDriverGetVersion(int *version) { return *version = 13000, kSuccess; }
Code cuGetErrorName(Code code, const char **name) {
  *name = code == kInvalidValue         ? "CUDA_ERROR_INVALID_VALUE"
          : code == kNoMemory           ? "CUDA_ERROR_OUT_OF_MEMORY"
          : code == kInvalidDevice      ? "CUDA_ERROR_INVALID_DEVICE"
          : code == kInvalidImage       ? "CUDA_ERROR_INVALID_IMAGE"
          : code == kNotFound           ? "CUDA_ERROR_NOT_FOUND"
          : code == kLaunchFailed       ? "CUDA_ERROR_LAUNCH_FAILED"
          : code == kCaptureUnsupported ? "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"
                                        : "CUDA_ERROR_UNKNOWN";
  return kSuccess;
}
/// Beyond what a driver says: why, from the emulator.
Code cuGetErrorString(Code, const char **text) {
  return *text = explanation.empty() ? "of the emulated device" : explanation.c_str(), kSuccess;
}
Code cuDeviceGetCount(int *count) { return *count = 1, kSuccess; }
Code cuDeviceGet(Device *device, int ordinal) { return *device = ordinal, ordinal == 0 ? kSuccess : kInvalidDevice; }
Code cuDeviceGetName(char *name, int size, Device) {
  return std::snprintf(name, static_cast<size_t>(size), "Emulated sm_90a"), kSuccess;
}
Code cuDeviceTotalMem_v2(size_t *bytes, Device) { return *bytes = size_t(8) << 30, kSuccess; }
Code cuDeviceGetAttribute(int *value, int32_t attribute, Device) {
  switch (attribute) {
  case kMultiprocessorCount:
    return *value = static_cast<int>(multiprocessors), kSuccess;
  case kComputeCapabilityMajor:
    return *value = 9, kSuccess;
  case kComputeCapabilityMinor:
    return *value = 0, kSuccess;
  case kMaxSharedBytesPerBlockOptin:
    return *value = kSharedBytes, kSuccess;
  default:
    return *value = 1, kSuccess;
  }
}
Code cuDevicePrimaryCtxRetain(Context *context, Device) { return *context = &something, kSuccess; }
Code cuDevicePrimaryCtxRelease_v2(Device) { return kSuccess; }
Code cuCtxPushCurrent_v2(Context) { return kSuccess; }
Code cuCtxPopCurrent_v2(Context *context) { return *context = &something, kSuccess; }
Code cuCtxSynchronize() { return settle("waiting for the device"); }

Code cuModuleLoadDataEx(winnow::rt::cuda::Module *module, const void *image, unsigned, int32_t *, void **) {
  std::string why;
  std::unique_ptr<emulator::Module> loaded = emulator::Module::load(image, why);
  if (!loaded)
    return explain(kInvalidImage, why);
  *module = loaded.release();
  return kSuccess;
}
Code cuModuleUnload(winnow::rt::cuda::Module module) {
  if (Code code = codeOf(finish()))
    return code;
  return delete static_cast<emulator::Module *>(module), kSuccess;
}
Code cuModuleGetFunction(Function *function, winnow::rt::cuda::Module module, const char *name) {
  *function = static_cast<emulator::Module *>(module)->find(name);
  return *function ? kSuccess : explain(kNotFound, std::string("the image has no kernel '") + name + "'");
}
Code cuFuncSetAttribute(Function function, int32_t attribute, int value) {
  if (attribute != kMaxDynamicSharedBytes || value < 0 || value > static_cast<int>(kSharedBytes))
    return explain(kInvalidValue, "expected up to " + std::to_string(kSharedBytes) + " bytes of shared memory, got " +
                                      std::to_string(value));
  static_cast<LoadedFunction *>(function)->mostSharedBytes = static_cast<unsigned>(value);
  return kSuccess;
}

Code cuLaunchKernelEx(const LaunchConfig *config, Function function, void **values, void **) {
  const auto &loaded = *static_cast<LoadedFunction *>(function);
  const GridShape shape = {config->gridX, config->blockX, config->sharedBytes, loaded.cluster};
  if (shape.blocks == 0 || shape.threads == 0 || shape.threads > 1024 || config->gridY != 1 || config->gridZ != 1 ||
      config->blockY != 1 || config->blockZ != 1)
    return explain(kInvalidValue, loaded.name + ": expected a grid of one dimension and blocks of 1 to 1024 threads");
  if (shape.sharedBytes > loaded.mostSharedBytes)
    return explain(kInvalidValue, loaded.name + ": expected at most the " + std::to_string(loaded.mostSharedBytes) +
                                      " bytes of shared memory that were asked for, got " +
                                      std::to_string(shape.sharedBytes));
  if (config->attributeCount > 1 ||
      (config->attributeCount == 1 && config->attributes->id != kProgrammaticSerialization))
    return explain(kInvalidValue, loaded.name + ": an attribute of a launch that the emulator does not know");
  auto parameters = std::make_shared<Parameters>(loaded.kernel, values);
  Step step;
  step.overlaps = config->attributeCount == 1 && config->attributes->value != 0;
  step.launch = [&loaded, shape, parameters](const Before &before) {
    std::string earlier; // what went wrong in the launches before
    const Before named = [&] { return earlier = before(); };
    std::string wrong = runGrid(loaded.kernel, parameters->get(), shape, static_cast<unsigned>(multiprocessors),
                                (seed << 32) + (launches++ << 20), before ? named : nullptr);
    if (std::string damage = findDamage(); wrong.empty())
      wrong = damage;
    return wrong.empty() || !earlier.empty() ? earlier : loaded.name + ": " + wrong;
  };
  return codeOf(enqueue(streamOf(config->stream), std::move(step)));
}

Code cuTensorMapEncodeTiled(EncodedTensorMap *encoded, int32_t type, uint32_t rank, void *address,
                            const uint64_t *extents, const uint64_t *strides, const uint32_t *box,
                            const uint32_t *elementStrides, int32_t interleave, int32_t swizzle, int32_t,
                            int32_t fill) {
  TensorMap map = {};
  map.elementBytes = type == kMapU8 ? 1 : type == kMapF16 || type == kMapBF16 ? 2 : 4;
  if (rank < 1 || rank > 5 || interleave != kInterleaveNone || fill != kFillZero ||
      (swizzle != kSwizzleNone && swizzle != kSwizzle128) || reinterpret_cast<uintptr_t>(address) % 16 != 0)
    return explain(kInvalidValue, "a tensor map that the emulator does not know");
  map.rank = static_cast<uint8_t>(rank);
  map.address = reinterpret_cast<uint64_t>(address);
  map.swizzled = swizzle == kSwizzle128;
  map.valid = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    if (extents[i] == 0 || box[i] == 0 || box[i] > 256 || elementStrides[i] != 1 ||
        (i + 1 < rank && (strides[i] % 16 != 0 || strides[i] >> 40)))
      return explain(kInvalidValue, "a tensor map whose dimension " + std::to_string(i) + " is not legal");
    map.extents[i] = extents[i];
    map.box[i] = box[i];
    if (i + 1 < rank)
      map.strides[i] = strides[i];
  }
  const uint32_t inner = box[0] * map.elementBytes;
  if (inner % 16 != 0 || (map.swizzled && inner > 128))
    return explain(kInvalidValue, "a tensor map whose box has rows of " + std::to_string(inner) + " bytes");
  static_assert(sizeof(map) <= sizeof(*encoded));
  std::memcpy(encoded, &map, sizeof(map));
  return kSuccess;
}

Code cuMemAlloc_v2(Address *address, size_t bytes) {
  if (Code code = settle("allocating memory"))
    return code;
  void *memory = bytes ? allocate(bytes) : nullptr;
  *address = reinterpret_cast<Address>(memory);
  return memory  ? kSuccess
         : bytes ? explain(kNoMemory, "the host has no " + std::to_string(bytes) + " bytes")
                 : explain(kInvalidValue, "an allocation of 0 bytes");
}
Code cuMemFree_v2(Address address) {
  if (Code code = settle("freeing memory"))
    return code;
  return release(at(address)) ? kSuccess : explain(kInvalidValue, "memory was freed that is not allocated");
}
Code cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
  if (Code code = settle("a copy that waits"))
    return code;
  if (Code code = checkMemory(to, bytes))
    return code;
  return std::memcpy(at(to), from, bytes), kSuccess;
}
Code cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
  if (Code code = settle("a copy that waits"))
    return code;
  if (Code code = checkMemory(from, bytes))
    return code;
  return std::memcpy(to, at(from), bytes), kSuccess;
}
Code cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, StreamHandle stream) {
  for (Address address : {to, from})
    if (Code code = checkMemory(address, bytes))
      return code;
  return codeOf(
      enqueue(streamOf(stream), {[=] { return std::memmove(at(to), at(from), bytes), kSuccess; }, nullptr, false}));
}
Code cuMemsetD8Async(Address to, unsigned char value, size_t bytes, StreamHandle stream) {
  if (Code code = checkMemory(to, bytes))
    return code;
  return codeOf(
      enqueue(streamOf(stream), {[=] { return std::memset(at(to), value, bytes), kSuccess; }, nullptr, false}));
}

Code cuStreamCreate(StreamHandle *stream, unsigned) { return *stream = new Stream, kSuccess; }
Code cuStreamDestroy_v2(StreamHandle stream) {
  Code code = codeOf(finish());
  return delete streamOf(stream), code;
}
Code cuStreamSynchronize(StreamHandle stream) {
  if (stream && streamOf(stream)->recording)
    return explain(kCaptureUnsupported, "waiting for a stream that is being recorded");
  return codeOf(finish());
}
Code cuStreamBeginCapture_v2(StreamHandle stream, int32_t) {
  return stream && beginRecording(*streamOf(stream))
             ? kSuccess
             : explain(kCaptureUnsupported, "the default stream, or one that is being recorded, cannot be recorded");
}
Code cuStreamEndCapture(StreamHandle stream, Graph *graph) {
  *graph = stream ? endRecording(*streamOf(stream)).release() : nullptr;
  return *graph ? kSuccess : explain(kCaptureUnsupported, "the stream is not being recorded");
}
Code cuGraphInstantiateWithFlags(GraphExecutable *executable, Graph graph, unsigned long long) {
  return *executable = new Recording(*static_cast<Recording *>(graph)), kSuccess;
}
Code cuGraphUpload(GraphExecutable, StreamHandle) { return kSuccess; }
Code cuGraphLaunch(GraphExecutable executable, StreamHandle stream) {
  const auto &recording = *static_cast<Recording *>(executable);
  if (stream && streamOf(stream)->recording)
    return explain(kCaptureUnsupported, "a graph within a graph");
  return codeOf(replay(recording, streamOf(stream)));
}
Code cuGraphDestroy(Graph graph) { return delete static_cast<Recording *>(graph), kSuccess; }
Code cuGraphExecDestroy(GraphExecutable executable) { return delete static_cast<Recording *>(executable), kSuccess; }
Code cuEventCreate(EventHandle *event, unsigned) { return *event = new double(0), kSuccess; }
Code cuEventDestroy_v2(EventHandle event) { return delete static_cast<double *>(event), kSuccess; }
Code cuEventRecord(EventHandle event, StreamHandle) {
  Code code = codeOf(finish());
  return *static_cast<double *>(event) = now(), code;
}
Code cuEventSynchronize(EventHandle) { return kSuccess; }
Code cuEventElapsedTime(float *milliseconds, EventHandle start, EventHandle end) {
  return *milliseconds = static_cast<float>(*static_cast<double *>(end) - *static_cast<double *>(start)), kSuccess;
}

} // extern "C"
