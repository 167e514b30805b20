//===- FakeDriver.h - a test fixture over the fake driver ---------------------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_RUNTIME_FAKEDRIVER_H
#define WINNOW_TEST_UNIT_RUNTIME_FAKEDRIVER_H

#include "BesideProgram.h"
#include "FakeCuda.h"
#include "winnow/Runtime/Device.h"
#include "winnow/Support/SharedLibrary.h"

#include <gtest/gtest.h>

/// The stand-in for libcuda, and one from before tensor maps.
inline std::string fakeCuda() { return besideProgram(FAKE_CUDA); }
inline std::string fakeCudaWithoutTensorMaps() { return besideProgram(FAKE_CUDA_WITHOUT_TENSOR_MAPS); }

/// The state of the library that `fakeCuda` names, the same one that `Driver::load({fakeCuda()})` opens.
inline fakecuda::State &fakeState() {
  auto library = winnow::SharedLibrary::openFirst({fakeCuda()}, "the fake driver");
  auto get = reinterpret_cast<fakecuda::State *(*)()>(library->find("fakeCudaState"));
  return *get();
}

class FakeDriverTest : public testing::Test {
protected:
  void SetUp() override {
    state.reset();
    auto loaded = winnow::rt::Driver::load({fakeCuda()});
    ASSERT_TRUE(loaded) << loaded.message();
    driver = *loaded;
    state.calls.clear();
  }

  std::shared_ptr<const winnow::rt::Device> open(int ordinal = 0) {
    auto device = winnow::rt::Device::open(driver, ordinal);
    EXPECT_TRUE(device) << device.message();
    return *device;
  }

  fakecuda::State &state = fakeState();
  std::shared_ptr<const winnow::rt::Driver> driver;
};

#endif // WINNOW_TEST_UNIT_RUNTIME_FAKEDRIVER_H
