//===- Activations.cpp - the activation functions, evaluated and built --------------------------------------------===//
//
// `evaluate` and `buildScalarBody` must agree to the last bit except where a library function (erf, exp) is involved.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace winnow::ffn;

/// maximum(x, 0) as arith.maximumf defines it: NaN stays NaN, -0.0 becomes +0.0.
static float rectify(float x) { return std::isnan(x) ? x : (x > 0.0f ? x : 0.0f); }

static Value buildConstant(OpBuilder &builder, Location loc, float value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
}

static Value buildRectify(OpBuilder &builder, Location loc, Value x) {
  return arith::MaximumFOp::create(builder, loc, x, buildConstant(builder, loc, 0.0f));
}

bool Relu2Op::producesZeros() { return true; }
double Relu2Op::getDefaultDensity() { return 0.5; }
bool Relu2Op::isMonotoneNonNegative() { return true; }
bool Relu2Op::isExact() { return true; }
float Relu2Op::evaluate(float x) {
  float r = rectify(x);
  return r * r;
}
Value Relu2Op::buildScalarBody(OpBuilder &builder, Location loc, Value x) {
  Value r = buildRectify(builder, loc, x);
  return arith::MulFOp::create(builder, loc, r, r);
}

bool ReluOp::producesZeros() { return true; }
double ReluOp::getDefaultDensity() { return 0.5; }
bool ReluOp::isMonotoneNonNegative() { return true; }
bool ReluOp::isExact() { return true; }
float ReluOp::evaluate(float x) { return rectify(x); }
Value ReluOp::buildScalarBody(OpBuilder &builder, Location loc, Value x) { return buildRectify(builder, loc, x); }

OpFoldResult ReluOp::fold(FoldAdaptor) {
  // relu(f(x)) = f(x) where f is never negative (rounding keeps that), unless relu changes the element type.
  // An annotation must not get lost: it may allow dropping that the inner one's does not.
  auto inner = getInput().getDefiningOp<ActivationOpInterface>();
  if (inner && !(*this)->hasAttr(kSparsityAttrName) && inner.isMonotoneNonNegative() &&
      getInput().getType() == getType())
    return getInput();
  return {};
}

bool GeluOp::producesZeros() { return false; }
double GeluOp::getDefaultDensity() { return 1.0; }
bool GeluOp::isMonotoneNonNegative() { return false; }
bool GeluOp::isExact() { return false; }
float GeluOp::evaluate(float x) { return (0.5f * x) * (1.0f + std::erf(x * 0.70710678f)); }
Value GeluOp::buildScalarBody(OpBuilder &builder, Location loc, Value x) {
  Value half = arith::MulFOp::create(builder, loc, buildConstant(builder, loc, 0.5f), x);
  Value scaled = arith::MulFOp::create(builder, loc, x, buildConstant(builder, loc, 0.70710678f));
  Value erf = math::ErfOp::create(builder, loc, scaled);
  Value sum = arith::AddFOp::create(builder, loc, buildConstant(builder, loc, 1.0f), erf);
  return arith::MulFOp::create(builder, loc, half, sum);
}

bool SiluOp::producesZeros() { return false; }
double SiluOp::getDefaultDensity() { return 1.0; }
bool SiluOp::isMonotoneNonNegative() { return false; }
bool SiluOp::isExact() { return false; }
float SiluOp::evaluate(float x) { return x / (1.0f + std::exp(-x)); }
Value SiluOp::buildScalarBody(OpBuilder &builder, Location loc, Value x) {
  Value exp = math::ExpOp::create(builder, loc, arith::NegFOp::create(builder, loc, x));
  Value sum = arith::AddFOp::create(builder, loc, buildConstant(builder, loc, 1.0f), exp);
  return arith::DivFOp::create(builder, loc, x, sum);
}
