//===- Executable.cpp - run a plan on a GPU -----------------------------------------------------------------------===//

#include "winnow/Runtime/Executable.h"

#include "PreparedCall.h"
#include "winnow/Runtime/PlanVerifier.h"

#include <fmt/format.h>

#include <cctype>

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

namespace {

/// The modules of an executable, unloaded with it.
struct LoadedModules {
  ~LoadedModules() {
    if (modules.empty())
      return;
    CurrentContext current(*device);
    if (current.status())
      for (cuda::Module module : modules)
        device->driver().cuModuleUnload(module);
  }

  std::shared_ptr<const Device> device;
  std::vector<cuda::Module> modules;
};

} // namespace

struct Executable::Impl {
  Plan plan;
  std::shared_ptr<const Device> device;
  LoadedModules modules;
  std::vector<cuda::Function> functions; ///< of Plan::kernels
  std::vector<DeviceBuffer> constants;   ///< of Plan::buffers; empty except for constants
  size_t inputs = 0, outputs = 0;
  mutable CallCache calls;

  Status loadModules();
  Status loadConstants();
  Status checkArguments(const std::vector<DevicePointer> &arguments) const;
  Status checkWorkspace(int64_t tokens, DevicePointer workspace, int64_t bytes) const;
  std::vector<DevicePointer> addresses(int64_t tokens, const std::vector<DevicePointer> &arguments,
                                       DevicePointer workspace) const;
  std::string launchName(size_t index) const;
  Result<std::shared_ptr<const PreparedCall>> prepare(int64_t tokens, const std::vector<DevicePointer> &arguments,
                                                      DevicePointer workspace) const;
  Status run(size_t first, size_t last, Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments,
             DevicePointer workspace, int64_t bytes) const;
};

