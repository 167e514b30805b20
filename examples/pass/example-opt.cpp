//===- example-opt.cpp - runs the example's pass and Winnow's own -------------------------------------------------===//

#include "AssumeDensity.h"

#include "winnow/Jit/Compiler.h"
#include "winnow/Pipelines/Pipelines.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  winnow::jit::registerDialects(registry);
  winnow::registerPipelines();
  example::registerExamplePasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Winnow with a pass of one's own\n", registry));
}
