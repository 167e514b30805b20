//===- RecordedCall.h - a call whose every launch is one ----------------------------------------------------------===//
//
// A forward is three or four launches, and each costs the host some microseconds. A CUDA graph of them costs one.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_RECORDEDCALL_H
#define WINNOW_RUNTIME_RECORDEDCALL_H

#include "winnow/Runtime/Executable.h"

#include <memory>
#include <vector>

namespace winnow::rt {

/// One call of an executable with its arguments, as a CUDA graph that is ready to run. It keeps the executable, but not
/// the memory behind the pointers: inputs, outputs and workspace stay the caller's and must stay where they are.
class RecordedCall {
public:
  /// Records what `Executable::execute` would enqueue; see there for the arguments. Enqueues nothing that reads or
  /// writes them. Waits for the graph to reach the device, and allocates what the driver needs for it.
  static Result<std::shared_ptr<const RecordedCall>> record(std::shared_ptr<const Executable> executable,
                                                            int64_t tokens, const std::vector<DevicePointer> &arguments,
                                                            DevicePointer workspace, int64_t workspaceBytes);
  ~RecordedCall();
  RecordedCall(const RecordedCall &) = delete;
  RecordedCall &operator=(const RecordedCall &) = delete;

  /// Enqueues the call on `stream` of the device's primary context (null: the default stream). No allocation, no
  /// synchronisation. Launches of one recording follow one another, whatever their streams. Several threads may call it
  /// at once. Not for a stream that is being captured: enqueue the call itself there.
  Status launch(Stream stream) const;

private:
  RecordedCall() = default;

  std::shared_ptr<const Executable> executable;
  cuda::GraphExecutable graph = nullptr;
};

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_RECORDEDCALL_H
