//===- Signature.cpp - what functions take and give, for C --------------------------------------------------------===//

#include "Module.h"

#include "winnow/Dialect/FFN/Analysis/TokenDependence.h"
#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Spec/Spec.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::capi;

static ArgumentInfo describe(std::string name, Type type, bool isWeight) {
  ArgumentInfo info;
  info.buffer.name = std::move(name);
  info.buffer.isWeight = isWeight;
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::optional<rt::ElementType> element = tensor ? interp::elementTypeFor(tensor.getElementType()) : std::nullopt;
  if (!element) {
    llvm::raw_string_ostream(info.problem)
        << "'" << info.buffer.name << "' is a " << type << ", which has no plain row-major form to hand over";
    return info;
  }
  info.buffer.element = *element;
  for (int64_t extent : tensor.getShape())
    info.buffer.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  return info;
}

std::vector<FunctionInfo> capi::describeFunctions(ModuleOp module) {
  std::vector<FunctionInfo> functions;
  for (auto function : module.getOps<func::FuncOp>()) {
    FunctionInfo info;
    info.name = function.getSymName().str();
    FunctionType type = function.getFunctionType();
    info.inputs = type.getNumInputs();
    for (auto [index, input] : llvm::enumerate(type.getInputs()))
      info.arguments.push_back(
          describe(argumentName(function, index), input, bool(function.getArgAttr(index, "ffn.weight"))));
    for (auto [index, output] : llvm::enumerate(type.getResults()))
      info.arguments.push_back(describe("result" + std::to_string(index), output, /*isWeight=*/false));
    info.tokenWise = ffn::isTokenWise(function);
    functions.push_back(std::move(info));
  }
  return functions;
}
