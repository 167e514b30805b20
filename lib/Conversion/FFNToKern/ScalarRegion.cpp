//===- ScalarRegion.cpp - the element-wise part of a kernel on scalars --------------------------------------------===//

#include "ScalarRegion.h"

#include "winnow/Dialect/Kern/IR/Kern.h"

using namespace mlir;
using namespace winnow;

/// `value` rounded to the element type of `matrix`, as f32.
static Value roundTo(OpBuilder &builder, Location loc, Value value, Type matrix) {
  Type element = cast<RankedTensorType>(matrix).getElementType();
  if (element.isF32())
    return value;
  Value rounded = arith::TruncFOp::create(builder, loc, element, value);
  return arith::ExtFOp::create(builder, loc, builder.getF32Type(), rounded);
}

static BlockArgument addBlock(Region &region, Location loc) {
  return region.emplaceBlock().addArgument(Float32Type::get(loc.getContext()), loc);
}

/// `value` behind `activations`, each rounded to its type.
static Value applyActivations(OpBuilder &builder, ArrayRef<ffn::ActivationOpInterface> activations, Value value) {
  for (ffn::ActivationOpInterface activation : activations) {
    Location at = activation->getLoc();
    value = activation.buildScalarBody(builder, at, value);
    value = roundTo(builder, at, value, activation->getResult(0).getType());
  }
  return value;
}

void winnow::buildScalarRegion(Region &region, const ffn::KernelForm &form, bool product) {
  Location loc = const_cast<ffn::KernelOp &>(form.kernel).getLoc();
  Value value = addBlock(region, loc);
  auto builder = OpBuilder::atBlockEnd(&region.front());
  if (product) {
    ffn::MatmulOp matmul = form.matmul;
    value = roundTo(builder, matmul.getLoc(), value, matmul.getType());
  }
  kern::YieldOp::create(builder, loc, applyActivations(builder, form.activations, value));
}

void winnow::buildCountedRegion(Region &region, const ffn::KernelForm &form) {
  Location loc = const_cast<ffn::CountNonzeroOp &>(form.count).getLoc();
  Value value = addBlock(region, loc);
  auto builder = OpBuilder::atBlockEnd(&region.front());
  kern::YieldOp::create(builder, loc, applyActivations(builder, form.countedActivations, value));
}

void winnow::buildIdentityRegion(Region &region, Location loc) {
  Value value = addBlock(region, loc);
  auto builder = OpBuilder::atBlockEnd(&region.front());
  kern::YieldOp::create(builder, loc, value);
}
