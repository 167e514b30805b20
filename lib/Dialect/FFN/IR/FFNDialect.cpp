//===- FFNDialect.cpp - registration and discardable attributes ---------------------------------------------------===//

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace winnow::ffn;

#include "winnow/Dialect/FFN/IR/FFNDialect.cpp.inc"

// The generated definitions of types and attributes must be visible where they are added to the dialect.
#include "winnow/Dialect/FFN/IR/FFNEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "winnow/Dialect/FFN/IR/FFNTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "winnow/Dialect/FFN/IR/FFNAttrs.cpp.inc"

void FFNDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "winnow/Dialect/FFN/IR/FFNTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "winnow/Dialect/FFN/IR/FFNAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "winnow/Dialect/FFN/IR/FFNOps.cpp.inc"
      >();
}

/// Checks that `attribute` is a sparsity annotation that fits `type` (constraints A4, A5).
static LogicalResult verifySparsity(llvm::function_ref<InFlightDiagnostic()> emitError, Attribute attribute,
                                    Type type) {
  auto sparsity = dyn_cast<SparsityAttr>(attribute);
  if (!sparsity)
    return emitError() << "'" << kSparsityAttrName << "' expects a #ffn.sparsity attribute, got " << attribute;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() != 2 || !isa<FloatType>(tensor.getElementType()))
    return emitError() << "'" << kSparsityAttrName << "' expects a matrix of floating-point numbers, got " << type;
  if (DenseF32ArrayAttr profile = sparsity.getProfile()) {
    int64_t features = tensor.getDimSize(1);
    if (features != static_cast<int64_t>(profile.size()))
      return emitError() << "sparsity profile expects one density per feature (" << features << "), got "
                         << profile.size();
  }
  return success();
}

LogicalResult FFNDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  auto emitError = [&] { return op->emitOpError(); };
  StringRef name = attribute.getName().strref();
  if (name == kSparsityAttrName) {
    SmallVector<Type> matrices;
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type);
          tensor && tensor.getRank() == 2 && isa<FloatType>(tensor.getElementType()))
        matrices.push_back(type);
    if (matrices.size() != 1)
      return emitError() << "'" << kSparsityAttrName
                         << "' expects an operation with one matrix of floating-point numbers "
                         << "among its results, got " << matrices.size();
    return verifySparsity(emitError, attribute.getValue(), matrices.front());
  }
  if (name == kLayoutAttrName) {
    if (!isa<MatmulOp>(op))
      return emitError() << "'" << kLayoutAttrName << "' expects an ffn.matmul";
    if (!isa<LayoutAttr>(attribute.getValue()))
      return emitError() << "'" << kLayoutAttrName << "' expects a #ffn.layout attribute, got " << attribute.getValue();
    return success();
  }
  return emitError() << "unknown attribute '" << name << "' of the ffn dialect";
}

LogicalResult FFNDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned argIndex,
                                                   NamedAttribute attribute) {
  auto emitError = [&] { return op->emitOpError() << "argument " << argIndex << ": "; };
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function || argIndex >= function.getNumArguments())
    return emitError() << "attributes of the ffn dialect expect a function argument";
  StringRef name = attribute.getName().strref();
  if (name == kSparsityAttrName)
    return verifySparsity(emitError, attribute.getValue(), function.getArgumentTypes()[argIndex]);
  if (name == kWeightAttrName) {
    if (!isa<UnitAttr>(attribute.getValue())) // W1
      return emitError() << "'" << kWeightAttrName << "' expects a unit attribute, got " << attribute.getValue();
    Type type = function.getArgumentTypes()[argIndex];
    if (auto tensor = dyn_cast<RankedTensorType>(type); !tensor || !tensor.hasStaticShape()) // W2
      return emitError() << "'" << kWeightAttrName << "' expects a tensor of static shape, got " << type;
    return success();
  }
  return emitError() << "unknown attribute '" << name << "' of the ffn dialect";
}

LogicalResult FFNDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned resultIndex,
                                                      NamedAttribute attribute) {
  return op->emitOpError() << "result " << resultIndex << ": '" << attribute.getName().strref()
                           << "' does not belong on a function result";
}
