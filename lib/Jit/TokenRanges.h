//===- TokenRanges.h - how decisions change with the token count --------------------------------------------------===//

#ifndef WINNOW_LIB_JIT_TOKENRANGES_H
#define WINNOW_LIB_JIT_TOKENRANGES_H

#include "winnow/Jit/Compiler.h"

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace winnow::jit {

/// A spec, lowered for one token count after another in contexts of its own, of which nobody hears: neither remarks nor
/// diagnostics leave it, and several counts are lowered side by side.
class QuietLowering {
public:
  /// `spec` is text with locations; `options` those of the compilation.
  QuietLowering(std::string spec, const CompileOptions &options);
  ~QuietLowering();

  /// What became of one token count.
  struct Outcome {
    int64_t tokens = 0;
    std::string text;      ///< the kern module: equal texts are equal decisions; empty where lowering failed
    std::string problem;   ///< why it failed
    mlir::ModuleOp module; ///< the kern module, which lives as long as this object
  };
  /// Outcomes in the order of `counts`.
  std::vector<Outcome> lower(llvm::ArrayRef<int64_t> counts);

private:
  class Worker;
  std::string spec;
  CompileOptions options;
  std::vector<std::unique_ptr<Worker>> workers;
};

/// Token counts of a run of equal decisions.
struct TokenRange {
  int64_t first = 1, last = INT32_MAX; ///< the last one of all is not a limit
  int64_t decidedFor = 0;              ///< in between; a count that was sampled
};

/// Looks for the token counts where decisions change. Counts are sampled at powers of four up to 16384, then between
/// neighbours that differ, the widest gap first, until none is wider than a quarter of the count before it, or so many
/// have been sampled or ranges found that it is enough. A count between two samples that differ belongs to the greater:
/// work is done in whole tiles, so that it resembles the next greater one more.
class TokenSampler {
public:
  static constexpr size_t kMostSamples = 24;
  static constexpr int64_t kGreatestSample = 16384;

  /// The counts to sample first; the caller has the default count already.
  static std::vector<int64_t> firstCounts();
  /// `decision` stands for what was decided at `tokens`.
  void add(int64_t tokens, size_t decision) { samples[tokens] = decision; }
  /// The next count to sample; 0: enough.
  int64_t next() const;
  /// Ascending, from 1 on. `preferred` is what a range that holds it was decided for.
  std::vector<TokenRange> ranges(int64_t preferred) const;

private:
  std::map<int64_t, size_t> samples;
};

/// What was decided for the products of a kern module: "forward_1_gemm dense 256x192 (4 stages, raster 12, pacing 8)".
std::string summarize(mlir::ModuleOp kernModule);

} // namespace winnow::jit

#endif // WINNOW_LIB_JIT_TOKENRANGES_H
