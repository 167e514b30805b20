//===- Context.h - what a winnow_context holds, and calls into it -------------------------------------------------===//

#ifndef WINNOW_LIB_CAPI_CONTEXT_H
#define WINNOW_LIB_CAPI_CONTEXT_H

#include "winnow-c/Compiler.h"

#include "Error.h"

#include "mlir/IR/MLIRContext.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace winnow::capi {

struct DiagnosticRecord {
  winnow_severity severity;
  std::string location, message;
};

struct RemarkRecord {
  winnow_remark_kind kind;
  std::string pass, name, function, location, facts, message;

  bool operator==(const RemarkRecord &other) const;
};

/// What a call had to say.
struct Messages {
  std::vector<DiagnosticRecord> diagnostics;
  std::vector<RemarkRecord> remarks;
};

struct Callbacks {
  winnow_diagnostic_callback diagnostic = nullptr;
  void *diagnosticUser = nullptr;
  winnow_remark_callback remark = nullptr;
  void *remarkUser = nullptr;
};

/// An MLIR context for one call at a time, without threads of its own (a fork must not lose any).
class ContextState {
public:
  ContextState();

  std::recursive_mutex mutex; ///< guards everything below
  mlir::MLIRContext context;
  Callbacks callbacks;
  Messages messages; ///< of the call in progress

  /// The diagnostics of the call in progress as an error; `otherwise` where there are none.
  winnow_error *failure(const std::string &otherwise) const;
};

/// Hands `messages` to the callbacks. An error if one throws.
winnow_error *deliver(const Messages &messages, const Callbacks &callbacks);

/// Runs `body`, which returns an error or null, as the only call into `state`; then, no longer so, tells the callbacks
/// what it had to say.
template <typename Body> winnow_error *inContext(ContextState &state, Body body) {
  Messages messages;
  Callbacks callbacks;
  winnow_error *error = guarded([&] {
    std::lock_guard<std::recursive_mutex> lock(state.mutex);
    state.messages = {};
    winnow_error *result = guarded(body);
    messages = std::move(state.messages);
    callbacks = state.callbacks;
    return result;
  });
  winnow_error *thrown = deliver(messages, callbacks);
  if (!error)
    return thrown;
  winnow_error_destroy(thrown);
  return error;
}

} // namespace winnow::capi

struct winnow_context {
  std::shared_ptr<winnow::capi::ContextState> state;
};

struct winnow_bytes {
  std::string data;
};

#endif // WINNOW_LIB_CAPI_CONTEXT_H
