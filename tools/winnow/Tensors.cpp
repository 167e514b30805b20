//===- Tensors.cpp - inputs and results of a function as files ----------------------------------------------------===//

#include "Tensors.h"
#include "Tool.h"

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Spec/Spec.h"
#include "winnow/Support/Npy.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

Result<std::vector<interp::InputType>> tool::describeArguments(func::FuncOp function) {
  std::vector<interp::InputType> arguments;
  for (BlockArgument argument : function.getArguments()) {
    interp::InputType input;
    input.name = argumentName(function, argument.getArgNumber());
    input.isWeight = function.getArgAttr(argument.getArgNumber(), ffn::kWeightAttrName) != nullptr;
    Type type = argument.getType();
    if (auto sparse = dyn_cast<ffn::Sparse24Type>(type)) {
      input.sparseAxis = static_cast<int>(sparse.getAxis());
      type = sparse.getDenseType();
    }
    auto tensor = dyn_cast<RankedTensorType>(type);
    std::optional<rt::ElementType> element = tensor ? interp::elementTypeFor(tensor.getElementType()) : std::nullopt;
    if (!element) {
      std::string text;
      llvm::raw_string_ostream(text) << argument.getType();
      return Error{"argument '" + input.name + "' has type " + text + ", which has no values outside of a kernel"};
    }
    input.element = *element;
    for (int64_t extent : tensor.getShape())
      input.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
    arguments.push_back(std::move(input));
  }
  return arguments;
}

static std::string listNames(const std::vector<interp::InputType> &arguments) {
  std::string names;
  for (const interp::InputType &argument : arguments)
    names += (names.empty() ? "" : ", ") + argument.name;
  return names;
}

Result<std::map<unsigned, std::string>> tool::assignInputs(const std::vector<interp::InputType> &arguments,
                                                           const std::vector<std::string> &inputs) {
  std::map<unsigned, std::string> files;
  std::vector<std::string> positional;
  for (const std::string &input : inputs) {
    llvm::StringRef name, file;
    std::tie(name, file) = llvm::StringRef(input).split('=');
    auto found = llvm::find_if(arguments, [&](const interp::InputType &type) { return type.name == name; });
    if (file.empty() || (found == arguments.end() && llvm::sys::fs::exists(input))) {
      positional.push_back(input);
      continue;
    }
    if (found == arguments.end())
      return Error{"the function has no argument '" + name.str() + "'; it has " + listNames(arguments)};
    if (!files.emplace(found - arguments.begin(), file.str()).second)
      return Error{"argument '" + name.str() + "' is given twice"};
  }
  unsigned next = 0;
  for (const std::string &file : positional) {
    while (files.count(next))
      ++next;
    if (next >= arguments.size())
      return Error{"expected at most " + std::to_string(arguments.size()) + " inputs (" + listNames(arguments) +
                   "), got " + std::to_string(inputs.size())};
    files.emplace(next++, file);
  }
  return files;
}

/// Takes the token count from an input that has been read, or checks that it agrees.
static Status agreeOnTokens(const interp::InputType &type, const std::vector<int64_t> &shape, const std::string &file,
                            int64_t &tokens) {
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (type.shape[axis] != -1)
      continue;
    if (tokens == 0)
      tokens = shape[axis];
    if (tokens != shape[axis])
      return Error{"'" + file + "': expected " + std::to_string(tokens) + " tokens along axis " + std::to_string(axis) +
                   " of argument '" + type.name + "', got " + std::to_string(shape[axis])};
    if (tokens < 1 || tokens > INT32_MAX)
      return Error{"'" + file + "': expected a token count between 1 and 2147483647, got " + std::to_string(tokens)};
  }
  return {};
}

