//===- Constants.cpp - tensors from attributes, element types -----------------------------------------------------===//

#include "winnow/Interpreter/Interpreter.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir;

namespace winnow::interp {

std::optional<rt::ElementType> elementTypeFor(Type type) {
  return llvm::TypeSwitch<Type, std::optional<rt::ElementType>>(type)
      .Case<Float32Type>([](auto) { return rt::ElementType::f32; })
      .Case<BFloat16Type>([](auto) { return rt::ElementType::bf16; })
      .Case<Float16Type>([](auto) { return rt::ElementType::f16; })
      .Case<Float8E4M3FNType>([](auto) { return rt::ElementType::f8e4m3; })
      .Case<Float8E5M2Type>([](auto) { return rt::ElementType::f8e5m2; })
      .Case<IntegerType>([](IntegerType integer) -> std::optional<rt::ElementType> {
        if (integer.isSignless() && integer.getWidth() == 1)
          return rt::ElementType::i1;
        if (integer.isSignless() && integer.getWidth() == 32)
          return rt::ElementType::i32;
        return std::nullopt;
      })
      .Default([](Type) { return std::nullopt; });
}

/// That of an input: counts are none.
static std::optional<rt::ElementType> inputElementFor(Type type) {
  std::optional<rt::ElementType> element = elementTypeFor(type);
  return element == rt::ElementType::i32 ? std::nullopt : element;
}

/// The bits of `value`, little endian, into `out`.
static void storeBits(const llvm::APInt &value, int64_t bytes, uint8_t *out) {
  uint64_t bits = value.getZExtValue();
  std::memcpy(out, &bits, bytes);
}

static llvm::Expected<Tensor> fromElements(DenseElementsAttr elements, rt::ElementType element,
                                           std::vector<int64_t> shape, Location loc) {
  Tensor tensor(element, std::move(shape));
  int64_t bytes = elementBytes(element), index = 0;
  auto fill = [&](auto values, auto toBits) {
    for (const auto &value : values)
      storeBits(toBits(value), bytes, tensor.bytes().data() + bytes * index++);
  };
  if (element == rt::ElementType::i1 || element == rt::ElementType::i32)
    fill(elements.getValues<llvm::APInt>(), [](const llvm::APInt &value) { return value; });
  else
    fill(elements.getValues<llvm::APFloat>(), [](const llvm::APFloat &value) { return value.bitcastToAPInt(); });
  return tensor;
}

llvm::Expected<Tensor> tensorFromAttribute(TypedAttr attribute, Location loc) {
  auto type = dyn_cast<RankedTensorType>(attribute.getType());
  std::optional<rt::ElementType> element = type ? elementTypeFor(type.getElementType()) : std::nullopt;
  if (!element || !type.hasStaticShape()) {
    std::string text;
    llvm::raw_string_ostream(text) << attribute.getType();
    return errorAt(loc, "the interpreter expects a constant tensor of f32, bf16, f16, f8E4M3FN, f8E5M2, i1 or i32 with "
                        "static extents, got " +
                            text);
  }
  std::vector<int64_t> shape(type.getShape().begin(), type.getShape().end());
  if (auto elements = dyn_cast<DenseElementsAttr>(attribute))
    return fromElements(elements, *element, std::move(shape), loc);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    Tensor tensor(*element, std::move(shape));
    size_t found = blob ? blob->getData().size() : 0;
    if (*element != rt::ElementType::i1 && found == tensor.bytes().size()) {
      std::memcpy(tensor.bytes().data(), blob->getData().data(), found);
      return tensor;
    }
    return errorAt(loc, "the interpreter expects a resource of " + llvm::Twine(tensor.bytes().size()) +
                            " bytes of a floating-point type, got " + llvm::Twine(found));
  }
  return errorAt(loc, "the interpreter expects a dense constant");
}

llvm::Expected<InputType> inputTypeFor(Type type, const llvm::Twine &name, Location loc) {
  InputType input;
  input.name = name.str();
  auto sparse = dyn_cast<ffn::Sparse24Type>(type);
  auto dense = sparse ? sparse.getDenseType() : dyn_cast<RankedTensorType>(type);
  std::optional<rt::ElementType> element = dense ? inputElementFor(dense.getElementType()) : std::nullopt;
  if (!element) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return errorAt(loc, "'" + name + "' expects a tensor of f32, bf16, f16, f8E4M3FN, f8E5M2 or i1, got " + text);
  }
  input.element = *element;
  for (int64_t extent : dense.getShape())
    input.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  input.sparseAxis = sparse ? static_cast<int>(sparse.getAxis()) : -1;
  return input;
}

llvm::Expected<std::vector<InputType>> argumentTypes(func::FuncOp function) {
  std::vector<InputType> types;
  for (auto [index, argument] : llvm::enumerate(function.getArguments())) {
    auto name = dyn_cast<NameLoc>(argument.getLoc());
    llvm::Expected<InputType> type = inputTypeFor(
        argument.getType(), name ? name.getName().str() : "arg" + std::to_string(index), function.getLoc());
    if (!type)
      return type.takeError();
    type->isWeight = static_cast<bool>(function.getArgAttr(index, ffn::kWeightAttrName));
    types.push_back(std::move(*type));
  }
  return types;
}

} // namespace winnow::interp
