//===- CompileImages.cpp - sources of a plan to machine code ------------------------------------------------------===//
//
// Kernels are compiled side by side. Workers only fill their own slot; the calling thread waits for them with interrupts
// held, and emits diagnostics once all have ended, in the order of the plan.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "PhaseDump.h"

#include "winnow/Jit/Compiler.h"
#include "winnow/Jit/KernelCache.h"
#include "winnow/Jit/Nvrtc.h"
#include "winnow/Support/BuildId.h"
#include "winnow/Support/HeldSignals.h"

#include "mlir/IR/Remarks.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

using namespace mlir;
using namespace winnow;
using namespace winnow::jit;

/// Between two looks at whether all kernels are done.
static constexpr std::chrono::microseconds kLongestPause(1000);

namespace {

/// Compiles images until none is left; shared by all workers.
class ImageQueue {
public:
  ImageQueue(const rt::Plan &plan, const CompileOptions &options, const Nvrtc &nvrtc, const KernelCache &cache)
      : plan(plan), options(options), nvrtc(nvrtc), cache(cache), results(plan.images.size()) {}

  bool isDone() const { return done == plan.images.size(); }

  void work() {
    for (size_t index = next++; index < plan.images.size(); index = next++) {
      results[index] = compile(plan.images[index]);
      std::lock_guard<std::mutex> guard(progressMutex);
      if (options.progress)
        options.progress(plan.images[index].name, done + 1, plan.images.size());
      ++done;
    }
  }
  std::vector<std::optional<Result<CompiledImage>>> &outcomes() { return results; }

private:
  const rt::Plan &plan;
  const CompileOptions &options;
  const Nvrtc &nvrtc;
  const KernelCache &cache;
  std::vector<std::optional<Result<CompiledImage>>> results;
  std::atomic<size_t> next{0};
  std::mutex progressMutex;
  std::atomic<size_t> done{0};

  Result<CompiledImage> compile(const rt::Image &image) const {
    CacheKey key{image.source, Nvrtc::baseOptions(plan.target), plan.target, nvrtc.version(), buildId()};
    return cache.getOrCompile(key, image.name,
                              [&] { return nvrtc.compile(image.source, image.name + ".cu", plan.target); });
  }
};

} // namespace

/// Says what ptxas made of a kernel: spills and serialised matrix instructions are losses that should not go unseen.
static void report(const std::string &name, const CompiledImage &image, Location loc) {
  auto options = remark::RemarkOpts::name("resources").category("compile-images").function(name);
  CompileReport read = readLog(image.log);
  for (const KernelResources &kernel : read.kernels) {
    std::string text = std::to_string(kernel.registers) + " registers, " + std::to_string(kernel.spillStoreBytes) +
                       " bytes of spill stores, " + std::to_string(kernel.spillLoadBytes) + " bytes of spill loads";
    if (kernel.spills())
      remark::missed(loc, options) << text;
    else
      remark::analysis(loc, options) << text;
  }
  for (const std::string &note : read.serialisations)
    remark::missed(loc, options) << note;
}

LogicalResult jit::compileImages(rt::Plan &plan, const CompileOptions &options, Location loc) {
  Result<std::shared_ptr<const Nvrtc>> nvrtc = Nvrtc::load();
  if (!nvrtc)
    return emitError(loc) << nvrtc.message();
  std::vector<std::string> warnings; // The cache calls one at a time.
  KernelCache cache =
      options.useCache
          ? KernelCache::open(Environment::read(), [&](const std::string &message) { warnings.push_back(message); })
          : KernelCache::off();
  ImageQueue queue(plan, options, **nvrtc, cache);
  size_t cores = std::max(1u, options.threads ? options.threads : std::thread::hardware_concurrency());
  {
    HeldSignals signals;
    std::vector<std::thread> workers;
    try {
      for (size_t i = 0; i < std::min(cores, plan.images.size()); ++i)
        workers.emplace_back([&] { queue.work(); });
    } catch (const std::system_error &) {
      // The system has no more threads: those that there are do the work.
      if (workers.empty())
        queue.work();
    }
    // From the cache kernels come within a millisecond, from NVRTC in some hundred.
    for (std::chrono::microseconds pause(50); !queue.isDone(); pause = std::min(2 * pause, kLongestPause))
      signals.wait(pause);
    for (std::thread &worker : workers)
      worker.join();
  }

  for (const std::string &message : warnings)
    emitWarning(loc) << message;
  PhaseDump dump(options.dumpPhasesTo);
  bool anyFailed = false;
  for (auto [image, outcome] : llvm::zip_equal(plan.images, queue.outcomes())) {
    Result<CompiledImage> &result = *outcome;
    if (!result) {
      emitError(loc) << "cannot compile kernel '" << image.name << "': " << result.message();
      anyFailed = true;
      continue;
    }
    CompiledImage &compiled = *result;
    report(image.name, compiled, loc);
    if (failed(dump.write(image.name + ".ptx", compiled.ptx, loc)) ||
        failed(dump.write(image.name + ".log", compiled.log, loc)))
      return failure();
    image.cubin = std::move(compiled.cubin);
    image.ptx = std::move(compiled.ptx);
  }
  return failure(anyFailed);
}
