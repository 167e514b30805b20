//===- Spec.cpp - reading the FFN that a user has written ---------------------------------------------------------===//

#include "winnow/Spec/Spec.h"

#include "winnow/Support/HeldSignals.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Parser/Parser.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace winnow;

static void nameArguments(func::FuncOp function, const AsmParserState &state) {
  if (function.isExternal())
    return;
  Block &entry = function.getBody().front();
  const AsmParserState::BlockDefinition *definition = state.getBlockDef(&entry);
  if (!definition || definition->arguments.size() != entry.getNumArguments())
    return;
  for (auto [argument, source] : llvm::zip_equal(entry.getArguments(), definition->arguments)) {
    const char *begin = source.loc.Start.getPointer(), *end = source.loc.End.getPointer();
    if (!begin || isa<NameLoc>(argument.getLoc()))
      continue;
    llvm::StringRef name = llvm::StringRef(begin, end - begin).trim();
    if (name.consume_front("%") && !name.empty())
      argument.setLoc(NameLoc::get(StringAttr::get(function.getContext(), name), argument.getLoc()));
  }
}

OwningOpRef<ModuleOp> winnow::parseSpec(const llvm::SourceMgr &sourceMgr, MLIRContext *context) {
  HeldSignals signals; // Verifying may start threads of the context, which live as long as it does.
  const llvm::MemoryBuffer *buffer = sourceMgr.getMemoryBuffer(sourceMgr.getMainFileID());
  ParserConfig config(context);
  if (isBytecode(buffer->getMemBufferRef()))
    return parseSourceFile<ModuleOp>(sourceMgr, config);
  Block block;
  AsmParserState state;
  if (failed(parseAsmSourceFile(sourceMgr, &block, config, &state)))
    return {};
  Location location = FileLineColLoc::get(context, buffer->getBufferIdentifier(), 1, 1);
  OwningOpRef<ModuleOp> module =
      mlir::detail::constructContainerOpForParserIfNecessary<ModuleOp>(&block, context, location);
  if (module)
    for (auto function : module->getOps<func::FuncOp>())
      nameArguments(function, state);
  return module;
}

OwningOpRef<ModuleOp> winnow::parseSpec(llvm::StringRef text, llvm::StringRef name, MLIRContext *context) {
  llvm::SourceMgr sourceMgr;
  sourceMgr.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name), llvm::SMLoc());
  return parseSpec(sourceMgr, context);
}

Result<func::FuncOp> winnow::findEntry(ModuleOp module, llvm::StringRef name) {
  auto functions = llvm::to_vector(module.getOps<func::FuncOp>());
  if (functions.empty())
    return Error{"expected a function in the spec, got none"};
  llvm::StringRef wanted = name.empty() ? "forward" : name;
  wanted.consume_front("@");
  for (func::FuncOp function : functions)
    if (function.getSymName() == wanted)
      return function;
  if (name.empty() && functions.size() == 1)
    return functions.front();
  std::string names = llvm::join(
      llvm::map_range(functions, [](func::FuncOp function) { return "@" + function.getSymName().str(); }), ", ");
  if (name.empty())
    return Error{"the spec has " + std::to_string(functions.size()) +
                 " functions and none is called @forward: choose " + "one with --entry; there are " + names};
  return Error{"the spec has no function @" + wanted.str() + "; there are " + names};
}

void winnow::keepOnly(ModuleOp module, func::FuncOp entry) {
  for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (function != entry)
      function.erase();
}

std::string winnow::argumentName(func::FuncOp function, unsigned index) {
  if (!function.isExternal())
    if (auto name = dyn_cast<NameLoc>(function.getArgument(index).getLoc()))
      return name.getName().str();
  return "arg" + std::to_string(index);
}

std::string winnow::printSpec(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os, OpPrintingFlags().printNameLocAsPrefix());
  return text;
}
