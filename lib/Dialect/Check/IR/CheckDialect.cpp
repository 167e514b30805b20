//===- CheckDialect.cpp - expectations in tests -------------------------------------------------------------------===//

#include "winnow/Dialect/Check/IR/Check.h"

using namespace mlir;
using namespace winnow::check;

#include "winnow/Dialect/Check/IR/CheckDialect.cpp.inc"

#define GET_OP_CLASSES
#include "winnow/Dialect/Check/IR/CheckOps.cpp.inc"

void CheckDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "winnow/Dialect/Check/IR/CheckOps.cpp.inc"
      >();
}
