//===- ProgramCache.cpp - whole programs in the kernel cache ------------------------------------------------------===//

#include "ProgramCache.h"

#include "winnow/Jit/KernelCache.h"
#include "winnow/Jit/Nvrtc.h"
#include "winnow/Runtime/Artifact.h"
#include "winnow/Support/BuildId.h"
#include "winnow/Support/File.h"
#include "winnow/Support/Sha256.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"

#include <optional>

using namespace mlir;
using namespace winnow;
using namespace winnow::jit;

/// Of the hash of NVRTC's fingerprint.
static constexpr size_t kShownDigits = 16;

/// What stands for the database of tuned schedules in a key; none if it cannot be read.
static std::optional<std::string> tuningIdentity(const std::string &tuning) {
  if (tuning.empty() || tuning == "none")
    return "no file: " + tuning;
  Result<std::vector<uint8_t>> bytes = readFile(tuning);
  if (!bytes)
    return std::nullopt;
  return toHex(Sha256::hash(bytes->data(), bytes->size()));
}

FailureOr<rt::Program> jit::getOrCompileProgram(const std::string &spec, const std::string &entry,
                                                const CompileOptions &options, Location loc,
                                                const std::function<FailureOr<rt::Program>()> &compile) {
  MLIRContext *context = loc.getContext();
  std::optional<std::string> tuning = tuningIdentity(options.tuning);
  if (!options.useCache || !options.dumpPhasesTo.empty() || context->getRemarkEngine() || !tuning)
    return compile();
  Environment environment = Environment::read();
  // A library that somebody names may be a stand-in whose results depend on more than its file.
  if (!environment.nvrtc.empty())
    return compile();
  // That the cache is off, the compilation of kernels says.
  KernelCache cache = KernelCache::open(environment);
  if (!cache.enabled())
    return compile();

  CacheKey key;
  key.source = spec;
  key.options = {"a whole program", "tokens " + std::to_string(options.tokens), "tuning " + *tuning};
  key.target = options.target;
  std::string nvrtc = Nvrtc::fingerprint(environment);
  key.compiler = "by its file, " + toHex(Sha256::hash(nvrtc.data(), nvrtc.size())).substr(0, kShownDigits);
  key.build = buildId();
  FailureOr<rt::Program> program = failure();
  Result<CompiledImage> image = cache.getOrCompile(key, "@" + entry, [&]() -> Result<CompiledImage> {
    size_t diagnostics = 0;
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &) {
      ++diagnostics;
      return failure(); // for the handlers before this one
    });
    program = compile();
    if (failed(program) || diagnostics > 0)
      return Error{"not to be stored"};
    CompiledImage whole;
    whole.cubin = rt::serialize(*program);
    return whole;
  });
  if (succeeded(program) || !image)
    return program;
  Result<rt::Program> read = rt::deserialize(image->cubin.data(), image->cubin.size(), "the cache");
  if (read)
    return std::move(*read);
  emitWarning(loc) << "the program in the kernel cache cannot be used, compiling again: " << read.message();
  return compile();
}
