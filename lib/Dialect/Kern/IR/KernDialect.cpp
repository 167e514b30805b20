//===- KernDialect.cpp - registration, buffer type, layouts -------------------------------------------------------===//

#include "winnow/Dialect/Kern/IR/Kern.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace winnow::kern;

#include "winnow/Dialect/Kern/IR/KernDialect.cpp.inc"

#include "winnow/Dialect/Kern/IR/KernEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "winnow/Dialect/Kern/IR/KernAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "winnow/Dialect/Kern/IR/KernTypes.cpp.inc"

void KernDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "winnow/Dialect/Kern/IR/KernAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "winnow/Dialect/Kern/IR/KernTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "winnow/Dialect/Kern/IR/KernOps.cpp.inc"
      >();
}

LogicalResult Packed24Attr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t axis, int64_t panel) {
  if (axis != 0 && axis != 1)
    return emitError() << "packed24 expects axis 0 or 1, got " << axis;
  if (panel <= 0 || panel % 64 != 0)
    return emitError() << "packed24 expects a panel that is a positive multiple of 64, got " << panel;
  return success();
}

bool BufferType::isPacked24() const { return isa_and_nonnull<Packed24Attr>(getLayout()); }
bool BufferType::isTransposed() const { return isa_and_nonnull<TransposedAttr>(getLayout()); }

Type BufferType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  Attribute layout;
  llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) || parser.parseType(elementType))
    return {};
  if (succeeded(parser.parseOptionalComma()) && parser.parseAttribute(layout))
    return {};
  if (parser.parseGreater())
    return {};
  return BufferType::getChecked([&] { return parser.emitError(location); }, parser.getContext(),
                                ArrayRef<int64_t>(shape), elementType, layout);
}

void BufferType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  if (!getShape().empty())
    printer << "x";
  printer << getElementType();
  if (getLayout())
    printer << ", " << getLayout();
  printer << ">";
}

LogicalResult BufferType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                 Type elementType, Attribute layout) {
  if (!elementType.isIntOrFloat())
    return emitError() << "buffer expects an integer or floating-point element type, got " << elementType;
  if (layout && !isa<RowMajorAttr, TransposedAttr, Packed24Attr>(layout))
    return emitError() << "buffer expects a kern layout, got " << layout;
  if (layout && !isa<RowMajorAttr>(layout) && shape.size() != 2)
    return emitError() << "a buffer with layout " << layout << " expects rank 2, got " << shape.size();
  return success();
}
