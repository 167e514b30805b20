//===- LocatedError.cpp - errors at a location --------------------------------------------------------------------===//

#include "winnow/Interpreter/Interpreter.h"

#include "mlir/IR/Diagnostics.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace winnow::interp {

char LocatedError::ID = 0;

void LocatedError::log(llvm::raw_ostream &os) const {
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    os << file.getFilename().getValue() << ':' << file.getLine() << ':' << file.getColumn();
  else
    os << "unknown location";
  os << ": " << text;
}

llvm::Error errorAt(Location loc, const llvm::Twine &message) {
  return llvm::make_error<LocatedError>(loc, message.str());
}

void emitDiagnostic(llvm::Error error, Location fallback) {
  llvm::handleAllErrors(
      std::move(error), [](const LocatedError &located) { emitError(located.getLoc()) << located.getText(); },
      [&](const llvm::ErrorInfoBase &other) { emitError(fallback) << other.message(); });
}

} // namespace winnow::interp
