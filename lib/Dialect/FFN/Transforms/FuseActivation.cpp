//===- FuseActivation.cpp - one kernel for a chain of element-wise operations -------------------------------------===//
//
// Every value that has to be in memory (read by a product, by the function's return, or as the start of another chain)
// is the end of a chain. Chains are found last operation first; ends that share their values go into one kernel.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Utils.h"

#include "winnow/Dialect/FFN/Analysis/KernelForm.h"
#include "winnow/Dialect/FFN/Transforms/Passes.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_FUSEACTIVATIONPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

static constexpr StringLiteral kPassName = "ffn-fuse-activation";

//===--------------------------------------------------------------------------------------------------------------===//
// A rewrite that brings a compression and its mask into one chain
//===--------------------------------------------------------------------------------------------------------------===//

/// compress(x, mask) or compress(quantize(x), mask) with `mask` from sparsify(x) becomes the same of the selected
/// values: compression reads only what the mask keeps.
static void readSelectedValues(CompressOp op) {
  auto selection = op.getMask().getDefiningOp<SparsifyOp>();
  if (!selection || selection.getUnder())
    return;
  if (op.getValues() == selection.getInput()) {
    op.getValuesMutable().assign(selection.getResult());
    return;
  }
  auto quantize = op.getValues().getDefiningOp<QuantizeOp>();
  if (!quantize || quantize.isDynamic() || quantize.getInput() != selection.getInput())
    return;
  // In front of the compression, where both the mask's values and the scale are at hand.
  OpBuilder builder(op);
  auto selected = cast<QuantizeOp>(builder.clone(*quantize));
  selected.getInputMutable().assign(selection.getResult());
  op.getValuesMutable().assign(selected.getValues());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Kernels of one function
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// A kernel to be: the chain that it computes and the results that are needed of it.
struct Group {
  ElementwiseChain chain;
  llvm::SmallSetVector<Value, 4> results;
  Operation *position = nullptr; ///< where all operands are defined and no result has been used yet
};

class ChainFuser {
public:
  explicit ChainFuser(func::FuncOp function) : function(function), block(function.getBody().front()) {}

  void run() {
    findChains();
    formGroups();
    buildKernels();
  }

private:
  void findChains();
  void formGroups();
  void buildKernels();
  void demand(Value value) { demanded.insert(value); }
  bool isDemanded(Value value) const { return demanded.contains(value); }
  bool tryJoinMask(SparsifyOp selection);

  func::FuncOp function;
  Block &block;
  llvm::DenseSet<Value> demanded;
  SmallVector<std::pair<Operation *, ElementwiseChain>> ends; ///< last operation first
  llvm::MapVector<Operation *, Group> groups;                 ///< by the operation that makes the values
  llvm::DenseSet<Operation *> fused;                          ///< operations whose work kernels do
};
} // namespace

void ChainFuser::findChains() {
  for (Operation &op : llvm::reverse(block)) {
    if (isElementwise(&op)) {
      if (llvm::none_of(op.getResults(), [&](Value result) { return isDemanded(result); })) {
        fused.insert(&op); // read by chains only, or not at all
        continue;
      }
      ElementwiseChain chain = traceChain(&op);
      if (!chain.empty()) {
        fused.insert(&op);
        demand(chain.source);
        if (chain.quantize && chain.quantize.getGivenScale())
          demand(chain.quantize.getGivenScale());
        ends.emplace_back(&op, std::move(chain));
        continue;
      }
    }
    for (Value operand : op.getOperands())
      demand(operand);
  }
}

/// Adds the mask of `selection` to the kernel of a later operation that makes the same selection last, if there is one
/// and it stands before every reader of the mask.
bool ChainFuser::tryJoinMask(SparsifyOp selection) {
  for (auto &entry : groups) {
    Group &group = entry.second;
    if (entry.first == selection || group.chain.selections.empty() || group.chain.selections.back() != selection ||
        group.chain.dynamicScale || group.chain.count)
      continue;
    bool early = llvm::all_of(selection.getMask().getUsers(), [&](Operation *user) {
      return fused.contains(user) || (user->getBlock() == &block && group.position->isBeforeInBlock(user));
    });
    if (!early)
      continue;
    group.results.insert(selection.getMask());
    return true;
  }
  return false;
}

void ChainFuser::formGroups() {
  for (auto &[last, chain] : llvm::reverse(ends)) {
    // A compression belongs to the kernel that makes its values; everything else makes its own.
    Operation *key = chain.compress ? chain.values().getDefiningOp() : last;
    Group &group = groups[key];
    group.position = key;
    if (group.chain.empty() || chain.compress)
      group.chain = chain;
    for (Value result : last->getResults())
      if (isDemanded(result))
        group.results.insert(result);
  }
  // A mask alone is not worth a kernel where another one makes the same selection.
  for (auto &[key, group] : groups) {
    auto selection = dyn_cast<SparsifyOp>(key);
    if (selection && group.results.size() == 1 && group.results.front() == selection.getMask() &&
        tryJoinMask(selection))
      group.results.clear();
  }
  groups.remove_if([](auto &entry) { return entry.second.results.empty(); });
  // A dynamic scale is written in any case, and there is no kernel that writes nothing else.
  for (auto &[key, group] : groups)
    if (QuantizeOp quantize = group.chain.quantize; quantize && quantize.isDynamic()) {
      group.results.insert(quantize.getScale());
      if (!group.chain.compress)
        group.results.insert(quantize.getValues());
    }
}

void ChainFuser::buildKernels() {
  llvm::DenseMap<Value, Value> replacements;
  for (auto &[key, group] : groups) {
    OpBuilder builder(group.position);
    SmallVector<Operation *> body = group.chain.operations();
    KernelOp kernel = buildKernel(builder, group.position->getLoc(), body, group.results.getArrayRef());
    for (auto [old, result] : llvm::zip(group.results, kernel.getOutputs()))
      replacements[old] = result;
    remark::passed(kernel.getLoc(), remarkOptions("FusedChain", kPassName, function)) << remark::reason(
        "{0}",
        llvm::join(llvm::map_range(body, [](Operation *op) { return op->getName().stripDialect().str(); }), " -> "));
  }
  for (auto &[old, result] : replacements)
    old.replaceUsesWithIf(result, [&](OpOperand &use) { return !fused.contains(use.getOwner()); });
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (fused.contains(&op) && op.use_empty())
      op.erase();
}

namespace {
struct FuseActivation : winnow::ffn::impl::FuseActivationPassBase<FuseActivation> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function.getBody().hasOneBlock())
        continue;
      Block &block = function.getBody().front();
      for (auto op : llvm::to_vector(block.getOps<CompressOp>()))
        readSelectedValues(op);
      unnestSelections(function);
      eraseUnused(function);
      ChainFuser(function).run();
    }
  }
};
} // namespace
