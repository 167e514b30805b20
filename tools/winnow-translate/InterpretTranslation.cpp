//===- InterpretTranslation.cpp - winnow-translate --interpret ----------------------------------------------------===//

#include "Translations.h"

#include "winnow/Dialect/Check/IR/Check.h"
#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Interpreter/Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Tools/mlir-translate/Translation.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

static LogicalResult interpretModule(ModuleOp module, llvm::raw_ostream &os) {
  winnow::interp::InterpreterOptions options;
  options.evaluateUnknown = winnow::check::evaluate;
  size_t interpreted = 0, failures = 0;
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (function.isExternal() || function.getNumArguments() != 0)
      continue;
    ++interpreted;
    auto results = winnow::interp::interpret(function, llvm::ArrayRef<winnow::interp::TensorRef>(), options);
    if (!results) {
      ++failures;
      winnow::interp::emitDiagnostic(results.takeError(), function.getLoc());
      continue;
    }
    os << "@" << function.getName() << ": passed\n";
  }
  if (interpreted == 0)
    return module.emitError() << "expects a function without arguments to interpret, got none";
  return success(failures == 0);
}

void winnow::registerInterpretTranslation() {
  static TranslateFromMLIRRegistration registration(
      "interpret", "evaluate every function without arguments; fail where a check fails",
      [](Operation *op, llvm::raw_ostream &os) -> LogicalResult {
        auto module = dyn_cast<ModuleOp>(op);
        if (!module)
          return op->emitError() << "expects a module to interpret, got '" << op->getName() << "'";
        return interpretModule(module, os);
      },
      [](DialectRegistry &registry) {
        registry.insert<arith::ArithDialect, func::FuncDialect, check::CheckDialect, ffn::FFNDialect>();
      });
}
