//===- winnow-opt.cpp - runs Winnow's passes on MLIR --------------------------------------------------------------===//

#include "winnow/Conversion/Passes.h"
#include "winnow/Dialect/Check/IR/Check.h"
#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Dialect/FFN/Transforms/Passes.h"
#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Dialect/Kern/Transforms/Passes.h"
#include "winnow/Pipelines/Pipelines.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::math::MathDialect,
                  winnow::check::CheckDialect, winnow::ffn::FFNDialect, winnow::kern::KernDialect>();
  mlir::registerTransformsPasses();
  winnow::ffn::registerFFNPasses();
  winnow::registerConversionPasses();
  winnow::kern::registerKernPasses();
  winnow::registerPipelines();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Winnow optimizer driver\n", registry));
}
