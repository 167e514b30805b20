//===- Tensors.h - inputs and results of a function as files ------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_TENSORS_H
#define WINNOW_TOOLS_WINNOW_TENSORS_H

#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Interpreter/RandomInputs.h"
#include "winnow/Support/Result.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <map>
#include <string>
#include <vector>

namespace winnow::tool {

/// What the arguments of `function` take. Fails for a type that has no host form.
Result<std::vector<interp::InputType>> describeArguments(mlir::func::FuncOp function);

/// Which argument each of the --inputs belongs to: "name=file" by name, a bare file by position among what is left.
Result<std::map<unsigned, std::string>> assignInputs(const std::vector<interp::InputType> &arguments,
                                                     const std::vector<std::string> &inputs);

/// Values of all arguments: those assigned are read, the others drawn by `options`. `tokens` is the token count or 0;
/// it is set from the files where it is 0, and must agree with them.
Result<std::vector<interp::TensorRef>> makeInputs(const std::vector<interp::InputType> &arguments,
                                                  const std::map<unsigned, std::string> &files,
                                                  interp::RandomOptions options, bool dynamicTokens, int64_t &tokens);

/// One line about the contents: type, largest magnitude, root mean square, zeros, first elements.
std::string summarize(const interp::Tensor &tensor);

/// Writes results as .npy: to `paths` one by one, or into the folder that is the only path.
Status writeResults(const std::vector<interp::Tensor> &results, const std::vector<std::string> &paths);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_TENSORS_H
