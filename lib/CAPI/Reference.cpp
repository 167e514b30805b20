//===- Reference.cpp - evaluating modules on the CPU from C -------------------------------------------------------===//

#include "winnow-c/Reference.h"

#include "Module.h"

#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Spec/Spec.h"

#include <cstring>

using namespace mlir;
using namespace winnow;
using namespace winnow::capi;

/// The shape of a tensor that a caller handed in; an error where it cannot be one.
static Result<std::vector<int64_t>> checkedShape(const winnow_host_tensor &tensor, const std::string &what) {
  if (tensor.element < WINNOW_F32 || tensor.element > WINNOW_U8)
    return Error{what + ": expected an element type from 0 to 7, got " + std::to_string(tensor.element)};
  if (tensor.rank > 2 || (tensor.rank && !tensor.shape))
    return Error{what + ": expected a shape of rank 0, 1 or 2, got rank " + std::to_string(tensor.rank)};
  std::vector<int64_t> shape(tensor.shape, tensor.shape + tensor.rank);
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent < 1 || extent > INT32_MAX)
      return Error{what + ": expected extents from 1 to 2147483647, got " + interp::shapeText(shape)};
    count *= extent;
  }
  if (!tensor.data)
    return Error{what + ": expected " + std::to_string(count) + " elements, got a null pointer"};
  return shape;
}

static winnow_error *interpret(const winnow_module &module, const char *entry, const winnow_host_tensor *inputs,
                               size_t inputCount, const winnow_host_tensor *outputs, size_t outputCount) {
  if (module.level == WINNOW_LEVEL_KERN)
    return makeError("expected a module at level spec or ffn, got one at level kern, which only a GPU can run");
  Result<func::FuncOp> function = findEntry(*module.module, entry ? entry : "");
  if (!function)
    return makeError(function.message());
  FunctionType type = function->getFunctionType();
  if (inputCount != type.getNumInputs() || outputCount != type.getNumResults())
    return makeError("@" + function->getSymName().str() + " expects " + std::to_string(type.getNumInputs()) +
                     " inputs and " + std::to_string(type.getNumResults()) + " outputs, got " +
                     std::to_string(inputCount) + " and " + std::to_string(outputCount));
  if ((!inputs && inputCount) || (!outputs && outputCount))
    return gotNull("arrays of inputs and outputs");

  llvm::SmallVector<interp::TensorRef> values;
  for (size_t i = 0; i < inputCount; ++i) {
    Result<std::vector<int64_t>> shape = checkedShape(inputs[i], "input " + std::to_string(i));
    if (!shape)
      return makeError(shape.message());
    auto tensor = std::make_shared<interp::Tensor>(static_cast<rt::ElementType>(inputs[i].element), std::move(*shape));
    std::memcpy(tensor->bytes().data(), inputs[i].data, tensor->bytes().size());
    values.push_back(std::move(tensor));
  }
  auto results = interp::interpret(*function, values);
  if (!results)
    return makeError(llvm::toString(results.takeError()));
  for (size_t i = 0; i < outputCount; ++i) {
    Result<std::vector<int64_t>> shape = checkedShape(outputs[i], "output " + std::to_string(i));
    if (!shape)
      return makeError(shape.message());
    auto element = static_cast<rt::ElementType>(outputs[i].element);
    const interp::Tensor &result = *(*results)[i];
    if (result.sparseAxis >= 0 || result.element() != element || result.shape() != *shape)
      return makeError("output " + std::to_string(i) + ": expected room for " + interp::typeText(result) + ", got " +
                       interp::shapeText(*shape) + "x" + interp::elementName(element));
  }
  for (size_t i = 0; i < outputCount; ++i) {
    const std::vector<uint8_t> &bytes = (*results)[i]->bytes();
    std::memcpy(outputs[i].data, bytes.data(), bytes.size());
  }
  return nullptr;
}

static winnow_error *fillRandom(const winnow_module &module, const char *entry, uint64_t seed,
                                const winnow_host_tensor *inputs, size_t count) {
  Result<func::FuncOp> function = findEntry(*module.module, entry ? entry : "");
  if (!function)
    return makeError(function.message());
  llvm::Expected<std::vector<interp::InputType>> types = interp::argumentTypes(*function);
  if (!types)
    return makeError(llvm::toString(types.takeError()));
  if (count != types->size() || (count && !inputs))
    return makeError("expected " + std::to_string(types->size()) + " inputs, got " +
                     std::to_string(inputs ? count : 0));
  interp::RandomOptions options;
  options.seed = seed;
  for (size_t i = 0; i < count; ++i) {
    Result<std::vector<int64_t>> shape = checkedShape(inputs[i], "input " + std::to_string(i));
    if (!shape)
      return makeError(shape.message());
    for (size_t axis = 0; axis < std::min(shape->size(), (*types)[i].shape.size()); ++axis)
      if ((*types)[i].shape[axis] < 0)
        options.tokens = (*shape)[axis];
  }
  Result<std::vector<interp::Tensor>> values = interp::randomInputs(*types, options);
  if (!values)
    return makeError(values.message());
  for (size_t i = 0; i < count; ++i) {
    const interp::Tensor &value = (*values)[i];
    if (std::vector<int64_t>(inputs[i].shape, inputs[i].shape + inputs[i].rank) != value.shape() ||
        static_cast<rt::ElementType>(inputs[i].element) != value.element())
      return makeError("input " + std::to_string(i) + ": expected room for " + interp::typeText(value));
  }
  for (size_t i = 0; i < count; ++i)
    std::memcpy(inputs[i].data, (*values)[i].bytes().data(), (*values)[i].bytes().size());
  return nullptr;
}

extern "C" winnow_error *winnow_module_random_inputs(const winnow_module *module, const char *entry, uint64_t seed,
                                                     const winnow_host_tensor *inputs, size_t input_count) {
  if (!module)
    return gotNull("a module");
  return inContext(*module->state, [&] { return fillRandom(*module, entry, seed, inputs, input_count); });
}

extern "C" winnow_error *winnow_module_interpret(const winnow_module *module, const char *entry,
                                                 const winnow_host_tensor *inputs, size_t input_count,
                                                 const winnow_host_tensor *outputs, size_t output_count) {
  if (!module)
    return gotNull("a module");
  return inContext(*module->state,
                   [&] { return interpret(*module, entry, inputs, input_count, outputs, output_count); });
}
