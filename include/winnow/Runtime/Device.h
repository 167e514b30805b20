//===- Device.h - devices, memory, streams and events -------------------------------------------------------------===//
//
// A thin layer with owners over the driver, for tools and tests; `Executable` itself needs only `Device`. No function
// throws, prints or exits. A `Device` may be used by any number of threads; buffers, streams and events as the driver
// allows: by any thread, one at a time.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_DEVICE_H
#define WINNOW_RUNTIME_DEVICE_H

#include "winnow/Runtime/Driver.h"
#include "winnow/Support/Result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace winnow::rt {

/// Device address (CUdeviceptr) and stream handle (CUstream), as the driver defines them.
using DevicePointer = uint64_t;
using Stream = void *;

/// What is known of a CUDA device.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  int computeMajor = 0, computeMinor = 0;
  int multiprocessors = 0;
  int sharedBytesPerBlock = 0; ///< greatest dynamic shared memory of a CTA that opts in
  int64_t memoryBytes = 0;
};

/// Every device that the driver shows, without retaining a context.
Result<std::vector<DeviceInfo>> listDevices(const Driver &driver);

/// A device with its primary context retained: the context that the CUDA runtime, PyTorch and JAX use too.
class Device {
public:
  /// Loads the driver, then opens device `ordinal`.
  static Result<std::shared_ptr<const Device>> open(int ordinal = 0);
  static Result<std::shared_ptr<const Device>> open(std::shared_ptr<const Driver> driver, int ordinal = 0);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const Driver &driver() const { return *loadedDriver; }
  const DeviceInfo &info() const { return properties; }

  /// Waits for everything enqueued on the device's primary context.
  Status synchronize() const;

private:
  Device() = default;

  friend class CurrentContext;
  std::shared_ptr<const Driver> loadedDriver;
  DeviceInfo properties;
  cuda::Device handle = 0;
  cuda::Context context = nullptr;
};

/// Makes the device's primary context current on this thread for the object's lifetime.
class CurrentContext {
public:
  explicit CurrentContext(const Device &device);
  ~CurrentContext();
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;

  /// Whether the driver agreed.
  const Status &status() const { return outcome; }

private:
  const Driver &driver;
  Status outcome;
};

/// Device memory, freed with the object. May be empty (address 0).
class DeviceBuffer {
public:
  DeviceBuffer() = default;
  DeviceBuffer(DeviceBuffer &&other) noexcept { swap(other); }
  DeviceBuffer &operator=(DeviceBuffer &&other) noexcept;
  ~DeviceBuffer();

  /// At least 256-byte aligned. `what` names the memory in messages ("the workspace").
  static Result<DeviceBuffer> allocate(std::shared_ptr<const Device> device, int64_t bytes,
                                       const std::string &what = "a buffer");

  DevicePointer address() const { return start; }
  int64_t bytes() const { return size; }

  /// Copies `count` bytes to or from `offset` in this buffer and waits for the copy: every stream sees it afterwards.
  /// It comes after what the default stream holds, but does not wait for other streams.
  Status copyFrom(const void *host, int64_t count, int64_t offset = 0);
  Status copyTo(void *host, int64_t count, int64_t offset = 0) const;
  /// Enqueues setting every byte.
  Status fill(uint8_t value, Stream stream = nullptr);

private:
  void swap(DeviceBuffer &other) noexcept;
  Status checkRange(const char *action, int64_t count, int64_t offset) const;

  std::shared_ptr<const Device> device;
  DevicePointer start = 0;
  int64_t size = 0;
};

/// A stream that does not synchronise with the default stream.
class OwnedStream {
public:
  OwnedStream() = default;
  OwnedStream(OwnedStream &&other) noexcept;
  OwnedStream &operator=(OwnedStream &&other) noexcept;
  ~OwnedStream();

  static Result<OwnedStream> create(std::shared_ptr<const Device> device);
  Stream get() const { return handle; }
  Status synchronize() const;

private:
  std::shared_ptr<const Device> device;
  Stream handle = nullptr;
};

/// A point in a stream, with its time.
class Event {
public:
  Event() = default;
  Event(Event &&other) noexcept;
  Event &operator=(Event &&other) noexcept;
  ~Event();

  static Result<Event> create(std::shared_ptr<const Device> device);
  Status record(Stream stream);
  Status synchronize() const;
  /// Milliseconds from `start` to this event, both recorded and reached; resolution about 0.5 µs.
  Result<float> millisecondsSince(const Event &start) const;

private:
  std::shared_ptr<const Device> device;
  cuda::EventHandle handle = nullptr;
};

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_DEVICE_H
