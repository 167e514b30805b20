//===- KernelOps.cpp - verifiers of kern.gemm and kern.map --------------------------------------------------------===//
//
// What any target may rely on. What one chip demands of a schedule is checked by kern-verify-emittable.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Dialect/Kern/IR/Kern.h"

using namespace mlir;
using namespace winnow::kern;

//===--------------------------------------------------------------------------------------------------------------===//
// Helpers
//===--------------------------------------------------------------------------------------------------------------===//

static bool isF8(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

static bool isRowMajor(BufferType type) { return !type.isPacked24() && !type.isTransposed(); }

static BufferType bufferOf(Type type) { return cast<BufferType>(type); }
static BufferType bufferOf(std::optional<Type> type) { return type ? cast<BufferType>(*type) : BufferType(); }

static std::string extentText(int64_t extent) { return ShapedType::isDynamic(extent) ? "?" : std::to_string(extent); }

static bool isGranularity(StringRef name) { return name == "tensor" || name == "row" || name == "column"; }

/// KR: the element-wise region of a kernel maps one f32 to one f32 with arith and math operations only.
static LogicalResult verifyScalarRegion(Operation *op, Region &region) {
  Block &block = region.front();
  if (block.getNumArguments() != 1 || !block.getArgument(0).getType().isF32())
    return op->emitOpError() << "expects an element-wise region with one f32 argument";
  for (Operation &inner : block) {
    StringRef dialect = inner.getName().getDialectNamespace();
    if (!isa<YieldOp>(inner) && dialect != "arith" && dialect != "math")
      return op->emitOpError() << "expects only arith and math operations in its region, got " << inner.getName();
  }
  if (!isa<YieldOp>(block.back()))
    return op->emitOpError() << "expects its region to end in kern.yield";
  return success();
}

static LogicalResult verifyMatrix(Operation *op, BufferType type, StringRef name) {
  if (type.getShape().size() != 2)
    return op->emitOpError() << name << " expects rank 2, got " << type;
  if (!isa<FloatType>(type.getElementType()))
    return op->emitOpError() << name << " expects a floating-point element type, got " << type;
  return success();
}

/// A scale is a row-major f32 buffer of `shape`.
static LogicalResult verifyScaleBuffer(Operation *op, BufferType type, StringRef name, ArrayRef<int64_t> shape) {
  auto expected = BufferType::get(op->getContext(), shape, Float32Type::get(op->getContext()), Attribute());
  if (!isRowMajor(type) || !type.getElementType().isF32() || type.getShape() != shape)
    return op->emitOpError() << name << " expects " << expected << ", got " << type;
  return success();
}

/// Counts are a row-major i32 buffer of `columns` elements.
static LogicalResult verifyCountsBuffer(Operation *op, BufferType type, StringRef name, int64_t columns) {
  auto expected =
      BufferType::get(op->getContext(), {columns}, IntegerType::get(op->getContext(), 32), /*layout=*/Attribute());
  if (!isRowMajor(type) || !type.getElementType().isInteger(32) || type.getShape() != expected.getShape())
    return op->emitOpError() << name << " expects " << expected << ", got " << type;
  return success();
}

/// Shape of a scale of a rows x columns matrix.
static SmallVector<int64_t> getScaleShape(StringRef granularity, int64_t rows, int64_t columns) {
  if (granularity == "tensor")
    return {};
  return {granularity == "row" ? rows : columns};
}

static LogicalResult verifyFamily(Operation *op, std::optional<ScheduleAttr> schedule, Family first, Family second) {
  if (schedule && schedule->getFamily() != first && schedule->getFamily() != second)
    return op->emitOpError() << "expects a schedule of family " << stringifyFamily(first) << " or "
                             << stringifyFamily(second) << ", got " << stringifyFamily(schedule->getFamily());
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// gemm
//===--------------------------------------------------------------------------------------------------------------===//

/// KG2 to KG4: the layouts in which a product can read its operands and write its result.
static LogicalResult verifyGemmLayouts(GemmOp op, BufferType lhs, BufferType rhs, BufferType out) {
  if (lhs.isTransposed() && !op.getTransposeLhs()) // KG2
    return op.emitOpError() << "lhs expects layout transposed only with transpose_lhs, got " << lhs;
  if (auto packed = dyn_cast_or_null<Packed24Attr>(lhs.getLayout())) {
    int64_t axis = op.getTransposeLhs() ? 0 : 1;
    if (packed.getAxis() != axis)
      return op.emitOpError() << "lhs expects packed24 along the reduction axis, " << axis << ", got " << lhs;
  }
  if (rhs.isPacked24()) // KG3
    return op.emitOpError() << "rhs expects a dense layout, got " << rhs;
  if (rhs.isTransposed() && op.getTransposeRhs())
    return op.emitOpError() << "rhs expects layout transposed only without transpose_rhs, got " << rhs;
  auto packedOut = dyn_cast_or_null<Packed24Attr>(out.getLayout());
  if (out.isTransposed() || (packedOut && packedOut.getAxis() != 1)) // KG4
    return op.emitOpError() << "out expects layout row_major or packed24 along axis 1, got " << out;
  return success();
}

/// KG7 and KG8.
static LogicalResult verifyGemmScales(GemmOp op, int64_t m, int64_t n, BufferType out) {
  auto verifyOperandScale = [&](BufferType scale, StringRef name, int64_t extent) -> LogicalResult {
    if (!scale)
      return success();
    SmallVector<int64_t> shape; // rank 0, unless the scale has another rank
    if (!scale.getShape().empty())
      shape.push_back(extent);
    return verifyScaleBuffer(op, scale, name, shape);
  };
  if (failed(verifyOperandScale(bufferOf(op.getLhsScale()), "lhs_scale", m)) ||
      failed(verifyOperandScale(bufferOf(op.getRhsScale()), "rhs_scale", n)))
    return failure();
  if (op.getOutScale().has_value() != op.getOutGranularity().has_value())
    return op.emitOpError() << "expects out_granularity exactly where there is an out_scale, got "
                            << (op.getOutScale() ? "an out_scale alone" : "an out_granularity alone");
  if (!op.getOutScale())
    return success();
  if (!isGranularity(*op.getOutGranularity()))
    return op.emitOpError() << "expects out_granularity tensor, row or column, got " << *op.getOutGranularity();
  if (!isF8(out.getElementType()))
    return op.emitOpError() << "expects an f8 out where there is an out_scale, got " << out;
  return verifyScaleBuffer(op, bufferOf(op.getOutScale()), "out_scale", getScaleShape(*op.getOutGranularity(), m, n));
}

/// KG10, and KR of the region.
static LogicalResult verifyGemmCounts(GemmOp op, int64_t n) {
  if (op.getCounts().has_value() == op.getCounted().empty())
    return op.emitOpError() << "expects a region 'counted' exactly where there are counts, got "
                            << (op.getCounts() ? "counts alone" : "a region alone");
  if (!op.getCounts())
    return success();
  if (failed(verifyCountsBuffer(op, bufferOf(op.getCounts()), "counts", n)))
    return failure();
  return verifyScalarRegion(op, op.getCounted());
}

LogicalResult GemmOp::verify() {
  BufferType lhs = bufferOf(getLhs()), rhs = bufferOf(getRhs()), out = bufferOf(getOut());
  if (failed(verifyMatrix(*this, lhs, "lhs")) || failed(verifyMatrix(*this, rhs, "rhs")) || // KG1
      failed(verifyMatrix(*this, out, "out")) || failed(verifyGemmLayouts(*this, lhs, rhs, out)))
    return failure();
  int64_t m = lhs.getShape()[getTransposeLhs() ? 1 : 0], lhsK = lhs.getShape()[getTransposeLhs() ? 0 : 1];
  int64_t n = rhs.getShape()[getTransposeRhs() ? 0 : 1], rhsK = rhs.getShape()[getTransposeRhs() ? 1 : 0];
  if (lhsK != rhsK) // KG5
    return emitOpError() << "expects equal reduction extents, got " << extentText(lhsK) << " on the left and "
                         << extentText(rhsK) << " on the right";
  if (out.getShape()[0] != m || out.getShape()[1] != n)
    return emitOpError() << "out expects " << extentText(m) << " x " << extentText(n) << ", got "
                         << extentText(out.getShape()[0]) << " x " << extentText(out.getShape()[1]);
  Type lhsElement = lhs.getElementType(), rhsElement = rhs.getElementType();
  if (lhsElement != rhsElement && !(isF8(lhsElement) && isF8(rhsElement))) // KG6
    return emitOpError() << "expects operands of one element type, or both f8, got " << lhsElement << " and "
                         << rhsElement;
  if (failed(verifyGemmScales(*this, m, n, out)) ||
      failed(verifyFamily(*this, getSchedule(), Family::Wgmma, Family::Simt)) || // KG9
      failed(verifyGemmCounts(*this, n)))
    return failure();
  return verifyScalarRegion(*this, getEpilogue());
}

//===--------------------------------------------------------------------------------------------------------------===//
// map
//===--------------------------------------------------------------------------------------------------------------===//

/// KM6 to KM8.
static LogicalResult verifyMapOutputs(MapOp op, BufferType input) {
  size_t count = op.getOutputs().size();
  if (count < 1 || count > 3)
    return op.emitOpError() << "expects one to three outputs, got " << count;
  for (auto [index, type] : llvm::enumerate(op.getOutputs().getAsValueRange<TypeAttr>())) {
    std::string name = "output #" + std::to_string(index);
    auto output = dyn_cast<BufferType>(type);
    if (!output)
      return op.emitOpError() << name << " expects a !kern.buffer, got " << type;
    if (output.getShape() != input.getShape())
      return op.emitOpError() << name << " expects the shape of the input, " << input << ", got " << output;
    if (output.getElementType().isInteger(1)) { // KM7
      if (!isRowMajor(output))
        return op.emitOpError() << name << " expects a row-major mask, got " << output;
      if (op.getSelect().empty())
        return op.emitOpError() << name << " is a mask, which expects a selection";
    } else if (!isa<FloatType>(output.getElementType())) {
      return op.emitOpError() << name << " expects a floating-point element type or i1, got " << output;
    }
    auto packed = dyn_cast_or_null<Packed24Attr>(output.getLayout());
    if (packed && (op.getSelect().empty() || op.getSelect().back() != packed.getAxis())) // KM8
      return op.emitOpError() << name << " expects the last selection to be along its axis, " << packed.getAxis()
                              << ", got " << (op.getSelect().empty() ? "none" : std::to_string(op.getSelect().back()));
  }
  return success();
}

/// KM5.
static LogicalResult verifyScaleOnly(MapOp op, ArrayRef<int64_t> scaleShape) {
  if (!op.getScaleElement() || !isF8(*op.getScaleElement()))
    return op.emitOpError() << "expects scale_element f8E4M3FN or f8E5M2 with scale_only";
  if (op.getOutputs().size() != 1)
    return op.emitOpError() << "expects one output with scale_only, got " << op.getOutputs().size();
  Type type = *op.getOutputs().getAsValueRange<TypeAttr>().begin();
  if (auto output = dyn_cast<BufferType>(type))
    return verifyScaleBuffer(op, output, "output #0", scaleShape);
  return op.emitOpError() << "output #0 expects a !kern.buffer, got " << type;
}

/// KM10.
static LogicalResult verifyCountOnly(MapOp op, int64_t columns) {
  if (op.getGranularity() != "column")
    return op.emitOpError() << "expects granularity column with count_only, got " << op.getGranularity();
  if (op.getOutputs().size() != 1)
    return op.emitOpError() << "expects one output with count_only, got " << op.getOutputs().size();
  Type type = *op.getOutputs().getAsValueRange<TypeAttr>().begin();
  if (auto output = dyn_cast<BufferType>(type))
    return verifyCountsBuffer(op, output, "output #0", columns);
  return op.emitOpError() << "output #0 expects a !kern.buffer, got " << type;
}

LogicalResult MapOp::verify() {
  BufferType input = bufferOf(getInput());
  if (failed(verifyMatrix(*this, input, "input"))) // KM1
    return failure();
  if (!isRowMajor(input))
    return emitOpError() << "input expects layout row_major, got " << input;
  if (getSelect().size() > 2) // KM2
    return emitOpError() << "expects at most two selections, got " << getSelect().size();
  for (int64_t axis : getSelect())
    if (axis != 0 && axis != 1)
      return emitOpError() << "expects selection axes 0 or 1, got " << axis;
  StringRef mode = getScaleMode();
  if (!isGranularity(getGranularity())) // KM3
    return emitOpError() << "expects granularity tensor, row or column, got " << getGranularity();
  if (mode != "none" && mode != "given" && mode != "dynamic" && mode != "scale_only" && mode != "count_only")
    return emitOpError() << "expects scale_mode none, given, dynamic, scale_only or count_only, got " << mode;
  bool needsScale = mode == "given" || mode == "dynamic";
  if (needsScale != getScale().has_value()) // KM4
    return emitOpError() << "expects " << (needsScale ? "a" : "no") << " scale with scale_mode " << mode;
  SmallVector<int64_t> scaleShape = getScaleShape(getGranularity(), input.getShape()[0], input.getShape()[1]);
  if (needsScale && failed(verifyScaleBuffer(*this, bufferOf(getScale()), "scale", scaleShape)))
    return failure();
  if (mode == "dynamic" && getGranularity() != "row")
    return emitOpError() << "expects granularity row with scale_mode dynamic, got " << getGranularity();
  if (mode == "scale_only") {
    if (failed(verifyScaleOnly(*this, scaleShape)))
      return failure();
  } else {
    if (getScaleElement()) // KM5
      return emitOpError() << "expects no scale_element with scale_mode " << mode;
    if (failed(mode == "count_only" ? verifyCountOnly(*this, input.getShape()[1]) : verifyMapOutputs(*this, input)))
      return failure();
  }
  if (failed(verifyFamily(*this, getSchedule(), Family::Row, Family::Patch))) // KM9
    return failure();
  return verifyScalarRegion(*this, getBody());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Launch operands
//===--------------------------------------------------------------------------------------------------------------===//

SmallVector<LaunchOperand> winnow::kern::getLaunchOperands(Operation *kernel) {
  SmallVector<LaunchOperand> operands;
  if (auto gemm = dyn_cast<GemmOp>(kernel)) {
    operands.push_back({"lhs", bufferOf(gemm.getLhs())});
    operands.push_back({"rhs", bufferOf(gemm.getRhs())});
    if (gemm.getLhsScale())
      operands.push_back({"lhs_scale", bufferOf(gemm.getLhsScale())});
    if (gemm.getRhsScale())
      operands.push_back({"rhs_scale", bufferOf(gemm.getRhsScale())});
    if (gemm.getOutScale())
      operands.push_back({"out_scale", bufferOf(gemm.getOutScale())});
    operands.push_back({"out", bufferOf(gemm.getOut()), /*isWritten=*/true});
    if (gemm.getCounts())
      operands.push_back({"counts", bufferOf(gemm.getCounts()), /*isWritten=*/true});
    return operands;
  }
  auto map = cast<MapOp>(kernel);
  operands.push_back({"input", bufferOf(map.getInput())});
  if (map.getScale())
    operands.push_back({"scale", bufferOf(map.getScale()), /*isWritten=*/map.getScaleMode() == "dynamic"});
  for (Type type : map.getOutputs().getAsValueRange<TypeAttr>())
    operands.push_back({"output", bufferOf(type), /*isWritten=*/true});
  if (map.getScaleMode() == "scale_only")
    operands.push_back({"counter", BufferType(), /*isWritten=*/true});
  return operands;
}
