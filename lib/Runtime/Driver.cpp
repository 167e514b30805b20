//===- Driver.cpp - the CUDA driver, found at run time ------------------------------------------------------------===//

#include "winnow/Runtime/Driver.h"

#include "winnow/Support/SharedLibrary.h"

#include <fmt/format.h>

using namespace winnow;
using namespace winnow::rt;

std::vector<std::string> Driver::defaultLibraries() {
  return {"libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib64/libcuda.so.1",
          "/usr/lib/wsl/lib/libcuda.so.1"};
}

Result<std::shared_ptr<const Driver>> Driver::load(const std::vector<std::string> &libraries) {
  Result<SharedLibrary> library = SharedLibrary::openFirst(libraries, "the CUDA driver");
  if (!library)
    return Error{library.message() + "\ninstall the NVIDIA driver, or use --target=cpu"};

  std::shared_ptr<Driver> driver(new Driver());
  driver->openedLibrary = library->path();
  std::string missing;
#define WINNOW_FIND_ENTRY_POINT(name, symbol, parameters)                                                              \
  driver->name = reinterpret_cast<cuda::Code(*) parameters>(library->find(#symbol));                                   \
  if (!driver->name)                                                                                                   \
    missing += (missing.empty() ? "" : ", ") + std::string(#symbol);
  WINNOW_CUDA_ENTRY_POINTS(WINNOW_FIND_ENTRY_POINT)
#undef WINNOW_FIND_ENTRY_POINT
  if (!missing.empty())
    return Error{fmt::format("the CUDA driver '{}' lacks {}; expected a driver for CUDA {}.{} or later",
                             driver->openedLibrary, missing, kOldestVersion / 1000, kOldestVersion % 1000 / 10)};

  if (cuda::Code code = driver->cuInit(0)) {
    Error error = driver->error(code, fmt::format("initialise the CUDA driver '{}'", driver->openedLibrary));
    if (code == cuda::kStubLibrary)
      error.message += "; this is the toolkit's stub: take it off the library path";
    if (code == cuda::kNoDevice)
      error.message += "; there is no GPU on this machine, or CUDA_VISIBLE_DEVICES hides it";
    return error;
  }
  if (cuda::Code code = driver->cuDriverGetVersion(&driver->supportedVersion))
    return driver->error(code, "ask the CUDA driver for its version");
  if (driver->supportedVersion < kOldestVersion)
    return Error{fmt::format("the CUDA driver '{}' is too old: expected CUDA {}.{} or later, got {}.{}",
                             driver->openedLibrary, kOldestVersion / 1000, kOldestVersion % 1000 / 10,
                             driver->supportedVersion / 1000, driver->supportedVersion % 1000 / 10)};
  return std::shared_ptr<const Driver>(std::move(driver));
}

Error Driver::error(cuda::Code code, const std::string &action) const {
  const char *name = nullptr, *text = nullptr;
  if (cuGetErrorName(code, &name) != cuda::kSuccess || !name)
    name = "an error that the driver does not name";
  if (cuGetErrorString(code, &text) != cuda::kSuccess || !text)
    text = "no explanation";
  return Error{fmt::format("cannot {}: {} ({}): {}", action, name, code, text)};
}
