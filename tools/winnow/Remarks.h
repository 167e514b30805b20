//===- Remarks.h - the compiler's decisions, gathered -------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_REMARKS_H
#define WINNOW_TOOLS_WINNOW_REMARKS_H

#include "mlir/IR/MLIRContext.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace winnow::tool {

/// One decision of a pass.
struct RemarkRecord {
  std::string kind;                           ///< "Passed", "Missed", "Analysis" or "Failure"
  std::string category;                       ///< of the pass
  std::string name;                           ///< stable: what was decided
  std::string message;                        ///< everything that was said
  std::string location;                       ///< "file:line:column"
  std::string reason;                         ///< in words
  std::map<std::string, std::string> metrics; ///< what was decided, and the numbers behind it, by name
};

/// The remarks of everything that runs in a context from now on, in order, each once.
class RemarkLog {
public:
  explicit RemarkLog(mlir::MLIRContext &context);

  const std::vector<RemarkRecord> &records() const { return *log; }
  /// One line each, as "file:line:column: remark: [Passed] name: message".
  std::string text() const;

private:
  std::shared_ptr<std::vector<RemarkRecord>> log = std::make_shared<std::vector<RemarkRecord>>();
};

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_REMARKS_H
