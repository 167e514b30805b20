//===- Runtime.cpp - the runtime's C API --------------------------------------------------------------------------===//

#include "winnow-c/Runtime.h"

#include "Error.h"
#include "Executable.h"

#include "winnow/Runtime/Artifact.h"
#include "winnow/Runtime/RecordedCall.h"

using namespace winnow;
using namespace winnow::capi;

struct winnow_recorded_call {
  std::shared_ptr<const rt::RecordedCall> call;
};

winnow_error *capi::load(Result<rt::Program> program, int device, winnow_executable **executable) {
  if (!program)
    return makeError(program.message());
  auto loaded = std::make_unique<winnow_executable>();
  for (const rt::Buffer &buffer : program->defaultPlan().buffers) {
    loaded->inputs += buffer.kind == rt::BufferKind::input;
    loaded->outputs += buffer.kind == rt::BufferKind::output;
  }
  Result<std::shared_ptr<rt::Executable>> result = rt::Executable::load(std::move(*program), device);
  if (!result)
    return makeError(result.message());
  loaded->executable = std::move(*result);
  *executable = loaded.release();
  return nullptr;
}

winnow_argument capi::argumentOf(const rt::Buffer &buffer) {
  static_assert(static_cast<int>(rt::ElementType::u8) == WINNOW_U8, "the C enumeration mirrors rt::ElementType");
  return {buffer.name.c_str(), static_cast<winnow_element_type>(buffer.element), buffer.shape.size(),
          buffer.shape.data(), buffer.isWeight ? 1 : 0};
}

winnow_error *capi::rangeOf(const rt::Program &program, size_t index, winnow_token_range *range) {
  if (index >= program.specializations.size())
    return makeError("expected a token range index below " + std::to_string(program.specializations.size()) + ", got " +
                     std::to_string(index));
  const rt::Specialization &specialization = program.specializations[index];
  *range = {program.firstTokens(index), specialization.lastTokens, specialization.decidedFor,
            specialization.summary.c_str()};
  return nullptr;
}

static winnow_error *checkArguments(const winnow_executable *executable, const uint64_t *arguments, size_t count) {
  size_t expected = executable->inputs + executable->outputs;
  if (count != expected)
    return makeError("expected " + std::to_string(expected) + " argument addresses (" +
                     std::to_string(executable->inputs) + " inputs, then " + std::to_string(executable->outputs) +
                     " outputs), got " + std::to_string(count));
  if (!arguments && count)
    return gotNull("an array of argument addresses");
  return nullptr;
}

