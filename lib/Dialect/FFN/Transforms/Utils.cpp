//===- Utils.cpp - shared by the passes on the ffn dialect --------------------------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Analysis/CostModel.h"
#include "winnow/Dialect/FFN/Analysis/KernelForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"

#include <cmath>

using namespace mlir;
using namespace winnow::ffn;

SparsityAttr winnow::ffn::lookupSparsity(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    return function ? function.getArgAttrOfType<SparsityAttr>(argument.getArgNumber(), kSparsityAttrName)
                    : SparsityAttr();
  }
  return value.getDefiningOp()->getAttrOfType<SparsityAttr>(kSparsityAttrName);
}

double winnow::ffn::expectedDrop(SparsityAttr sparsity, int64_t axis) {
  if (!sparsity)
    return expectedDrop(1.0);
  if (DenseF32ArrayAttr profile = sparsity.getProfile())
    return expectedDrop(std::vector<double>(profile.asArrayRef().begin(), profile.asArrayRef().end()),
                        /*alongFeatures=*/axis == 1);
  return expectedDrop(sparsity.getDensity());
}

SparsityAttr winnow::ffn::selectedSparsity(MLIRContext *context, SparsityAttr input, int64_t axis) {
  double density = input ? input.getDensity() : 1.0;
  double kept = std::min(0.5, density * (1 - expectedDrop(input, axis)));
  return SparsityAttr::get(context, std::round(kept * 1e4) / 1e4);
}

bool winnow::ffn::staysOutside(Operation *op) { return isa<arith::ConstantOp, func::ReturnOp>(op); }

KernelOp winnow::ffn::buildKernel(OpBuilder &builder, Location loc, ArrayRef<Operation *> body,
                                  ArrayRef<Value> yielded) {
  llvm::SmallPtrSet<Operation *, 8> inside(body.begin(), body.end());
  llvm::SmallSetVector<Value, 4> operands;
  for (Operation *op : body)
    for (Value operand : op->getOperands())
      if (!operand.getDefiningOp() || !inside.contains(operand.getDefiningOp()))
        operands.insert(operand);

  SmallVector<Type> resultTypes;
  for (Value value : yielded)
    resultTypes.push_back(value.getType());
  auto kernel = KernelOp::create(builder, loc, resultTypes, operands.getArrayRef());

  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&kernel.getBody());
  IRMapping mapping;
  for (Value operand : operands)
    mapping.map(operand, block->addArgument(operand.getType(), operand.getLoc()));
  for (Operation *op : body)
    builder.clone(*op, mapping);
  SmallVector<Value> results;
  for (Value value : yielded)
    results.push_back(mapping.lookup(value));
  YieldOp::create(builder, loc, results);
  return kernel;
}

void winnow::ffn::unnestSelections(func::FuncOp function) {
  for (Block &block : function.getBody())
    for (auto op : block.getOps<SparsifyOp>()) { // the earlier one first: it may be nested itself
      auto earlier = op.getUnder() ? op.getUnder().getDefiningOp<SparsifyOp>() : SparsifyOp();
      if (!earlier || !isNestedSelection(op, earlier))
        continue;
      op.getInputMutable().assign(earlier.getResult());
      op.getUnderMutable().clear();
    }
}

void winnow::ffn::eraseUnused(func::FuncOp function) {
  for (Block &block : function.getBody())
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
}
