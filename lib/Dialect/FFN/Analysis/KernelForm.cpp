//===- KernelForm.cpp - the normal form of kernel regions ---------------------------------------------------------===//

#include "winnow/Dialect/FFN/Analysis/KernelForm.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace winnow::ffn;

//===--------------------------------------------------------------------------------------------------------------===//
// Chains
//===--------------------------------------------------------------------------------------------------------------===//

SmallVector<Operation *> ElementwiseChain::operations() const {
  SmallVector<Operation *> result(activations.begin(), activations.end());
  for (SparsifyOp selection : selections)
    result.push_back(selection);
  if (quantize)
    result.push_back(quantize);
  if (compress)
    result.push_back(compress);
  if (dynamicScale)
    result.push_back(dynamicScale);
  if (count)
    result.push_back(count);
  return result;
}

Value ElementwiseChain::values() const {
  if (quantize)
    return QuantizeOp(quantize).getValues();
  if (!selections.empty())
    return SparsifyOp(selections.back()).getResult();
  return activations.empty() ? source : activations.back()->getResult(0);
}

bool winnow::ffn::isElementwise(Operation *op) {
  return isa<ActivationOpInterface, SparsifyOp, QuantizeOp, CompressOp, DynamicScaleOp, CountNonzeroOp>(op);
}

bool winnow::ffn::isNestedSelection(SparsifyOp op, SparsifyOp earlier) {
  if (!op.getUnder() || op.getUnder() != earlier.getMask())
    return false;
  if (op.getInput() == earlier.getResult())
    return true;
  // Under a mask of its own, the earlier one may have chosen positions that this mask had cleared: there its result is
  // zero, and the input is not.
  return op.getInput() == earlier.getInput() && !earlier.getUnder();
}

/// Collects selections, then activations, backwards from `value`.
static void traceValues(Value value, ElementwiseChain &chain) {
  while (auto selection = value.getDefiningOp<SparsifyOp>()) {
    if (value != selection.getResult() || chain.selections.size() == kMaxSelections)
      break;
    if (selection.getUnder()) {
      auto earlier = selection.getUnder().getDefiningOp<SparsifyOp>();
      if (!earlier || !isNestedSelection(selection, earlier) || chain.selections.size() + 1 == kMaxSelections)
        break;
      chain.selections.insert(chain.selections.begin(), selection);
      value = earlier.getResult();
      continue;
    }
    chain.selections.insert(chain.selections.begin(), selection);
    value = selection.getInput();
  }
  while (auto activation = value.getDefiningOp<ActivationOpInterface>()) {
    chain.activations.insert(chain.activations.begin(), activation);
    value = activation->getOperand(0);
  }
  chain.source = value;
}

ElementwiseChain winnow::ffn::traceChain(Operation *last) {
  ElementwiseChain chain;
  if (auto compress = dyn_cast<CompressOp>(last)) {
    Value values = compress.getValues();
    auto quantize = values.getDefiningOp<QuantizeOp>();
    traceValues(quantize ? quantize.getInput() : values, chain);
    if (chain.selections.empty() || chain.mask() != compress.getMask())
      return {};
    chain.quantize = quantize;
    chain.compress = compress;
    return chain;
  }
  if (auto quantize = dyn_cast<QuantizeOp>(last)) {
    traceValues(quantize.getInput(), chain);
    chain.quantize = quantize;
    return chain;
  }
  if (auto scale = dyn_cast<DynamicScaleOp>(last)) {
    traceValues(scale.getInput(), chain);
    chain.dynamicScale = scale;
    return chain;
  }
  if (auto count = dyn_cast<CountNonzeroOp>(last)) {
    traceValues(count.getInput(), chain);
    chain.count = count;
    return chain;
  }
  if (!isElementwise(last))
    return {};
  traceValues(last->getResult(0), chain);
  return chain.source == last->getResult(0) ? ElementwiseChain() : chain;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Forms
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
class FormMatcher {
public:
  FormMatcher(KernelOp kernel, function_ref<InFlightDiagnostic(Operation *)> emitError)
      : kernel(kernel), body(kernel.getBody().front()), emitError(emitError) {}

  FailureOr<KernelForm> match();

private:
  LogicalResult fail(Operation *op, const Twine &message) {
    if (emitError)
      emitError(op) << message;
    return failure();
  }
  LogicalResult findChain();
  LogicalResult checkScales();
  LogicalResult checkGemm();
  LogicalResult checkCounted();
  LogicalResult checkMap();
  LogicalResult checkAllOperationsUsed();

  KernelOp kernel;
  Block &body;
  function_ref<InFlightDiagnostic(Operation *)> emitError;
  KernelForm form;
};
} // namespace

