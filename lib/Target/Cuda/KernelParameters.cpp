//===- KernelParameters.cpp - the parameter lists of kernels ------------------------------------------------------===//

#include "winnow/Target/Cuda/KernelParameters.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

static constexpr const char *kTensorMapType = "const __grid_constant__ winnow::TensorMap ";

SmallVector<Parameter> cuda::getParameters(kern::GemmOp op) {
  using Kind = Parameter::Kind;
  SmallVector<Parameter> parameters;
  bool sparse = cast<kern::BufferType>(op.getLhs()).isPacked24();
  if (op.getSchedule()->getFamily() == kern::Family::Wgmma) {
    if (!sparse)
      parameters.push_back({Kind::lhsMap, kTensorMapType, "lhs_map", 0});
    parameters.push_back({Kind::rhsMap, kTensorMapType, "rhs_map", 1});
    if (sparse)
      parameters.push_back({Kind::buffer, "const unsigned char *", "lhs", 0});
  } else {
    parameters.push_back({Kind::buffer, "const void *", "lhs", 0});
    parameters.push_back({Kind::buffer, "const void *", "rhs", 1});
  }
  unsigned operand = 2;
  if (op.getLhsScale())
    parameters.push_back({Kind::buffer, "const float *", "lhs_scale", operand++});
  if (op.getRhsScale())
    parameters.push_back({Kind::buffer, "const float *", "rhs_scale", operand++});
  if (op.getOutScale())
    parameters.push_back({Kind::buffer, "const float *", "out_scale", operand++});
  if (op.getSchedule()->getStaged())
    parameters.push_back({Kind::outMap, kTensorMapType, "out_map", operand});
  else
    parameters.push_back({Kind::buffer, "void *", "out", operand});
  if (op.getCounts())
    parameters.push_back({Kind::buffer, "unsigned *", "counts", operand + 1});
  if (op.getSchedule()->getPacing() > 0 || op.getSchedule()->getSplit() > 1)
    parameters.push_back({Kind::progress, "unsigned *", "progress"});
  if (op.getSchedule()->getSplit() > 1)
    parameters.push_back({Kind::partials, "void *", "partials"});
  parameters.push_back({Kind::tokens, "int ", "tokens"});
  return parameters;
}

SmallVector<Parameter> cuda::getParameters(kern::MapOp op) {
  using Kind = Parameter::Kind;
  SmallVector<Parameter> parameters{{Kind::buffer, "const void *", "input", 0}};
  if (op.getScaleMode() == "scale_only") {
    parameters.push_back({Kind::buffer, "float *", "scale", 1});
    parameters.push_back({Kind::buffer, "unsigned *", "counter", 2});
  } else if (op.getScaleMode() == "count_only") {
    parameters.push_back({Kind::buffer, "unsigned *", "counts", 1});
  } else {
    unsigned operand = 1;
    if (op.getScale())
      parameters.push_back({Kind::buffer, "float *", "scale", operand++});
    static constexpr const char *kNames[] = {"out0", "out1", "out2"};
    for (unsigned i = 0; i < op.getOutputs().size(); ++i)
      parameters.push_back({Kind::buffer, "void *", kNames[i], operand++});
  }
  parameters.push_back({Kind::tokens, "int ", "tokens"});
  return parameters;
}

bool cuda::isRhsPermuted(kern::GemmOp op) {
  auto rhs = cast<kern::BufferType>(op.getRhs());
  int64_t n = rhs.getShape()[op.getTransposeRhs() ? 0 : 1];
  return !ShapedType::isDynamic(n) && n % 32 == 0;
}
