//===- FormKernels.cpp - a kernel for every operation that is left ------------------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Transforms/Passes.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_FORMKERNELSPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

namespace {
struct FormKernels : winnow::ffn::impl::FormKernelsPassBase<FormKernels> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      for (Block &block : function.getBody())
        for (Operation &op : llvm::make_early_inc_range(block)) {
          if (staysOutside(&op) || isa<KernelOp>(op))
            continue;
          OpBuilder builder(&op);
          KernelOp kernel = buildKernel(builder, op.getLoc(), &op, llvm::to_vector_of<Value>(op.getResults()));
          op.replaceAllUsesWith(kernel.getOutputs());
          op.erase();
        }
  }
};
} // namespace