extern "C" {

int winnow_runtime_abi_version(void) { return WINNOW_RUNTIME_ABI_VERSION; }

winnow_error *winnow_executable_load(const char *path, int device, winnow_executable **executable) {
  return guarded([&]() -> winnow_error * {
    if (!path || !executable)
      return gotNull("a path and a place for the executable");
    return load(rt::readArtifact(path), device, executable);
  });
}

winnow_error *winnow_executable_load_bytes(const void *bytes, size_t size, int device, winnow_executable **executable) {
  return guarded([&]() -> winnow_error * {
    if (!bytes || !executable)
      return gotNull("bytes and a place for the executable");
    return load(rt::deserialize(static_cast<const uint8_t *>(bytes), size, "artifact in memory"), device, executable);
  });
}

void winnow_executable_destroy(winnow_executable *executable) { delete executable; }

size_t winnow_executable_input_count(const winnow_executable *executable) {
  return executable ? executable->inputs : 0;
}
size_t winnow_executable_output_count(const winnow_executable *executable) {
  return executable ? executable->outputs : 0;
}

winnow_error *winnow_executable_argument(const winnow_executable *executable, size_t index, winnow_argument *argument) {
  return guarded([&]() -> winnow_error * {
    if (!executable || !argument)
      return gotNull("an executable and a place for the argument");
    if (index >= executable->inputs + executable->outputs)
      return makeError("expected an argument index below " + std::to_string(executable->inputs + executable->outputs) +
                       ", got " + std::to_string(index));
    *argument = argumentOf(executable->executable->plan().buffers[index]);
    return nullptr;
  });
}

winnow_error *winnow_executable_workspace_bytes(const winnow_executable *executable, int64_t tokens, int64_t *bytes) {
  return guarded([&]() -> winnow_error * {
    if (!executable || !bytes)
      return gotNull("an executable and a place for the size");
    Result<int64_t> result = executable->executable->workspaceBytes(tokens);
    if (!result)
      return makeError(result.message());
    *bytes = *result;
    return nullptr;
  });
}

winnow_error *winnow_executable_execute(const winnow_executable *executable, void *stream, int64_t tokens,
                                        const uint64_t *arguments, size_t argument_count, uint64_t workspace,
                                        int64_t workspace_bytes) {
  return guarded([&]() -> winnow_error * {
    if (!executable)
      return gotNull("an executable");
    if (winnow_error *error = checkArguments(executable, arguments, argument_count))
      return error;
    return fromStatus(executable->executable->execute(
        stream, tokens, std::vector<rt::DevicePointer>(arguments, arguments + argument_count), workspace,
        workspace_bytes));
  });
}

size_t winnow_executable_range_count(const winnow_executable *executable) {
  return executable ? executable->executable->program().specializations.size() : 0;
}

winnow_error *winnow_executable_range(const winnow_executable *executable, size_t index, winnow_token_range *range) {
  return guarded([&]() -> winnow_error * {
    if (!executable || !range)
      return gotNull("an executable and a place for the range");
    return rangeOf(executable->executable->program(), index, range);
  });
}

size_t winnow_executable_launch_count(const winnow_executable *executable) {
  return winnow_executable_launch_count_at(executable, rt::Program::kDefaultTokens);
}

const char *winnow_executable_launch_name(const winnow_executable *executable, size_t index) {
  return winnow_executable_launch_name_at(executable, rt::Program::kDefaultTokens, index);
}

size_t winnow_executable_launch_count_at(const winnow_executable *executable, int64_t tokens) {
  return executable ? executable->executable->plan(tokens).launches.size() : 0;
}

const char *winnow_executable_launch_name_at(const winnow_executable *executable, int64_t tokens, size_t index) {
  if (index >= winnow_executable_launch_count_at(executable, tokens))
    return nullptr;
  const rt::Plan &plan = executable->executable->plan(tokens);
  const rt::Launch &launch = plan.launches[index];
  return launch.kind == rt::Launch::Kind::kernel ? plan.kernels[launch.kernel].name.c_str() : nullptr;
}

winnow_error *winnow_executable_execute_launch(const winnow_executable *executable, size_t index, void *stream,
                                               int64_t tokens, const uint64_t *arguments, size_t argument_count,
                                               uint64_t workspace, int64_t workspace_bytes) {
  return guarded([&]() -> winnow_error * {
    if (!executable)
      return gotNull("an executable");
    if (winnow_error *error = checkArguments(executable, arguments, argument_count))
      return error;
    return fromStatus(executable->executable->executeLaunch(
        index, stream, tokens, std::vector<rt::DevicePointer>(arguments, arguments + argument_count), workspace,
        workspace_bytes));
  });
}

winnow_error *winnow_executable_record(const winnow_executable *executable, int64_t tokens, const uint64_t *arguments,
                                       size_t argument_count, uint64_t workspace, int64_t workspace_bytes,
                                       winnow_recorded_call **call) {
  return guarded([&]() -> winnow_error * {
    if (!executable || !call)
      return gotNull("an executable and a place for the recorded call");
    if (winnow_error *error = checkArguments(executable, arguments, argument_count))
      return error;
    Result<std::shared_ptr<const rt::RecordedCall>> recorded = rt::RecordedCall::record(
        executable->executable, tokens, std::vector<rt::DevicePointer>(arguments, arguments + argument_count),
        workspace, workspace_bytes);
    if (!recorded)
      return makeError(recorded.message());
    *call = new winnow_recorded_call{std::move(*recorded)};
    return nullptr;
  });
}

winnow_error *winnow_recorded_call_launch(const winnow_recorded_call *call, void *stream) {
  return guarded([&]() -> winnow_error * {
    if (!call)
      return gotNull("a recorded call");
    return fromStatus(call->call->launch(stream));
  });
}

void winnow_recorded_call_destroy(winnow_recorded_call *call) { delete call; }

} // extern "C"
