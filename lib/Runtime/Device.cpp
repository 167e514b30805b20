//===- Device.cpp - devices, memory, streams and events -----------------------------------------------------------===//

#include "winnow/Runtime/Device.h"

#include <fmt/format.h>

#include <utility>

using namespace winnow;
using namespace winnow::rt;

//===--------------------------------------------------------------------------------------------------------------===//
// Devices
//===--------------------------------------------------------------------------------------------------------------===//

static Result<DeviceInfo> describe(const Driver &driver, cuda::Device device, int ordinal) {
  DeviceInfo info;
  info.ordinal = ordinal;
  auto fail = [&](cuda::Code code, const char *what) {
    return driver.error(code, fmt::format("ask device {} for its {}", ordinal, what));
  };
  char name[256] = {};
  if (cuda::Code code = driver.cuDeviceGetName(name, sizeof(name) - 1, device))
    return fail(code, "name");
  info.name = name;
  size_t memory = 0;
  if (cuda::Code code = driver.cuDeviceTotalMem(&memory, device))
    return fail(code, "memory size");
  info.memoryBytes = static_cast<int64_t>(memory);
  const struct {
    int &value;
    cuda::DeviceAttribute attribute;
    const char *what;
  } attributes[] = {
      {info.computeMajor, cuda::kComputeCapabilityMajor, "compute capability"},
      {info.computeMinor, cuda::kComputeCapabilityMinor, "compute capability"},
      {info.multiprocessors, cuda::kMultiprocessorCount, "number of multiprocessors"},
      {info.sharedBytesPerBlock, cuda::kMaxSharedBytesPerBlockOptin, "shared memory size"},
  };
  for (const auto &[value, attribute, what] : attributes)
    if (cuda::Code code = driver.cuDeviceGetAttribute(&value, attribute, device))
      return fail(code, what);
  return info;
}

static Result<int> countDevices(const Driver &driver) {
  int count = 0;
  if (cuda::Code code = driver.cuDeviceGetCount(&count))
    return driver.error(code, "count the CUDA devices");
  return count;
}

static Result<cuda::Device> findDevice(const Driver &driver, int ordinal) {
  cuda::Device device = 0;
  if (cuda::Code code = driver.cuDeviceGet(&device, ordinal))
    return driver.error(code, fmt::format("open device {}", ordinal));
  return device;
}

Result<std::vector<DeviceInfo>> winnow::rt::listDevices(const Driver &driver) {
  Result<int> count = countDevices(driver);
  if (!count)
    return count.error();
  std::vector<DeviceInfo> devices;
  for (int ordinal = 0; ordinal < *count; ++ordinal) {
    Result<cuda::Device> device = findDevice(driver, ordinal);
    if (!device)
      return device.error();
    Result<DeviceInfo> info = describe(driver, *device, ordinal);
    if (!info)
      return info.error();
    devices.push_back(std::move(*info));
  }
  return devices;
}

Result<std::shared_ptr<const Device>> Device::open(int ordinal) {
  Result<std::shared_ptr<const Driver>> driver = Driver::load();
  if (!driver)
    return driver.error();
  return open(std::move(*driver), ordinal);
}

Result<std::shared_ptr<const Device>> Device::open(std::shared_ptr<const Driver> driver, int ordinal) {
  Result<int> count = countDevices(*driver);
  if (!count)
    return count.error();
  if (*count == 0)
    return Error{"no CUDA device: the driver '" + driver->library() + "' shows none"};
  if (ordinal < 0 || ordinal >= *count)
    return Error{fmt::format("no CUDA device {}: expected 0 to {}, got {}", ordinal, *count - 1, ordinal)};
  Result<cuda::Device> found = findDevice(*driver, ordinal);
  if (!found)
    return found.error();
  Result<DeviceInfo> info = describe(*driver, *found, ordinal);
  if (!info)
    return info.error();

  cuda::Context context = nullptr;
  if (cuda::Code code = driver->cuDevicePrimaryCtxRetain(&context, *found))
    return driver->error(code, fmt::format("retain the primary context of device {} ({})", ordinal, info->name));
  std::shared_ptr<Device> device(new Device());
  device->loadedDriver = std::move(driver);
  device->properties = std::move(*info);
  device->handle = *found;
  device->context = context;
  return std::shared_ptr<const Device>(std::move(device));
}

