//===- PreparedCall.cpp - a plan with its run-time unknowns filled in ---------------------------------------------===//

#include "PreparedCall.h"

#include "winnow/Runtime/Executable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

using namespace winnow;
using namespace winnow::rt;

static cuda::TensorMapType mapType(ElementType element) {
  switch (element) {
  case ElementType::bf16:
    return cuda::kMapBF16;
  case ElementType::f16:
    return cuda::kMapF16;
  case ElementType::f32:
    return cuda::kMapF32;
  case ElementType::i32:
    return cuda::kMapI32;
  default: // one byte; the plan verifier lets only u8 through
    return cuda::kMapU8;
  }
}

static std::string joined(const std::vector<uint64_t> &values) { return fmt::format("[{}]", fmt::join(values, ", ")); }

static Status encodeTensorMap(const TensorMap &map, const std::string &what, const Device &device, int64_t tokens,
                              DevicePointer address, cuda::EncodedTensorMap &encoded) {
  std::vector<uint64_t> extents, strides;
  for (const Extent &extent : map.extents)
    extents.push_back(static_cast<uint64_t>(extent.evaluate(tokens)));
  for (const Extent &stride : map.strides)
    strides.push_back(static_cast<uint64_t>(stride.evaluate(tokens)));
  const std::vector<uint32_t> elementStrides(extents.size(), 1);
  cuda::Code code = device.driver().cuTensorMapEncodeTiled(
      &encoded, mapType(map.element), static_cast<uint32_t>(extents.size()), reinterpret_cast<void *>(address),
      extents.data(), strides.data(), map.box.data(), elementStrides.data(), cuda::kInterleaveNone,
      map.swizzle128 ? cuda::kSwizzle128 : cuda::kSwizzleNone, cuda::kPromoteL2To256, cuda::kFillZero);
  if (code)
    return device.driver().error(code,
                                 fmt::format("encode the tensor map of {} (extents {}, strides {} bytes, box [{}])",
                                             what, joined(extents), joined(strides), fmt::join(map.box, ", ")));
  return {};
}

Result<std::unique_ptr<PreparedLaunch>> winnow::rt::prepareLaunch(const Plan &plan, const Launch &launch,
                                                                  cuda::Function function, const Device &device,
                                                                  int64_t tokens,
                                                                  const std::vector<DevicePointer> &addresses) {
  auto prepared = std::make_unique<PreparedLaunch>();
  prepared->kind = launch.kind;
  if (launch.kind != Launch::Kind::kernel) {
    prepared->target = addresses[launch.buffer];
    prepared->bytes = static_cast<size_t>(plan.buffers[launch.buffer].bytes.evaluate(tokens));
    if (launch.kind == Launch::Kind::copy)
      prepared->source = addresses[launch.source];
    return prepared;
  }

  const Kernel &kernel = plan.kernels[launch.kernel];
  prepared->function = function;
  prepared->threads = kernel.threads;
  prepared->sharedBytes = kernel.sharedBytes;
  prepared->overlaps = launch.overlaps && device.driver().version() >= Driver::kOverlapVersion;
  int64_t tiles = launch.tiles.evaluate(tokens);
  if (launch.persistent)
    tiles =
        std::min<int64_t>(tiles, std::max<int64_t>(1, device.info().multiprocessors / launch.cluster) * launch.cluster);
  if (tiles > INT32_MAX)
    return Error{fmt::format("{} tokens are too many for kernel '{}': expected at most {} tiles, got {}", tokens,
                             kernel.name, INT32_MAX, tiles)};
  prepared->grid = static_cast<unsigned>(tiles);

  prepared->tensorMaps.resize(launch.tensorMaps.size());
  for (size_t i = 0; i < launch.tensorMaps.size(); ++i) {
    const TensorMap &map = launch.tensorMaps[i];
    std::string what = fmt::format("buffer '{}' for kernel '{}'", plan.buffers[map.buffer].name, kernel.name);
    if (Status status = encodeTensorMap(map, what, device, tokens, addresses[map.buffer], prepared->tensorMaps[i]);
        !status)
      return status.error();
  }

  prepared->scalars.resize(launch.arguments.size());
  for (size_t i = 0; i < launch.arguments.size(); ++i) {
    const Argument &argument = launch.arguments[i];
    void *parameter = &prepared->scalars[i];
    if (argument.kind == Argument::Kind::tensorMap) {
      parameter = &prepared->tensorMaps[argument.index];
    } else if (argument.kind == Argument::Kind::pointer) {
      prepared->scalars[i] = addresses[argument.index];
    } else {
      int64_t value = argument.extent.evaluate(tokens);
      if (value > INT32_MAX)
        return Error{
            fmt::format("{} tokens are too many for kernel '{}': expected argument {} to be at most {}, got {}", tokens,
                        kernel.name, i, INT32_MAX, value)};
      int32_t narrow = static_cast<int32_t>(value);
      std::memcpy(parameter, &narrow, sizeof(narrow));
    }
    prepared->parameters.push_back(parameter);
  }
  return prepared;
}

