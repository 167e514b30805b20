//===- DriverTest.cpp - the CUDA driver, devices, memory, streams and events --------------------------------------===//

#include "FakeDriver.h"

#include <gtest/gtest.h>

using namespace winnow;
using namespace winnow::rt;

namespace {
class DriverTest : public FakeDriverTest {};
class DeviceTest : public FakeDriverTest {};
} // namespace

TEST(Driver, NamesEveryLibraryItTried) {
  Result<std::shared_ptr<const Driver>> driver = Driver::load({"libno-such-driver.so.1", "/no/such/libcuda.so.1"});
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.message(), "the CUDA driver was not found; tried:\n"
                              "  libno-such-driver.so.1: cannot open shared object file: No such file or directory\n"
                              "  /no/such/libcuda.so.1: cannot open shared object file: No such file or directory\n"
                              "install the NVIDIA driver, or use --target=cpu");
}

TEST(Driver, NamesTheEntryPointsThatALibraryLacks) {
  Result<std::shared_ptr<const Driver>> driver = Driver::load({fakeCudaWithoutTensorMaps()});
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.message(), "the CUDA driver '" + fakeCudaWithoutTensorMaps() +
                                  "' lacks cuTensorMapEncodeTiled; expected a driver for CUDA 12.0 or later");
}

TEST_F(DriverTest, TakesTheFirstLibraryThatOpens) {
  Result<std::shared_ptr<const Driver>> driver = Driver::load({"/no/such/libcuda.so.1", fakeCuda()});
  ASSERT_TRUE(driver) << driver.message();
  EXPECT_EQ((*driver)->library(), fakeCuda());
  EXPECT_EQ((*driver)->version(), 13000);
}

TEST_F(DriverTest, SaysWhyItDoesNotStart) {
  state.failures["cuInit"] = 100;
  EXPECT_EQ(Driver::load({fakeCuda()}).message(), "cannot initialise the CUDA driver '" + fakeCuda() +
                                                      "': CUDA_ERROR_NO_DEVICE (100): text of the driver; there "
                                                      "is no GPU on this machine, or CUDA_VISIBLE_DEVICES hides it");
  state.failures["cuInit"] = 34;
  EXPECT_EQ(Driver::load({fakeCuda()}).message(), "cannot initialise the CUDA driver '" + fakeCuda() +
                                                      "': CUDA_ERROR_STUB_LIBRARY (34): text of the driver; this "
                                                      "is the toolkit's stub: take it off the library path");
  state.failures["cuInit"] = 999;
  EXPECT_EQ(Driver::load({fakeCuda()}).message(),
            "cannot initialise the CUDA driver '" + fakeCuda() +
                "': an error that the driver does not name (999): no explanation");
  state.failures.clear();
  state.failures["cuDriverGetVersion"] = 1;
  EXPECT_EQ(Driver::load({fakeCuda()}).message(),
            "cannot ask the CUDA driver for its version: CUDA_ERROR_INVALID_VALUE (1): text of the driver");
}

TEST_F(DriverTest, RefusesAnOldDriver) {
  state.version = 11080;
  EXPECT_EQ(Driver::load({fakeCuda()}).message(),
            "the CUDA driver '" + fakeCuda() + "' is too old: expected CUDA 12.0 or later, got 11.8");
}

TEST_F(DeviceTest, DescribesAndRetains) {
  state.devices = {{"Fake A100", 8, 0, 108, 166912}, {"Fake H200", 9, 0, 132, 232448}};
  Result<std::vector<DeviceInfo>> devices = listDevices(*driver);
  ASSERT_TRUE(devices) << devices.message();
  ASSERT_EQ(devices->size(), 2u);
  EXPECT_EQ((*devices)[0].name, "Fake A100");
  EXPECT_EQ((*devices)[0].computeMajor, 8);
  EXPECT_EQ((*devices)[1].ordinal, 1);
  EXPECT_EQ((*devices)[1].multiprocessors, 132);
  EXPECT_EQ((*devices)[1].sharedBytesPerBlock, 232448);
  EXPECT_EQ((*devices)[1].memoryBytes, int64_t(80) << 30);
  EXPECT_EQ(state.calls["cuDevicePrimaryCtxRetain"], 0);

  {
    Result<std::shared_ptr<const Device>> device = Device::open(driver, 1);
    ASSERT_TRUE(device) << device.message();
    EXPECT_EQ((*device)->info().name, "Fake H200");
    EXPECT_EQ(state.devices[1].retained, 1);
  }
  EXPECT_EQ(state.devices[1].retained, 0);
}