Device::~Device() {
  if (context)
    loadedDriver->cuDevicePrimaryCtxRelease(handle);
}

Status Device::synchronize() const {
  CurrentContext current(*this);
  if (!current.status())
    return current.status();
  if (cuda::Code code = loadedDriver->cuCtxSynchronize())
    return loadedDriver->error(code, fmt::format("finish the work on device {}", properties.ordinal));
  return {};
}

CurrentContext::CurrentContext(const Device &device) : driver(device.driver()) {
  if (cuda::Code code = driver.cuCtxPushCurrent(device.context))
    outcome = driver.error(code, fmt::format("enter the context of device {}", device.info().ordinal));
}

CurrentContext::~CurrentContext() {
  cuda::Context context;
  if (outcome)
    driver.cuCtxPopCurrent(&context);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------------===//

void DeviceBuffer::swap(DeviceBuffer &other) noexcept {
  std::swap(device, other.device);
  std::swap(start, other.start);
  std::swap(size, other.size);
}

DeviceBuffer &DeviceBuffer::operator=(DeviceBuffer &&other) noexcept {
  DeviceBuffer(std::move(other)).swap(*this);
  return *this;
}

DeviceBuffer::~DeviceBuffer() {
  if (!start)
    return;
  CurrentContext current(*device);
  if (current.status())
    device->driver().cuMemFree(start);
}

Result<DeviceBuffer> DeviceBuffer::allocate(std::shared_ptr<const Device> device, int64_t bytes,
                                            const std::string &what) {
  if (bytes < 0)
    return Error{fmt::format("cannot allocate {}: expected a size of at least 0 bytes, got {}", what, bytes)};
  DeviceBuffer buffer;
  if (bytes > 0) {
    CurrentContext current(*device);
    if (!current.status())
      return current.status().error();
    const Driver &driver = device->driver();
    if (cuda::Code code = driver.cuMemAlloc(&buffer.start, static_cast<size_t>(bytes)))
      return driver.error(code, fmt::format("allocate {} bytes for {} on device {} ({}, {} bytes in all)", bytes, what,
                                            device->info().ordinal, device->info().name, device->info().memoryBytes));
  }
  buffer.device = std::move(device);
  buffer.size = bytes;
  return buffer;
}

Status DeviceBuffer::checkRange(const char *action, int64_t count, int64_t offset) const {
  if (count < 0 || offset < 0 || count > size || offset > size - count)
    return Error{fmt::format("cannot {} {} bytes at offset {}: the buffer has {}", action, count, offset, size)};
  return {};
}

Status DeviceBuffer::copyFrom(const void *host, int64_t count, int64_t offset) {
  if (Status range = checkRange("copy in", count, offset); !range || count == 0)
    return range;
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  if (cuda::Code code = device->driver().cuMemcpyHtoD(start + offset, host, static_cast<size_t>(count)))
    return device->driver().error(code, fmt::format("copy {} bytes to device {}", count, device->info().ordinal));
  // The driver may return while a copy from pageable memory is still on its way, and a stream that does not synchronise
  // with the default one would not wait for it.
  if (cuda::Code code = device->driver().cuStreamSynchronize(nullptr))
    return device->driver().error(code, fmt::format("finish a copy to device {}", device->info().ordinal));
  return {};
}

Status DeviceBuffer::copyTo(void *host, int64_t count, int64_t offset) const {
  if (Status range = checkRange("copy out", count, offset); !range || count == 0)
    return range;
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  if (cuda::Code code = device->driver().cuMemcpyDtoH(host, start + offset, static_cast<size_t>(count)))
    return device->driver().error(code, fmt::format("copy {} bytes from device {}", count, device->info().ordinal));
  return {};
}

Status DeviceBuffer::fill(uint8_t value, Stream stream) {
  if (size == 0)
    return {};
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  if (cuda::Code code = device->driver().cuMemsetD8Async(start, value, static_cast<size_t>(size), stream))
    return device->driver().error(code, fmt::format("fill {} bytes on device {}", size, device->info().ordinal));
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Streams and events
//===--------------------------------------------------------------------------------------------------------------===//

OwnedStream::OwnedStream(OwnedStream &&other) noexcept
    : device(std::move(other.device)), handle(std::exchange(other.handle, nullptr)) {}

OwnedStream &OwnedStream::operator=(OwnedStream &&other) noexcept {
  std::swap(device, other.device);
  std::swap(handle, other.handle);
  return *this;
}

OwnedStream::~OwnedStream() {
  if (!handle)
    return;
  CurrentContext current(*device);
  if (current.status())
    device->driver().cuStreamDestroy(handle);
}

Result<OwnedStream> OwnedStream::create(std::shared_ptr<const Device> device) {
  OwnedStream stream;
  CurrentContext current(*device);
  if (!current.status())
    return current.status().error();
  if (cuda::Code code = device->driver().cuStreamCreate(&stream.handle, cuda::kNonBlockingStream))
    return device->driver().error(code, fmt::format("create a stream on device {}", device->info().ordinal));
  stream.device = std::move(device);
  return stream;
}

Status OwnedStream::synchronize() const {
  if (!handle)
    return Error{"cannot wait for a stream that was not created"};
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  if (cuda::Code code = device->driver().cuStreamSynchronize(handle))
    return device->driver().error(code, fmt::format("finish the stream's work on device {}", device->info().ordinal));
  return {};
}

Event::Event(Event &&other) noexcept : device(std::move(other.device)), handle(std::exchange(other.handle, nullptr)) {}

Event &Event::operator=(Event &&other) noexcept {
  std::swap(device, other.device);
  std::swap(handle, other.handle);
  return *this;
}

Event::~Event() {
  if (!handle)
    return;
  CurrentContext current(*device);
  if (current.status())
    device->driver().cuEventDestroy(handle);
}

Result<Event> Event::create(std::shared_ptr<const Device> device) {
  Event event;
  CurrentContext current(*device);
  if (!current.status())
    return current.status().error();
  if (cuda::Code code = device->driver().cuEventCreate(&event.handle, 0))
    return device->driver().error(code, fmt::format("create an event on device {}", device->info().ordinal));
  event.device = std::move(device);
  return event;
}

Status Event::record(Stream stream) {
  if (!handle)
    return Error{"cannot record an event that was not created"};
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  if (cuda::Code code = device->driver().cuEventRecord(handle, stream))
    return device->driver().error(code, fmt::format("record an event on device {}", device->info().ordinal));
  return {};
}

Status Event::synchronize() const {
  if (!handle)
    return Error{"cannot wait for an event that was not created"};
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  if (cuda::Code code = device->driver().cuEventSynchronize(handle))
    return device->driver().error(code, fmt::format("wait for an event on device {}", device->info().ordinal));
  return {};
}

Result<float> Event::millisecondsSince(const Event &start) const {
  if (!handle || !start.handle)
    return Error{"cannot time events that were not created"};
  CurrentContext current(*device);
  if (!current.status())
    return current.status().error();
  float milliseconds = 0;
  if (cuda::Code code = device->driver().cuEventElapsedTime(&milliseconds, start.handle, handle))
    return device->driver().error(code, fmt::format("time events on device {}", device->info().ordinal));
  return milliseconds;
}
