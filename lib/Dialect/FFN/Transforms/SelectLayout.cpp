//===- SelectLayout.cpp - dense, token-wise or feature-wise 2:4 for every product ---------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Analysis/CostModel.h"
#include "winnow/Dialect/FFN/Analysis/TensorCore.h"
#include "winnow/Dialect/FFN/Transforms/Passes.h"

#include "llvm/Support/FormatVariadic.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_SELECTLAYOUTPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow;
using namespace winnow::ffn;

static constexpr StringLiteral kPassName = "ffn-select-layout";

//===--------------------------------------------------------------------------------------------------------------===//
// What is known of a left operand
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// lhs = [quantize](wide), and how `wide` came to be.
struct LeftOperand {
  QuantizeOp quantize;   ///< or null: lhs is `wide` itself
  Value wide;            ///< before quantisation; null where lhs is f8 and not the result of a quantize
  SparsifyOp selection;  ///< the explicit selection along the reduction axis that made `wide`, or null
  Value compressed;      ///< lhs = decompress(compressed) along the reduction axis, or null
  SparsityAttr sparsity; ///< what is expected of lhs, or null
};
} // namespace

static LeftOperand analyseLeftOperand(MatmulOp op) {
  LeftOperand result;
  int64_t axis = op.getLhsReductionAxis();
  Value lhs = op.getLhs();
  result.sparsity = lookupSparsity(lhs);
  if (auto decompress = lhs.getDefiningOp<DecompressOp>();
      decompress && decompress.getInput().getType().getAxis() == axis)
    result.compressed = decompress.getInput();
  result.quantize = lhs.getDefiningOp<QuantizeOp>();
  if (result.quantize)
    result.wide = result.quantize.getInput();
  else if (getPrecision(getMatrixElementType(lhs.getType())) != Precision::f8)
    result.wide = lhs;
  if (result.wide)
    if (auto selection = result.wide.getDefiningOp<SparsifyOp>();
        selection && selection.getResult() == result.wide && static_cast<int64_t>(selection.getAxis()) == axis)
      result.selection = selection;
  return result;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The decision for one product
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
class ProductLayouter {
public:
  ProductLayouter(MatmulOp op, func::FuncOp function, const Chip &chip, int64_t tokens)
      : op(op), function(function), chip(chip), tokens(tokens), axis(op.getLhsReductionAxis()) {}

  LogicalResult run();

private:
  ProductProblem describe(const LeftOperand &lhs);
  ProductDecision decide(LeftOperand &lhs);
  void makeSparse(LeftOperand &lhs);
  void setLayout(Layout layout) { op->setAttr(kLayoutAttrName, LayoutAttr::get(op.getContext(), layout)); }
  Layout sparseLayout() const { return axis == 1 ? Layout::TokenWise : Layout::FeatureWise; }
  void report(const ProductDecision &decision, const ProductProblem &problem);

  MatmulOp op;
  func::FuncOp function;
  const Chip &chip;
  int64_t tokens;
  int64_t axis;
};
} // namespace

ProductProblem ProductLayouter::describe(const LeftOperand &lhs) {
  auto extent = [&](int64_t value) { return ShapedType::isDynamic(value) ? tokens : value; };
  ProductProblem problem;
  problem.m = extent(op.getM());
  problem.n = extent(op.getN());
  problem.k = extent(op.getK());
  problem.kIsDynamic = ShapedType::isDynamic(getMatrixShape(op.getLhs().getType())[axis]);
  problem.precision = getPrecision(getMatrixElementType(op.getLhs().getType()));
  problem.outBytes = op.getType().getElementType().getIntOrFloatBitWidth() / 8;
  problem.selected = op.isSparse() || lhs.selection || lhs.compressed;
  if (lhs.sparsity) {
    problem.density = lhs.sparsity.getDensity();
    problem.maxDrop = lhs.sparsity.getMaxDrop();
    problem.drop = expectedDrop(lhs.sparsity, axis);
  }
  // A dense product reads a matrix that already lies in memory: an argument, or another product's result.
  Operation *producer = op.getLhs().getDefiningOp();
  problem.lhsStored = !lhs.compressed && (!producer || isa<MatmulOp, KernelOp>(producer));
  // Element-wise producers are computed on the way from what is stored before them.
  Value source = lhs.wide ? lhs.wide : op.getLhs();
  while (Operation *before = source.getDefiningOp()) {
    if (!isa<ActivationOpInterface, SparsifyOp>(before))
      break;
    source = before->getOperand(0);
  }
  problem.sourceBytes = getMatrixElementType(source.getType()).getIntOrFloatBitWidth() / 8;
  return problem;
}

ProductDecision ProductLayouter::decide(LeftOperand &lhs) {
  ProductProblem problem = describe(lhs);
  ProductDecision decision = decideProduct(problem, chip);
  auto decline = [&](Cause cause, std::string reason) {
    decision.sparse = false;
    decision.cause = cause;
    decision.reason = std::move(reason);
    return decision;
  };
  if (decision.cause == Cause::target || decision.cause == Cause::elementType || decision.cause == Cause::shape)
    return decision;
  if (auto obstacle = findTensorCoreObstacle(op, /*sparseLhs=*/true))
    return decline(obstacle->cause, obstacle->reason);
  if (problem.selected && !lhs.quantize)
    return decision;
  if (!problem.selected && !lhs.sparsity)
    return decline(Cause::notSparse, "nothing says that the left operand is sparse");
  if (!problem.selected && !lhs.wide)
    return decline(Cause::shape,
                   "the left operand is given in f8: there is no value before quantisation to select from");
  // A scale that varies along the reduction axis makes the dropped zeros matter if it is NaN.
  if (lhs.quantize && lhs.quantize.getGranularity() == (axis == 1 ? Granularity::Column : Granularity::Row))
    return decline(Cause::axis,
                   llvm::formatv("the left operand has a scale that varies along the reduction axis, {0}", axis));
  return decision;
}

