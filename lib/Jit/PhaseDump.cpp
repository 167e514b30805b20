//===- PhaseDump.cpp - the module after each phase, as files ------------------------------------------------------===//

#include "PhaseDump.h"

#include "winnow/Support/File.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace winnow::jit;

LogicalResult PhaseDump::write(unsigned number, StringRef phase, ModuleOp module) const {
  if (!enabled())
    return success();
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  stream << "\n";
  return write(llvm::formatv("{0,0+2}-{1}.mlir", number, phase).str(), text, module.getLoc());
}

LogicalResult PhaseDump::write(StringRef file, StringRef text, Location loc) const {
  if (!enabled())
    return success();
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return emitError(loc) << "cannot create the folder '" << folder << "' for dumps: " << error.message();
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, file);
  if (Result<bool> published = publishFile(path.str().str(), text.data(), text.size()); !published)
    return emitError(loc) << "cannot dump a phase: " << published.message();
  return success();
}
