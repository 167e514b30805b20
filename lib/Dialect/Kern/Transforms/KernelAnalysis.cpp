//===- KernelAnalysis.cpp - kernels of the kern dialect in plain terms --------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"

#include "winnow/Target/Cuda/InstructionTable.h"
#include "winnow/Target/Cuda/Layout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::kern;

std::optional<rt::ElementType> kern::getElementType(Type type) {
  if (type.isF32())
    return rt::ElementType::f32;
  if (type.isBF16())
    return rt::ElementType::bf16;
  if (type.isF16())
    return rt::ElementType::f16;
  if (isa<Float8E4M3FNType>(type))
    return rt::ElementType::f8e4m3;
  if (isa<Float8E5M2Type>(type))
    return rt::ElementType::f8e5m2;
  if (type.isInteger(1))
    return rt::ElementType::i1;
  if (type.isInteger(8))
    return rt::ElementType::u8;
  if (type.isInteger(32))
    return rt::ElementType::i32;
  return std::nullopt;
}

static int64_t toExtent(int64_t extent) { return ShapedType::isDynamic(extent) ? cuda::kTokens : extent; }

MatrixExtents kern::getExtents(BufferType type) { return {toExtent(type.getShape()[0]), toExtent(type.getShape()[1])}; }

std::optional<rt::Extent> kern::getBytes(BufferType type) {
  std::optional<rt::ElementType> element = getElementType(type.getElementType());
  if (!element)
    return std::nullopt;
  int64_t size = cuda::elementBytes(*element);
  if (type.getShape().empty())
    return rt::Extent::constant(size);
  if (type.getShape().size() == 1)
    return cuda::rowMajorBytes(toExtent(type.getShape()[0]), 1, size);
  MatrixExtents extents = getExtents(type);
  if (auto packed = dyn_cast_or_null<Packed24Attr>(type.getLayout()))
    return cuda::packed24Bytes(extents.rows, extents.columns, size, packed.getAxis(), packed.getPanel());
  return type.isTransposed() ? cuda::transposedBytes(extents.rows, extents.columns, size)
                             : cuda::rowMajorBytes(extents.rows, extents.columns, size);
}

bool kern::isScalarOperation(Operation *op) {
  return isa<YieldOp, arith::ConstantOp, arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp,
             arith::MaximumFOp, arith::MinimumFOp, arith::CmpFOp, arith::SelectOp, arith::TruncFOp, arith::ExtFOp,
             math::AbsFOp, math::ErfOp, math::ExpOp, math::SqrtOp, math::TanhOp>(op);
}

/// The order along the reduction axis of an operand that is K x other (`kFirst`) or other x K.
static KOrder orderOf(BufferType type, bool kFirst) {
  if (type.isTransposed())
    return kFirst ? KOrder::padded : KOrder::strided;
  return kFirst ? KOrder::strided : KOrder::rowMajor;
}

FailureOr<GemmProblem> kern::describe(GemmOp op) {
  auto lhs = cast<BufferType>(op.getLhs()), rhs = cast<BufferType>(op.getRhs()), out = cast<BufferType>(op.getOut());
  for (BufferType type : {lhs, rhs, out})
    if (!getElementType(type.getElementType()))
      return op.emitOpError() << "expects f32, bf16, f16, f8E4M3FN or f8E5M2 elements, got " << type.getElementType();
  GemmProblem problem;
  MatrixExtents lhsExtents = getExtents(lhs), rhsExtents = getExtents(rhs);
  problem.m = op.getTransposeLhs() ? lhsExtents.columns : lhsExtents.rows;
  problem.n = op.getTransposeRhs() ? rhsExtents.rows : rhsExtents.columns;
  problem.k = op.getTransposeLhs() ? lhsExtents.rows : lhsExtents.columns;
  if (problem.k == cuda::kTokens)
    problem.k = op.getTransposeRhs() ? rhsExtents.columns : rhsExtents.rows;
  problem.lhs = *getElementType(lhs.getElementType());
  problem.rhs = *getElementType(rhs.getElementType());
  problem.out = *getElementType(out.getElementType());
  if (auto packed = dyn_cast_or_null<Packed24Attr>(lhs.getLayout())) {
    problem.sparse = true;
    problem.panel = packed.getPanel();
  }
  problem.lhsOrder = orderOf(lhs, op.getTransposeLhs());
  problem.rhsOrder = orderOf(rhs, !op.getTransposeRhs());
  if (auto packed = dyn_cast_or_null<Packed24Attr>(out.getLayout())) {
    problem.compress = true;
    problem.outPanel = packed.getPanel();
  }
  return problem;
}

GemmSchedule kern::toSchedule(ScheduleAttr attribute) {
  return {attribute.getFamily(), attribute.getTileM(),  attribute.getTileN(), attribute.getWarpgroups(),
          attribute.getStages(), attribute.getRaster(), attribute.getPacing()};
}

ScheduleAttr kern::toAttribute(MLIRContext *context, const GemmSchedule &schedule) {
  return ScheduleAttr::get(context, schedule.family, schedule.tileM, schedule.tileN, schedule.warpgroups,
                           schedule.stages, schedule.raster, schedule.pacing);
}

static std::string whyNotRow(MapOp op) {
  if (op.getScaleMode() == "scale_only")
    return "scale kernels read rows and columns alike: family patch";
  if (op.getScaleMode() == "given" && op.getGranularity() == "column")
    return "a scale by column is given: family patch";
  if (op.getScaleMode() == "dynamic" && op.getGranularity() != "row")
    return "a dynamic scale by " + op.getGranularity().str() + " needs a kernel of its own before this one";
  if (op.getSelect().size() > 1 || llvm::is_contained(op.getSelect(), int64_t(0)))
    return "it selects along axis 0, across rows: family patch";
  for (Type output : op.getOutputs().getAsValueRange<TypeAttr>()) {
    auto buffer = cast<BufferType>(output);
    if (buffer.isTransposed())
      return "an output is transposed: family patch";
    if (auto packed = dyn_cast_or_null<Packed24Attr>(buffer.getLayout()); packed && packed.getAxis() == 0)
      return "an output is compressed along axis 0: family patch";
  }
  return "";
}

std::string kern::whyIllegal(MapOp op, Family family) {
  if (op.getOutputs().size() > 3)
    return "a map kernel writes at most 3 outputs, not " + std::to_string(op.getOutputs().size());
  if (family == Family::Row)
    return whyNotRow(op);
  if (family != Family::Patch)
    return "a map takes family row or patch, not " + stringifyFamily(family).str();
  if (op.getScaleMode() == "dynamic")
    return "a dynamic scale needs whole rows: family row";
  return "";
}

ScheduleAttr kern::getMapSchedule(MLIRContext *context, Family family) {
  bool row = family == Family::Row;
  return ScheduleAttr::get(context, family, row ? 8 : 64, row ? 0 : 128, 0, 0, 0, 0);
}
