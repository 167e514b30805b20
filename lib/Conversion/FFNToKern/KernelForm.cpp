//===- KernelForm.cpp - what an ffn.kernel body computes ----------------------------------------------------------===//

#include "KernelForm.h"

using namespace mlir;
using namespace winnow::ffn;

static InFlightDiagnostic emitNotNormal(Operation *op) {
  return op->emitOpError() << "is not in kernel normal form (ffn-verify-kernel-form should have rejected it): ";
}

Value KernelForm::outerValue(Value value) const {
  if (auto argument = dyn_cast_or_null<BlockArgument>(value))
    return const_cast<KernelOp &>(kernel).getInputs()[argument.getArgNumber()];
  return value;
}

Value KernelForm::resultOf(Value value) const {
  auto &op = const_cast<KernelOp &>(kernel);
  Operation *yield = op.getBody().front().getTerminator();
  for (auto [index, operand] : llvm::enumerate(yield->getOperands()))
    if (operand == value)
      return op->getResult(index);
  return {};
}

Value KernelForm::activated() const {
  if (!activations.empty())
    return const_cast<ActivationOpInterface &>(activations.back())->getResult(0);
  return isGemm() ? const_cast<MatmulOp &>(matmul).getResult() : input;
}

/// Appends one operation of the body to the chain.
static LogicalResult append(KernelForm &form, Operation *op, Value &current) {
  auto expectsChain = [&](Value operand) -> LogicalResult {
    if (operand == current)
      return success();
    return emitNotNormal(op) << "it does not continue the chain of its kernel";
  };
  bool selected = !form.selections.empty();
  if (auto activation = dyn_cast<ActivationOpInterface>(op)) {
    if (failed(expectsChain(op->getOperand(0))))
      return failure();
    if (selected || form.quantize)
      return emitNotNormal(op) << "an activation comes before selection and quantisation";
    form.activations.push_back(activation);
    current = op->getResult(0);
    return success();
  }
  if (auto sparsify = dyn_cast<SparsifyOp>(op)) {
    if (form.quantize)
      return emitNotNormal(op) << "a selection comes before quantisation";
    // Nested selections may read the same input; what the first dropped counts as zero either way.
    bool nested = selected && sparsify.getUnder() && sparsify.getUnder() == form.selections.back().getMask() &&
                  sparsify.getInput() == form.selections.back().getInput();
    if (!nested && failed(expectsChain(sparsify.getInput())))
      return failure();
    if (sparsify.getUnder() && (!selected || sparsify.getUnder() != form.selections.back().getMask()))
      return emitNotNormal(op) << "the earlier mask is not that of the selection before it";
    if (form.selections.size() == 2)
      return emitNotNormal(op) << "a kernel selects at most twice";
    form.selections.push_back(sparsify);
    current = sparsify.getResult();
    return success();
  }
  if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    if (failed(expectsChain(quantize.getInput())))
      return failure();
    if (quantize.isDynamic() && (form.isGemm() || quantize.getGranularity() != Granularity::Row))
      return emitNotNormal(op) << "a dynamic scale inside a kernel is by row, in a kernel without a product; "
                                  "ffn-split-dynamic-scale should have split it";
    form.quantize = quantize;
    current = quantize.getValues();
    return success();
  }
  if (auto compress = dyn_cast<CompressOp>(op)) {
    if (failed(expectsChain(compress.getValues())))
      return failure();
    if (!selected || compress.getMask() != form.selections.back().getMask() ||
        form.selections.back().getAxis() != static_cast<uint64_t>(compress.getType().getAxis()))
      return emitNotNormal(op) << "compression takes the mask of the last selection, along its axis";
    form.compress = compress;
    return success();
  }
  if (auto scale = dyn_cast<DynamicScaleOp>(op)) {
    if (failed(expectsChain(scale.getInput())))
      return failure();
    form.scaleOnly = scale;
    return success();
  }
  if (auto count = dyn_cast<CountNonzeroOp>(op)) {
    if (failed(expectsChain(count.getInput())))
      return failure();
    form.count = count;
    return success();
  }
  return emitNotNormal(op) << "no kernel holds this operation here";
}

