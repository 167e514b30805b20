//===- SplitPreparation.cpp - what depends on weights alone, as a function of its own -----------------------------===//

#include "winnow/Dialect/FFN/Transforms/SplitPreparation.h"

#include "Utils.h"

#include "winnow/Dialect/FFN/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

namespace winnow::ffn {
#define GEN_PASS_DEF_SPLITPREPARATIONPASS
#include "winnow/Dialect/FFN/Transforms/Passes.h.inc"
} // namespace winnow::ffn

using namespace mlir;
using namespace winnow::ffn;

static constexpr StringLiteral kPassName = "ffn-split-preparation";

static std::string nameOf(BlockArgument argument) {
  if (auto name = dyn_cast<NameLoc>(argument.getLoc()))
    return name.getName().str();
  return "arg" + std::to_string(argument.getArgNumber());
}

/// What is known of the zeros of `value`: quantisation hands on what is known of its operand.
static SparsityAttr sparsityOf(Value value) {
  if (SparsityAttr known = lookupSparsity(value))
    return known;
  auto quantize = value.getDefiningOp<QuantizeOp>();
  return quantize ? sparsityOf(quantize.getInput()) : SparsityAttr();
}

/// What a value is to its weight, the end of its name.
static StringRef suffixOf(OpResult value) {
  return TypeSwitch<Operation *, StringRef>(value.getOwner())
      .Case([&](QuantizeOp op) { return value == op.getScale() ? "scale" : "values"; })
      .Case<DynamicScaleOp>([](auto) { return "scale"; })
      .Case<MatmulOp>([](auto) { return "product"; })
      .Default([](Operation *) { return "values"; });
}

namespace {
/// Splits one function.
class Splitter {
public:
  explicit Splitter(func::FuncOp function) : function(function), body(function.getBody().front()) {}

  FailureOr<Preparation> run();

private:
  bool isWeight(Value value) const {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument && func::FuncOp(function).getArgAttr(argument.getArgNumber(), kWeightAttrName);
  }
  bool isAhead(Value value) const {
    Operation *op = value.getDefiningOp();
    return op ? isa<arith::ConstantOp>(op) || ahead.contains(op) : isWeight(value);
  }
  bool isUsedOutside(Value value) const {
    return llvm::any_of(value.getUsers(), [&](Operation *user) { return !ahead.contains(user); });
  }
  bool isLeftOperandOutside(Value value) const {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      auto matmul = dyn_cast<MatmulOp>(user);
      return matmul && matmul.getLhs() == value && !ahead.contains(user);
    });
  }
  bool keepsBack(Operation &op) const;
  void findAhead();
  void findCrossing();
  void eraseDead();
  unsigned homeOf(Value value);
  void buildPrepare(StringRef name);
  void takePrepared();

  func::FuncOp function;
  Block &body;
  Preparation result;
  llvm::SmallSetVector<Operation *, 8> ahead; ///< operations to move
  SmallVector<OpResult> crossing;             ///< their results that the rest reads, by home
  DenseMap<Value, unsigned> homes;
};
} // namespace

/// Whether `op`, whose operands are all known ahead, has to stay with what reads it all the same: what it makes has no
/// form outside of a call, or a product could no longer see that its left operand is 2:4.
bool Splitter::keepsBack(Operation &op) const {
  if (auto sparsify = dyn_cast<SparsifyOp>(op)) {
    if (isUsedOutside(sparsify.getMask()) || isLeftOperandOutside(sparsify.getResult()))
      return true;
    return llvm::any_of(sparsify.getResult().getUsers(), [&](Operation *user) {
      auto quantize = dyn_cast<QuantizeOp>(user);
      return quantize && isLeftOperandOutside(quantize.getValues());
    });
  }
  if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    SparsityAttr known = sparsityOf(quantize.getValues());
    return known && known.getMaxDrop() > 0 && isLeftOperandOutside(quantize.getValues());
  }
  if (auto count = dyn_cast<CountNonzeroOp>(op)) // counts are no arguments
    return isUsedOutside(count.getCounts());
  return llvm::any_of(op.getResults(),
                      [&](Value result) { return !isa<RankedTensorType>(result.getType()) && isUsedOutside(result); });
}

