//===- Runtime.cpp - the runtime's C API ----------------------------------------------------------------------------===//

#include "winnow-c/Runtime.h"

#include "winnow/Runtime/Artifact.h"
#include "winnow/Runtime/Executable.h"

#include <exception>
#include <memory>
#include <new>
#include <string>

using namespace winnow;

struct winnow_error {
  std::string message;
};

struct winnow_executable {
  std::shared_ptr<rt::Executable> executable;
  size_t inputs = 0, outputs = 0;
};

/// Text for when not even an error can be allocated; never freed.
static winnow_error *outOfMemory() {
  static winnow_error error{"out of memory"};
  return &error;
}

static winnow_error *makeError(std::string message) {
  auto *error = new (std::nothrow) winnow_error{std::move(message)};
  return error ? error : outOfMemory();
}

/// Runs `body`, which returns an error or null; nothing thrown passes the C boundary.
template <typename Body> static winnow_error *guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return outOfMemory();
  } catch (const std::exception &exception) {
    return makeError(exception.what());
  } catch (...) {
    return makeError("unknown failure inside the Winnow runtime");
  }
}

static winnow_error *load(Result<rt::Plan> plan, int device, winnow_executable **executable) {
  if (!plan)
    return makeError(plan.message());
  auto loaded = std::make_unique<winnow_executable>();
  for (const rt::Buffer &buffer : plan->buffers) {
    loaded->inputs += buffer.kind == rt::BufferKind::input;
    loaded->outputs += buffer.kind == rt::BufferKind::output;
  }
  Result<std::shared_ptr<rt::Executable>> result = rt::Executable::load(std::move(*plan), device);
  if (!result)
    return makeError(result.message());
  loaded->executable = std::move(*result);
  *executable = loaded.release();
  return nullptr;
}

static winnow_error *checkArguments(const winnow_executable *executable, const uint64_t *arguments, size_t count) {
  size_t expected = executable->inputs + executable->outputs;
  if (count != expected)
    return makeError("expected " + std::to_string(expected) + " argument addresses (" +
                     std::to_string(executable->inputs) + " inputs, then " + std::to_string(executable->outputs) +
                     " outputs), got " + std::to_string(count));
  if (!arguments && count)
    return makeError("expected an array of argument addresses, got a null pointer");
  return nullptr;
}

static winnow_error *fromStatus(const Status &status) { return status ? nullptr : makeError(status.message()); }

extern "C" {

int winnow_runtime_abi_version(void) { return WINNOW_RUNTIME_ABI_VERSION; }

const char *winnow_error_message(const winnow_error *error) { return error ? error->message.c_str() : ""; }

void winnow_error_destroy(winnow_error *error) {
  if (error != outOfMemory())
    delete error;
}

winnow_error *winnow_executable_load(const char *path, int device, winnow_executable **executable) {
  return guarded([&]() -> winnow_error * {
    if (!path || !executable)
      return makeError("expected a path and a place for the executable, got a null pointer");
    return load(rt::readArtifact(path), device, executable);
  });
}

winnow_error *winnow_executable_load_bytes(const void *bytes, size_t size, int device, winnow_executable **executable) {
  return guarded([&]() -> winnow_error * {
    if (!bytes || !executable)
      return makeError("expected bytes and a place for the executable, got a null pointer");
    return load(rt::deserialize(static_cast<const uint8_t *>(bytes), size, "artifact in memory"), device, executable);
  });
}

void winnow_executable_destroy(winnow_executable *executable) { delete executable; }

size_t winnow_executable_input_count(const winnow_executable *executable) { return executable ? executable->inputs : 0; }
size_t winnow_executable_output_count(const winnow_executable *executable) { return executable ? executable->outputs : 0; }

winnow_error *winnow_executable_argument(const winnow_executable *executable, size_t index, winnow_argument *argument) {
  return guarded([&]() -> winnow_error * {
    if (!executable || !argument)
      return makeError("expected an executable and a place for the argument, got a null pointer");
    if (index >= executable->inputs + executable->outputs)
      return makeError("expected an argument index below " + std::to_string(executable->inputs + executable->outputs) +
                       ", got " + std::to_string(index));
    const rt::Buffer &buffer = executable->executable->plan().buffers[index];
    static_assert(static_cast<int>(rt::ElementType::u8) == WINNOW_U8, "the C enumeration mirrors rt::ElementType");
    *argument = {buffer.name.c_str(), static_cast<winnow_element_type>(buffer.element), buffer.shape.size(),
                 buffer.shape.data(), buffer.isWeight ? 1 : 0};
    return nullptr;
  });
}

winnow_error *winnow_executable_workspace_bytes(const winnow_executable *executable, int64_t tokens, int64_t *bytes) {
  return guarded([&]() -> winnow_error * {
    if (!executable || !bytes)
      return makeError("expected an executable and a place for the size, got a null pointer");
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
      return makeError("expected an executable, got a null pointer");
    if (winnow_error *error = checkArguments(executable, arguments, argument_count))
      return error;
    return fromStatus(executable->executable->execute(
        stream, tokens, std::vector<rt::DevicePointer>(arguments, arguments + argument_count), workspace, workspace_bytes));
  });
}

size_t winnow_executable_launch_count(const winnow_executable *executable) {
  return executable ? executable->executable->plan().launches.size() : 0;
}

const char *winnow_executable_launch_name(const winnow_executable *executable, size_t index) {
  if (!executable || index >= executable->executable->plan().launches.size())
    return nullptr;
  const rt::Plan &plan = executable->executable->plan();
  const rt::Launch &launch = plan.launches[index];
  return launch.kind == rt::Launch::Kind::kernel ? plan.kernels[launch.kernel].name.c_str() : nullptr;
}

winnow_error *winnow_executable_execute_launch(const winnow_executable *executable, size_t index, void *stream,
                                               int64_t tokens, const uint64_t *arguments, size_t argument_count,
                                               uint64_t workspace, int64_t workspace_bytes) {
  return guarded([&]() -> winnow_error * {
    if (!executable)
      return makeError("expected an executable, got a null pointer");
    if (winnow_error *error = checkArguments(executable, arguments, argument_count))
      return error;
    return fromStatus(executable->executable->executeLaunch(
        index, stream, tokens, std::vector<rt::DevicePointer>(arguments, arguments + argument_count), workspace,
        workspace_bytes));
  });
}

} // extern "C"