/// Takes the count out of the body of a product's kernel, with the activations that nothing else reads. Returns what
/// these start from.
static Value takeCounted(KernelForm &form, Block &body) {
  for (auto count : body.getOps<CountNonzeroOp>())
    form.count = count;
  if (!form.count)
    return {};
  Value value = form.count.getInput();
  for (auto activation = value.getDefiningOp<ActivationOpInterface>(); activation && value.hasOneUse();
       activation = value.getDefiningOp<ActivationOpInterface>()) {
    form.countedActivations.insert(form.countedActivations.begin(), activation);
    value = activation->getOperand(0);
  }
  return value;
}

mlir::FailureOr<KernelForm> winnow::ffn::lowering::readKernelForm(KernelOp kernel) {
  KernelForm form;
  form.kernel = kernel;
  Block &body = kernel.getBody().front();
  Value current, countedFrom;
  if (!body.getOps<MatmulOp>().empty())
    countedFrom = takeCounted(form, body);
  auto isTaken = [&](Operation *op) {
    return countedFrom && (op == form.count || llvm::is_contained(form.countedActivations, op));
  };
  for (Operation &op : body.without_terminator()) {
    if (isa<arith::ConstantOp>(op) || isTaken(&op))
      continue;
    if (auto matmul = dyn_cast<MatmulOp>(op)) {
      if (current)
        return emitNotNormal(&op) << "a matrix product begins its kernel";
      form.matmul = matmul;
      current = matmul.getResult();
      continue;
    }
    if (!current)
      current = op.getOperand(0);
    if (form.compress || form.scaleOnly || (form.count && !countedFrom))
      return emitNotNormal(&op) << "nothing follows a compression, a scale or a count";
    if (failed(append(form, &op, current)))
      return failure();
  }
  ValueRange yielded = body.getTerminator()->getOperands();
  if (!current) { // An identity: it yields what it reads.
    if (yielded.empty() || !isa<BlockArgument>(yielded.front()))
      return emitNotNormal(kernel) << "it computes nothing";
    current = yielded.front();
  }
  form.chainEnd = current;
  if (!form.isGemm()) {
    Value start = !form.activations.empty()  ? form.activations.front()->getOperand(0)
                  : !form.selections.empty() ? form.selections.front().getInput()
                  : form.quantize            ? form.quantize.getInput()
                  : form.scaleOnly           ? form.scaleOnly.getInput()
                  : form.count               ? form.count.getInput()
                                             : current;
    if (!isa<BlockArgument>(start))
      return emitNotNormal(kernel) << "its chain does not begin with an operand of the kernel";
    form.input = form.outerValue(start);
  }
  for (Value value : yielded) {
    bool known = value == form.chainEnd || (form.compress && value == form.compress.getResult()) ||
                 (form.quantize && form.quantize.isDynamic() && value == form.quantize.getScale()) ||
                 (form.scaleOnly && value == form.scaleOnly.getScale()) ||
                 (form.count && value == form.count.getCounts()) ||
                 (!form.selections.empty() && value == form.selections.back().getMask());
    if (!known)
      return emitNotNormal(kernel) << "it yields a value from the middle of its chain";
  }
  if (countedFrom && countedFrom != form.activated())
    return emitNotNormal(kernel) << "what is counted does not follow from what its epilogue makes";
  if (form.isGemm() && (yielded.size() != (form.count ? 2 : 1) || (!form.selections.empty() && !form.compress)))
    return emitNotNormal(kernel) << "a matrix product has one result, compressed if selected, and perhaps counts";
  if (form.isGemm() && form.selections.size() > 1)
    return emitNotNormal(kernel) << "a matrix product selects once";
  if (form.isGemm() && form.compress && form.compress.getType().getAxis() != 1)
    return emitNotNormal(kernel) << "a matrix product selects along axis 1 only";
  return form;
}