/// Rewrites lhs to its compressed form: under the mask of its own selection, or of a new one in front of a clone of its
/// quantisation.
void ProductLayouter::makeSparse(LeftOperand &lhs) {
  if (lhs.compressed) {
    op.getLhsMutable().assign(lhs.compressed);
    return;
  }
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value values = op.getLhs();
  Value mask;
  if (lhs.selection) {
    mask = lhs.selection.getMask();
  } else {
    auto wideType = cast<RankedTensorType>(lhs.wide.getType());
    auto selection = SparsifyOp::create(builder, loc, wideType, wideType.clone(builder.getI1Type()), lhs.wide,
                                        /*under=*/Value(), axis);
    selection->setAttr(kSparsityAttrName, selectedSparsity(op.getContext(), lhs.sparsity, axis));
    mask = selection.getMask();
    values = selection.getResult();
    if (lhs.quantize) {
      auto quantize = cast<QuantizeOp>(builder.clone(*lhs.quantize));
      quantize.getInputMutable().assign(selection.getResult());
      quantize->setAttr(kSparsityAttrName, selection->getAttr(kSparsityAttrName));
      values = quantize.getValues();
      if (op.getLhsScale() && op.getLhsScale() == lhs.quantize.getScale())
        op.getLhsScaleMutable().assign(quantize.getScale());
    }
  }
  auto type = cast<RankedTensorType>(values.getType());
  auto compressedType = Sparse24Type::get(op.getContext(), type.getShape(), type.getElementType(), axis);
  op.getLhsMutable().assign(CompressOp::create(builder, loc, compressedType, values, mask).getResult());
}

void ProductLayouter::report(const ProductDecision &decision, const ProductProblem &problem) {
  Layout layout = decision.sparse ? sparseLayout() : Layout::Dense;
  auto fill = [&](remark::detail::InFlightRemark &&remark) {
    remark << remark::metric("Layout", stringifyLayout(layout).str())
           << remark::metric("Cause", std::string(stringifyCause(decision.cause)))
           << remark::metric("Shape", llvm::formatv("{0}x{1}x{2}", problem.m, problem.n, problem.k).str())
           << remark::reason("{0}", decision.reason);
  };
  if (decision.sparse)
    fill(remark::passed(op.getLoc(), remarkOptions("SparseProduct", kPassName, function)));
  else
    fill(remark::missed(op.getLoc(), remarkOptions("DenseProduct", kPassName, function)));
}

LogicalResult ProductLayouter::run() {
  LeftOperand lhs;
  if (op.isSparse()) {
    ProductProblem problem = describe(lhs);
    ProductDecision decision = decideProduct(problem, chip);
    decision.sparse = true;
    decision.cause = Cause::given;
    decision.reason = "the left operand is given compressed";
    if (auto pinned = op->getAttrOfType<LayoutAttr>(kLayoutAttrName); pinned && pinned.getValue() != sparseLayout())
      return op.emitOpError() << "asks for layout " << stringifyLayout(pinned.getValue())
                              << ", but its left operand is " << op.getLhs().getType();
    report(decision, problem);
    setLayout(sparseLayout());
    return success();
  }
  lhs = analyseLeftOperand(op);
  ProductDecision decision = decide(lhs);
  if (auto pinned = op->getAttrOfType<LayoutAttr>(kLayoutAttrName)) {
    bool wantsSparse = pinned.getValue() != Layout::Dense;
    if (wantsSparse && pinned.getValue() != sparseLayout())
      return op.emitOpError() << "asks for layout " << stringifyLayout(pinned.getValue()) << ", but reduces along axis "
                              << axis << " of its left operand, which takes " << stringifyLayout(sparseLayout());
    if (wantsSparse && !decision.sparse && decision.cause != Cause::cost)
      return op.emitOpError() << "asks for layout " << stringifyLayout(pinned.getValue())
                              << ", which cannot be: " << decision.reason;
    decision.sparse = wantsSparse;
    decision.cause = Cause::given;
    decision.reason = "the specification asks for it";
  }
  report(decision, describe(lhs));
  if (decision.sparse)
    makeSparse(lhs);
  setLayout(decision.sparse ? sparseLayout() : Layout::Dense);
  return success();
}

namespace {
struct SelectLayout : winnow::ffn::impl::SelectLayoutPassBase<SelectLayout> {
  using SelectLayoutPassBase::SelectLayoutPassBase;

  void runOnOperation() override {
    Result<const Chip *> chip = lookupTarget(target.getValue());
    if (!chip) {
      getOperation().emitError() << chip.message();
      return signalPassFailure();
    }
    if (tokens < 1 || tokens > std::numeric_limits<int32_t>::max()) {
      getOperation().emitError() << "token count expects a number from 1 to " << std::numeric_limits<int32_t>::max()
                                 << ", got " << tokens.getValue();
      return signalPassFailure();
    }
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      SmallVector<MatmulOp> products;
      function.walk([&](MatmulOp op) {
        if (!op->getParentOfType<KernelOp>())
          products.push_back(op);
      });
      for (MatmulOp op : products)
        if (failed(ProductLayouter(op, function, **chip, tokens).run()))
          return signalPassFailure();
      eraseUnused(function);
    }
  }
};
} // namespace
