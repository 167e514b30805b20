//===- PreparedCall.h - a plan with its run-time unknowns filled in -----------------------------------------------===//
//
// Between a plan, which knows neither pointers nor the token count, and the driver. What is prepared once is launched
// any number of times; serving, training and graph replays use few distinct sets of pointers.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_LIB_RUNTIME_PREPAREDCALL_H
#define WINNOW_LIB_RUNTIME_PREPAREDCALL_H

#include "winnow/Runtime/Device.h"
#include "winnow/Runtime/Plan.h"

#include <memory>
#include <mutex>
#include <vector>

namespace winnow::rt {

/// All that a call's launches depend on.
struct CallKey {
  int64_t tokens = 0;
  DevicePointer workspace = 0;
  std::vector<DevicePointer> arguments;

  bool operator==(const CallKey &other) const {
    return tokens == other.tokens && workspace == other.workspace && arguments == other.arguments;
  }
};

/// One launch, ready for the driver. Immutable once prepared, and not movable, for `parameters` points into it.
struct PreparedLaunch {
  PreparedLaunch() = default;
  PreparedLaunch(const PreparedLaunch &) = delete;
  PreparedLaunch &operator=(const PreparedLaunch &) = delete;

  Launch::Kind kind = Launch::Kind::kernel;
  cuda::Function function = nullptr;
  unsigned grid = 0, threads = 0, sharedBytes = 0;
  bool overlaps = false; ///< may begin before a kernel before it has ended
  std::vector<cuda::EncodedTensorMap> tensorMaps;
  std::vector<uint64_t> scalars;  ///< pointers, and int32 values in their first four bytes
  std::vector<void *> parameters; ///< into tensorMaps and scalars, in declaration order
  DevicePointer target = 0, source = 0;
  size_t bytes = 0; ///< fillZero, copy
};

/// Memory that is filled with zeros.
struct PreparedFill {
  DevicePointer target = 0;
  size_t bytes = 0;
};

struct PreparedCall {
  CallKey key;
  std::vector<std::unique_ptr<PreparedLaunch>> launches; ///< by their numbers in the plan
  /// What a whole call does: fills of memory that nothing has used before come first, those that adjoin as one, because
  /// a fill between two kernels would keep them from overlapping; then the remaining launches, in order.
  std::vector<PreparedFill> fills;
  std::vector<size_t> rest;
};

/// Prepares `launch`. `addresses` and the sizes behind them are those of the plan's buffers in this call. Fails when a
/// value does not fit the driver's or the kernel's number type, or when the driver rejects a tensor map.
Result<std::unique_ptr<PreparedLaunch>> prepareLaunch(const Plan &plan, const Launch &launch, cuda::Function function,
                                                      const Device &device, int64_t tokens,
                                                      const std::vector<DevicePointer> &addresses);

/// Finds `fills` and `rest` of a call, whose launches are those of `plan`.
void orderWhole(const Plan &plan, PreparedCall &call);

/// Enqueues a prepared launch; the device's context is current. `behindKernel`: what was enqueued on the stream just
/// before is a kernel of the same call, which this one may overlap. Returns what the driver returned.
cuda::Code enqueue(const PreparedLaunch &launch, const Driver &driver, Stream stream, bool behindKernel);

/// The calls prepared last, for any number of threads.
class CallCache {
public:
  static constexpr size_t kCapacity = 16;

  /// Null when there is none.
  std::shared_ptr<const PreparedCall> find(int64_t tokens, DevicePointer workspace,
                                           const std::vector<DevicePointer> &arguments);
  /// Takes the place of the entry that was used longest ago when full.
  void insert(std::shared_ptr<const PreparedCall> call);

private:
  std::mutex mutex;
  std::vector<std::shared_ptr<const PreparedCall>> calls; ///< most recently used last
};

} // namespace winnow::rt

#endif // WINNOW_LIB_RUNTIME_PREPAREDCALL_H
