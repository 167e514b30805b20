//===- ChooseSchedule.cpp - give every kernel a schedule ----------------------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Dialect/Kern/Transforms/Passes.h"
#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::kern;

namespace winnow::kern {
#define GEN_PASS_DEF_KERNCHOOSESCHEDULEPASS
#include "winnow/Dialect/Kern/Transforms/Passes.h.inc"
} // namespace winnow::kern

static remark::RemarkOpts remarkOptions(StringRef kernel) {
  return remark::RemarkOpts::name("schedule").category("kern-choose-schedule").function(kernel);
}

/// What became of the candidates: "256 x 192: 1.2e6 clocks; 64 x 128: …".
static std::string describeCandidates(const GemmProblem &problem) {
  std::string text;
  for (const ScheduleCandidate &candidate : enumerateSchedules(problem)) {
    text += (text.empty() ? "" : "; ") + toString(candidate.schedule) + ": ";
    text += candidate.illegal.empty() ? llvm::formatv("{0} clocks", static_cast<int64_t>(candidate.clocks)).str()
                                      : candidate.illegal;
  }
  return text;
}

namespace {

struct KernChooseSchedulePass : winnow::kern::impl::KernChooseSchedulePassBase<KernChooseSchedulePass> {
  using Base::Base;

  LogicalResult choose(GemmOp op) {
    FailureOr<GemmProblem> problem = describe(op);
    if (failed(problem))
      return failure();
    if (tokens > 0)
      problem->expectedTokens = tokens;
    Result<ScheduleDecision> decision = decideSchedule(*problem, tuned, target.getValue());
    if (!decision)
      return op.emitOpError() << decision.message();
    op.setScheduleAttr(toAttribute(op.getContext(), decision->schedule));
    for (const std::string &unused : decision->unused)
      remark::missed(op.getLoc(), remarkOptions(op.getSymName())) << unused;
    std::string reason = toString(*problem) + ": " + toString(decision->schedule);
    if (decision->tuned)
      reason += llvm::formatv(", raster {0}, pacing {1}; tuned: {2}", decision->schedule.raster,
                              decision->schedule.pacing, describeMeasurement(*decision->tuned));
    remark::passed(op.getLoc(), remarkOptions(op.getSymName()))
        << reason + "; considered: " + describeCandidates(*problem);
    return success();
  }

  static std::string describeRows(MapOp op) {
    std::optional<RowSlices> slices = getRowSlices(op);
    if (!slices)
      return "whole rows suffice";
    return "8 rows are shared by " + std::to_string(slices->count) + " CTAs, " + std::to_string(slices->columns) +
           " columns each";
  }

  LogicalResult choose(MapOp op) {
    std::string whyNotRow = whyIllegal(op, Family::Row);
    Family family = whyNotRow.empty() ? Family::Row : Family::Patch;
    if (std::string why = whyIllegal(op, family); !why.empty())
      return op.emitOpError() << "no family of map kernels can do its work: " << why;
    op.setScheduleAttr(getMapSchedule(op, family));
    remark::passed(op.getLoc(), remarkOptions(op.getSymName()))
        << (family == Family::Row ? "family row: " + describeRows(op) : whyNotRow);
    return success();
  }

  template <typename Op> WalkResult chooseIfOpen(Op op) {
    if (op.getSchedule()) {
      remark::analysis(op.getLoc(), remarkOptions(op.getSymName())) << "the schedule was given";
      return WalkResult::advance();
    }
    return failed(choose(op)) ? WalkResult::interrupt() : WalkResult::advance();
  }

  Tuning tuned;

  void runOnOperation() override {
    Result<Tuning> opened = Tuning::open(tuning);
    if (!opened) {
      getOperation().emitError() << opened.message();
      return signalPassFailure();
    }
    tuned = std::move(*opened);
    auto products = getOperation().walk([&](GemmOp op) { return chooseIfOpen(op); });
    auto maps = getOperation().walk([&](MapOp op) { return chooseIfOpen(op); });
    if (products.wasInterrupted() || maps.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
