//===- SplitDynamicScale.cpp - separate scales that need a kernel of their own ------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Analysis/KernelForm.h"
#include "winnow/Dialect/FFN/Transforms/Passes.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_SPLITDYNAMICSCALEPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

static constexpr StringLiteral kPassName = "ffn-split-dynamic-scale";

/// Why no single kernel can compute scale and values of `op`; null if one can.
static const char *whySplit(QuantizeOp op) {
  if (op.getValues().use_empty())
    return "only the scale is used";
  if (op.getGranularity() == Granularity::Tensor)
    return "a scale by tensor needs the whole tensor before the first value can be written";
  if (op.getGranularity() == Granularity::Column)
    return "a scale by column needs every row before the first value can be written";
  ElementwiseChain chain = traceChain(op);
  if (chain.selections.size() > 1)
    return "a kernel that owns whole rows makes one selection";
  if (!chain.selections.empty() && chain.selections.front().getAxis() != 1)
    return "a kernel that owns whole rows cannot select across them";
  for (Operation *user : op.getValues().getUsers()) {
    if (auto compress = dyn_cast<CompressOp>(user)) {
      if (chain.mask() != compress.getMask())
        return "the values are compressed under a mask that is not theirs";
    } else if (auto matmul = dyn_cast<MatmulOp>(user)) {
      // The operand has to be stored with the rows contiguous, which a kernel that owns whole rows does not do.
      if ((matmul.getLhs() == op.getValues() && matmul.getTransposeLhs()) ||
          (matmul.getRhs() == op.getValues() && !matmul.getTransposeRhs()))
        return "a product reduces the values along their rows' index";
    }
  }
  return nullptr;
}

static void split(QuantizeOp op, const char *reason, func::FuncOp function) {
  OpBuilder builder(op);
  Type element = op.getValues().getType().getElementType();
  auto scale = DynamicScaleOp::create(builder, op.getLoc(), op.getScale().getType(), op.getInput(), op.getGranularity(),
                                      element);
  auto values = QuantizeOp::create(builder, op.getLoc(), op.getValues().getType(), /*scale=*/Type(), op.getInput(),
                                   scale.getScale(), op.getGranularity());
  values->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  op.getScale().replaceAllUsesWith(scale.getScale());
  op.getValues().replaceAllUsesWith(values.getValues());
  remark::passed(op.getLoc(), remarkOptions("SplitScale", kPassName, function)) << remark::reason("{0}", reason);
  op.erase();
}

namespace {
struct SplitDynamicScale : winnow::ffn::impl::SplitDynamicScalePassBase<SplitDynamicScale> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      unnestSelections(function); // as ffn-fuse-activation does: what counts is how long the chain will be
      SmallVector<QuantizeOp> dynamic;
      function.walk([&](QuantizeOp op) {
        if (op.isDynamic() && !op->getParentOfType<KernelOp>())
          dynamic.push_back(op);
      });
      for (QuantizeOp op : dynamic)
        if (const char *reason = whySplit(op))
          split(op, reason, function);
      eraseUnused(function);
    }
  }
};
} // namespace
