//===- XlaFfi.h - the part of XLA's foreign function interface that Winnow uses -----------------------------------===//
//
// XLA calls a custom call through a C interface with a version and a stability promise: structures only grow at their
// ends, each begins with its own size, and a runtime takes handlers of earlier versions for at least a year. The header
// that declares it comes with jaxlib only. Building Winnow must not need a framework of some 100 MB of which it uses
// one header, and one build must serve many versions of jaxlib; so the few structures are declared here, as
// Runtime/Driver.h declares those of the CUDA driver. test/Python/test_jax_abi.py compares them with the header of
// the jaxlib that is installed: sizes, offsets and values.
//
// A handler states the version that it was written for (kMinorVersion) when XLA registers it, and XLA refuses it there
// if that is too old. Fields of later versions are not read.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_PYTHON_XLAFFI_H
#define WINNOW_PYTHON_XLAFFI_H

#include <cstddef>
#include <cstdint>

namespace winnow::xla {

/// The version declared here.
constexpr int kMajorVersion = 0, kMinorVersion = 3;

/// What may hang on a structure beyond its fields.
enum class ExtensionKind : int32_t { metadata = 1 };
struct Extension {
  size_t structSize;
  ExtensionKind kind;
  Extension *next;
};

struct ApiVersion {
  size_t structSize;
  Extension *extension;
  int majorVersion, minorVersion;
};

/// The handler enqueues the same work in every call with the same buffers, so that it may be captured in a CUDA graph.
constexpr uint32_t kCommandBufferCompatible = 1;

/// What a handler says of itself, when it is called with this extension instead of arguments.
struct Metadata {
  size_t structSize;
  ApiVersion version;
  uint32_t traits;
  int64_t stateType; ///< 0: no state
};
struct MetadataExtension {
  Extension base;
  Metadata *metadata;
};

enum class ElementType : int32_t {
  pred = 1,
  s32 = 4,
  u8 = 6,
  f16 = 10,
  f32 = 11,
  bf16 = 16,
  f8e5m2 = 19,
  f8e4m3fn = 20
};

/// A dense row-major array: the layout that jax.ffi asks for.
struct Buffer {
  size_t structSize;
  Extension *extension;
  ElementType element;
  void *data;
  int64_t rank;
  int64_t *shape;
};

constexpr int32_t kBufferArgument = 1; ///< the only kind of argument, and of result
struct Buffers {
  size_t structSize;
  Extension *extension;
  int64_t size;
  int32_t *kinds;
  void **values; ///< Buffer *, where the kind is kBufferArgument
};

/// Text that need not end in a zero byte.
struct ByteSpan {
  const char *data;
  size_t size;
};

constexpr int32_t kStringAttribute = 4;
struct Attributes {
  size_t structSize;
  Extension *extension;
  int64_t size;
  int32_t *kinds;
  ByteSpan **names; ///< sorted
  void **values;    ///< ByteSpan *, where the kind is kStringAttribute
};

enum class Stage : int32_t { instantiate = 0, prepare = 1, initialize = 2, execute = 3 };

struct Error;   ///< XLA's
struct Context; ///< XLA's

enum class ErrorCode : int32_t { failedPrecondition = 9, internal = 13 };
struct ErrorArguments {
  size_t structSize;
  Extension *extension;
  const char *message; ///< copied
  ErrorCode code;
};
struct StreamArguments {
  size_t structSize;
  Extension *extension;
  Context *context;
  void *stream; ///< out: a CUstream
};
struct DeviceArguments {
  size_t structSize;
  Extension *extension;
  Context *context;
  int32_t ordinal; ///< out
};

/// XLA's functions. Those that Winnow does not call have no type here.
struct Api {
  size_t structSize;
  Extension *extension;
  ApiVersion version;
  const void *internal;
  Error *(*createError)(ErrorArguments *);
  void *errorMessage, *destroyError, *registerHandler;
  Error *(*getStream)(StreamArguments *); ///< null on success, else an error that the caller owns
  void *registerType, *getContext, *setState, *getState, *allocate, *free, *schedule, *threadCount, *createFuture,
      *setFutureAvailable, *setFutureError, *getRunId;
  Error *(*getDeviceOrdinal)(DeviceArguments *);
};

/// One call of a handler.
struct CallFrame {
  size_t structSize;
  Extension *extension;
  const Api *api;
  Context *context;
  Stage stage;
  Buffers arguments, results;
  Attributes attributes;
  void *future;
};

} // namespace winnow::xla

#endif // WINNOW_PYTHON_XLAFFI_H
