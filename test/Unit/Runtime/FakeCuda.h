//===- FakeCuda.h - a CUDA driver for tests -----------------------------------------------------------------------===//
//
// A shared library with the driver's entry points that keeps "device memory" on the heap, records calls and fails on
// demand. Tests open it through `Driver::load` like the real one and reach its state through `fakeCudaState`.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_RUNTIME_FAKECUDA_H
#define WINNOW_TEST_UNIT_RUNTIME_FAKECUDA_H

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fakecuda {

struct DeviceModel {
  std::string name = "Fake H100";
  int major = 9, minor = 0, multiprocessors = 132, sharedBytes = 232448;
  int retained = 0; ///< primary context references
};

struct LaunchRecord {
  int device;
  std::string kernel;
  unsigned grid[3], block[3], sharedBytes;
  void *stream;
  std::vector<std::vector<uint8_t>> parameters;
  bool overlaps = false; ///< allowed to begin before the launch before it has ended
};

struct TensorMapRecord {
  int type;
  uint64_t address;
  std::vector<uint64_t> extents, strides;
  std::vector<uint32_t> box, elementStrides;
  int interleave, swizzle, promotion, fill;
};

struct MemoryRecord {
  std::string entryPoint;
  uint64_t to, from, bytes;
  void *stream;
};

/// A graph, or what a stream that is being captured has received.
struct GraphRecord {
  std::vector<LaunchRecord> launches;
  std::vector<MemoryRecord> memory;
};

struct State {
  std::mutex mutex;
  int version = 13000;
  std::vector<DeviceModel> devices = {DeviceModel()};
  std::map<std::string, int> failures;                   ///< entry point → code it returns
  std::map<std::string, std::vector<size_t>> signatures; ///< kernel → sizes of its parameters
  std::map<std::string, int> sharedLimits;               ///< kernel → what cuFuncSetAttribute gave it
  std::string moduleLog;                                 ///< what cuModuleLoadDataEx puts in the error log

  std::map<std::string, int> calls; ///< entry point → times called
  std::vector<LaunchRecord> launches;
  std::vector<TensorMapRecord> tensorMaps;
  std::vector<MemoryRecord> memory;
  int liveAllocations = 0, liveModules = 0, liveStreams = 0, liveEvents = 0, liveGraphs = 0;
  std::map<void *, GraphRecord> captures; ///< streams that are being captured

  /// Back to one device, no failures and an empty record.
  void reset() {
    std::lock_guard<std::mutex> lock(mutex);
    version = 13000;
    devices = {DeviceModel()};
    failures.clear();
    signatures.clear();
    sharedLimits.clear();
    moduleLog.clear();
    calls.clear();
    launches.clear();
    tensorMaps.clear();
    memory.clear();
    liveAllocations = liveModules = liveStreams = liveEvents = liveGraphs = 0;
    captures.clear();
  }
};

} // namespace fakecuda

extern "C" fakecuda::State *fakeCudaState();

#endif // WINNOW_TEST_UNIT_RUNTIME_FAKECUDA_H
