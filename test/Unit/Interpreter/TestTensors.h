//===- TestTensors.h - tensors written out in tests ---------------------------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_INTERPRETER_TESTTENSORS_H
#define WINNOW_TEST_UNIT_INTERPRETER_TESTTENSORS_H

#include "winnow/Interpreter/Tensor.h"

#include <random>

namespace winnow::interp {

inline Tensor makeTensor(rt::ElementType element, std::vector<int64_t> shape, std::vector<float> values) {
  Tensor tensor(element, std::move(shape));
  tensor.narrow(0, tensor.count(), values.data());
  return tensor;
}

inline std::vector<float> valuesOf(const Tensor &tensor) {
  std::vector<float> values(tensor.count());
  tensor.widen(0, tensor.count(), values.data());
  return values;
}

inline Tensor randomTensor(rt::ElementType element, std::vector<int64_t> shape, unsigned seed) {
  Tensor tensor(element, std::move(shape));
  std::mt19937 random(seed);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.set(i, float(int(random() % 2001) - 1000) / 250.0f);
  return tensor;
}

} // namespace winnow::interp

#endif // WINNOW_TEST_UNIT_INTERPRETER_TESTTENSORS_H