/// Whether a launch reads or writes a buffer.
static bool uses(const Launch &launch, uint32_t buffer) {
  if (launch.kind == Launch::Kind::fillZero)
    return launch.buffer == buffer;
  if (launch.kind == Launch::Kind::copy)
    return launch.buffer == buffer || launch.source == buffer;
  return std::any_of(launch.arguments.begin(), launch.arguments.end(),
                     [&](const Argument &argument) {
                       return argument.kind == Argument::Kind::pointer && argument.index == buffer;
                     }) ||
         std::any_of(launch.tensorMaps.begin(), launch.tensorMaps.end(),
                     [&](const TensorMap &map) { return map.buffer == buffer; });
}

void winnow::rt::orderWhole(const Plan &plan, PreparedCall &call) {
  for (size_t i = 0; i < plan.launches.size(); ++i) {
    const Launch &launch = plan.launches[i];
    const auto begin = plan.launches.begin(), here = begin + static_cast<std::ptrdiff_t>(i);
    // Outputs may be the same memory: the caller's.
    bool isFirst = launch.kind == Launch::Kind::fillZero && plan.buffers[launch.buffer].kind == BufferKind::workspace &&
                   std::none_of(begin, here, [&](const Launch &earlier) { return uses(earlier, launch.buffer); });
    if (!isFirst) {
      call.rest.push_back(i);
      continue;
    }
    const PreparedLaunch &prepared = *call.launches[i];
    PreparedFill *last = call.fills.empty() ? nullptr : &call.fills.back();
    // Between two buffers of the workspace lies what aligns the second.
    if (last && prepared.target >= last->target + last->bytes &&
        prepared.target - (last->target + last->bytes) < Executable::kWorkspaceAlignment)
      last->bytes = prepared.target + prepared.bytes - last->target;
    else
      call.fills.push_back({prepared.target, prepared.bytes});
  }
}

cuda::Code winnow::rt::enqueue(const PreparedLaunch &launch, const Driver &driver, Stream stream, bool behindKernel) {
  switch (launch.kind) {
  case Launch::Kind::kernel: {
    cuda::LaunchConfig config = {};
    config.gridX = launch.grid;
    config.gridY = config.gridZ = 1;
    config.blockX = launch.threads;
    config.blockY = config.blockZ = 1;
    config.sharedBytes = launch.sharedBytes;
    config.stream = stream;
    cuda::LaunchAttribute overlap = {cuda::kProgrammaticSerialization, {}, 1, {}};
    if (launch.overlaps && behindKernel) {
      config.attributes = &overlap;
      config.attributeCount = 1;
    }
    // The driver copies the parameters and writes none of them.
    return driver.cuLaunchKernelEx(&config, launch.function, const_cast<void **>(launch.parameters.data()), nullptr);
  }
  case Launch::Kind::fillZero:
    return launch.bytes > 0 ? driver.cuMemsetD8Async(launch.target, 0, launch.bytes, stream) : cuda::kSuccess;
  case Launch::Kind::copy:
    return launch.bytes > 0 ? driver.cuMemcpyDtoDAsync(launch.target, launch.source, launch.bytes, stream)
                            : cuda::kSuccess;
  }
  return cuda::kSuccess;
}

std::shared_ptr<const PreparedCall> CallCache::find(int64_t tokens, DevicePointer workspace,
                                                    const std::vector<DevicePointer> &arguments) {
  std::lock_guard<std::mutex> lock(mutex);
  auto matches = [&](const std::shared_ptr<const PreparedCall> &call) {
    return call->key.tokens == tokens && call->key.workspace == workspace && call->key.arguments == arguments;
  };
  auto found = std::find_if(calls.rbegin(), calls.rend(), matches);
  if (found == calls.rend())
    return nullptr;
  std::shared_ptr<const PreparedCall> call = *found;
  std::rotate(std::prev(found.base()), found.base(), calls.end());
  return call;
}

void CallCache::insert(std::shared_ptr<const PreparedCall> call) {
  std::lock_guard<std::mutex> lock(mutex);
  auto same = [&](const std::shared_ptr<const PreparedCall> &other) { return other->key == call->key; };
  calls.erase(std::remove_if(calls.begin(), calls.end(), same), calls.end());
  if (calls.size() == kCapacity)
    calls.erase(calls.begin());
  calls.push_back(std::move(call));
}
