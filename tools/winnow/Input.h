//===- Input.h - the spec or artifact that a verb works on --------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_INPUT_H
#define WINNOW_TOOLS_WINNOW_INPUT_H

#include "PreparedFolder.h"

#include "winnow/Dialect/FFN/Analysis/TokenDependence.h"
#include "winnow/Runtime/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include "llvm/Support/SourceMgr.h"

#include <memory>
#include <optional>

namespace mlir {
class SourceMgrDiagnosticHandler;
}

namespace winnow::tool {

/// One function of a spec, alone in its module, with the context it lives in. Diagnostics of everything that is done
/// with the context are printed on standard error, with the line of the source.
class Input {
public:
  /// Reads an MLIR spec, an artifact that `winnow compile` has written ("-" is standard input), or the spec in a folder
  /// that `winnow prepare` has written, and chooses the function. Null on failure, which has then been reported.
  /// `entry` may be empty.
  static std::unique_ptr<Input> load(llvm::StringRef path, llvm::StringRef entry);
  ~Input();

  mlir::MLIRContext &context() { return *mlirContext; }
  mlir::ModuleOp module() { return *spec; }
  mlir::func::FuncOp function() { return entry; }

  /// The compiled program, where the input was an artifact.
  const std::optional<rt::Program> &artifact() const { return program; }

  /// The folder, where the input was one; its tensors have not been read.
  const std::optional<PreparedFolder> &prepared() const { return folder; }

  /// A copy to lower, so that `module()` keeps what the user has written.
  mlir::OwningOpRef<mlir::ModuleOp> clone() { return mlir::cast<mlir::ModuleOp>(spec->getOperation()->clone()); }

private:
  Input();
  static std::unique_ptr<Input> loadFolder(llvm::StringRef path, llvm::StringRef entry);
  /// Parses the text in `buffer`, of the input at `path`.
  static std::unique_ptr<Input> parse(std::unique_ptr<Input> input, std::unique_ptr<llvm::MemoryBuffer> buffer,
                                      llvm::StringRef path, llvm::StringRef entry);

  std::unique_ptr<mlir::MLIRContext> mlirContext;
  llvm::SourceMgr sourceMgr;
  std::unique_ptr<mlir::SourceMgrDiagnosticHandler> diagnostics;
  std::optional<rt::Program> program;
  std::optional<PreparedFolder> folder;
  mlir::OwningOpRef<mlir::ModuleOp> spec;
  mlir::func::FuncOp entry;
};

/// The only function of a module that `Input::clone` gave and passes have since rewritten.
mlir::func::FuncOp onlyFunction(mlir::ModuleOp module);

using ffn::hasDynamicTokens;

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_INPUT_H
