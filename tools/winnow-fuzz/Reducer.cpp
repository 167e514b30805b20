//===- Reducer.cpp - the smallest program that still fails --------------------------------------------------------===//

#include "Reducer.h"

#include "Isolation.h"

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Parser/Parser.h"

#include "llvm/ADT/SetVector.h"

#include <regex>
#include <set>

using namespace mlir;

namespace winnow::fuzz {
namespace {

using Module = OwningOpRef<ModuleOp>;

Module parse(Checker &checker, const Program &program) {
  ScopedDiagnosticHandler silence(&checker.getContext(), [](Diagnostic &) { return success(); });
  return parseSourceString<ModuleOp>(program.text, ParserConfig(&checker.getContext()), "program.mlir");
}

func::FuncOp functionOf(ModuleOp module) {
  auto functions = module.getOps<func::FuncOp>();
  return functions.empty() ? func::FuncOp() : *functions.begin();
}

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  functionOf(module)->print(os);
  return text + "\n";
}

/// Erases what nothing uses and makes the signature say what is left.
void cleanUp(func::FuncOp function) {
  Block &block = function.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
  llvm::BitVector unused(function.getNumArguments());
  for (BlockArgument argument : function.getArguments())
    unused[argument.getArgNumber()] = argument.use_empty();
  (void)function.eraseArguments(unused);
  function.setFunctionType(
      FunctionType::get(function.getContext(), block.getArgumentTypes(), block.getTerminator()->getOperandTypes()));
}

/// One way to make a function smaller, by number; false where there are no more.
class Mutation {
public:
  explicit Mutation(func::FuncOp function) : function(function) {}

  /// Applies change number `index`. `applied` says whether it made sense.
  bool apply(size_t index, bool &applied) {
    applied = true;
    Block &block = function.getBody().front();
    Operation *terminator = block.getTerminator();
    if (take(index, terminator->getNumOperands())) {
      applied = terminator->getNumOperands() > 1;
      if (applied)
        terminator->eraseOperand(index);
      return true;
    }
    // From the end on, so that whole chains fall at once.
    llvm::SmallVector<Operation *> operations;
    for (Operation &op : llvm::reverse(block.without_terminator()))
      operations.push_back(&op);
    for (Operation *op : operations)
      for (OpResult result : op->getResults()) {
        if (result.use_empty())
          continue;
        llvm::SmallVector<Value> substitutes = substitutesFor(op, result);
        if (take(index, substitutes.size())) {
          result.replaceAllUsesWith(substitutes[index]);
          return true;
        }
        if (take(index, 1)) {
          (void)function.insertArgument(function.getNumArguments(), result.getType(), {}, op->getLoc());
          result.replaceAllUsesWith(function.getArguments().back());
          return true;
        }
      }
    for (Operation *op : operations)
      for (StringRef name : {StringRef(ffn::kSparsityAttrName), StringRef(ffn::kLayoutAttrName)})
        if (op->hasAttr(name) && take(index, 1)) {
          op->removeAttr(name);
          return true;
        }
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (!function_interface_impl::getArgAttrs(function, i).empty() && take(index, 1)) {
        function.setArgAttrs(i, ArrayRef<NamedAttribute>());
        return true;
      }
    // An optional operand of a selection or a scale of a product.
    for (Operation *op : operations) {
      if (auto sparsify = dyn_cast<ffn::SparsifyOp>(op); sparsify && sparsify.getUnder() && take(index, 1)) {
        sparsify.getUnderMutable().clear();
        return true;
      }
      auto matmul = dyn_cast<ffn::MatmulOp>(op);
      if (matmul && matmul.getLhsScale() && take(index, 1)) {
        matmul.getLhsScaleMutable().clear();
        return true;
      }
      if (matmul && matmul.getRhsScale() && take(index, 1)) {
        matmul.getRhsScaleMutable().clear();
        return true;
      }
    }
    return false;
  }

private:
  /// True if `index` is among the next `count` changes; else steps over them.
  static bool take(size_t &index, size_t count) {
    if (index < count)
      return true;
    index -= count;
    return false;
  }

