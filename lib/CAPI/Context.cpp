//===- Context.cpp - contexts, diagnostics and remarks ------------------------------------------------------------===//

#include "Context.h"

#include "winnow/Jit/Compiler.h"
#include "winnow/Support/BuildId.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Remarks.h"

#include <algorithm>
#include <tuple>
#include <unwind.h>

using namespace mlir;
using namespace winnow;
using namespace winnow::capi;

static std::string locationText(Location location) {
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    return file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  return "";
}

//===--- Diagnostics ----------------------------------------------------------------------------------------------===//

static winnow_severity severityOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return WINNOW_SEVERITY_ERROR;
  case DiagnosticSeverity::Warning:
    return WINNOW_SEVERITY_WARNING;
  case DiagnosticSeverity::Note:
    return WINNOW_SEVERITY_NOTE;
  case DiagnosticSeverity::Remark:
    return WINNOW_SEVERITY_REMARK;
  }
  llvm_unreachable("a fifth severity");
}

static const char *severityName(winnow_severity severity) {
  static constexpr const char *kNames[] = {"error", "warning", "note", "remark"};
  return kNames[severity];
}

static void record(Diagnostic &diagnostic, std::vector<DiagnosticRecord> &records) {
  records.push_back({severityOf(diagnostic.getSeverity()), locationText(diagnostic.getLocation()), diagnostic.str()});
  for (Diagnostic &note : diagnostic.getNotes())
    record(note, records);
}

winnow_error *ContextState::failure(const std::string &otherwise) const {
  std::string text;
  for (const DiagnosticRecord &diagnostic : messages.diagnostics) {
    if (diagnostic.severity == WINNOW_SEVERITY_REMARK)
      continue;
    text += text.empty() ? "" : "\n";
    text += diagnostic.location.empty() ? "" : diagnostic.location + ": ";
    text += std::string(severityName(diagnostic.severity)) + ": " + diagnostic.message;
  }
  return makeError(text.empty() ? otherwise : text);
}

//===--- Remarks --------------------------------------------------------------------------------------------------===//

bool RemarkRecord::operator==(const RemarkRecord &other) const {
  return std::tie(kind, pass, name, function, location, facts, message) ==
         std::tie(other.kind, other.pass, other.name, other.function, other.location, other.facts, other.message);
}

static winnow_remark_kind kindOf(llvm::remarks::Type type) {
  switch (type) {
  case llvm::remarks::Type::Passed:
    return WINNOW_REMARK_PASSED;
  case llvm::remarks::Type::Missed:
    return WINNOW_REMARK_MISSED;
  case llvm::remarks::Type::Failure:
    return WINNOW_REMARK_FAILED;
  default:
    return WINNOW_REMARK_ANALYSIS;
  }
}

namespace {
class RemarkRecorder : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit RemarkRecorder(ContextState &state) : state(state) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    RemarkRecord record{kindOf(remark.getRemarkType()),
                        remark.getCombinedCategoryName().str(),
                        remark.getRemarkName().str(),
                        remark.getFunction().str(),
                        locationText(remark.getLocation()),
                        "",
                        ""};
    for (const remark::detail::Remark::Arg &argument : remark.getArgs()) {
      bool isText = argument.key == "Reason" || argument.key == "Remark" || argument.key == "Suggestion";
      std::string &field = isText ? record.message : record.facts;
      field += (field.empty() ? "" : isText ? ": " : ", ") + (isText ? "" : argument.key + "=") + argument.val;
    }
    // Greedy drivers may decide the same thing more than once.
    std::vector<RemarkRecord> &remarks = state.messages.remarks;
    if (std::find(remarks.begin(), remarks.end(), record) == remarks.end())
      remarks.push_back(std::move(record));
  }

private:
  ContextState &state;
};
} // namespace

//===--- Contexts -------------------------------------------------------------------------------------------------===//

/// A callback's exception is thrown by the caller's copy of GCC's unwinder and caught with the help of ours, which is
/// linked statically and fills its tables on its first walk of a stack; without them it would abort.
static void readyUnwinder() {
  _Unwind_Backtrace([](_Unwind_Context *, void *) { return _URC_END_OF_STACK; }, nullptr);
}

ContextState::ContextState() : context(MLIRContext::Threading::DISABLED) {
  readyUnwinder();
  DialectRegistry registry;
  jit::registerDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    record(diagnostic, messages.diagnostics);
    return success();
  });
  remark::RemarkCategories categories;
  categories.all = categories.passed = categories.missed = categories.analysis = categories.failed = ".*";
  // Fails only for a malformed pattern.
  (void)remark::enableOptimizationRemarks(context, std::make_unique<RemarkRecorder>(*this),
                                          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

winnow_error *capi::deliver(const Messages &messages, const Callbacks &callbacks) {
  const char *what = "diagnostic";
  auto failed = [&](const std::string &text) {
    return guarded([&] { return makeError(std::string("the ") + what + " callback threw an exception: " + text); });
  };
  try {
    if (callbacks.diagnostic)
      for (const DiagnosticRecord &record : messages.diagnostics) {
        winnow_diagnostic diagnostic{record.severity, record.location.c_str(), record.message.c_str()};
        callbacks.diagnostic(&diagnostic, callbacks.diagnosticUser);
      }
    what = "remark";
    if (callbacks.remark)
      for (const RemarkRecord &record : messages.remarks) {
        winnow_remark remark{record.kind,
                             record.pass.c_str(),
                             record.name.c_str(),
                             record.function.c_str(),
                             record.location.c_str(),
                             record.facts.c_str(),
                             record.message.c_str()};
        callbacks.remark(&remark, callbacks.remarkUser);
      }
  } catch (const std::exception &exception) {
    return failed(exception.what());
  } catch (...) {
    return failed("of unknown type");
  }
  return nullptr;
}

extern "C" {

int winnow_compiler_abi_version(void) { return WINNOW_COMPILER_ABI_VERSION; }
const char *winnow_build_id(void) { return buildId(); }

const char *winnow_bytes_data(const winnow_bytes *bytes) { return bytes ? bytes->data.c_str() : ""; }
size_t winnow_bytes_size(const winnow_bytes *bytes) { return bytes ? bytes->data.size() : 0; }
void winnow_bytes_destroy(winnow_bytes *bytes) { delete bytes; }

winnow_error *winnow_context_create(winnow_context **context) {
  return guarded([&]() -> winnow_error * {
    if (!context)
      return gotNull("a place for the context");
    *context = std::make_unique<winnow_context>(winnow_context{std::make_shared<ContextState>()}).release();
    return nullptr;
  });
}

void winnow_context_destroy(winnow_context *context) { delete context; }

winnow_error *winnow_context_set_diagnostic_callback(winnow_context *context, winnow_diagnostic_callback callback,
                                                     void *user) {
  return guarded([&]() -> winnow_error * {
    if (!context)
      return gotNull("a context");
    std::lock_guard<std::recursive_mutex> lock(context->state->mutex);
    context->state->callbacks.diagnostic = callback;
    context->state->callbacks.diagnosticUser = user;
    return nullptr;
  });
}

winnow_error *winnow_context_set_remark_callback(winnow_context *context, winnow_remark_callback callback, void *user) {
  return guarded([&]() -> winnow_error * {
    if (!context)
      return gotNull("a context");
    std::lock_guard<std::recursive_mutex> lock(context->state->mutex);
    context->state->callbacks.remark = callback;
    context->state->callbacks.remarkUser = user;
    return nullptr;
  });
}

} // extern "C"
