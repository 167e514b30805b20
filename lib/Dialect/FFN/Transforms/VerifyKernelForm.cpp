//===- VerifyKernelForm.cpp - gate between the ffn passes and the kern dialect ------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Analysis/KernelForm.h"
#include "winnow/Dialect/FFN/Transforms/Passes.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_VERIFYKERNELFORMPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

static bool verifyFunction(func::FuncOp function) {
  bool good = true;
  for (Operation &op : function.getBody().getOps()) {
    if (staysOutside(&op))
      continue;
    if (auto kernel = dyn_cast<KernelOp>(op)) {
      good &= succeeded(matchKernelForm(kernel, [](Operation *at) { return at->emitOpError(); }));
      continue;
    }
    op.emitOpError() << "expects to be inside an ffn.kernel (ffn-form-kernels puts it there)";
    good = false;
  }
  return good;
}

namespace {
struct VerifyKernelForm : winnow::ffn::impl::VerifyKernelFormPassBase<VerifyKernelForm> {
  void runOnOperation() override {
    bool good = true;
    for (auto function : getOperation().getOps<func::FuncOp>())
      good &= verifyFunction(function);
    if (!good)
      signalPassFailure();
    else
      markAllAnalysesPreserved();
  }
};
} // namespace
