//===- FuseEpilogue.cpp - move a kernel into the product that it reads --------------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Analysis/KernelForm.h"
#include "winnow/Dialect/FFN/Analysis/TensorCore.h"
#include "winnow/Dialect/FFN/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/Support/FormatVariadic.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_FUSEEPILOGUEPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

static constexpr StringLiteral kPassName = "ffn-fuse-epilogue";

/// Why `kernel`, of form `form`, cannot be the epilogue of `matmul`; empty if it can.
static std::string whyApart(KernelOp kernel, KernelForm &form, MatmulOp matmul) {
  ElementwiseChain &chain = form.chain;
  if (chain.dynamicScale)
    return "a dynamic scale needs the whole matrix";
  if (chain.quantize && chain.quantize.isDynamic())
    return "a dynamic row scale needs the whole row before the first value can be written";
  for (SparsifyOp selection : chain.selections)
    if (selection.getAxis() != 1)
      return "feature-wise selection crosses tokens, which lie in different tiles";
  if (chain.selections.size() > 1)
    return "an epilogue makes one selection";
  unsigned readers = std::distance(matmul.getResult().use_begin(), matmul.getResult().use_end());
  if (readers > 1)
    return llvm::formatv("the product has {0} readers, so it is stored anyway", readers);
  if (kernel.getNumResults() != 1)
    return llvm::formatv("an epilogue writes one result, not {0}", kernel.getNumResults());
  if (chain.selections.empty())
    return {};
  if (!chain.compress || kernel.getBody().front().getTerminator()->getOperand(0) != chain.compress.getResult())
    return "an epilogue that selects writes the compressed form only";
  if (ShapedType::isDynamic(matmul.getN()))
    return "the number of features is dynamic";
  if (auto obstacle = findTensorCoreObstacle(matmul, matmul.isSparse()))
    return "only a product on the tensor cores writes the compressed form: " + obstacle->reason;
  return {};
}

/// Puts `matmul` in front of the operations of `kernel`, its only reader.
static void fuse(MatmulOp matmul, KernelOp kernel, const KernelForm &form) {
  SmallVector<Value> operands;
  Block &body = kernel.getBody().front();
  BlockArgument source = cast<BlockArgument>(form.chain.source);
  OpBuilder builder = OpBuilder::atBlockBegin(&body);

  IRMapping mapping;
  auto addOperand = [&](Value operand) {
    for (auto [index, known] : llvm::enumerate(kernel.getInputs()))
      if (known == operand)
        return body.getArgument(index);
    kernel.getInputsMutable().append(operand);
    return body.addArgument(operand.getType(), operand.getLoc());
  };
  for (Value operand : matmul->getOperands())
    mapping.map(operand, addOperand(operand));
  auto inner = cast<MatmulOp>(builder.clone(*matmul, mapping));
  source.replaceAllUsesWith(inner.getResult());
  kernel.getInputsMutable().erase(source.getArgNumber());
  body.eraseArgument(source.getArgNumber());
  matmul.erase();
}

namespace {
struct FuseEpilogue : winnow::ffn::impl::FuseEpiloguePassBase<FuseEpilogue> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      SmallVector<KernelOp> kernels(function.getOps<KernelOp>());
      for (KernelOp kernel : kernels)
        runOnKernel(kernel, function);
    }
  }

  void runOnKernel(KernelOp kernel, func::FuncOp function) {
    FailureOr<KernelForm> form = matchKernelForm(kernel);
    if (failed(form) || form->matmul)
      return; // not a chain; what has no form at all is for ffn-verify-kernel-form to report
    auto matmul = kernel.getInputs()[cast<BlockArgument>(form->chain.source).getArgNumber()].getDefiningOp<MatmulOp>();
    if (!matmul)
      return;
    std::string reason = whyApart(kernel, *form, matmul);
    if (!reason.empty()) {
      remark::missed(kernel.getLoc(), remarkOptions("KeptApart", kPassName, function)) << remark::reason("{0}", reason);
      return;
    }
    remark::passed(kernel.getLoc(), remarkOptions("FusedEpilogue", kPassName, function))
        << remark::reason("the kernel is the only reader of the product and needs no more than one of its tiles");
    fuse(matmul, kernel, *form);
  }
};
} // namespace
