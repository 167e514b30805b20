//===- PhaseDump.h - the module after each phase, as files --------------------------------------------------------===//

#ifndef WINNOW_LIB_JIT_PHASEDUMP_H
#define WINNOW_LIB_JIT_PHASEDUMP_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace winnow::jit {

/// Writes numbered files, "03-select-layout.mlir", into a folder, which it creates. Does nothing for an empty folder
/// name.
class PhaseDump {
public:
  explicit PhaseDump(std::string folder) : folder(std::move(folder)) {}

  /// Fails with a diagnostic at `module` that names the file and the system's reason.
  mlir::LogicalResult write(unsigned number, llvm::StringRef phase, mlir::ModuleOp module) const;
  mlir::LogicalResult write(llvm::StringRef file, llvm::StringRef text, mlir::Location loc) const;
  bool enabled() const { return !folder.empty(); }

private:
  std::string folder;
};

} // namespace winnow::jit

#endif // WINNOW_LIB_JIT_PHASEDUMP_H