  llvm::SmallVector<Value> substitutesFor(Operation *op, OpResult result) {
    llvm::SetVector<Value> values;
    for (Value operand : op->getOperands())
      if (operand.getType() == result.getType())
        values.insert(operand);
    for (Value argument : function.getArguments())
      if (argument.getType() == result.getType())
        values.insert(argument);
    return values.takeVector();
  }

  func::FuncOp function;
};

class Reducer {
public:
  Reducer(Checker &checker, const Program &program, const Outcome &failure)
      : checker(checker), best(program), failure(failure) {}

  Program run() {
    bool changed = true;
    while (changed && checks < kMaxChecks) {
      changed = simplifyInputs();
      changed |= mutate();
      changed |= shrink();
    }
    return best;
  }

private:
  static constexpr int kMaxChecks = 3000;

  bool accept(Program candidate) {
    if (candidate.text == best.text && candidate.tokens == best.tokens && candidate.structured == best.structured &&
        candidate.special == best.special)
      return false;
    ++checks;
    if (!checkIsolated(checker, candidate).sameFailure(failure))
      return false;
    best = std::move(candidate);
    return true;
  }

  bool simplifyInputs() {
    bool changed = false;
    Program candidate = best;
    candidate.special = false;
    changed |= accept(candidate);
    candidate = best;
    candidate.structured = false;
    changed |= accept(candidate);
    for (int64_t tokens : {1, 2, 4}) {
      candidate = best;
      candidate.tokens = tokens;
      if (tokens < best.tokens)
        changed |= accept(candidate);
    }
    return changed;
  }

  bool mutate() {
    bool changed = false;
    for (size_t index = 0; checks < kMaxChecks;) {
      Module module = parse(checker, best);
      if (!module)
        return changed;
      func::FuncOp function = functionOf(*module);
      bool applied = false;
      if (!Mutation(function).apply(index, applied))
        return changed;
      if (applied) {
        cleanUp(function);
        ScopedDiagnosticHandler silence(&checker.getContext(), [](Diagnostic &) { return success(); });
        Program candidate = best;
        if (succeeded(verify(*module)))
          candidate.text = print(*module);
        if (accept(std::move(candidate))) {
          changed = true;
          continue; // the next change has this number now
        }
      }
      ++index;
    }
    return changed;
  }

  /// Replaces an extent by a smaller one wherever it stands.
  bool shrink() {
    bool changed = false;
    static const std::regex extent("([<x])([0-9]+)(?=x)");
    std::set<int64_t> extents;
    for (std::sregex_iterator it(best.text.begin(), best.text.end(), extent), end; it != end; ++it)
      extents.insert(std::atoll((*it)[2].str().c_str()));
    for (int64_t old : extents)
      for (int64_t smaller : {1, 4, 8, 16}) {
        if (smaller >= old)
          break;
        Program candidate = best;
        std::regex whole("([<x])" + std::to_string(old) + "(?=x)");
        candidate.text = std::regex_replace(best.text, whole, "$01" + std::to_string(smaller));
        if (accept(std::move(candidate))) {
          changed = true;
          break;
        }
      }
    return changed;
  }

  Checker &checker;
  Program best;
  Outcome failure;
  int checks = 0;
};

} // namespace

Program reduce(Checker &checker, const Program &program, const Outcome &failure) {
  return Reducer(checker, program, failure).run();
}

size_t countOperations(Checker &checker, const Program &program) {
  Module module = parse(checker, program);
  func::FuncOp function = module ? functionOf(*module) : func::FuncOp();
  if (!function)
    return 0;
  return std::distance(function.getBody().front().begin(), function.getBody().front().end()) - 1;
}

} // namespace winnow::fuzz
