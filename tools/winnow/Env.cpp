//===- Env.cpp - winnow env ---------------------------------------------------------------------------------------===//

#include "Disassembler.h"
#include "Tool.h"

#include "winnow/Jit/KernelCache.h"
#include "winnow/Jit/Nvrtc.h"
#include "winnow/Runtime/Device.h"
#include "winnow/Runtime/Driver.h"
#include "winnow/Support/BuildId.h"
#include "winnow/Support/Environment.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

using namespace winnow;
using namespace winnow::tool;

/// "name  text", with the further lines of the text below its first.
static std::string entry(llvm::StringRef name, llvm::StringRef text) {
  std::string lines;
  llvm::SmallVector<llvm::StringRef> parts;
  text.rtrim('\n').split(parts, '\n');
  for (size_t i = 0; i < parts.size(); ++i)
    lines += llvm::formatv("{0,-12} {1}\n", i == 0 ? name : llvm::StringRef(), parts[i]).str();
  return lines;
}

static std::string describeDevices() {
  Result<std::shared_ptr<const rt::Driver>> driver = rt::Driver::load();
  if (!driver)
    return entry("driver", driver.message()) + entry("GPU", "none without a driver");
  int version = (*driver)->version();
  std::string text = entry(
      "driver", llvm::formatv("{0}, CUDA {1}.{2}", (*driver)->library(), version / 1000, version % 1000 / 10).str());
  Result<std::vector<rt::DeviceInfo>> devices = rt::listDevices(**driver);
  if (!devices)
    return text + entry("GPU", devices.message());
  if (devices->empty())
    return text + entry("GPU", "none: the driver shows no device");
  for (const rt::DeviceInfo &device : *devices)
    text += entry("GPU " + std::to_string(device.ordinal),
                  llvm::formatv("{0}, compute capability {1}.{2}, {3} multiprocessors, {4}", device.name,
                                device.computeMajor, device.computeMinor, device.multiprocessors,
                                formatBytes(static_cast<double>(device.memoryBytes)))
                      .str());
  return text;
}

static std::string describeCache(const Environment &environment) {
  Result<jit::CacheOptions> options = jit::cacheOptions(environment);
  if (!options)
    return entry("kernel cache", "off: " + options.message());
  jit::KernelCache cache = jit::KernelCache::open(*options);
  if (!cache.enabled())
    return entry("kernel cache", "off: " + cache.problem());
  return entry("kernel cache", cache.folder() + ", at most " + formatBytes(static_cast<double>(cache.maxBytes())));
}

static int runEnv() {
  Environment environment = Environment::read();
  std::string text = entry("winnow", buildId());
  Result<std::shared_ptr<const jit::Nvrtc>> nvrtc = jit::Nvrtc::load();
  text += entry("NVRTC", nvrtc ? (*nvrtc)->library() + ", version " + (*nvrtc)->version() : nvrtc.message());
  text += describeDevices();
  Result<std::string> disassembler = findDisassembler();
  text += entry("cuobjdump", disassembler ? *disassembler : disassembler.message());
  text += describeCache(environment);
  text += "\nenvironment variables that are read\n";
  for (const EnvironmentVariable &variable : environmentVariables())
    text += llvm::formatv("  {0,-20} {1}\n", variable.name, variable.purpose).str();
  if (Status status = writeWhole("-", text); !status)
    return fail(status.message());
  return kSuccess;
}

void tool::addEnv(CLI::App &app, Action &action) {
  app.add_subcommand("env", "Show what was found: NVRTC, driver, GPUs, cache folder")->callback([&action] {
    action = runEnv;
  });
}
