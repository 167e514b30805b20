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

/// Why `kernel`, of form `form`, cannot be the epilogue of `matmul`, which so many operations read beside one that its
/// epilogue does the work of; empty if it can.
static std::string whyApart(KernelOp kernel, KernelForm &form, MatmulOp matmul, int64_t readers) {
  ElementwiseChain &chain = form.chain;
  if (chain.dynamicScale)
    return "a dynamic scale needs the whole matrix";
  if (chain.count)
    return chain.selections.empty() ? "an epilogue counts once" : "an epilogue counts before it selects";
  if (chain.quantize && chain.quantize.isDynamic())
    return "a dynamic row scale needs the whole row before the first value can be written";
  for (SparsifyOp selection : chain.selections)
    if (selection.getAxis() != 1)
      return "feature-wise selection crosses tokens, which lie in different tiles";
  if (chain.selections.size() > 1)
    return "an epilogue makes one selection";
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

/// Puts `matmul` in front of the operations of `kernel`, which reads it. Returns the product in the kernel.
static MatmulOp fuse(MatmulOp matmul, KernelOp kernel, const KernelForm &form) {
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
  return inner;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Counts
//===--------------------------------------------------------------------------------------------------------------===//

/// A kernel that counts non-zeros of what activations make of a product, so that the product's epilogue can.
static bool countsProduct(KernelOp kernel, MatmulOp matmul) {
  FailureOr<KernelForm> form = matchKernelForm(kernel);
  return succeeded(form) && form->kind == KernelForm::Kind::count && form->chain.selections.empty() &&
         kernel.getInputs()[cast<BlockArgument>(form->chain.source).getArgNumber()] == matmul.getResult();
}

/// The first kernel that does so.
static KernelOp findCount(MatmulOp matmul) {
  KernelOp first;
  for (Operation *user : matmul.getResult().getUsers())
    if (auto kernel = dyn_cast<KernelOp>(user);
        kernel && countsProduct(kernel, matmul) && (!first || kernel->isBeforeInBlock(first)))
      first = kernel;
  return first;
}

/// The same function of equal types; annotations do not matter.
static bool isSameActivation(Operation *a, Operation *b) {
  return OperationEquivalence::isEquivalentTo(
      a, b, OperationEquivalence::ignoreValueEquivalence, /*markEquivalent=*/nullptr,
      OperationEquivalence::IgnoreLocations | OperationEquivalence::IgnoreDiscardableAttrs);
}

/// Why an epilogue cannot do the work of `count` beside that of `kernel`, of form `form`; empty if it can.
static std::string whyNotCounted(KernelOp count, KernelOp kernel, const KernelForm &form) {
  FailureOr<KernelForm> counted = matchKernelForm(count);
  ArrayRef<Operation *> stored = form.chain.activations, wanted = counted->chain.activations;
  if (wanted.size() < stored.size() || !llvm::all_of(llvm::zip(stored, wanted), [](auto pair) {
        return isSameActivation(std::get<0>(pair), std::get<1>(pair));
      }))
    return "what is counted does not follow from what the epilogue makes";
  for (Operation *user : count->getUsers())
    if (user->isBeforeInBlock(kernel))
      return "the counts are read before the kernel that has the epilogue";
  return {};
}

/// A copy of `kernel` with one more result.
static KernelOp addResult(KernelOp kernel, Value inner) {
  Operation *yield = kernel.getBody().front().getTerminator();
  yield->insertOperands(yield->getNumOperands(), inner);
  OpBuilder builder(kernel);
  SmallVector<Type> types(kernel->getResultTypes());
  types.push_back(inner.getType());
  auto wider = KernelOp::create(builder, kernel.getLoc(), types, kernel.getInputs());
  wider->setDiscardableAttrs(kernel->getDiscardableAttrDictionary());
  wider.getBody().takeBody(kernel.getBody());
  kernel->replaceAllUsesWith(wider->getResults().drop_back());
  kernel.erase();
  return wider;
}

/// Moves the work of `count` into `kernel`, which has the product as `inner`.
static KernelOp fuseCount(KernelOp count, KernelOp kernel, MatmulOp inner) {
  FailureOr<KernelForm> counted = matchKernelForm(count), form = matchKernelForm(kernel);
  ArrayRef<Operation *> stored;
  if (succeeded(form))
    stored = form->chain.activations;
  OpBuilder builder(kernel.getBody().front().getTerminator());
  IRMapping mapping;
  mapping.map(counted->chain.source, inner.getResult());
  for (auto [index, op] : llvm::enumerate(counted->chain.operations())) {
    if (index < stored.size())
      mapping.map(op->getResult(0), stored[index]->getResult(0));
    else
      builder.clone(*op, mapping);
  }
  KernelOp wider = addResult(kernel, mapping.lookup(Value(counted->chain.count.getCounts())));
  count->replaceAllUsesWith(ValueRange(wider->getResults().back()));
  count.erase();
  return wider;
}

namespace {
struct FuseEpilogue : winnow::ffn::impl::FuseEpiloguePassBase<FuseEpilogue> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      SmallVector<MatmulOp> products(function.getOps<MatmulOp>());
      for (MatmulOp matmul : products)
        runOnProduct(matmul, function);
    }
  }

  void runOnProduct(MatmulOp matmul, func::FuncOp function) {
    KernelOp count = findCount(matmul);
    SmallVector<KernelOp> kernels; // in order
    for (auto kernel : function.getOps<KernelOp>())
      if (kernel != count && llvm::is_contained(kernel.getInputs(), matmul.getResult()))
        kernels.push_back(kernel);
    for (KernelOp kernel : kernels) {
      FailureOr<KernelForm> form = matchKernelForm(kernel);
      if (failed(form) || form->matmul)
        continue; // not a chain; what has no form at all is for ffn-verify-kernel-form to report
      if (kernel.getInputs()[cast<BlockArgument>(form->chain.source).getArgNumber()] != matmul.getResult())
        continue;
      std::string alone = count ? whyNotCounted(count, kernel, *form) : "";
      int64_t readers = std::distance(matmul.getResult().use_begin(), matmul.getResult().use_end());
      if (count && alone.empty())
        --readers;
      std::string reason = whyApart(kernel, *form, matmul, readers);
      if (!reason.empty()) {
        remark::missed(kernel.getLoc(), remarkOptions("KeptApart", kPassName, function))
            << remark::reason("{0}", reason);
        continue;
      }
      remark::passed(kernel.getLoc(), remarkOptions("FusedEpilogue", kPassName, function))
          << remark::reason("the kernel is the only reader of the product and needs no more than one of its tiles");
      MatmulOp inner = fuse(matmul, kernel, *form);
      if (count)
        fuseAndSay(count, kernel, inner, function);
      matmul.erase();
      return;
    }
    if (!count)
      return;
    // The product is stored as it is, and counted on the way.
    OpBuilder builder(matmul);
    KernelOp kernel = buildKernel(builder, matmul.getLoc(), matmul.getOperation(), matmul.getResult());
    matmul.getResult().replaceAllUsesWith(kernel->getResult(0));
    matmul.erase();
    fuseAndSay(count, kernel, cast<MatmulOp>(kernel.getBody().front().front()), function);
  }

  static void fuseAndSay(KernelOp count, KernelOp kernel, MatmulOp inner, func::FuncOp function) {
    remark::passed(count.getLoc(), remarkOptions("FusedCount", kPassName, function))
        << remark::reason("the epilogue of the product counts what it makes");
    fuseCount(count, kernel, inner);
  }
};
} // namespace
