//===- Spec.h - reading the FFN that a user has written -----------------------------------------------------------===//

#ifndef WINNOW_SPEC_SPEC_H
#define WINNOW_SPEC_SPEC_H

#include "winnow/Support/Result.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SourceMgr.h"

#include <string>

namespace winnow {

/// Parses and verifies the main buffer of `sourceMgr`, MLIR text or bytecode. Null on failure; diagnostics go to the
/// context's handler. Function arguments get their names in the text as NameLoc, so that later stages and messages can
/// call them by it.
mlir::OwningOpRef<mlir::ModuleOp> parseSpec(const llvm::SourceMgr &sourceMgr, mlir::MLIRContext *context);

/// The same from a string; `name` stands for it in messages.
mlir::OwningOpRef<mlir::ModuleOp> parseSpec(llvm::StringRef text, llvm::StringRef name, mlir::MLIRContext *context);

/// The function to compile: the one called `name`, or where that is empty @forward, or the only one. The error lists
/// what there is.
Result<mlir::func::FuncOp> findEntry(mlir::ModuleOp module, llvm::StringRef name);

/// Erases every function of `module` but `entry`. Other functions play no part: a spec has no calls.
void keepOnly(mlir::ModuleOp module, mlir::func::FuncOp entry);

/// The name of an argument, or "arg" and its number where it has none.
std::string argumentName(mlir::func::FuncOp function, unsigned index);

/// MLIR text of `module` in which the arguments keep their names.
std::string printSpec(mlir::ModuleOp module);

} // namespace winnow

#endif // WINNOW_SPEC_SPEC_H