Result<std::vector<interp::TensorRef>> tool::makeInputs(const std::vector<interp::InputType> &arguments,
                                                        const std::map<unsigned, std::string> &files,
                                                        interp::RandomOptions options, bool dynamicTokens,
                                                        int64_t &tokens) {
  std::vector<interp::TensorRef> inputs(arguments.size());
  for (auto &[index, file] : files) {
    const interp::InputType &type = arguments[index];
    if (type.sparseAxis >= 0)
      return Error{"argument '" + type.name + "' is a compressed matrix, which no .npy file holds"};
    Result<NpyArray> array = readNpy(file, type.element, type.shape);
    if (!array)
      return array.error();
    if (Status status = agreeOnTokens(type, array->shape, file, tokens); !status)
      return status.error();
    auto tensor = std::make_shared<interp::Tensor>(type.element, array->shape);
    tensor->bytes() = std::move(array->bytes);
    inputs[index] = std::move(tensor);
  }
  if (dynamicTokens && tokens == 0)
    return Error{"the function takes any number of tokens: say how many with --tokens=N, or give its inputs with "
                 "--inputs"};

  options.tokens = std::max<int64_t>(tokens, 1);
  if (files.size() == arguments.size())
    return inputs;
  // All are drawn, so that an argument gets the same values whichever others are given; weights drawn for nothing would
  // be wasteful, hence a token tensor in their place.
  std::vector<interp::InputType> drawn = arguments;
  for (auto &entry : files)
    drawn[entry.first] = {arguments[entry.first].name, rt::ElementType::f32, {1}, false, -1};
  Result<std::vector<interp::Tensor>> random = interp::randomInputs(drawn, options);
  if (!random)
    return random.error();
  for (size_t index = 0; index < arguments.size(); ++index)
    if (!inputs[index])
      inputs[index] = std::make_shared<interp::Tensor>(std::move((*random)[index]));
  return inputs;
}

std::string tool::summarize(const interp::Tensor &tensor) {
  double squares = 0, largest = 0;
  int64_t zeros = 0, notFinite = 0;
  for (int64_t i = 0; i < tensor.count(); ++i) {
    double value = tensor.get(i);
    zeros += value == 0;
    notFinite += !std::isfinite(value);
    if (!std::isfinite(value))
      continue;
    squares += value * value;
    largest = std::max(largest, std::abs(value));
  }
  double count = std::max<double>(1, static_cast<double>(tensor.count()));
  std::string text;
  llvm::raw_string_ostream os(text);
  os << interp::typeText(tensor)
     << llvm::format("  max %.4g, rms %.4g, %.1f %% zero", largest, std::sqrt(squares / count), 100.0 * zeros / count);
  if (notFinite)
    os << ", " << notFinite << " not finite";
  os << "  [";
  constexpr int64_t kShown = 4;
  for (int64_t i = 0; i < std::min(tensor.count(), kShown); ++i)
    os << (i ? ", " : "") << llvm::format("%.4g", static_cast<double>(tensor.get(i)));
  os << (tensor.count() > kShown ? ", ...]" : "]");
  return text;
}

Status tool::writeResults(const std::vector<interp::Tensor> &results, const std::vector<std::string> &paths) {
  if (paths.empty())
    return {};
  std::vector<std::string> files = paths;
  bool folder = paths.size() == 1 && paths[0] != "-" &&
                (llvm::sys::fs::is_directory(paths[0]) || !llvm::StringRef(paths[0]).ends_with(".npy"));
  if (folder && llvm::sys::fs::exists(paths[0]) && !llvm::sys::fs::is_directory(paths[0]))
    folder = results.size() != 1; // a device or a file without the usual ending
  if (folder) {
    if (std::error_code code = llvm::sys::fs::create_directories(paths[0]))
      return Error{"could not create the folder '" + paths[0] + "': " + code.message()};
    files.clear();
    for (size_t i = 0; i < results.size(); ++i) {
      llvm::SmallString<128> path(paths[0]);
      llvm::sys::path::append(path, "result" + std::to_string(i) + ".npy");
      files.push_back(path.str().str());
    }
  }
  if (files.size() != results.size())
    return Error{"expected " + std::to_string(results.size()) + " output files, or one folder, got " +
                 std::to_string(files.size())};
  for (size_t i = 0; i < results.size(); ++i) {
    std::vector<uint8_t> bytes = formatNpy(results[i].element(), results[i].shape(), results[i].bytes());
    if (Status status = writeWhole(files[i], {reinterpret_cast<const char *>(bytes.data()), bytes.size()}); !status)
      return status;
  }
  return {};
}
