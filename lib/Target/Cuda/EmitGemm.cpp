//===- EmitGemm.cpp - matrix products as CUDA C++ -----------------------------------------------------------------===//

#include "EmitDetail.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Target/Cuda/Layout.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

/// 0 none, 1 one number, 2 a vector.
static int64_t scaleMode(std::optional<kern::BufferType> type) { return !type ? 0 : type->getShape().empty() ? 1 : 2; }

/// 0 none, 1 tensor, 2 row, 3 column.
static int64_t outScaleMode(kern::GemmOp op) {
  if (!op.getOutScale())
    return 0;
  return *op.getOutGranularity() == "tensor" ? 1 : *op.getOutGranularity() == "row" ? 2 : 3;
}

/// Leading dimension of a `transposed` operand, for simt kernels; natural otherwise.
static std::string pitchText(kern::BufferType type) {
  int64_t rows = kern::getExtents(type).rows;
  if (rows == kTokens)
    return "(tokens + 127) / 128 * 128";
  return std::to_string(roundUp(rows, kPitchStep));
}

static LogicalResult emitConfig(SourceStream &stream, kern::GemmOp op, const kern::GemmProblem &problem) {
  kern::ScheduleAttr schedule = *op.getSchedule();
  auto lhs = cast<kern::BufferType>(op.getLhs()), rhs = cast<kern::BufferType>(op.getRhs());
  FailureOr<std::string> out = getTag(op, cast<kern::BufferType>(op.getOut()).getElementType());
  FailureOr<std::string> lhsTag = getTag(op, lhs.getElementType()), rhsTag = getTag(op, rhs.getElementType());
  if (failed(out) || failed(lhsTag) || failed(rhsTag))
    return failure();

  SourceStream::Scope structure(stream, "struct Config {", "};");
  if (schedule.getFamily() == kern::Family::Wgmma) {
    stream.line("using Instruction = ::Instruction;");
    emitConstant(stream, "kTileM", schedule.getTileM());
    emitConstant(stream, "kTileN", schedule.getTileN());
    emitConstant(stream, "kWarpgroups", schedule.getWarpgroups());
    emitConstant(stream, "kStages", schedule.getStages());
    emitConstant(stream, "kRaster", schedule.getRaster());
    emitConstant(stream, "kPacing", schedule.getPacing());
    kern::GemmSchedule plain = kern::toSchedule(schedule);
    emitConstant(stream, "kSplit", schedule.getSplit());
    emitConstant(stream, "kSplitCost", kern::splitCost(problem, plain));
    emitConstant(stream, "kSplitStream", kern::splitStream(problem, plain));
    emitConstant(stream, "kSplitSlots", kern::splitSlots(plain));
    emitConstant(stream, "kSplitCounters", kern::splitCounters(plain));
    emitConstant(stream, "kStaged", schedule.getStaged());
    emitConstant(stream, "kCluster", kern::clusterSize(plain));
    emitConstant(stream, "kTurns", schedule.getTurns());
    emitConstant(stream, "kElementBytes", elementBytes(problem.lhs));
    emitConstant(stream, "kSparse", problem.sparse);
    emitConstant(stream, "kRhsPermuted", isRhsPermuted(op));
  } else {
    emitConstant(stream, "kTileM", schedule.getTileM());
    emitConstant(stream, "kTileN", schedule.getTileN());
    stream.line("using Lhs = " + *lhsTag + ";");
    stream.line("using Rhs = " + *rhsTag + ";");
    // A `transposed` buffer is the transposed matrix, row-major with a pitch.
    emitConstant(stream, "kLhsTransposed", op.getTransposeLhs() != lhs.isTransposed());
    emitConstant(stream, "kRhsTransposed", op.getTransposeRhs() != rhs.isTransposed());
  }
  emitConstant(stream, "kLhsScale", scaleMode(op.getLhsScale()));
  emitConstant(stream, "kRhsScale", scaleMode(op.getRhsScale()));
  emitConstant(stream, "kOutScale", outScaleMode(op));
  stream.line("using Out = " + *out + ";");
  emitConstant(stream, "kCompress", problem.compress);
  emitConstant(stream, "kOutPanel", problem.outPanel);
  emitCountConfig(stream, op);
  return success();
}

LogicalResult cuda::emitGemm(SourceStream &stream, kern::GemmOp op) {
  FailureOr<kern::GemmProblem> problem = kern::describe(op);
  if (failed(problem))
    return failure();
  kern::ScheduleAttr schedule = *op.getSchedule();
  bool wgmma = schedule.getFamily() == kern::Family::Wgmma;
  if (wgmma) {
    const MmaInstruction *instruction = findInstruction(problem->sparse, problem->lhs, problem->rhs);
    if (!instruction)
      return op.emitOpError() << "has no matrix instruction (kern-verify-emittable should have rejected it)";
    emitInstruction(stream, *instruction, schedule.getTileN());
    stream.line();
  }
  if (failed(emitCounted(stream, op)) || failed(emitConfig(stream, op, *problem)))
    return failure();
  stream.line();
  Type out = cast<kern::BufferType>(op.getOut()).getElementType();
  bool storedAtOnce = !problem->compress && !op.getOutScale() && (!op.getCounts() || countsStored(op));
  if (failed(emitScalarFunction(stream, "Epilogue", op.getEpilogue(), storedAtOnce ? out : Type())))
    return failure();
  stream.line();

  std::string attributes =
      "__launch_bounds__(" + (wgmma ? std::to_string((schedule.getWarpgroups() + 1) * 128) + ", 1" : "256") + ")";
  if (int64_t cluster = kern::clusterSize(kern::toSchedule(schedule)); cluster > 1)
    attributes = "__cluster_dims__(" + std::to_string(cluster) + ", 1, 1) " + attributes;
  SmallVector<Parameter> parameters = getParameters(op);
  SourceStream::Scope function(stream, entryOpening(op.getSymName(), attributes, parameters), "}");
  stream.line("winnow::ptx::let_next_launch_begin();");
  if (!wgmma)
    stream.line("winnow::ptx::wait_for_launches_before();");
  stream.line("winnow::GemmArguments arguments;");
  for (const Parameter &parameter : parameters)
    if (parameter.kind == Parameter::Kind::buffer || parameter.kind == Parameter::Kind::progress ||
        parameter.kind == Parameter::Kind::partials)
      stream.line(llvm::Twine("arguments.") + parameter.name + " = " + parameter.name + ";");
  stream.line("arguments.m = " + extentText(problem->m) + ";");
  stream.line("arguments.n = " + extentText(problem->n) + ";");
  stream.line("arguments.k = " + extentText(problem->k) + ";");
  if (wgmma) {
    stream.line(llvm::Twine("winnow::gemm_wgmma<Config, Epilogue>(arguments, ") +
                (problem->sparse ? "nullptr" : "&lhs_map") + ", &rhs_map" + (schedule.getStaged() ? ", &out_map" : "") +
                ");");
    return success();
  }
  if (auto lhs = cast<kern::BufferType>(op.getLhs()); lhs.isTransposed())
    stream.line("arguments.lhs_pitch = " + pitchText(lhs) + ";");
  if (auto rhs = cast<kern::BufferType>(op.getRhs()); rhs.isTransposed())
    stream.line("arguments.rhs_pitch = " + pitchText(rhs) + ";");
  stream.line("winnow::gemm_simt<Config, Epilogue>(arguments);");
  return success();
}
