//===- Executable.cpp - run a program on a GPU --------------------------------------------------------------------===//

#include "winnow/Runtime/Executable.h"

#include "LoadedProgram.h"
#include "PreparedCall.h"
#include "winnow/Runtime/PlanVerifier.h"

#include <fmt/format.h>

#include <cctype>
#include <optional>

using namespace winnow;
using namespace winnow::rt;

//===--------------------------------------------------------------------------------------------------------------===//
// Targets
//===--------------------------------------------------------------------------------------------------------------===//

Status winnow::rt::checkTarget(const std::string &target, const DeviceInfo &device) {
  if (target == "cpu")
    return Error{"the plan is compiled for the cpu; compile the spec again with --target=sm_90a to run it on a GPU"};
  // "sm_90a": the digits are major * 10 + minor; "a" means this capability alone, "f" its major's family.
  static constexpr char prefix[] = "sm_";
  static constexpr size_t prefixSize = sizeof(prefix) - 1;
  std::string rest = target.compare(0, prefixSize, prefix) == 0 ? target.substr(prefixSize) : "";
  size_t digits = 0;
  int capability = 0;
  for (; digits < rest.size() && digits < 4 && std::isdigit(static_cast<unsigned char>(rest[digits])); ++digits)
    capability = 10 * capability + (rest[digits] - '0');
  std::string suffix = rest.substr(digits);
  if (digits < 2 || (!suffix.empty() && suffix != "a" && suffix != "f"))
    return Error{fmt::format("unknown target '{}': expected sm_ and a compute capability, as in sm_90a", target)};
  int major = capability / 10, minor = capability % 10;
  bool exact = suffix == "a";
  if (device.computeMajor == major && (exact ? device.computeMinor == minor : device.computeMinor >= minor))
    return {};
  return Error{fmt::format("device {} ({}) cannot run code for {}: expected compute capability {}.{}{}, got {}.{}",
                           device.ordinal, device.name, target, major, minor,
                           exact ? "" : fmt::format(" or a later {}.x", major), device.computeMajor,
                           device.computeMinor)};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Loading
//===--------------------------------------------------------------------------------------------------------------===//

struct Executable::Impl {
  Program program;
  std::shared_ptr<const Device> device;
  LoadedProgram loaded;
  size_t inputs = 0, outputs = 0;
  mutable CallCache calls;

  Status checkArguments(const Plan &plan, const std::vector<DevicePointer> &arguments) const;
  std::vector<DevicePointer> addresses(size_t specialization, int64_t tokens,
                                       const std::vector<DevicePointer> &arguments, DevicePointer workspace) const;
  Result<std::shared_ptr<const PreparedCall>> prepare(size_t specialization, int64_t tokens,
                                                      const std::vector<DevicePointer> &arguments,
                                                      DevicePointer workspace) const;
  /// Enqueues launch `only`, or all.
  Status run(std::optional<size_t> only, Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments,
             DevicePointer workspace, int64_t bytes) const;
};

Executable::Executable(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Executable::~Executable() = default;

Result<std::shared_ptr<Executable>> Executable::load(Program program, int ordinal) {
  Result<std::shared_ptr<const Device>> device = Device::open(ordinal);
  if (!device)
    return device.error();
  return load(std::move(program), std::move(*device));
}

Result<std::shared_ptr<Executable>> Executable::load(Program program, std::shared_ptr<const Device> device) {
  if (Status status = verify(program); !status)
    return status.error();
  if (Status status = checkTarget(program.defaultPlan().target, device->info()); !status)
    return status.error();
  auto impl = std::make_unique<Impl>();
  impl->program = std::move(program);
  impl->device = std::move(device);
  for (const Buffer &buffer : impl->program.defaultPlan().buffers) {
    impl->inputs += buffer.kind == BufferKind::input;
    impl->outputs += buffer.kind == BufferKind::output;
  }
  if (Status status = impl->loaded.load(impl->program, impl->device); !status)
    return status.error();
  return std::shared_ptr<Executable>(new Executable(std::move(impl)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Calling
//===--------------------------------------------------------------------------------------------------------------===//

const Program &Executable::program() const { return impl->program; }
const Plan &Executable::plan(int64_t tokens) const { return impl->program.planFor(tokens); }
const DeviceInfo &Executable::device() const { return impl->device->info(); }
std::shared_ptr<const Device> Executable::owner() const { return impl->device; }
size_t Executable::argumentCount() const { return impl->inputs + impl->outputs; }

static int64_t alignUp(int64_t value, int64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

static Status checkTokens(const Program &program, int64_t tokens) {
  if (tokens < 1 || tokens > program.maxTokens())
    return Error{fmt::format("'{}': token count out of range: expected 1 to {}, got {}", program.defaultPlan().name,
                             program.maxTokens(), tokens)};
  return {};
}

Status Executable::Impl::checkArguments(const Plan &plan, const std::vector<DevicePointer> &arguments) const {
  if (arguments.size() != inputs + outputs)
    return Error{fmt::format("'{}': wrong number of buffers: expected {} ({} inputs, {} outputs), got {}", plan.name,
                             inputs + outputs, inputs, outputs, arguments.size())};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const char *role = i < inputs ? "input" : "output";
    if (arguments[i] == 0)
      return Error{
          fmt::format("'{}': {} '{}': expected a device address, got null", plan.name, role, plan.buffers[i].name)};
    if (arguments[i] % kArgumentAlignment != 0)
      return Error{fmt::format("'{}': {} '{}': expected an address aligned to {} bytes, got {:#x}", plan.name, role,
                               plan.buffers[i].name, kArgumentAlignment, arguments[i])};
  }
  return {};
}

static int64_t sumWorkspaces(const Plan &plan, int64_t tokens) {
  int64_t bytes = 0;
  for (const Buffer &buffer : plan.buffers)
    if (buffer.kind == BufferKind::workspace)
      bytes += alignUp(buffer.bytes.evaluate(tokens), Executable::kWorkspaceAlignment);
  return bytes;
}

static Status checkWorkspace(const Plan &plan, int64_t tokens, DevicePointer workspace, int64_t bytes) {
  int64_t needed = sumWorkspaces(plan, tokens);
  if (bytes < needed)
    return Error{fmt::format("'{}': workspace too small for {} tokens: expected at least {} bytes, got {}", plan.name,
                             tokens, needed, bytes)};
  if (needed > 0 && workspace == 0)
    return Error{fmt::format("'{}': workspace: expected a device address, got null", plan.name)};
  if (workspace % Executable::kWorkspaceAlignment != 0)
    return Error{fmt::format("'{}': workspace: expected an address aligned to {} bytes, got {:#x}", plan.name,
                             Executable::kWorkspaceAlignment, workspace)};
  return {};
}

std::vector<DevicePointer> Executable::Impl::addresses(size_t specialization, int64_t tokens,
                                                       const std::vector<DevicePointer> &arguments,
                                                       DevicePointer workspace) const {
  const Plan &plan = program.specializations[specialization].plan;
  std::vector<DevicePointer> result;
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    switch (plan.buffers[i].kind) {
    case BufferKind::input:
    case BufferKind::output:
      result.push_back(arguments[i]);
      break;
    case BufferKind::workspace:
      result.push_back(workspace);
      workspace += alignUp(plan.buffers[i].bytes.evaluate(tokens), kWorkspaceAlignment);
      break;
    case BufferKind::constant:
      result.push_back(loaded.plan(specialization).constants[i].address());
      break;
    }
  }
  return result;
}

static std::string launchName(const Plan &plan, size_t index) {
  const Launch &launch = plan.launches[index];
  switch (launch.kind) {
  case Launch::Kind::kernel:
    return fmt::format("kernel '{}'", plan.kernels[launch.kernel].name);
  case Launch::Kind::fillZero:
    return fmt::format("the fill of buffer '{}'", plan.buffers[launch.buffer].name);
  case Launch::Kind::copy:
    return fmt::format("the copy to buffer '{}'", plan.buffers[launch.buffer].name);
  }
  return {};
}

Result<std::shared_ptr<const PreparedCall>> Executable::Impl::prepare(size_t specialization, int64_t tokens,
                                                                      const std::vector<DevicePointer> &arguments,
                                                                      DevicePointer workspace) const {
  const Plan &plan = program.specializations[specialization].plan;
  auto call = std::make_shared<PreparedCall>();
  call->key = {tokens, workspace, arguments};
  std::vector<DevicePointer> located = addresses(specialization, tokens, arguments, workspace);
  for (const Launch &launch : plan.launches) {
    bool isKernel = launch.kind == Launch::Kind::kernel;
    cuda::Function function = isKernel ? loaded.plan(specialization).functions[launch.kernel] : nullptr;
    Result<std::unique_ptr<PreparedLaunch>> prepared = prepareLaunch(plan, launch, function, *device, tokens, located);
    if (!prepared)
      return prepared.error();
    call->launches.push_back(std::move(*prepared));
  }
  orderWhole(plan, *call);
  return std::shared_ptr<const PreparedCall>(std::move(call));
}

Status Executable::Impl::run(std::optional<size_t> only, Stream stream, int64_t tokens,
                             const std::vector<DevicePointer> &arguments, DevicePointer workspace,
                             int64_t bytes) const {
  if (Status status = checkTokens(program, tokens); !status)
    return status;
  size_t specialization = program.indexFor(tokens);
  const Plan &plan = program.specializations[specialization].plan;
  if (only && *only >= plan.launches.size())
    return Error{fmt::format("'{}': no launch {}: expected less than {}", plan.name, *only, plan.launches.size())};
  if (Status status = checkArguments(plan, arguments); !status)
    return status;
  if (Status status = checkWorkspace(plan, tokens, workspace, bytes); !status)
    return status;
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  // The token count, which is part of the key, decides the plan.
  std::shared_ptr<const PreparedCall> call = calls.find(tokens, workspace, arguments);
  if (!call) {
    Result<std::shared_ptr<const PreparedCall>> prepared = prepare(specialization, tokens, arguments, workspace);
    if (!prepared)
      return prepared.error();
    call = std::move(*prepared);
    calls.insert(call);
  }
  const Driver &driver = device->driver();
  if (only) {
    cuda::Code code = enqueue(*call->launches[*only], driver, stream, /*behindKernel=*/false);
    return code ? driver.error(code, "enqueue " + launchName(plan, *only)) : Status();
  }
  for (const PreparedFill &fill : call->fills)
    if (cuda::Code code = fill.bytes > 0 ? driver.cuMemsetD8Async(fill.target, 0, fill.bytes, stream) : cuda::kSuccess)
      return driver.error(code, "enqueue the fills of the workspace");
  bool behindKernel = false;
  for (size_t i : call->rest) {
    if (cuda::Code code = enqueue(*call->launches[i], driver, stream, behindKernel))
      return driver.error(code, "enqueue " + launchName(plan, i));
    behindKernel = plan.launches[i].kind == Launch::Kind::kernel;
  }
  return {};
}

Result<int64_t> Executable::workspaceBytes(int64_t tokens) const { return workspaceBytes(impl->program, tokens); }

Result<int64_t> Executable::workspaceBytes(const Program &program, int64_t tokens) {
  if (Status status = checkTokens(program, tokens); !status)
    return status.error();
  return sumWorkspaces(program.planFor(tokens), tokens);
}

Result<DevicePointer> Executable::bufferAddress(size_t index, int64_t tokens,
                                                const std::vector<DevicePointer> &arguments,
                                                DevicePointer workspace) const {
  if (Status status = checkTokens(impl->program, tokens); !status)
    return status.error();
  size_t specialization = impl->program.indexFor(tokens);
  const Plan &plan = impl->program.specializations[specialization].plan;
  if (Status status = impl->checkArguments(plan, arguments); !status)
    return status.error();
  if (index >= plan.buffers.size())
    return Error{fmt::format("'{}': no buffer {}: expected less than {}", plan.name, index, plan.buffers.size())};
  return impl->addresses(specialization, tokens, arguments, workspace)[index];
}

Status Executable::execute(Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments,
                           DevicePointer workspace, int64_t workspaceBytes) const {
  return impl->run(std::nullopt, stream, tokens, arguments, workspace, workspaceBytes);
}

Status Executable::executeLaunch(size_t index, Stream stream, int64_t tokens,
                                 const std::vector<DevicePointer> &arguments, DevicePointer workspace,
                                 int64_t workspaceBytes) const {
  return impl->run(index, stream, tokens, arguments, workspace, workspaceBytes);
}
