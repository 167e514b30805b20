//===- Remarks.cpp - the compiler's decisions, gathered -----------------------------------------------------------===//

#include "Remarks.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Remarks.h"

#include <algorithm>
#include <mutex>
#include <tuple>

using namespace mlir;
using namespace winnow::tool;

static std::string locationText(Location location) {
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    return file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  return "<unknown>";
}

namespace {
class Recorder : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Recorder(std::shared_ptr<std::vector<RemarkRecord>> log) : log(std::move(log)) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    RemarkRecord record{remark.getRemarkTypeString().str(),
                        remark.getCombinedCategoryName().str(),
                        remark.getRemarkName().str(),
                        remark.getMsg(),
                        locationText(remark.getLocation()),
                        "",
                        {}};
    for (const remark::detail::Remark::Arg &arg : remark.getArgs())
      if (arg.key == "Reason" || arg.key == "Remark")
        record.reason += (record.reason.empty() ? "" : " ") + arg.val;
      else
        record.metrics[arg.key] = arg.val;
    record.message = record.reason;
    for (const auto &[key, value] : record.metrics)
      record.message += " [" + key + " " + value + "]";
    auto same = [&](const RemarkRecord &other) {
      return std::tie(record.name, record.message, record.location) ==
             std::tie(other.name, other.message, other.location);
    };
    std::lock_guard<std::mutex> guard(mutex);
    if (std::none_of(log->begin(), log->end(), same))
      log->push_back(std::move(record));
  }

private:
  std::shared_ptr<std::vector<RemarkRecord>> log;
  std::mutex mutex;
};
} // namespace

RemarkLog::RemarkLog(MLIRContext &context) {
  remark::RemarkCategories categories;
  categories.all = categories.passed = categories.missed = categories.analysis = categories.failed = ".*";
  // Fails only for a malformed pattern.
  (void)remark::enableOptimizationRemarks(context, std::make_unique<Recorder>(log),
                                          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

std::string RemarkLog::text() const {
  std::string text;
  for (const RemarkRecord &record : *log)
    text += record.location + ": remark: [" + record.kind + "] " + record.name + ": " + record.message + "\n";
  return text;
}
