//===- KernTranslations.cpp - winnow-translate --kern-to-cuda and --kern-to-plan ----------------------------------===//

#include "Translations.h"

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Target/Cuda/Emit.h"
#include "winnow/Target/Cuda/TranslateToPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Tools/mlir-translate/Translation.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace {

/// Command line options of the two translations.
struct Options {
  llvm::cl::opt<std::string> kernel{"kernel", llvm::cl::desc("kern-to-cuda: only this kernel"), llvm::cl::init("")};
  llvm::cl::opt<bool> generatedOnly{"generated-only",
                                    llvm::cl::desc("kern-to-cuda: leave out the text of the device library")};
  llvm::cl::opt<std::string> entry{"entry", llvm::cl::desc("kern-to-plan: the program to translate"), llvm::cl::init("")};
};

void registerKernDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect, winnow::ffn::FFNDialect,
                  winnow::kern::KernDialect>();
}

LogicalResult translateToCuda(Operation *op, llvm::raw_ostream &stream, const Options &options) {
  bool found = false;
  for (Operation &kernel : cast<ModuleOp>(op).getBody()->getOperations()) {
    if (!isa<winnow::kern::GemmOp, winnow::kern::MapOp>(kernel))
      continue;
    StringRef name = SymbolTable::getSymbolName(&kernel).getValue();
    if (!options.kernel.empty() && name != options.kernel)
      continue;
    found = true;
    FailureOr<std::string> source =
        options.generatedOnly ? winnow::cuda::emitGenerated(&kernel) : winnow::cuda::emitSource(&kernel);
    if (failed(source))
      return failure();
    stream << "// kernel " << name << "\n" << *source << "\n";
  }
  if (found)
    return success();
  if (options.kernel.empty())
    return op->emitError() << "expects a kern.gemm or kern.map, got none";
  return op->emitError() << "has no kernel @" << options.kernel.getValue();
}

LogicalResult translateToPlan(Operation *op, llvm::raw_ostream &stream, const Options &options) {
  FailureOr<winnow::rt::Plan> plan = winnow::cuda::translateToPlan(cast<ModuleOp>(op), options.entry);
  if (failed(plan))
    return failure();
  winnow::cuda::printPlan(*plan, stream);
  return success();
}

} // namespace

void winnow::registerKernTranslations() {
  static const Options options;
  static TranslateFromMLIRRegistration cuda(
      "kern-to-cuda", "CUDA C++ of the kernels of a module",
      [](Operation *op, llvm::raw_ostream &stream) { return translateToCuda(op, stream, options); }, registerKernDialects);
  static TranslateFromMLIRRegistration plan(
      "kern-to-plan", "launch plan of a program, as text",
      [](Operation *op, llvm::raw_ostream &stream) { return translateToPlan(op, stream, options); }, registerKernDialects);
}
