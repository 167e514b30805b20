//===- LoadedProgram.cpp - what a program keeps on a device -------------------------------------------------------===//

#include "LoadedProgram.h"

#include <fmt/format.h>

using namespace winnow;
using namespace winnow::rt;

LoadedProgram::~LoadedProgram() {
  if (modules.empty())
    return;
  CurrentContext current(*device);
  if (current.status())
    for (const Module &module : modules)
      device->driver().cuModuleUnload(module.handle);
}

Status LoadedProgram::load(const Program &program, std::shared_ptr<const Device> owner) {
  device = std::move(owner);
  for (const Specialization &specialization : program.specializations) {
    LoadedPlan loaded;
    if (Status status = loadKernels(specialization.plan, loaded); !status)
      return status;
    if (Status status = loadConstants(specialization.plan, loaded); !status)
      return status;
    plans.push_back(std::move(loaded));
  }
  return {};
}

Result<cuda::Module> LoadedProgram::findModule(const Image &image) {
  for (const Module &module : modules)
    if (*module.cubin == image.cubin)
      return module.handle;
  const Driver &driver = device->driver();
  const DeviceInfo &info = device->info();
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
  modules.push_back({&image.cubin, module});
  return module;
}

Result<cuda::Function> LoadedProgram::findFunction(const Plan &plan, const Kernel &kernel, cuda::Module module) {
  const Driver &driver = device->driver();
  const DeviceInfo &info = device->info();
  Function &function = functions[{module, kernel.name}];
  if (!function.handle)
    if (cuda::Code code = driver.cuModuleGetFunction(&function.handle, module, kernel.name.c_str()))
      return driver.error(code,
                          fmt::format("find kernel '{}' in image '{}'", kernel.name, plan.images[kernel.image].name));
  if (static_cast<int64_t>(kernel.sharedBytes) > info.sharedBytesPerBlock)
    return Error{fmt::format("device {} ({}) cannot run kernel '{}': expected {} bytes of shared memory, got {}",
                             info.ordinal, info.name, kernel.name, kernel.sharedBytes, info.sharedBytesPerBlock)};
  if (kernel.sharedBytes > function.sharedBytes) {
    if (cuda::Code code =
            driver.cuFuncSetAttribute(function.handle, cuda::kMaxDynamicSharedBytes, int(kernel.sharedBytes)))
      return driver.error(code,
                          fmt::format("give kernel '{}' {} bytes of shared memory", kernel.name, kernel.sharedBytes));
    function.sharedBytes = kernel.sharedBytes;
  }
  return function.handle;
}

Status LoadedProgram::loadKernels(const Plan &plan, LoadedPlan &loaded) {
  CurrentContext current(*device);
  if (!current.status())
    return current.status();
  std::vector<cuda::Module> images;
  for (const Image &image : plan.images) {
    if (image.cubin.empty())
      return Error{fmt::format("image '{}' holds no machine code: compile it before loading", image.name)};
    Result<cuda::Module> module = findModule(image);
    if (!module)
      return module.error();
    images.push_back(*module);
  }
  for (const Kernel &kernel : plan.kernels) {
    Result<cuda::Function> function = findFunction(plan, kernel, images[kernel.image]);
    if (!function)
      return function.error();
    loaded.functions.push_back(*function);
  }
  return {};
}

Status LoadedProgram::loadConstants(const Plan &plan, LoadedPlan &loaded) {
  loaded.constants.resize(plan.buffers.size());
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer &buffer = plan.buffers[i];
    if (buffer.kind != BufferKind::constant)
      continue;
    Result<DeviceBuffer> memory =
        DeviceBuffer::allocate(device, buffer.bytes.addend, fmt::format("constant '{}'", buffer.name));
    if (!memory)
      return memory.error();
    loaded.constants[i] = std::move(*memory);
    if (Status status = loaded.constants[i].copyFrom(buffer.contents.data(), loaded.constants[i].bytes()); !status)
      return status;
  }
  return {};
}
