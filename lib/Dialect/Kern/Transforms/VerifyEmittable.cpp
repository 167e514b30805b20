//===- VerifyEmittable.cpp - the gate before emission -------------------------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Dialect/Kern/Transforms/Passes.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::kern;

namespace winnow::kern {
#define GEN_PASS_DEF_KERNVERIFYEMITTABLEPASS
#include "winnow/Dialect/Kern/Transforms/Passes.h.inc"
} // namespace winnow::kern

static LogicalResult verifyRegion(Operation *kernel, Region &region) {
  for (Operation &op : region.front())
    if (!isScalarOperation(&op))
      return op.emitOpError()
             << "cannot be written as CUDA in an element-wise region (rule 5; convert-ffn-to-kern should "
                "have built the region from operations that can)";
  return success();
}

static LogicalResult verifyGemm(GemmOp op) {
  if (!op.getSchedule())
    return op.emitOpError() << "expects a schedule (rule 2; kern-choose-schedule should have set it)";
  FailureOr<GemmProblem> problem = describe(op);
  if (failed(problem))
    return failure();
  if (std::string why = whyIllegal(*problem, toSchedule(*op.getSchedule())); !why.empty())
    return op.emitOpError() << "has an illegal schedule: " << why
                            << " (rule 3; kern-choose-schedule chooses only legal ones)";
  if (op.getCounts() && failed(verifyRegion(op, op.getCounted())))
    return failure();
  return verifyRegion(op, op.getEpilogue());
}

static LogicalResult verifyMap(MapOp op) {
  if (!op.getSchedule())
    return op.emitOpError() << "expects a schedule (rule 2; kern-choose-schedule should have set it)";
  if (std::string why = whyIllegal(op, op.getSchedule()->getFamily()); !why.empty())
    return op.emitOpError() << "has an illegal schedule: " << why
                            << " (rule 4; convert-ffn-to-kern should have split the kernel)";
  if (std::optional<RowSlices> slices = getRowSlices(op))
    if (std::string why = whyNotSliced(op, slices->columns); !why.empty())
      return op.emitOpError() << "has an illegal schedule: " << why
                              << " (rule 4; kern-choose-schedule chooses only legal ones)";
  return verifyRegion(op, op.getBody());
}

static LogicalResult verifyProgram(ProgramOp op) {
  auto verifyBuffer = [&](Value buffer, Operation *at) -> LogicalResult {
    auto type = cast<BufferType>(buffer.getType());
    if (getBytes(type))
      return success();
    return at->emitOpError() << "has a buffer whose size is not linear in the token count, " << type
                             << " (rule 6; at most one extent of a buffer may be dynamic)";
  };
  for (BlockArgument argument : op.getBody().front().getArguments())
    if (failed(verifyBuffer(argument, op)))
      return failure();
  for (Operation &inner : op.getBody().front())
    for (Value result : inner.getResults())
      if (failed(verifyBuffer(result, &inner)))
        return failure();
  return success();
}

namespace {

struct KernVerifyEmittablePass : winnow::kern::impl::KernVerifyEmittablePassBase<KernVerifyEmittablePass> {
  void runOnOperation() override {
    for (Operation &op : *getOperation().getBody()) {
      LogicalResult result = success();
      if (auto gemm = dyn_cast<GemmOp>(op))
        result = verifyGemm(gemm);
      else if (auto map = dyn_cast<MapOp>(op))
        result = verifyMap(map);
      else if (auto program = dyn_cast<ProgramOp>(op))
        result = verifyProgram(program);
      else
        result =
            op.emitOpError() << "expects to be gone here: only kern.program, kern.gemm and kern.map are emitted (rule "
                                "1; convert-ffn-to-kern should have converted it)";
      if (failed(result))
        return signalPassFailure();
    }
  }
};

} // namespace
