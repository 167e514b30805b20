//===- FFNOps.cpp - verifiers, folders and canonicalisation -------------------------------------------------------===//

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

using namespace mlir;
using namespace winnow::ffn;

#include "winnow/Dialect/FFN/IR/FFNInterfaces.cpp.inc"

/// The word after `by`.
static ParseResult parseGranularity(OpAsmParser &parser, GranularityAttr &granularity) {
  StringRef word;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  std::optional<Granularity> value = symbolizeGranularity(word);
  if (!value)
    return parser.emitError(location) << "expected granularity tensor, row or column, got '" << word << "'";
  granularity = GranularityAttr::get(parser.getContext(), *value);
  return success();
}

static void printGranularity(OpAsmPrinter &printer, Operation *, GranularityAttr granularity) {
  printer << stringifyGranularity(granularity.getValue());
}

#define GET_OP_CLASSES
#include "winnow/Dialect/FFN/IR/FFNOps.cpp.inc"

//===--------------------------------------------------------------------------------------------------------------===//
// Helpers of the verifiers
//===--------------------------------------------------------------------------------------------------------------===//

/// Shape of a dense or compressed matrix.
static ArrayRef<int64_t> shapeOf(Type type) {
  if (auto sparse = dyn_cast<Sparse24Type>(type))
    return sparse.getShape();
  return cast<RankedTensorType>(type).getShape();
}

static Type elementTypeOf(Type type) {
  if (auto sparse = dyn_cast<Sparse24Type>(type))
    return sparse.getElementType();
  return cast<RankedTensorType>(type).getElementType();
}

bool winnow::ffn::hasLegalExtents(ArrayRef<int64_t> shape) {
  return llvm::all_of(shape, [](int64_t extent) {
    return ShapedType::isDynamic(extent) || (extent >= 1 && extent <= std::numeric_limits<int32_t>::max());
  });
}

static std::string extentText(int64_t extent) { return ShapedType::isDynamic(extent) ? "?" : std::to_string(extent); }

