//===- RandomInputs.h - inputs for a function from a seed ---------------------------------------------------------===//

#ifndef WINNOW_INTERPRETER_RANDOMINPUTS_H
#define WINNOW_INTERPRETER_RANDOMINPUTS_H

#include "winnow/Interpreter/Tensor.h"
#include "winnow/Support/Result.h"

namespace winnow::interp {

/// What an argument of a function takes.
struct InputType {
  std::string name; ///< for messages
  rt::ElementType element = rt::ElementType::f32;
  std::vector<int64_t> shape; ///< -1 is the token count
  bool isWeight = false;
  int sparseAxis = -1; ///< as in Tensor
};

struct RandomOptions {
  int64_t tokens = 1;
  uint64_t seed = 0;
  /// Small integers, and powers of two for scales, so that the sum of a product of two inputs is exact in f32 whatever
  /// its order, and a device must agree with the reference bit for bit. (What is quantised dynamically in between is no
  /// longer small, so later products may differ in their last bits.)
  bool exact = false;
  /// The first rows of every wide matrix that is not a weight become, as far as there are rows: all +0.0, all -0.0, one
  /// NaN, one infinity, values so small that the scale is clamped.
  bool specialRows = false;
};

/// One tensor per argument, the same on every machine for the same seed, each drawn independently of how many there
/// are. Otherwise realistic: f32, bf16 and f16 matrices about normal with deviation 1 (weights: 1/sqrt of their
/// columns); f8 matrices about normal and filling the range of their type; scales positive, those that follow an f8
/// matrix such that a product over its columns with unit activations has deviation about 1; masks two of four. Fails
/// where a 2:4 argument or mask has no axis to lie along, or a shape is negative or too large to hold.
Result<std::vector<Tensor>> randomInputs(const std::vector<InputType> &types, const RandomOptions &options);

} // namespace winnow::interp

#endif // WINNOW_INTERPRETER_RANDOMINPUTS_H
