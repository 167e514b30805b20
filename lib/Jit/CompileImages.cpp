//===- CompileImages.cpp - sources of a program to machine code ---------------------------------------------------===//
//
// Kernels are compiled side by side. Workers only fill their own slot; the calling thread waits for them with
// interrupts held, and emits diagnostics once all have ended, in the order of the plans.
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
#include <map>
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
  ImageQueue(std::vector<const rt::Image *> images, const CompileOptions &options, const Nvrtc &nvrtc,
             const KernelCache &cache)
      : images(std::move(images)), options(options), nvrtc(nvrtc), cache(cache), results(this->images.size()) {}

  bool isDone() const { return done == images.size(); }

  void work() {
    for (size_t index = next++; index < images.size(); index = next++) {
      results[index] = compile(*images[index]);
      std::lock_guard<std::mutex> guard(progressMutex);
      if (options.progress)
        options.progress(images[index]->name, done + 1, images.size());
      ++done;
    }
  }
  std::vector<std::optional<Result<CompiledImage>>> &outcomes() { return results; }

private:
  const std::vector<const rt::Image *> images;
  const CompileOptions &options;
  const Nvrtc &nvrtc;
  const KernelCache &cache;
  std::vector<std::optional<Result<CompiledImage>>> results;
  std::atomic<size_t> next{0};
  std::mutex progressMutex;
  std::atomic<size_t> done{0};

  Result<CompiledImage> compile(const rt::Image &image) const {
    CacheKey key{image.source, nvrtc.baseOptions(options.target), options.target, nvrtc.version(), buildId()};
    return cache.getOrCompile(key, image.name,
                              [&] { return nvrtc.compile(image.source, image.name + ".cu", options.target); });
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

namespace {

/// The images of some plans, equal ones together.
class DistinctImages {
public:
  void add(rt::Plan &plan) {
    for (rt::Image &image : plan.images) {
      // The source names the kernel.
      auto [entry, isNew] = numbers.try_emplace(image.source, users.size());
      if (isNew)
        users.emplace_back();
      users[entry->second].push_back(&image);
    }
  }
  std::vector<const rt::Image *> firsts() const {
    std::vector<const rt::Image *> result;
    for (const std::vector<rt::Image *> &equal : users)
      result.push_back(equal.front());
    return result;
  }

  std::vector<std::vector<rt::Image *>> users; ///< by number

private:
  std::map<std::string, size_t> numbers; ///< by source
};

} // namespace

/// Compiles everything that is in the queue, on as many threads as there are cores.
static void compileAll(ImageQueue &queue, size_t images, const CompileOptions &options) {
  size_t cores = std::max(1u, options.threads ? options.threads : std::thread::hardware_concurrency());
  HeldSignals signals;
  std::vector<std::thread> workers;
  try {
    for (size_t i = 0; i < std::min(cores, images); ++i)
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

/// `shown` is the plan among those of `images` that remarks and dumps are of.
static LogicalResult compileDistinct(DistinctImages &images, const rt::Plan &shown, const CompileOptions &options,
                                     Location loc) {
  Result<std::shared_ptr<const Nvrtc>> nvrtc = Nvrtc::load();
  if (!nvrtc)
    return emitError(loc) << nvrtc.message();
  std::vector<std::string> warnings; // The cache calls one at a time.
  KernelCache cache =
      options.useCache
          ? KernelCache::open(Environment::read(), [&](const std::string &message) { warnings.push_back(message); })
          : KernelCache::off();
  ImageQueue queue(images.firsts(), options, **nvrtc, cache);
  compileAll(queue, images.users.size(), options);

  for (const std::string &message : warnings)
    emitWarning(loc) << message;
  PhaseDump dump(options.dumpPhasesTo);
  bool anyFailed = false;
  for (auto [equal, outcome] : llvm::zip_equal(images.users, queue.outcomes())) {
    Result<CompiledImage> &result = *outcome;
    const std::string &name = equal.front()->name;
    if (!result) {
      emitError(loc) << "cannot compile kernel '" << name << "': " << result.message();
      anyFailed = true;
      continue;
    }
    CompiledImage &compiled = *result;
    auto isShown = [&](const rt::Image *image) {
      return image >= shown.images.data() && image < shown.images.data() + shown.images.size();
    };
    if (llvm::any_of(equal, isShown)) {
      report(name, compiled, loc);
      if (failed(dump.write(name + ".ptx", compiled.ptx, loc)) || failed(dump.write(name + ".log", compiled.log, loc)))
        return failure();
    }
    for (rt::Image *image : equal) {
      image->cubin = compiled.cubin;
      image->ptx = compiled.ptx;
    }
  }
  return failure(anyFailed);
}

LogicalResult jit::compileImages(rt::Plan &plan, const CompileOptions &options, Location loc) {
  DistinctImages images;
  images.add(plan);
  return compileDistinct(images, plan, options, loc);
}

LogicalResult jit::compileImages(rt::Program &program, const CompileOptions &options, Location loc) {
  const rt::Plan &shown = program.defaultPlan();
  DistinctImages images;
  images.add(program.specializations[program.indexFor(rt::Program::kDefaultTokens)].plan);
  for (rt::Specialization &specialization : program.specializations)
    if (&specialization.plan != &shown)
      images.add(specialization.plan);
  return compileDistinct(images, shown, options, loc);
}
