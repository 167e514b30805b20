//===- KernDialect.cpp - registration, buffer type, layouts -------------------------------------------------------===//

#include "winnow/Dialect/Kern/IR/Kern.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

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

static bool isF8(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

LogicalResult BufferType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                 Type elementType, Attribute layout) {
  bool isKnownInteger = elementType.isInteger(1) || elementType.isInteger(8) || elementType.isInteger(32);
  if (!isKnownInteger && !isF8(elementType) && !elementType.isF32() && !elementType.isBF16() &&
      !elementType.isF16()) // KB1
    return emitError() << "buffer expects element type f32, bf16, f16, f8E4M3FN, f8E5M2, i1, i8 or i32, got "
                       << elementType;
  for (int64_t extent : shape) // KB2
    if (!ShapedType::isDynamic(extent) && (extent < 1 || extent > std::numeric_limits<int32_t>::max()))
      return emitError() << "buffer expects extents from 1 to 2147483647, got " << extent;
  if (layout && !isa<RowMajorAttr, TransposedAttr, Packed24Attr>(layout)) // KB3
    return emitError() << "buffer expects a kern layout, got " << layout;
  if (layout && !isa<RowMajorAttr>(layout) && shape.size() != 2) // KB4
    return emitError() << "a buffer with layout " << layout << " expects rank 2, got " << shape.size();
  if (auto packed = dyn_cast_or_null<Packed24Attr>(layout)) { // KB5
    if (!isF8(elementType) && !elementType.isBF16() && !elementType.isF16())
      return emitError() << "a buffer with layout " << layout << " expects an f8 or 16-bit floating-point type, got "
                         << elementType;
    int64_t extent = shape[packed.getAxis()];
    if (!ShapedType::isDynamic(extent) && extent % 4 != 0)
      return emitError() << "a buffer with layout " << layout << " expects a multiple of 4 along axis "
                         << packed.getAxis() << ", got " << extent;
  }
  return success();
}

LogicalResult ScheduleAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Family family, int64_t tileM,
                                   int64_t tileN, int64_t warpgroups, int64_t stages, int64_t raster, int64_t pacing,
                                   int64_t split, int64_t staged, int64_t cluster, int64_t turns) {
  if (tileM < 1 || tileN < (family == Family::Row ? 0 : 1)) // KS1
    return emitError() << "schedule expects a positive tile, got [" << tileM << ", " << tileN << "]";
  std::pair<StringRef, int64_t> fields[] = {{"warpgroups", warpgroups}, {"stages", stages}, {"raster", raster},
                                            {"pacing", pacing},         {"split", split},   {"staged", staged},
                                            {"cluster", cluster},       {"turns", turns}};
  if (family != Family::Wgmma) {
    for (auto [name, value] : fields) // KS2
      if (value != 0)
        return emitError() << "schedule of family " << stringifyFamily(family) << " expects no " << name << ", got "
                           << value;
    return success();
  }
  for (auto [name, value] : fields) // KS3
    if (bool mayBeZero = name != "warpgroups" && name != "stages" && name != "raster"; value < (mayBeZero ? 0 : 1))
      return emitError() << "schedule of family wgmma expects " << (mayBeZero ? "no negative " : "a positive ") << name
                         << ", got " << value;
  if (staged > 1)
    return emitError() << "schedule expects staged to be 0 or 1, got " << staged;
  if (cluster != 0 && cluster != 2)
    return emitError() << "schedule expects a cluster of 0 or 2 CTAs, got " << cluster;
  if (turns > 1)
    return emitError() << "schedule expects turns to be 0 or 1, got " << turns;
  if (tileM % (64 * (turns ? 1 : warpgroups)) != 0)
    return emitError() << "schedule of family wgmma expects a multiple of 64 tile rows per warpgroup, got " << tileM
                       << " rows for " << warpgroups << " warpgroups";
  return success();
}