/// The chain is what leads to the last element-wise operation of the region; in the kernel of a product, a count of
/// its values ends another.
LogicalResult FormMatcher::findChain() {
  Operation *last = nullptr;
  CountNonzeroOp counted;
  for (Operation &op : body.without_terminator()) {
    if (auto matmul = dyn_cast<MatmulOp>(op)) {
      if (form.matmul)
        return fail(&op, "expects one matrix product in a kernel, got another (ffn-form-kernels gives each its own)");
      form.matmul = matmul;
    } else if (auto count = dyn_cast<CountNonzeroOp>(op); count && form.matmul) {
      if (counted)
        return fail(&op, "expects one count in the kernel of a matrix product (ffn-fuse-epilogue gives others a kernel "
                         "of their own)");
      counted = count;
    } else if (isElementwise(&op)) {
      last = &op;
    } else {
      return fail(&op, "has no kernel form: a kernel is made of matmul, activations, sparsify, quantize, "
                       "dynamic_scale, compress and count_nonzero");
    }
  }
  if (counted) {
    form.counted = traceChain(counted);
    // What only the count reads does not lead to the kernel's last value.
    auto isCountedOnly = [&](Operation *op) {
      return llvm::is_contained(form.counted.activations, op) && op->getResult(0).hasOneUse();
    };
    last = nullptr;
    for (Operation &op : body.without_terminator())
      if (isElementwise(&op) && !isa<CountNonzeroOp>(op) && !isCountedOnly(&op))
        last = &op;
  }
  if (last) {
    form.chain = traceChain(last);
    if (form.chain.empty()) {
      if (isa<CompressOp>(last))
        return fail(last, "expects the mask of a sparsify of the very values that it compresses "
                          "(ffn-fuse-activation brings them into one kernel)");
      return fail(last, "expects the earlier mask to come from a sparsify of the same matrix "
                        "(ffn-fuse-activation brings them into one kernel)");
    }
  } else if (form.matmul) {
    form.chain.source = form.matmul.getResult();
  } else if (kernel.getInputs().size() == 1 && kernel.getNumResults() == 1) {
    form.chain.source = body.getArgument(0); // a copy
  } else {
    return fail(kernel, "expects a copy to have one operand and one result");
  }
  return success();
}

LogicalResult FormMatcher::checkAllOperationsUsed() {
  llvm::SmallPtrSet<Operation *, 8> known;
  for (const ElementwiseChain *chain : {&form.chain, &form.counted})
    for (Operation *op : chain->operations())
      known.insert(op);
  if (form.matmul)
    known.insert(form.matmul);
  for (Operation &op : body.without_terminator())
    if (!known.contains(&op))
      return fail(&op, "expects to be part of the one chain of operations of its kernel "
                       "(ffn-fuse-activation gives every chain its own kernel)");
  return success();
}

LogicalResult FormMatcher::checkScales() {
  QuantizeOp quantize = form.chain.quantize;
  if (!quantize)
    return success();
  if (quantize.getGivenScale()) {
    if (!isa<BlockArgument>(quantize.getGivenScale()))
      return fail(quantize, "expects its scale to be an operand of the kernel");
    return success();
  }
  if (quantize.getGranularity() != Granularity::Row)
    return fail(quantize, "expects a dynamic scale by row, got one by " +
                              stringifyGranularity(quantize.getGranularity()) +
                              " (ffn-split-dynamic-scale takes it apart)");
  if (form.chain.selections.size() > 1 || (!form.chain.selections.empty() && form.chain.selections[0].getAxis() != 1))
    return fail(quantize, "expects a dynamic scale by row to follow at most one selection, along 1 "
                          "(ffn-split-dynamic-scale takes it apart)");
  return success();
}

LogicalResult FormMatcher::checkCounted() {
  const ElementwiseChain &counted = form.counted;
  if (counted.empty())
    return success();
  ArrayRef<Operation *> activations = form.chain.activations;
  if (counted.source != form.matmul.getResult() || !counted.selections.empty() ||
      counted.activations.size() < activations.size() ||
      ArrayRef<Operation *>(counted.activations).take_front(activations.size()) != activations)
    return fail(CountNonzeroOp(counted.count), "expects to count what activations make of the product, those of its "
                                               "kernel first (ffn-fuse-epilogue gives other counts a kernel of their "
                                               "own)");
  return success();
}