/// Starts from everything that depends on nothing else, and puts back what has to stay, and what depends on that.
void Splitter::findAhead() {
  for (Operation &op : body.without_terminator())
    if (!isa<arith::ConstantOp>(op) && llvm::all_of(op.getOperands(), [&](Value operand) { return isAhead(operand); }))
      ahead.insert(&op);
  bool changed = true;
  while (changed) {
    changed = false;
    for (Operation &op : body.without_terminator()) {
      if (!ahead.contains(&op))
        continue;
      bool depends = llvm::any_of(op.getOperands(), [&](Value operand) { return !isAhead(operand); });
      if (depends || keepsBack(op)) {
        ahead.remove(&op);
        changed = true;
      }
    }
  }
}

/// The first weight that `value` depends on; the number of arguments if it depends on none.
unsigned Splitter::homeOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getArgNumber();
  auto [place, isNew] = homes.try_emplace(value, function.getNumArguments());
  if (!isNew)
    return place->second;
  unsigned home = function.getNumArguments();
  for (Value operand : value.getDefiningOp()->getOperands())
    home = std::min(home, homeOf(operand));
  return homes[value] = home;
}

void Splitter::findCrossing() {
  // Homes in the order of operations, so that none has to look far back.
  std::vector<SmallVector<OpResult>> byHome(function.getNumArguments() + 1);
  for (Operation *op : ahead)
    for (OpResult result : op->getResults())
      if (unsigned home = homeOf(result); isUsedOutside(result))
        byHome[home].push_back(result);
  for (ArrayRef<OpResult> results : byHome)
    llvm::append_range(crossing, results);
}

/// Erases what no crossing value needs: nobody reads it.
void Splitter::eraseDead() {
  llvm::SmallSetVector<Operation *, 8> needed;
  for (Value value : crossing)
    needed.insert(value.getDefiningOp());
  for (unsigned next = 0; next < needed.size(); ++next)
    for (Value operand : needed[next]->getOperands())
      if (Operation *op = operand.getDefiningOp(); op && ahead.contains(op))
        needed.insert(op);
  SmallVector<Operation *> dead;
  ahead.remove_if([&](Operation *op) {
    if (!needed.contains(op))
      dead.push_back(op);
    return !needed.contains(op);
  });
  for (Operation *op : llvm::reverse(dead))
    op->erase();
}

void Splitter::buildPrepare(StringRef name) {
  llvm::SmallSetVector<Value, 8> operands;
  for (Operation *op : ahead)
    operands.insert_range(op->getOperands());
  SmallVector<BlockArgument> weights;
  SmallVector<Type> weightTypes;
  SmallVector<DictionaryAttr> attributes;
  for (BlockArgument argument : body.getArguments())
    if (operands.contains(argument)) {
      weights.push_back(argument);
      result.weights.push_back(argument.getArgNumber());
      weightTypes.push_back(argument.getType());
      attributes.push_back(function.getArgAttrDict(argument.getArgNumber()));
    }

  OpBuilder builder(function);
  auto resultTypes = llvm::map_to_vector(crossing, [](Value value) { return value.getType(); });
  auto prepare = func::FuncOp::create(builder, function.getLoc(), name,
                                      builder.getFunctionType(weightTypes, resultTypes), {}, attributes);
  Block *block = prepare.addEntryBlock();
  builder.setInsertionPointToStart(block);
  IRMapping mapping;
  for (auto [weight, argument] : llvm::zip_equal(weights, block->getArguments())) {
    argument.setLoc(NameLoc::get(builder.getStringAttr(nameOf(weight)), weight.getLoc()));
    mapping.map(Value(weight), Value(argument));
  }
  for (Operation &op : body.without_terminator())
    if (ahead.contains(&op) || (isa<arith::ConstantOp>(op) && operands.contains(op.getResult(0))))
      builder.clone(op, mapping);
  func::ReturnOp::create(builder, function.getLoc(),
                         llvm::map_to_vector(crossing, [&](Value value) { return mapping.lookup(value); }));
  result.function = prepare;
}

