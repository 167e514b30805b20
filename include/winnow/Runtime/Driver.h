//===- Driver.h - the CUDA driver, found at run time --------------------------------------------------------------===//
//
// Declares by itself what it uses of the driver API (CUDA Driver API reference, CUDA 12 and 13), so that nothing here
// needs the toolkit to build or the driver to start.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_DRIVER_H
#define WINNOW_RUNTIME_DRIVER_H

#include "winnow/Support/Result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace winnow::rt {

/// The driver's own types and constants, by their values in cuda.h.
namespace cuda {

using Code = int32_t;           ///< CUresult
using Device = int32_t;         ///< CUdevice
using Address = uint64_t;       ///< CUdeviceptr
using Context = void *;         ///< CUcontext
using Module = void *;          ///< CUmodule
using Function = void *;        ///< CUfunction
using StreamHandle = void *;    ///< CUstream
using EventHandle = void *;     ///< CUevent
using Graph = void *;           ///< CUgraph
using GraphExecutable = void *; ///< CUgraphExec

constexpr Code kSuccess = 0;
constexpr Code kStubLibrary = 34;
constexpr Code kNoDevice = 100;

/// CUdevice_attribute.
enum DeviceAttribute : int32_t {
  kMultiprocessorCount = 16,
  kComputeCapabilityMajor = 75,
  kComputeCapabilityMinor = 76,
  kMaxSharedBytesPerBlockOptin = 97,
};

/// CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.
constexpr int32_t kMaxDynamicSharedBytes = 8;

/// CUjit_option.
enum JitOption : int32_t { kErrorLogBuffer = 5, kErrorLogBufferSizeBytes = 6 };

/// CUstream_flags.
constexpr unsigned kNonBlockingStream = 1;

/// CUstreamCaptureMode: CU_STREAM_CAPTURE_MODE_THREAD_LOCAL.
constexpr int32_t kCaptureThisThread = 1;

/// CUlaunchAttribute: its number and a value of 64 bytes, here of one that is a switch.
struct LaunchAttribute {
  int32_t id;
  char padding[4];
  int32_t value;
  char rest[60];
};
static_assert(sizeof(LaunchAttribute) == 72, "must match CUlaunchAttribute");
/// CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION.
constexpr int32_t kProgrammaticSerialization = 6;

/// CUlaunchConfig.
struct LaunchConfig {
  unsigned gridX, gridY, gridZ;
  unsigned blockX, blockY, blockZ;
  unsigned sharedBytes;
  StreamHandle stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};
static_assert(sizeof(void *) != 8 || sizeof(LaunchConfig) == 56, "must match CUlaunchConfig");

/// CUtensorMap: 128 opaque bytes, which the driver wants 64-byte aligned.
struct alignas(128) EncodedTensorMap {
  uint64_t opaque[16];
};
static_assert(sizeof(EncodedTensorMap) == 128, "must match CUtensorMap");

/// CUtensorMapDataType.
enum TensorMapType : int32_t { kMapU8 = 0, kMapI32 = 3, kMapF16 = 6, kMapF32 = 7, kMapBF16 = 9 };
/// CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill.
enum TensorMapInterleave : int32_t { kInterleaveNone = 0 };
enum TensorMapSwizzle : int32_t { kSwizzleNone = 0, kSwizzle128 = 3 };
enum TensorMapPromotion : int32_t { kPromoteNone = 0, kPromoteL2To256 = 3 };
enum TensorMapFill : int32_t { kFillZero = 0 };

} // namespace cuda