LogicalResult FormMatcher::checkGemm() {
  form.kind = KernelForm::Kind::gemm;
  ElementwiseChain &chain = form.chain;
  if (chain.source != form.matmul.getResult())
    return fail(chain.operations().front(), "expects to follow the matrix product of its kernel");
  for (Value operand : form.matmul->getOperands())
    if (!isa<BlockArgument>(operand))
      return fail(form.matmul, "expects the operands of a matrix product to be operands of its kernel "
                               "(ffn-form-kernels keeps them apart)");
  if (chain.dynamicScale)
    return fail(chain.dynamicScale, "expects a dynamic scale to have a kernel of its own");
  if (chain.quantize && chain.quantize.isDynamic())
    return fail(chain.quantize, "expects a given scale in the kernel of a matrix product");
  for (SparsifyOp selection : chain.selections)
    if (chain.selections.size() > 1 || selection.getAxis() != 1)
      return fail(selection, "expects one selection, along 1, in the kernel of a matrix product");
  if (!chain.selections.empty() && !chain.compress)
    return fail(chain.selections.front(), "expects to be compressed in the kernel of a matrix product");
  Operation *yield = body.getTerminator();
  Value expected = chain.compress ? Value(CompressOp(chain.compress).getResult()) : chain.values();
  SmallVector<Value> results{expected};
  if (!form.counted.empty())
    results.push_back(CountNonzeroOp(form.counted.count).getCounts());
  if (!llvm::equal(yield->getOperands(), results))
    return fail(yield, form.counted.empty()
                           ? "expects the kernel of a matrix product to yield its last value only"
                           : "expects the kernel of a matrix product to yield its last value, then the counts");
  return checkCounted();
}

LogicalResult FormMatcher::checkMap() {
  ElementwiseChain &chain = form.chain;
  form.kind = chain.dynamicScale ? KernelForm::Kind::scale
              : chain.count      ? KernelForm::Kind::count
                                 : KernelForm::Kind::map;
  if (!isa<BlockArgument>(chain.source))
    return fail(chain.source.getDefiningOp(), "expects a chain of activations, then at most two selections, then "
                                              "quantisation (ffn-fuse-activation cuts longer ones)");
  Operation *yield = body.getTerminator();
  if (yield->getNumOperands() == 0)
    return fail(yield, "expects a kernel to have a result");
  for (Value value : yield->getOperands()) {
    bool legal = chain.dynamicScale ? value == chain.dynamicScale.getScale()
                 : chain.count
                     ? value == chain.count.getCounts()
                     : value == chain.values() || (chain.mask() && value == chain.mask()) ||
                           (chain.compress && value == chain.compress.getResult()) ||
                           (chain.quantize && chain.quantize.isDynamic() && value == chain.quantize.getScale());
    if (!legal)
      return fail(yield, "expects a kernel to yield the values at the end of its chain, their scale, mask or "
                         "compressed form (ffn-fuse-activation gives other values a kernel of their own)");
  }
  llvm::SmallSetVector<Value, 4> distinct(yield->operand_begin(), yield->operand_end());
  if (distinct.size() != yield->getNumOperands())
    return fail(yield, "expects a kernel to yield every value once");
  if (chain.quantize && chain.quantize.isDynamic() && distinct.size() == 1 &&
      distinct.contains(chain.quantize.getScale()))
    return fail(chain.quantize, "expects values that are used (ffn-split-dynamic-scale leaves only the scale)");
  return success();
}

FailureOr<KernelForm> FormMatcher::match() {
  if (failed(findChain()) || failed(checkAllOperationsUsed()) || failed(checkScales()) ||
      failed(form.matmul ? checkGemm() : checkMap()))
    return failure();
  return form;
}

FailureOr<KernelForm> winnow::ffn::matchKernelForm(KernelOp kernel,
                                                   function_ref<InFlightDiagnostic(Operation *)> emitError) {
  return FormMatcher(kernel, emitError).match();
}

FailureOr<KernelForm> winnow::ffn::matchKernelForm(KernelOp kernel) { return matchKernelForm(kernel, {}); }