/// Makes the crossing values arguments behind their first weights, and drops the weights that nothing reads any more.
void Splitter::takePrepared() {
  llvm::StringSet<> names;
  SmallVector<BlockArgument> dropped;
  for (BlockArgument argument : body.getArguments()) {
    bool moves = !argument.use_empty() && !isUsedOutside(argument);
    if (moves)
      dropped.push_back(argument);
    else
      result.kept.push_back(argument.getArgNumber());
  }
  for (unsigned number : result.kept)
    names.insert(nameOf(body.getArgument(number)));
  auto nameFor = [&](OpResult value) {
    unsigned home = homeOf(value);
    std::string stem = home < body.getNumArguments() ? nameOf(body.getArgument(home)) : "constant";
    std::string name = (stem + "_" + suffixOf(value)).str();
    for (unsigned number = 2; !names.insert(name).second; ++number)
      name = (stem + "_" + suffixOf(value) + "_" + Twine(number)).str();
    return StringAttr::get(function.getContext(), name);
  };

  Builder builder(function.getContext());
  SmallVector<StringAttr> crossingNames = llvm::map_to_vector(crossing, nameFor);
  SmallVector<unsigned> places;
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  SmallVector<Location> locations;
  for (auto [value, name] : llvm::zip_equal(crossing, crossingNames)) {
    SmallVector<NamedAttribute> annotations = {builder.getNamedAttr(kWeightAttrName, builder.getUnitAttr())};
    if (SparsityAttr known = sparsityOf(value); known && cast<RankedTensorType>(value.getType()).getRank() == 2)
      annotations.push_back(builder.getNamedAttr(kSparsityAttrName, known));
    places.push_back(std::min(homeOf(value) + 1, function.getNumArguments()));
    types.push_back(value.getType());
    attributes.push_back(builder.getDictionaryAttr(annotations));
    locations.push_back(NameLoc::get(name, value.getLoc()));
  }
  // The names of those that stay may come from their numbers, which change.
  for (BlockArgument argument : body.getArguments())
    if (!isa<NameLoc>(argument.getLoc()))
      argument.setLoc(NameLoc::get(builder.getStringAttr(nameOf(argument)), argument.getLoc()));
  (void)function.insertArguments(places, types, attributes, locations);

  SmallVector<BlockArgument> taken;
  for (auto [index, value] : llvm::enumerate(crossing)) {
    // Every insertion before it moved the place by one.
    BlockArgument argument = body.getArgument(places[index] + static_cast<unsigned>(index));
    value.replaceUsesWithIf(argument, [&](OpOperand &use) { return !ahead.contains(use.getOwner()); });
    taken.push_back(argument);
  }
  for (Operation *op : llvm::reverse(ahead))
    op->erase();
  llvm::BitVector gone(function.getNumArguments());
  for (BlockArgument argument : dropped)
    gone.set(argument.getArgNumber());
  (void)function.eraseArguments(gone);
  eraseUnused(function);
  for (BlockArgument argument : taken)
    result.prepared.push_back(argument.getArgNumber());
}

FailureOr<Preparation> Splitter::run() {
  findAhead();
  findCrossing();
  if (crossing.empty())
    return Preparation();
  std::string name = (function.getName() + "_prepare").str();
  auto *table = SymbolTable::getNearestSymbolTable(function->getParentOp());
  if (Operation *other = SymbolTable::lookupSymbolIn(table, name)) {
    InFlightDiagnostic error = function.emitError() << "expects the name @" << name
                                                    << " to be free for what depends on weights alone; rename the "
                                                       "function that has it";
    error.attachNote(other->getLoc()) << "it is here";
    return failure();
  }
  eraseDead();
  remark::passed(function.getLoc(), remarkOptions("SplitPreparation", kPassName, function))
      << remark::metric("Operations", static_cast<int>(ahead.size()))
      << remark::metric("Tensors", static_cast<int>(crossing.size()));
  buildPrepare(name);
  takePrepared();
  return result;
}

FailureOr<Preparation> winnow::ffn::splitPreparation(func::FuncOp function) {
  bool weights = false;
  for (unsigned index = 0; index < function.getNumArguments(); ++index)
    weights |= function.getArgAttr(index, kWeightAttrName) != nullptr;
  if (!weights || function.isExternal() || !function.getBody().hasOneBlock())
    return Preparation();
  return Splitter(function).run();
}

namespace {
struct SplitPreparation : winnow::ffn::impl::SplitPreparationPassBase<SplitPreparation> {
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (failed(splitPreparation(function)))
        return signalPassFailure();
  }
};
} // namespace