/// Every entry point that Winnow uses: X(name, symbol, parameters). The symbol is the one that cuda.h maps the name to.
#define WINNOW_CUDA_ENTRY_POINTS(X)                                                                                    \
  X(cuInit, cuInit, (unsigned flags))                                                                                  \
  X(cuDriverGetVersion, cuDriverGetVersion, (int *version))                                                            \
  X(cuGetErrorName, cuGetErrorName, (cuda::Code code, const char **name))                                              \
  X(cuGetErrorString, cuGetErrorString, (cuda::Code code, const char **text))                                          \
  X(cuDeviceGetCount, cuDeviceGetCount, (int *count))                                                                  \
  X(cuDeviceGet, cuDeviceGet, (cuda::Device * device, int ordinal))                                                    \
  X(cuDeviceGetName, cuDeviceGetName, (char *name, int size, cuda::Device device))                                     \
  X(cuDeviceTotalMem, cuDeviceTotalMem_v2, (size_t *bytes, cuda::Device device))                                       \
  X(cuDeviceGetAttribute, cuDeviceGetAttribute, (int *value, int32_t attribute, cuda::Device device))                  \
  X(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, (cuda::Context * context, cuda::Device device))                \
  X(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (cuda::Device device))                                    \
  X(cuCtxPushCurrent, cuCtxPushCurrent_v2, (cuda::Context context))                                                    \
  X(cuCtxPopCurrent, cuCtxPopCurrent_v2, (cuda::Context * context))                                                    \
  X(cuCtxSynchronize, cuCtxSynchronize, ())                                                                            \
  X(cuModuleLoadDataEx, cuModuleLoadDataEx,                                                                            \
    (cuda::Module * module, const void *image, unsigned optionCount, int32_t *options, void **optionValues))           \
  X(cuModuleUnload, cuModuleUnload, (cuda::Module module))                                                             \
  X(cuModuleGetFunction, cuModuleGetFunction, (cuda::Function * function, cuda::Module module, const char *name))      \
  X(cuFuncSetAttribute, cuFuncSetAttribute, (cuda::Function function, int32_t attribute, int value))                   \
  X(cuLaunchKernelEx, cuLaunchKernelEx,                                                                                \
    (const cuda::LaunchConfig *config, cuda::Function function, void **parameters, void **extra))                      \
  X(cuTensorMapEncodeTiled, cuTensorMapEncodeTiled,                                                                    \
    (cuda::EncodedTensorMap * map, int32_t type, uint32_t rank, void *address, const uint64_t *extents,                \
     const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides, int32_t interleave,                 \
     int32_t swizzle, int32_t promotion, int32_t fill))                                                                \
  X(cuMemAlloc, cuMemAlloc_v2, (cuda::Address * address, size_t bytes))                                                \
  X(cuMemFree, cuMemFree_v2, (cuda::Address address))                                                                  \
  X(cuMemcpyHtoD, cuMemcpyHtoD_v2, (cuda::Address to, const void *from, size_t bytes))                                 \
  X(cuMemcpyDtoH, cuMemcpyDtoH_v2, (void *to, cuda::Address from, size_t bytes))                                       \
  X(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2,                                                                           \
    (cuda::Address to, cuda::Address from, size_t bytes, cuda::StreamHandle stream))                                   \
  X(cuMemsetD8Async, cuMemsetD8Async,                                                                                  \
    (cuda::Address to, unsigned char value, size_t bytes, cuda::StreamHandle stream))                                  \
  X(cuStreamCreate, cuStreamCreate, (cuda::StreamHandle * stream, unsigned flags))                                     \
  X(cuStreamDestroy, cuStreamDestroy_v2, (cuda::StreamHandle stream))                                                  \
  X(cuStreamSynchronize, cuStreamSynchronize, (cuda::StreamHandle stream))                                             \
  X(cuStreamBeginCapture, cuStreamBeginCapture_v2, (cuda::StreamHandle stream, int32_t mode))                          \
  X(cuStreamEndCapture, cuStreamEndCapture, (cuda::StreamHandle stream, cuda::Graph * graph))                          \
  X(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags,                                                          \
    (cuda::GraphExecutable * executable, cuda::Graph graph, unsigned long long flags))                                 \
  X(cuGraphUpload, cuGraphUpload, (cuda::GraphExecutable executable, cuda::StreamHandle stream))                       \
  X(cuGraphLaunch, cuGraphLaunch, (cuda::GraphExecutable executable, cuda::StreamHandle stream))                       \
  X(cuGraphDestroy, cuGraphDestroy, (cuda::Graph graph))                                                               \
  X(cuGraphExecDestroy, cuGraphExecDestroy, (cuda::GraphExecutable executable))                                        \
  X(cuEventCreate, cuEventCreate, (cuda::EventHandle * event, unsigned flags))                                         \
  X(cuEventDestroy, cuEventDestroy_v2, (cuda::EventHandle event))                                                      \
  X(cuEventRecord, cuEventRecord, (cuda::EventHandle event, cuda::StreamHandle stream))                                \
  X(cuEventSynchronize, cuEventSynchronize, (cuda::EventHandle event))                                                 \
  X(cuEventElapsedTime, cuEventElapsedTime, (float *milliseconds, cuda::EventHandle start, cuda::EventHandle end))

/// The driver library with its entry points, initialised. Immutable once loaded; any thread may call through it.
class Driver {
public:
  /// The oldest driver that has every entry point and loads sm_90a code: CUDA 12.0.
  static constexpr int kOldestVersion = 12000;
  /// The oldest driver that records launches which overlap, as edges of a graph: CUDA 12.3.
  static constexpr int kOverlapVersion = 12030;

  /// Names to try, in this order.
  static std::vector<std::string> defaultLibraries();

  /// Opens the first of `libraries` that opens. Fails, naming each library and why it did not serve, when none does;
  /// when an entry point is missing; when the driver is too old or refuses to start.
  static Result<std::shared_ptr<const Driver>> load(const std::vector<std::string> &libraries = defaultLibraries());

  /// The library that was opened.
  const std::string &library() const { return openedLibrary; }
  /// CUDA version that the driver supports, 1000 * major + 10 * minor.
  int version() const { return supportedVersion; }

  /// "cannot <action>: CUDA_ERROR_… (code): the driver's text".
  Error error(cuda::Code code, const std::string &action) const;

#define WINNOW_DECLARE_ENTRY_POINT(name, symbol, parameters) cuda::Code(*name) parameters = nullptr;
  WINNOW_CUDA_ENTRY_POINTS(WINNOW_DECLARE_ENTRY_POINT)
#undef WINNOW_DECLARE_ENTRY_POINT

private:
  Driver() = default;

  std::string openedLibrary;
  int supportedVersion = 0;
};

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_DRIVER_H
