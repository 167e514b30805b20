//===- VerifySpec.cpp - gate at the entrance of the compiler ------------------------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_VERIFYSPECPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

/// Counts are results of ffn.count_nonzero only.
static LogicalResult verifyNoCounts(Operation *op, Type type, const Twine &where) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && tensor.getElementType().isInteger(32))
    return op->emitOpError() << "expects counts (i32) to come from ffn.count_nonzero, got " << type << " for " << where;
  return success();
}

/// Checks extents of one type; `where` says whose it is.
static LogicalResult verifyType(Operation *op, Type type, const Twine &where) {
  ArrayRef<int64_t> shape;
  if (auto sparse = dyn_cast<Sparse24Type>(type))
    shape = sparse.getShape();
  else if (auto tensor = dyn_cast<RankedTensorType>(type))
    shape = tensor.getShape();
  else
    return op->emitOpError() << "expects ranked tensors and !ffn.sparse24, got " << type << " for " << where;
  if (llvm::count_if(shape, ShapedType::isDynamic) > 1)
    return op->emitOpError() << "expects at most one dynamic extent, the token count, got " << type << " for " << where;
  if (llvm::is_contained(shape, 0))
    return op->emitOpError() << "expects extents of at least 1, got " << type << " for " << where;
  return success();
}

static LogicalResult verifyFunction(func::FuncOp function) {
  if (function.isExternal())
    return function.emitOpError() << "expects a body";
  if (!function.getBody().hasOneBlock())
    return function.emitOpError() << "expects a body of one block, without control flow, got "
                                  << function.getBody().getBlocks().size() << " blocks";
  for (BlockArgument argument : function.getArguments()) {
    std::string where = "argument " + std::to_string(argument.getArgNumber());
    if (failed(verifyType(function, argument.getType(), where)) ||
        failed(verifyNoCounts(function, argument.getType(), where)))
      return failure();
  }
  bool good = true;
  for (Operation &op : function.getBody().getOps()) {
    if (!isa<FFNDialect>(op.getDialect()) && !isa<arith::ConstantOp, func::ReturnOp>(op)) {
      op.emitOpError() << "is not part of a specification, expected operations of the ffn dialect, arith.constant and "
                          "func.return";
      good = false;
      continue;
    }
    for (OpResult result : op.getResults()) {
      good &= succeeded(verifyType(&op, result.getType(), "result " + Twine(result.getResultNumber())));
      if (isa<arith::ConstantOp>(op))
        good &= succeeded(verifyNoCounts(&op, result.getType(), "a constant"));
    }
  }
  return success(good);
}

namespace {
struct VerifySpec : winnow::ffn::impl::VerifySpecPassBase<VerifySpec> {
  using VerifySpecPassBase::VerifySpecPassBase;

  void runOnOperation() override {
    bool good = true;
    SmallVector<StringRef> names;
    for (Operation &op : getOperation().getOps()) {
      auto function = dyn_cast<func::FuncOp>(op);
      if (!function) {
        op.emitOpError() << "is not part of a specification, expected functions (func.func) only";
        good = false;
        continue;
      }
      names.push_back(function.getName());
      good &= succeeded(verifyFunction(function));
    }
    if (names.empty()) {
      getOperation().emitError() << "expects a function (func.func), got none";
      good = false;
    } else if (!entry.empty() && !llvm::is_contained(names, entry)) {
      getOperation().emitError() << "expects a function @" << entry << ", got @" << llvm::join(names, ", @");
      good = false;
    }
    if (!good)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
