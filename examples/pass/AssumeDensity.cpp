//===- AssumeDensity.cpp - annotates sparse activations with an assumed density
//------------------------------------===//

#include "AssumeDensity.h"

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

namespace example {
#define GEN_PASS_DEF_ASSUMEDENSITYPASS
#include "Passes.h.inc"
} // namespace example

using namespace mlir;
using namespace winnow::ffn;

static LogicalResult checkFraction(ModuleOp module, StringRef option, double value) {
  if (value >= 0.0 && value <= 1.0)
    return success();
  return module.emitError() << "example-assume-density: " << option << ": expected a fraction from 0 to 1, got "
                            << llvm::formatv("{0}", value).str();
}

namespace {
struct AssumeDensity : example::impl::AssumeDensityPassBase<AssumeDensity> {
  using AssumeDensityPassBase::AssumeDensityPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkFraction(module, "density", density)) || failed(checkFraction(module, "max-drop", maxDrop)))
      return signalPassFailure();

    auto assumed = SparsityAttr::get(&getContext(), density, maxDrop);
    module.walk([&](ActivationOpInterface activation) {
      if (!activation.producesZeros() || activation->hasAttr(kSparsityAttrName))
        return;
      activation->setAttr(kSparsityAttrName, assumed);
      ++annotated;
      remark::analysis(activation.getLoc(), remark::RemarkOpts::name("AssumedDensity").category(getArgument()))
          << remark::add("{0}", activation->getName().getStringRef().str())
          << remark::reason("nothing is annotated; density {0:f2} is assumed", density.getValue());
    });
  }
};
} // namespace
