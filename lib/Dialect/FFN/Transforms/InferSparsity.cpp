//===- InferSparsity.cpp - what is expected of the zeros of every matrix ------------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Transforms/Passes.h"

#include "llvm/Support/FormatVariadic.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_INFERSPARSITYPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

static constexpr StringLiteral kPassName = "ffn-infer-sparsity";

namespace {
struct Inferred {
  SparsityAttr sparsity;
  std::string reason;
};
} // namespace

/// f(0) = 0, so zeros of the input stay zeros.
static Inferred inferActivation(ActivationOpInterface op) {
  double density = op.getDefaultDensity();
  std::string reason = op.producesZeros() ? "default of the activation" : "the activation produces no zeros";
  SparsityAttr input = lookupSparsity(op->getOperand(0));
  if (input && op.evaluate(0.0f) == 0.0f && input.getDensity() < density) {
    density = input.getDensity();
    reason = "the activation keeps the zeros of its input";
  }
  return {SparsityAttr::get(op->getContext(), density), reason};
}

static Inferred inferSparsify(SparsifyOp op) {
  SparsityAttr input = lookupSparsity(op.getInput());
  double density = input ? input.getDensity() : 1.0;
  return {selectedSparsity(op.getContext(), input, op.getAxis()),
          llvm::formatv("selection along {0} of density {1:f3}: expected drop {2:f2} %", op.getAxis(), density,
                        100 * expectedDrop(input, op.getAxis()))};
}

static Inferred infer(Operation *op) {
  if (auto activation = dyn_cast<ActivationOpInterface>(op))
    return inferActivation(activation);
  if (auto sparsify = dyn_cast<SparsifyOp>(op))
    return inferSparsify(sparsify);
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return {lookupSparsity(quantize.getInput()), "as before quantisation"};
  if (auto decompress = dyn_cast<DecompressOp>(op)) {
    auto compress = decompress.getInput().getDefiningOp<CompressOp>();
    SparsityAttr input = compress ? lookupSparsity(compress.getValues()) : SparsityAttr();
    return {SparsityAttr::get(op->getContext(), input ? std::min(0.5, input.getDensity()) : 0.5), "decompressed 2:4"};
  }
  return {};
}

/// Why an annotation is odd given what is known of the operation, or nothing.
static std::string findContradiction(Operation *op, SparsityAttr given, const Inferred &inferred) {
  if (auto activation = dyn_cast<ActivationOpInterface>(op);
      activation && !activation.producesZeros() && given.getDensity() < inferred.sparsity.getDensity())
    return llvm::formatv("'{0}' produces no zeros of its own, but density {1:f3} is annotated", op->getName(),
                         given.getDensity());
  if (isa<SparsifyOp, DecompressOp>(op) && given.getDensity() > 0.5)
    return llvm::formatv("a 2:4 matrix is at most half full, but density {0:f3} is annotated", given.getDensity());
  if (isa<QuantizeOp>(op) && inferred.sparsity && inferred.sparsity.getDensity() != given.getDensity())
    return llvm::formatv("density {0:f3} is annotated on the quantised values, {1:f3} holds before quantisation",
                         given.getDensity(), inferred.sparsity.getDensity());
  return {};
}

static void inferFunction(func::FuncOp function) {
  function.walk([&](Operation *op) {
    Inferred inferred = infer(op);
    if (SparsityAttr given = op->getAttrOfType<SparsityAttr>(kSparsityAttrName)) {
      std::string contradiction = findContradiction(op, given, inferred);
      if (!contradiction.empty())
        remark::missed(op->getLoc(), remarkOptions("OddAnnotation", kPassName, function))
            << remark::reason("{0}; the annotation stands", contradiction);
      return;
    }
    if (!inferred.sparsity)
      return;
    op->setAttr(kSparsityAttrName, inferred.sparsity);
    remark::analysis(op->getLoc(), remarkOptions("Sparsity", kPassName, function))
        << remark::add("{0}", op->getName().getStringRef().str())
        << remark::metric("Density", llvm::formatv("{0:f4}", inferred.sparsity.getDensity()).str())
        << remark::reason("{0}", inferred.reason);
  });
}

namespace {
struct InferSparsity : winnow::ffn::impl::InferSparsityPassBase<InferSparsity> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      inferFunction(function);
  }
};
} // namespace
