//===- FFNTypes.cpp - the compressed 2:4 type ---------------------------------------------------------------------===//

#include "winnow/Dialect/FFN/IR/FFN.h"

using namespace mlir;
using namespace winnow::ffn;

RankedTensorType Sparse24Type::getDenseType() const { return RankedTensorType::get(getShape(), getElementType()); }

Type Sparse24Type::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  int64_t axis = 0;
  llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) || parser.parseType(elementType) || parser.parseComma() ||
      parser.parseKeyword("axis") || parser.parseEqual() || parser.parseInteger(axis) || parser.parseGreater())
    return {};
  return Sparse24Type::getChecked([&] { return parser.emitError(location); }, parser.getContext(),
                                  ArrayRef<int64_t>(shape), elementType, axis);
}

void Sparse24Type::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << "x" << getElementType() << ", axis = " << getAxis() << ">";
}

LogicalResult Sparse24Type::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                   Type elementType, int64_t axis) {
  if (shape.size() != 2) // T1
    return emitError() << "sparse24 expects rank 2, got " << shape.size();
  if (!hasLegalExtents(shape)) // G1
    return emitError() << "sparse24 expects extents from 1 to 2147483647, got " << shape[0] << " x " << shape[1];
  if (!isa<Float8E4M3FNType, Float8E5M2Type, BFloat16Type, Float16Type>(elementType)) // T2
    return emitError() << "sparse24 expects element type f8E4M3FN, f8E5M2, bf16 or f16, got " << elementType;
  if (axis != 0 && axis != 1) // T3
    return emitError() << "sparse24 expects axis 0 or 1, got " << axis;
  if (!ShapedType::isDynamic(shape[axis]) && shape[axis] % 4 != 0) // T4
    return emitError() << "sparse24 expects a multiple of 4 along axis " << axis << ", got " << shape[axis];
  return success();
}