Executable::Executable(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Executable::~Executable() = default;

Result<std::shared_ptr<Executable>> Executable::load(Plan plan, int ordinal) {
  Result<std::shared_ptr<const Device>> device = Device::open(ordinal);
  if (!device)
    return device.error();
  return load(std::move(plan), std::move(*device));
}

Result<std::shared_ptr<Executable>> Executable::load(Plan plan, std::shared_ptr<const Device> device) {
  if (Status status = verify(plan); !status)
    return status.error();
  if (Status status = checkTarget(plan.target, device->info()); !status)
    return status.error();
  auto impl = std::make_unique<Impl>();
  impl->plan = std::move(plan);
  impl->device = impl->modules.device = std::move(device);
  for (const Buffer &buffer : impl->plan.buffers) {
    impl->inputs += buffer.kind == BufferKind::input;
    impl->outputs += buffer.kind == BufferKind::output;
  }
  if (Status status = impl->loadModules(); !status)
    return status.error();
  if (Status status = impl->loadConstants(); !status)
    return status.error();
  return std::shared_ptr<Executable>(new Executable(std::move(impl)));
}

Status Executable::Impl::loadModules() {
  const Driver &driver = device->driver();
  const DeviceInfo &info = device->info();
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  for (const Image &image : plan.images) {
    if (image.cubin.empty())
      return Error{fmt::format("image '{}' holds no machine code: compile it before loading", image.name)};
    char log[4096] = {};
    int32_t options[] = {cuda::kErrorLogBuffer, cuda::kErrorLogBufferSizeBytes};
    void *values[] = {log, reinterpret_cast<void *>(sizeof(log) - 1)};
    cuda::Module module = nullptr;
    if (cuda::Code code = driver.cuModuleLoadDataEx(&module, image.cubin.data(), 2, options, values)) {
      Error error =
          driver.error(code, fmt::format("load image '{}' on device {} ({})", image.name, info.ordinal, info.name));
      if (*log)
        error.message += fmt::format("\n{}", log);
      return error;
    }
    modules.modules.push_back(module);
  }
  for (const Kernel &kernel : plan.kernels) {
    cuda::Function function = nullptr;
    if (cuda::Code code = driver.cuModuleGetFunction(&function, modules.modules[kernel.image], kernel.name.c_str()))
      return driver.error(code,
                          fmt::format("find kernel '{}' in image '{}'", kernel.name, plan.images[kernel.image].name));
    if (static_cast<int64_t>(kernel.sharedBytes) > info.sharedBytesPerBlock)
      return Error{fmt::format("device {} ({}) cannot run kernel '{}': expected {} bytes of shared memory, got {}",
                               info.ordinal, info.name, kernel.name, kernel.sharedBytes, info.sharedBytesPerBlock)};
    if (kernel.sharedBytes > 0)
      if (cuda::Code code = driver.cuFuncSetAttribute(function, cuda::kMaxDynamicSharedBytes, int(kernel.sharedBytes)))
        return driver.error(code,
                            fmt::format("give kernel '{}' {} bytes of shared memory", kernel.name, kernel.sharedBytes));
    functions.push_back(function);
  }
  return {};
}

Status Executable::Impl::loadConstants() {
  constants.resize(plan.buffers.size());
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer &buffer = plan.buffers[i];
    if (buffer.kind != BufferKind::constant)
      continue;
    Result<DeviceBuffer> memory =
        DeviceBuffer::allocate(device, buffer.bytes.addend, fmt::format("constant '{}'", buffer.name));
    if (!memory)
      return memory.error();
    constants[i] = std::move(*memory);
    if (Status status = constants[i].copyFrom(buffer.contents.data(), constants[i].bytes()); !status)
      return status;
  }
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Calling
//===--------------------------------------------------------------------------------------------------------------===//

const Plan &Executable::plan() const { return impl->plan; }
const DeviceInfo &Executable::device() const { return impl->device->info(); }
std::shared_ptr<const Device> Executable::owner() const { return impl->device; }
size_t Executable::argumentCount() const { return impl->inputs + impl->outputs; }

static int64_t alignUp(int64_t value, int64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

static Status checkTokens(const Plan &plan, int64_t tokens) {
  if (tokens < 1 || tokens > plan.maxTokens)
    return Error{
        fmt::format("'{}': token count out of range: expected 1 to {}, got {}", plan.name, plan.maxTokens, tokens)};
  return {};
}

Status Executable::Impl::checkArguments(const std::vector<DevicePointer> &arguments) const {
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

Status Executable::Impl::checkWorkspace(int64_t tokens, DevicePointer workspace, int64_t bytes) const {
  int64_t needed = sumWorkspaces(plan, tokens);
  if (bytes < needed)
    return Error{fmt::format("'{}': workspace too small for {} tokens: expected at least {} bytes, got {}", plan.name,
                             tokens, needed, bytes)};
  if (needed > 0 && workspace == 0)
    return Error{fmt::format("'{}': workspace: expected a device address, got null", plan.name)};
  if (workspace % kWorkspaceAlignment != 0)
    return Error{fmt::format("'{}': workspace: expected an address aligned to {} bytes, got {:#x}", plan.name,
                             kWorkspaceAlignment, workspace)};
  return {};
}

std::vector<DevicePointer> Executable::Impl::addresses(int64_t tokens, const std::vector<DevicePointer> &arguments,
                                                       DevicePointer workspace) const {
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
      result.push_back(constants[i].address());
      break;
    }
  }
  return result;
}

std::string Executable::Impl::launchName(size_t index) const {
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

Result<std::shared_ptr<const PreparedCall>>
Executable::Impl::prepare(int64_t tokens, const std::vector<DevicePointer> &arguments, DevicePointer workspace) const {
  auto call = std::make_shared<PreparedCall>();
  call->key = {tokens, workspace, arguments};
  std::vector<DevicePointer> located = addresses(tokens, arguments, workspace);
  for (const Launch &launch : plan.launches) {
    cuda::Function function = launch.kind == Launch::Kind::kernel ? functions[launch.kernel] : nullptr;
    Result<std::unique_ptr<PreparedLaunch>> prepared = prepareLaunch(plan, launch, function, *device, tokens, located);
    if (!prepared)
      return prepared.error();
    call->launches.push_back(std::move(*prepared));
  }
  return std::shared_ptr<const PreparedCall>(std::move(call));
}

Status Executable::Impl::run(size_t first, size_t last, Stream stream, int64_t tokens,
                             const std::vector<DevicePointer> &arguments, DevicePointer workspace,
                             int64_t bytes) const {
  if (Status status = checkTokens(plan, tokens); !status)
    return status;
  if (Status status = checkArguments(arguments); !status)
    return status;
  if (Status status = checkWorkspace(tokens, workspace, bytes); !status)
    return status;
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  std::shared_ptr<const PreparedCall> call = calls.find(tokens, workspace, arguments);
  if (!call) {
    Result<std::shared_ptr<const PreparedCall>> prepared = prepare(tokens, arguments, workspace);
    if (!prepared)
      return prepared.error();
    call = std::move(*prepared);
    calls.insert(call);
  }
  for (size_t i = first; i < last; ++i)
    if (cuda::Code code = enqueue(*call->launches[i], device->driver(), stream))
      return device->driver().error(code, "enqueue " + launchName(i));
  return {};
}

Result<int64_t> Executable::workspaceBytes(int64_t tokens) const { return workspaceBytes(impl->plan, tokens); }

Result<int64_t> Executable::workspaceBytes(const Plan &plan, int64_t tokens) {
  if (Status status = checkTokens(plan, tokens); !status)
    return status.error();
  return sumWorkspaces(plan, tokens);
}

Result<DevicePointer> Executable::bufferAddress(size_t index, int64_t tokens,
                                                const std::vector<DevicePointer> &arguments,
                                                DevicePointer workspace) const {
  if (Status status = checkTokens(impl->plan, tokens); !status)
    return status.error();
  if (Status status = impl->checkArguments(arguments); !status)
    return status.error();
  if (index >= impl->plan.buffers.size())
    return Error{
        fmt::format("'{}': no buffer {}: expected less than {}", impl->plan.name, index, impl->plan.buffers.size())};
  return impl->addresses(tokens, arguments, workspace)[index];
}

Status Executable::execute(Stream stream, int64_t tokens, const std::vector<DevicePointer> &arguments,
                           DevicePointer workspace, int64_t workspaceBytes) const {
  return impl->run(0, impl->plan.launches.size(), stream, tokens, arguments, workspace, workspaceBytes);
}

Status Executable::executeLaunch(size_t index, Stream stream, int64_t tokens,
                                 const std::vector<DevicePointer> &arguments, DevicePointer workspace,
                                 int64_t workspaceBytes) const {
  if (index >= impl->plan.launches.size())
    return Error{
        fmt::format("'{}': no launch {}: expected less than {}", impl->plan.name, index, impl->plan.launches.size())};
  return impl->run(index, index + 1, stream, tokens, arguments, workspace, workspaceBytes);
}
