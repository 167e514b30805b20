//===- winnow-translate.cpp - Winnow's translations out of MLIR ---------------------------------------------------===//

#include "Translations.h"

#include "mlir/Support/LogicalResult.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"

int main(int argc, char **argv) {
  winnow::registerInterpretTranslation();
  winnow::registerKernTranslations();
  return mlir::failed(mlir::mlirTranslateMain(argc, argv, "Winnow translation driver"));
}
