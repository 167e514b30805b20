//===- Support.cpp - arguments and arrays in C and in Python ------------------------------------------------------===//

#include "Support.h"

using namespace winnow::python;

/// In the order of winnow_element_type; numpy's names, with those of ml_dtypes.
static constexpr const char *kElementNames[] = {"float32",     "bfloat16", "float16", "float8_e4m3fn",
                                                "float8_e5m2", "bool",     "int32",   "uint8"};

Argument winnow::python::toArgument(const winnow_argument &argument) {
  return {argument.name, kElementNames[argument.element],
          std::vector<int64_t>(argument.shape, argument.shape + argument.rank), argument.is_weight != 0};
}

static winnow_element_type elementCalled(const std::string &name) {
  for (int i = WINNOW_F32; i <= WINNOW_U8; ++i)
    if (name == kElementNames[i])
      return static_cast<winnow_element_type>(i);
  throw Failure("unknown element type '" + name + "'");
}

std::vector<winnow_host_tensor> winnow::python::toHostTensors(const std::vector<HostArray> &arrays) {
  std::vector<winnow_host_tensor> tensors;
  for (const auto &[address, element, shape] : arrays)
    tensors.push_back({elementCalled(element), shape.size(), shape.data(), reinterpret_cast<void *>(address)});
  return tensors;
}