TEST_F(DeviceTest, RefusesADeviceThatIsNotThere) {
  EXPECT_EQ(Device::open(driver, 1).message(), "no CUDA device 1: expected 0 to 0, got 1");
  EXPECT_EQ(Device::open(driver, -1).message(), "no CUDA device -1: expected 0 to 0, got -1");
  state.devices.clear();
  EXPECT_EQ(Device::open(driver, 0).message(), "no CUDA device: the driver '" + fakeCuda() + "' shows none");
}

TEST_F(DeviceTest, SaysWhichQuestionFailed) {
  const std::pair<const char *, const char *> questions[] = {
      {"cuDeviceGetCount", "count the CUDA devices"},
      {"cuDeviceGet", "open device 0"},
      {"cuDeviceGetName", "ask device 0 for its name"},
      {"cuDeviceTotalMem", "ask device 0 for its memory size"},
      {"cuDeviceGetAttribute", "ask device 0 for its compute capability"},
      {"cuDevicePrimaryCtxRetain", "retain the primary context of device 0 (Fake H100)"},
  };
  for (auto [entryPoint, action] : questions) {
    state.failures = {{entryPoint, 2}};
    EXPECT_EQ(Device::open(driver, 0).message(),
              "cannot " + std::string(action) + ": CUDA_ERROR_OUT_OF_MEMORY (2): text of the driver");
  }
  state.failures.clear();
  EXPECT_EQ(state.devices[0].retained, 0);
}

TEST_F(DeviceTest, MemoryGoesInAndOutWithinItsBounds) {
  std::shared_ptr<const Device> device = open();
  {
    Result<DeviceBuffer> buffer = DeviceBuffer::allocate(device, 1000, "the input");
    ASSERT_TRUE(buffer) << buffer.message();
    EXPECT_EQ(buffer->bytes(), 1000);
    EXPECT_EQ(buffer->address() % 256, 0u);
    const char sent[] = "grain";
    char received[6] = {};
    ASSERT_TRUE(buffer->copyFrom(sent, 6, 994));
    ASSERT_TRUE(buffer->copyTo(received, 6, 994));
    EXPECT_STREQ(received, "grain");
    EXPECT_EQ(buffer->copyFrom(sent, 6, 995).message(), "cannot copy in 6 bytes at offset 995: the buffer has 1000");
    EXPECT_EQ(buffer->copyTo(received, 6, -1).message(), "cannot copy out 6 bytes at offset -1: the buffer has 1000");
    EXPECT_EQ(buffer->copyTo(received, -6).message(), "cannot copy out -6 bytes at offset 0: the buffer has 1000");
    ASSERT_TRUE(buffer->fill(7));
    EXPECT_EQ(state.memory.back().bytes, 1000u);

    state.failures["cuMemcpyHtoD"] = 1;
    state.failures["cuMemcpyDtoH"] = 1;
    state.failures["cuMemsetD8Async"] = 1;
    EXPECT_EQ(buffer->copyFrom(sent, 6).message(),
              "cannot copy 6 bytes to device 0: CUDA_ERROR_INVALID_VALUE (1): text of the driver");
    EXPECT_EQ(buffer->copyTo(received, 6).message(),
              "cannot copy 6 bytes from device 0: CUDA_ERROR_INVALID_VALUE (1): text of the driver");
    EXPECT_EQ(buffer->fill(0).message(),
              "cannot fill 1000 bytes on device 0: CUDA_ERROR_INVALID_VALUE (1): text of the driver");
    state.failures.clear();

    DeviceBuffer moved = std::move(*buffer);
    EXPECT_EQ(buffer->address(), 0u);
    moved = DeviceBuffer();
    EXPECT_EQ(state.liveAllocations, 0);
  }
  EXPECT_EQ(DeviceBuffer::allocate(device, -1).message(),
            "cannot allocate a buffer: expected a size of at least 0 bytes, got -1");
  Result<DeviceBuffer> empty = DeviceBuffer::allocate(device, 0);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->address(), 0u);
  EXPECT_TRUE(empty->fill(0));
  state.failures["cuMemAlloc"] = 2;
  EXPECT_EQ(DeviceBuffer::allocate(device, 5, "the workspace").message(),
            "cannot allocate 5 bytes for the workspace on device 0 (Fake H100, 85899345920 bytes in all): "
            "CUDA_ERROR_OUT_OF_MEMORY (2): text of the driver");
}