static bool isF8(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

static LogicalResult verifyScale(Operation *op, Value scale, StringRef name, int64_t extent, StringRef extentName) {
  if (!scale)
    return success();
  auto type = cast<RankedTensorType>(scale.getType());
  if (type.getRank() == 1 && type.getDimSize(0) != extent)
    return op->emitOpError() << name << " expects " << extentName << " = " << extentText(extent) << " elements, got "
                             << extentText(type.getDimSize(0));
  return success();
}

/// Checks rank and extent of a scale against the granularity it is given by.
static LogicalResult verifyScaleFits(Operation *op, Value scale, Granularity granularity, Type matrix) {
  auto type = cast<RankedTensorType>(scale.getType());
  int64_t expectedRank = granularity == Granularity::Tensor ? 0 : 1;
  if (type.getRank() != expectedRank)
    return op->emitOpError() << "expects a scale of rank " << expectedRank << " by "
                             << stringifyGranularity(granularity) << ", got " << type;
  if (expectedRank == 0)
    return success();
  bool byRow = granularity == Granularity::Row;
  return verifyScale(op, scale, "scale", shapeOf(matrix)[byRow ? 0 : 1], byRow ? "rows" : "columns");
}

static LogicalResult verifySameShape(Operation *op, Type expected, StringRef expectedName, Type actual,
                                     StringRef actualName) {
  if (shapeOf(expected) != shapeOf(actual))
    return op->emitOpError() << actualName << " expects the shape of the " << expectedName << ", " << expected
                             << ", got " << actual;
  return success();
}

LogicalResult winnow::ffn::verifyActivation(Operation *op) {
  return verifySameShape(op, op->getOperand(0).getType(), "input", op->getResult(0).getType(), "result"); // E1
}

//===--------------------------------------------------------------------------------------------------------------===//
// matmul
//===--------------------------------------------------------------------------------------------------------------===//

int64_t MatmulOp::getM() { return shapeOf(getLhs().getType())[getTransposeLhs() ? 1 : 0]; }
int64_t MatmulOp::getN() { return shapeOf(getRhs().getType())[getTransposeRhs() ? 0 : 1]; }
int64_t MatmulOp::getK() {
  return shapeOf(getLhs().getType())[getLhsReductionAxis()]; // M1: the same of rhs
}

LogicalResult MatmulOp::verify() {
  int64_t lhsK = shapeOf(getLhs().getType())[getLhsReductionAxis()];
  int64_t rhsK = shapeOf(getRhs().getType())[getTransposeRhs() ? 1 : 0];
  if (lhsK != rhsK) // M1
    return emitOpError() << "expects equal reduction extents, got " << extentText(lhsK) << " on the left and "
                         << extentText(rhsK) << " on the right";
  ArrayRef<int64_t> result = getType().getShape();
  if (result[0] != getM() || result[1] != getN()) // M2
    return emitOpError() << "expects a result of " << extentText(getM()) << " x " << extentText(getN()) << ", got "
                         << extentText(result[0]) << " x " << extentText(result[1]);
  if (failed(verifyScale(*this, getLhsScale(), "lhs_scale", getM(), "M")) || // M3
      failed(verifyScale(*this, getRhsScale(), "rhs_scale", getN(), "N")))
    return failure();
  if (auto sparse = dyn_cast<Sparse24Type>(getLhs().getType());
      sparse && sparse.getAxis() != getLhsReductionAxis()) // M4
    return emitOpError() << "expects the sparse axis of lhs to be the reduction axis, " << getLhsReductionAxis()
                         << ", got " << sparse.getAxis();
  Type lhsElement = elementTypeOf(getLhs().getType()), rhsElement = elementTypeOf(getRhs().getType());
  if (lhsElement != rhsElement && !(isF8(lhsElement) && isF8(rhsElement))) // M5
    return emitOpError() << "expects operands of one element type, or both f8, got " << lhsElement << " and "
                         << rhsElement;
  return success(); // M6 is the type constraint of the result.
}

//===--------------------------------------------------------------------------------------------------------------===//
// quantize, sparsify, compress, decompress
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult QuantizeOp::verify() {
  if (failed(verifySameShape(*this, getInput().getType(), "input", getValues().getType(), "result"))) // Q1
    return failure();
  if (!getGivenScale() && !getScale()) // Q3
    return emitOpError() << "expects a given scale or a second result for the dynamic one, got neither";
  if (getGivenScale() && getScale())
    return emitOpError() << "expects either a given scale or a dynamic one as second result, got both";
  return verifyScaleFits(*this, getScaleInForce(), getGranularity(), getInput().getType()); // Q2
}

LogicalResult DynamicScaleOp::verify() {
  if (!isF8(getElement())) // N2
    return emitOpError() << "expects element f8E4M3FN or f8E5M2, got " << getElement();
  return verifyScaleFits(*this, getScale(), getGranularity(), getInput().getType()); // N1
}

LogicalResult SparsifyOp::verify() {
  if (getResult().getType() != getInput().getType()) // S1
    return emitOpError() << "expects a result of the type of the input, " << getInput().getType() << ", got "
                         << getResult().getType();
  if (failed(verifySameShape(*this, getInput().getType(), "input", getMask().getType(), "mask")))
    return failure();
  if (getUnder() && failed(verifySameShape(*this, getInput().getType(), "input", getUnder().getType(), "earlier mask")))
    return failure();
  int64_t axis = getAxis();
  if (axis != 0 && axis != 1) // S2
    return emitOpError() << "expects axis 0 or 1, got " << axis;
  int64_t extent = shapeOf(getInput().getType())[axis];
  if (!ShapedType::isDynamic(extent) && extent % 4 != 0) // S3
    return emitOpError() << "expects a multiple of 4 along axis " << axis << ", got " << extent;
  return success();
}

namespace {
/// sparsify(sparsify(x) along a) along a, neither under a further mask, is the inner one: the choice is idempotent.
struct DropRepeatedSparsify : OpRewritePattern<SparsifyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SparsifyOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<SparsifyOp>();
    if (!inner || op.getInput() != inner.getResult())
      return rewriter.notifyMatchFailure(op, "input is not the result of a sparsify");
    if (inner.getAxis() != op.getAxis())
      return rewriter.notifyMatchFailure(op, "the two choices are along different axes");
    // Only the values may be forwarded: the mask of the outer op can hold other positions where the values are zero.
    if (op.getUnder() || !op.getMask().use_empty())
      return rewriter.notifyMatchFailure(op, "the outer mask is used or nested");
    if (op->hasAttr(kSparsityAttrName))
      return rewriter.notifyMatchFailure(op, "the outer one carries an annotation, which must not get lost");
    rewriter.replaceAllUsesWith(op.getResult(), inner.getResult());
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void SparsifyOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropRepeatedSparsify>(context);
}

LogicalResult CompressOp::verify() {
  if (failed(verifySameShape(*this, getResult().getType(), "result", getValues().getType(), "values")) || // C1
      failed(verifySameShape(*this, getResult().getType(), "result", getMask().getType(), "mask")))
    return failure();
  Type expected = elementTypeOf(getResult().getType()), actual = elementTypeOf(getValues().getType());
  if (expected != actual) // C2
    return emitOpError() << "values expect the element type of the result, " << expected << ", got " << actual;
  return success();
}

LogicalResult DecompressOp::verify() {
  if (getInput().getType().getDenseType() != getResult().getType()) // D1
    return emitOpError() << "expects a result of type " << getInput().getType().getDenseType() << ", got "
                         << getResult().getType();
  return success();
}

OpFoldResult DecompressOp::fold(FoldAdaptor) {
  // The dense form of what was just compressed under the mask of the very sparsify that made it.
  auto compress = getInput().getDefiningOp<CompressOp>();
  if (!compress)
    return {};
  auto sparsify = compress.getValues().getDefiningOp<SparsifyOp>();
  if (sparsify && compress.getValues() == sparsify.getResult() && compress.getMask() == sparsify.getMask() &&
      static_cast<int64_t>(sparsify.getAxis()) == getInput().getType().getAxis())
    return compress.getValues();
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// count_nonzero
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult CountNonzeroOp::verify() {
  int64_t columns = getInput().getType().getDimSize(1), found = getCounts().getType().getDimSize(0);
  if (found != columns) // O1
    return emitOpError() << "expects one count per column, " << extentText(columns) << ", got " << extentText(found);
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// kernel
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult verifyTypesMatch(Operation *op, TypeRange expected, StringRef expectedName, TypeRange actual,
                                      StringRef actualName) {
  if (expected.size() != actual.size())
    return op->emitOpError() << "expects as many " << actualName << " as " << expectedName << ", " << expected.size()
                             << ", got " << actual.size();
  for (auto [index, types] : llvm::enumerate(llvm::zip(expected, actual)))
    if (std::get<0>(types) != std::get<1>(types))
      return op->emitOpError() << actualName << " #" << index << " expects type " << std::get<0>(types) << ", got "
                               << std::get<1>(types);
  return success();
}

LogicalResult KernelOp::verify() {
  if (getOperation()->getParentOfType<KernelOp>()) // K3
    return emitOpError() << "expects no kernel around it: one kernel is one launch";
  Block &block = getBody().front();
  if (failed(verifyTypesMatch(*this, getInputs().getTypes(), "operands", block.getArgumentTypes(),
                              "block arguments"))) // K1
    return failure();
  auto yield = dyn_cast<YieldOp>(block.back());
  if (!yield)
    return emitOpError() << "expects its body to end in ffn.yield";
  return verifyTypesMatch(*this, getResultTypes(), "results", yield.getOperandTypes(), "yielded values"); // K2
}
