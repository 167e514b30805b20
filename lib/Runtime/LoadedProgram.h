//===- LoadedProgram.h - what a program keeps on a device ---------------------------------------------------------===//

#ifndef WINNOW_LIB_RUNTIME_LOADEDPROGRAM_H
#define WINNOW_LIB_RUNTIME_LOADEDPROGRAM_H

#include "winnow/Runtime/Device.h"
#include "winnow/Runtime/Program.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace winnow::rt {

/// Kernels and constants of one plan.
struct LoadedPlan {
  std::vector<cuda::Function> functions; ///< of Plan::kernels
  std::vector<DeviceBuffer> constants;   ///< of Plan::buffers; empty except for constants
};

/// The modules of all plans, each distinct piece of machine code loaded once; unloaded with the object.
class LoadedProgram {
public:
  LoadedProgram() = default;
  ~LoadedProgram();
  LoadedProgram(const LoadedProgram &) = delete;
  LoadedProgram &operator=(const LoadedProgram &) = delete;

  /// Loads everything on `device`; the program has been verified and stays where it is. Called once.
  Status load(const Program &program, std::shared_ptr<const Device> device);

  const LoadedPlan &plan(size_t index) const { return plans[index]; }

private:
  struct Module {
    const std::vector<uint8_t> *cubin;
    cuda::Module handle;
  };
  /// A kernel in a module, with the shared memory that it may have: the most that any plan wants.
  struct Function {
    cuda::Function handle = nullptr;
    uint32_t sharedBytes = 0;
  };

  Result<cuda::Module> findModule(const Image &image);
  Result<cuda::Function> findFunction(const Plan &plan, const Kernel &kernel, cuda::Module module);
  Status loadKernels(const Plan &plan, LoadedPlan &loaded);
  Status loadConstants(const Plan &plan, LoadedPlan &loaded);

  std::shared_ptr<const Device> device;
  std::vector<Module> modules;
  std::map<std::pair<cuda::Module, std::string>, Function> functions;
  std::vector<LoadedPlan> plans;
};

} // namespace winnow::rt

#endif // WINNOW_LIB_RUNTIME_LOADEDPROGRAM_H
