//===- RecordedCall.cpp - a call whose every launch is one --------------------------------------------------------===//

#include "winnow/Runtime/RecordedCall.h"

#include <fmt/format.h>

using namespace winnow;
using namespace winnow::rt;

/// What `enqueue` puts on a stream, as a graph that has run nowhere. The device's context is current.
template <typename Enqueue>
static Result<cuda::Graph> capture(const Driver &driver, Stream stream, const Enqueue &enqueue) {
  // Only what this thread does meanwhile must be capturable.
  if (cuda::Code code = driver.cuStreamBeginCapture(stream, cuda::kCaptureThisThread))
    return driver.error(code, "begin to record a call");
  Status status = enqueue(stream);
  cuda::Graph graph = nullptr;
  cuda::Code ended = driver.cuStreamEndCapture(stream, &graph);
  if (status && !ended)
    return graph;
  if (graph)
    driver.cuGraphDestroy(graph);
  return status ? driver.error(ended, "end recording a call") : status.error();
}

Result<std::shared_ptr<const RecordedCall>> RecordedCall::record(std::shared_ptr<const Executable> executable,
                                                                 int64_t tokens,
                                                                 const std::vector<DevicePointer> &arguments,
                                                                 DevicePointer workspace, int64_t workspaceBytes) {
  std::shared_ptr<const Device> device = executable->owner();
  const Driver &driver = device->driver();
  Result<OwnedStream> stream = OwnedStream::create(device);
  if (!stream)
    return stream.error();
  CurrentContext current(*device);
  if (!current.status())
    return current.status().error();
  Result<cuda::Graph> graph = capture(driver, stream->get(), [&](Stream captured) {
    return executable->execute(captured, tokens, arguments, workspace, workspaceBytes);
  });
  if (!graph)
    return graph.error();
  std::shared_ptr<RecordedCall> call(new RecordedCall());
  call->executable = std::move(executable);
  cuda::Code code = driver.cuGraphInstantiateWithFlags(&call->graph, *graph, 0);
  driver.cuGraphDestroy(*graph);
  if (code)
    return driver.error(code, "prepare a recorded call");
  // Otherwise the first launch would carry the graph to the device.
  if (cuda::Code upload = driver.cuGraphUpload(call->graph, stream->get()))
    return driver.error(upload, "bring a recorded call to the device");
  if (Status status = stream->synchronize(); !status)
    return status.error();
  return std::shared_ptr<const RecordedCall>(std::move(call));
}

RecordedCall::~RecordedCall() {
  if (!graph)
    return;
  CurrentContext current(*executable->owner());
  if (current.status())
    executable->owner()->driver().cuGraphExecDestroy(graph);
}

Status RecordedCall::launch(Stream stream) const {
  const Device &device = *executable->owner();
  CurrentContext current(device);
  if (!current.status())
    return current.status();
  if (cuda::Code code = device.driver().cuGraphLaunch(graph, stream))
    return device.driver().error(code, "enqueue a recorded call");
  return {};
}