TEST_F(DeviceTest, StreamsAndEventsAreOwned) {
  std::shared_ptr<const Device> device = open();
  {
    Result<OwnedStream> stream = OwnedStream::create(device);
    ASSERT_TRUE(stream) << stream.message();
    Result<Event> start = Event::create(device), stop = Event::create(device);
    ASSERT_TRUE(start && stop);
    EXPECT_TRUE(start->record(stream->get()));
    EXPECT_TRUE(stop->record(stream->get()));
    EXPECT_TRUE(stop->synchronize());
    EXPECT_TRUE(stream->synchronize());
    Result<float> time = stop->millisecondsSince(*start);
    ASSERT_TRUE(time);
    EXPECT_EQ(*time, 1.5f);
    Event moved = std::move(*start);
    OwnedStream movedStream = std::move(*stream);
    EXPECT_EQ(stream->get(), nullptr);
    EXPECT_FALSE(start->record(nullptr));
    EXPECT_EQ(state.liveEvents, 2);
    EXPECT_EQ(state.liveStreams, 1);
  }
  EXPECT_EQ(state.liveEvents, 0);
  EXPECT_EQ(state.liveStreams, 0);
  EXPECT_TRUE(device->synchronize());
}

TEST_F(DeviceTest, SaysWhichStreamOrEventCallFailed) {
  std::shared_ptr<const Device> device = open();
  Result<OwnedStream> stream = OwnedStream::create(device);
  Result<Event> event = Event::create(device);
  ASSERT_TRUE(stream && event);
  auto failing = [&](const char *entryPoint, auto call) {
    state.failures = {{entryPoint, 1}};
    std::string message = call();
    state.failures.clear();
    return message;
  };
  const std::string tail = ": CUDA_ERROR_INVALID_VALUE (1): text of the driver";
  EXPECT_EQ(failing("cuStreamCreate", [&] { return OwnedStream::create(device).message(); }),
            "cannot create a stream on device 0" + tail);
  EXPECT_EQ(failing("cuStreamSynchronize", [&] { return stream->synchronize().message(); }),
            "cannot finish the stream's work on device 0" + tail);
  EXPECT_EQ(failing("cuEventCreate", [&] { return Event::create(device).message(); }),
            "cannot create an event on device 0" + tail);
  EXPECT_EQ(failing("cuEventRecord", [&] { return event->record(nullptr).message(); }),
            "cannot record an event on device 0" + tail);
  EXPECT_EQ(failing("cuEventSynchronize", [&] { return event->synchronize().message(); }),
            "cannot wait for an event on device 0" + tail);
  EXPECT_EQ(failing("cuEventElapsedTime", [&] { return event->millisecondsSince(*event).message(); }),
            "cannot time events on device 0" + tail);
  EXPECT_EQ(failing("cuCtxSynchronize", [&] { return device->synchronize().message(); }),
            "cannot finish the work on device 0" + tail);
  EXPECT_EQ(failing("cuCtxPushCurrent", [&] { return device->synchronize().message(); }),
            "cannot enter the context of device 0" + tail);
}
