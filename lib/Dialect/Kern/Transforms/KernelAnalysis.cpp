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
  return {attribute.getFamily(),      attribute.getTileM(),   attribute.getTileN(),     attribute.getWarpgroups(),
          attribute.getStages(),      attribute.getRaster(),  attribute.getPacing(),    attribute.getSplit(),
          attribute.getStaged() != 0, attribute.getCluster(), attribute.getTurns() != 0};
}

ScheduleAttr kern::toAttribute(MLIRContext *context, const GemmSchedule &schedule) {
  return ScheduleAttr::get(context, schedule.family, schedule.tileM, schedule.tileN, schedule.warpgroups,
                           schedule.stages, schedule.raster, schedule.pacing, schedule.split, schedule.staged,
                           schedule.cluster, schedule.turns);
}

static std::string whyNotRow(MapOp op) {
  if (op.getScaleMode() == "scale_only")
    return "scale kernels read rows and columns alike: family patch";
  if (op.getScaleMode() == "count_only")
    return "columns are counted, across rows: family patch";
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

//===--------------------------------------------------------------------------------------------------------------===//
// Rows shared by a cluster
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr int64_t kMostSlices = 8; ///< CTAs of a cluster that every device takes
/// Columns that a CTA of 256 threads covers at once.
static constexpr int64_t kSliceStep = 256;
/// Registers of a thread that hold its part of the input: more would leave too few for the rest.
static constexpr int64_t kMostHeldWords = 72;

/// Words of input that a thread of 256 holds.
static int64_t heldWords(MapOp op, int64_t columns) {
  auto element = getElementType(cast<BufferType>(op.getInput()).getElementType());
  return columns / kSliceStep * 2 * (element ? elementBytes(*element) : 4);
}

std::string kern::whyNotSliced(MapOp op, int64_t columns) {
  int64_t extent = getExtents(cast<BufferType>(op.getInput())).columns;
  if (op.getScaleMode() != "dynamic" || op.getGranularity() != "row")
    return "a cluster shares rows only to agree on a dynamic scale by row";
  if (extent == cuda::kTokens || extent % 8 != 0 || extent == 0)
    return "rows of a fixed multiple of 8 elements are needed";
  if (columns <= 0 || columns % kSliceStep != 0)
    return "a slice has a multiple of " + std::to_string(kSliceStep) + " columns, not " + std::to_string(columns);
  if (cuda::ceilDiv(extent, columns) > kMostSlices)
    return "a cluster has at most " + std::to_string(kMostSlices) + " CTAs";
  if (heldWords(op, columns) > 2 * kMostHeldWords || (heldWords(op, columns) > kMostHeldWords && columns % 512 != 0))
    return "a slice of " + std::to_string(columns) + " columns does not fit in registers";
  return "";
}

std::optional<RowSlices> kern::getRowSlices(MapOp op) {
  if (!op.getSchedule() || op.getSchedule()->getFamily() != Family::Row || op.getSchedule()->getTileN() == 0)
    return std::nullopt;
  // A cluster of a power of two, the only sizes tried on a device; its last CTAs may have no columns.
  int64_t columns = op.getSchedule()->getTileN(), extent = getExtents(cast<BufferType>(op.getInput())).columns;
  return RowSlices{columns, static_cast<int64_t>(llvm::PowerOf2Ceil(cuda::ceilDiv(extent, columns)))};
}

int64_t kern::getMapThreads(MapOp op) {
  std::optional<RowSlices> slices = getRowSlices(op);
  return slices && heldWords(op, slices->columns) > kMostHeldWords ? 512 : 256;
}

ScheduleAttr kern::getMapSchedule(MapOp op, Family family) {
  MLIRContext *context = op.getContext();
  if (family != Family::Row)
    return ScheduleAttr::get(context, family, 64, 128);
  // Few CTAs per row while each thread has at most eight loads in flight: 32 words of bf16.
  int64_t slice = 0, extent = getExtents(cast<BufferType>(op.getInput())).columns;
  for (int64_t count = 1; extent > 0 && count <= kMostSlices; count *= 2) {
    int64_t step =
        count == kMostSlices && heldWords(op, cuda::roundUp(cuda::ceilDiv(extent, count), kSliceStep)) > kMostHeldWords
            ? 2 * kSliceStep
            : kSliceStep;
    int64_t candidate = cuda::roundUp(cuda::ceilDiv(extent, count), step);
    if (!whyNotSliced(op, candidate).empty())
      continue;
    slice = candidate;
    if (heldWords(op, slice) <= 32)
      break;
  }
  return ScheduleAttr::get(context, family, 8, slice);
}
