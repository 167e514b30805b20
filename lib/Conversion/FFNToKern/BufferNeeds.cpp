//===- BufferNeeds.cpp - which layouts the readers of each value need ---------------------------------------------===//

#include "BufferNeeds.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Target/Cuda/Layout.h"

using namespace mlir;
using namespace winnow;

static int64_t toExtent(int64_t extent) { return ShapedType::isDynamic(extent) ? cuda::kTokens : extent; }

/// Element type of a dense or compressed matrix.
static Type elementTypeOf(Type type) {
  if (auto sparse = dyn_cast<ffn::Sparse24Type>(type))
    return sparse.getElementType();
  return cast<RankedTensorType>(type).getElementType();
}

/// Needs of the kernel result that the last operation of a product yields.
static BufferNeeds needsOfResult(const FunctionPlan &plan, const ffn::KernelForm &form) {
  return plan.needs.lookup(const_cast<ffn::KernelOp &>(form.kernel)->getResult(0));
}

/// The problem as the kernel will see it once its operands lie as section "Layouts" of docs/kernels.md wants them.
static kern::GemmProblem describe(const FunctionPlan &plan, const ffn::KernelForm &form, bool withSelection) {
  ffn::MatmulOp matmul = form.matmul;
  kern::GemmProblem problem;
  problem.m = toExtent(matmul.getM());
  problem.n = toExtent(matmul.getN());
  problem.k = toExtent(matmul.getK());
  problem.lhs = *kern::getElementType(elementTypeOf(matmul.getLhs().getType()));
  problem.rhs = *kern::getElementType(elementTypeOf(matmul.getRhs().getType()));
  problem.sparse = matmul.isSparse();
  problem.panel = problem.sparse ? plan.needs.lookup(form.outerValue(matmul.getLhs())).panel : 0;
  problem.lhsOrder = matmul.getTransposeLhs() ? kern::KOrder::padded : kern::KOrder::rowMajor;
  problem.rhsOrder = matmul.getTransposeRhs() ? kern::KOrder::rowMajor : kern::KOrder::padded;
  Value out = withSelection ? form.chainEnd : form.activated();
  problem.out = *kern::getElementType(elementTypeOf(out.getType()));
  problem.compress = withSelection && form.compress;
  problem.outPanel = problem.compress ? needsOfResult(plan, form).panel : 0;
  return problem;
}

static LogicalResult planGemm(FunctionPlan &plan, PlannedKernel &planned, const ScheduleContext &context) {
  const ffn::KernelForm &form = planned.form;
  ffn::MatmulOp matmul = form.matmul;
  auto decide = [&](bool withSelection) {
    kern::GemmProblem problem = describe(plan, form, withSelection);
    problem.expectedTokens = context.expectedTokens;
    return kern::decideSchedule(problem, context.tuning, context.chip);
  };
  // Where only the counts are read, nobody says how a compressed result should lie.
  bool unread = form.compress && needsOfResult(plan, form).panel == 0;
  Result<kern::ScheduleDecision> schedule = decide(/*withSelection=*/!unread);
  planned.splitSelection = unread;
  if (!schedule && form.compress && !unread) {
    planned.splitSelection = true;
    schedule = decide(/*withSelection=*/false);
  }
  if (!schedule)
    return matmul.emitOpError() << schedule.message()
                                << (matmul.isSparse() ? " (ffn-select-layout should have left it dense)" : "");
  planned.schedule = schedule->schedule;

  bool simt = planned.schedule.family == kern::Family::Simt;
  BufferNeeds &lhs = plan.needs[form.outerValue(matmul.getLhs())];
  if (matmul.isSparse())
    lhs.panel = planned.schedule.tileM;
  else if (matmul.getTransposeLhs() && !simt)
    lhs.transposed = true;
  else
    lhs.rowMajor = true;
  BufferNeeds &rhs = plan.needs[form.outerValue(matmul.getRhs())];
  if (!matmul.getTransposeRhs() && !simt)
    rhs.transposed = true;
  else
    rhs.rowMajor = true;
  for (Value scale : {matmul.getLhsScale(), matmul.getRhsScale()})
    if (scale)
      plan.needs[form.outerValue(scale)].rowMajor = true;
  return success();
}

FailureOr<FunctionPlan> winnow::planFunction(func::FuncOp function, const ScheduleContext &context) {
  if (!function.getBody().hasOneBlock())
    return function.emitOpError() << "expects a body of one block";
  auto isCompressed = [](Type type) { return isa<ffn::Sparse24Type>(type); };
  if (llvm::any_of(function.getArgumentTypes(), isCompressed) || llvm::any_of(function.getResultTypes(), isCompressed))
    return function.emitOpError()
           << "expects dense arguments and results: how a compressed matrix lies in memory is the "
              "compiler's choice; pass the dense matrix, or return it through ffn.decompress";

  FunctionPlan plan;
  for (Operation &op : function.getBody().front()) {
    if (auto kernel = dyn_cast<ffn::KernelOp>(op)) {
      FailureOr<ffn::KernelForm> form = ffn::readKernelForm(kernel);
      if (failed(form))
        return failure();
      plan.kernels.push_back(PlannedKernel{*form, static_cast<int64_t>(plan.kernels.size()), {}, false});
    } else if (!isa<arith::ConstantOp, func::ReturnOp>(op)) {
      return op.emitOpError() << "expects to be inside an ffn.kernel (ffn-form-kernels should have put it there)";
    }
  }
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    plan.needs[value].rowMajor = true;

  for (PlannedKernel &planned : llvm::reverse(plan.kernels)) {
    const ffn::KernelForm &form = planned.form;
    auto isNeeded = [&](Value result) { return plan.needs.lookup(result).any(); };
    if (llvm::none_of(planned.form.kernel->getResults(), isNeeded))
      continue; // Nothing reads it, so it is not launched.
    if (form.isGemm()) {
      if (failed(planGemm(plan, planned, context)))
        return failure();
    } else {
      plan.needs[form.input].rowMajor = true;
    }
    if (ffn::QuantizeOp quantize = form.quantize; quantize && !quantize.isDynamic())
      plan.needs[form.outerValue(quantize.getGivenScale())].rowMajor = true;
  }
  return plan;
}
