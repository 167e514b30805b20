//===- Checker.h - interprets a program before and after every phase ----------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_FUZZ_CHECKER_H
#define WINNOW_TOOLS_WINNOW_FUZZ_CHECKER_H

#include "Program.h"

#include "winnow/Pipelines/Pipelines.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

#include <memory>
#include <vector>

namespace winnow::fuzz {

enum class Verdict {
  agrees,
  invalid,         ///< the text does not parse or verify, or cannot be interpreted as it stands
  declined,        ///< a product asked for a layout that it cannot have; `line` is the product's
  pipelineFailed,  ///< a phase failed
  interpretFailed, ///< what a phase left cannot be interpreted
  differs,         ///< results differ
  crashed,         ///< the process died; only from a process that watches another
};
const char *verdictName(Verdict verdict);

struct Outcome {
  Verdict verdict = Verdict::agrees;
  std::string phase;
  std::string message;
  unsigned line = 0;
  unsigned tokenWise = 0, featureWise = 0; ///< products that became sparse
  unsigned prepared = 0;                   ///< tensors that depend on weights alone

  /// Whether a reduced program shows the same failure: the same verdict and phase and, where the failure has a fixed
  /// text, the same text but for numbers.
  bool sameFailure(const Outcome &other) const;
  bool isFailure() const { return verdict != Verdict::agrees && verdict != Verdict::declined; }
};

/// Evaluates a program as written, split into what depends on its weights alone and the rest (ffn-split-preparation),
/// and after every phase of the ffn pipeline. Results must agree bit for bit, NaN with
/// NaN, with one exception: where an annotation allows the compiler to drop values, and the inputs are not 2:4 already,
/// select-layout changes the meaning, so what it leaves is compared by shape only and is what later phases must keep.
class Checker {
public:
  /// `injectBug` adds a deliberately wrong phase at the end, which the tests of the tester must see caught.
  explicit Checker(bool injectBug);

  Outcome check(const Program &program);
  mlir::MLIRContext &getContext() { return context; }

private:
  struct PhaseRun {
    std::string name;
    std::unique_ptr<mlir::PassManager> manager;
  };

  mlir::MLIRContext context;
  std::vector<PhaseRun> phases;
};

/// Checks `program`; where a product declines the layout that it asks for, takes that request out of `program` and
/// checks again.
Outcome checkWithoutImpossibleLayouts(Checker &checker, Program &program);

} // namespace winnow::fuzz

#endif // WINNOW_TOOLS_WINNOW_FUZZ_CHECKER_H
