//===- Input.cpp - the spec or artifact that a verb works on ------------------------------------------------------===//

#include "Input.h"
#include "Tool.h"

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Jit/Compiler.h"
#include "winnow/Runtime/Artifact.h"
#include "winnow/Spec/Spec.h"

#include "mlir/IR/Diagnostics.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

Input::Input() = default;
Input::~Input() = default;

std::unique_ptr<Input> Input::load(llvm::StringRef path, llvm::StringRef entryName) {
  if (llvm::sys::fs::is_directory(path))
    return loadFolder(path, entryName);
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer) {
    fail("could not read '" + path.str() + "': " + llvm::StringRef(buffer.getError().message()).lower());
    return nullptr;
  }

  std::unique_ptr<Input> input(new Input);
  llvm::StringRef bytes = (*buffer)->getBuffer();
  if (rt::isArtifact(bytes.bytes_begin(), bytes.size()) || path.ends_with(".wnw")) {
    Result<rt::Program> program = rt::deserialize(bytes.bytes_begin(), bytes.size(), path.str());
    if (!program) {
      fail(program.message());
      return nullptr;
    }
    input->program = std::move(*program);
    buffer = llvm::MemoryBuffer::getMemBufferCopy(input->program->defaultPlan().spec, path);
  }

  return parse(std::move(input), std::move(*buffer), path, entryName);
}

std::unique_ptr<Input> Input::loadFolder(llvm::StringRef path, llvm::StringRef entryName) {
  Result<PreparedFolder> folder = PreparedFolder::open(path);
  Result<std::string> text = folder ? folder->readSpec() : Result<std::string>(folder.error());
  if (!text) {
    fail(text.message());
    return nullptr;
  }
  std::unique_ptr<Input> input(new Input);
  input->folder = std::move(*folder);
  llvm::SmallString<128> name(path);
  llvm::sys::path::append(name, input->folder->spec.file);
  return parse(std::move(input), llvm::MemoryBuffer::getMemBufferCopy(*text, name), path, entryName);
}

std::unique_ptr<Input> Input::parse(std::unique_ptr<Input> input, std::unique_ptr<llvm::MemoryBuffer> buffer,
                                    llvm::StringRef path, llvm::StringRef entryName) {
  DialectRegistry registry;
  jit::registerDialects(registry);
  input->mlirContext = std::make_unique<MLIRContext>(registry);
  input->mlirContext->printOpOnDiagnostic(false);
  input->sourceMgr.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  input->diagnostics = std::make_unique<SourceMgrDiagnosticHandler>(input->sourceMgr, input->mlirContext.get());
  input->spec = parseSpec(input->sourceMgr, input->mlirContext.get());
  if (!input->spec)
    return nullptr;
  Result<func::FuncOp> function = findEntry(*input->spec, entryName);
  if (!function) {
    fail(path.str() + ": " + function.message());
    return nullptr;
  }
  input->entry = *function;
  keepOnly(*input->spec, input->entry);
  return input;
}

func::FuncOp tool::onlyFunction(ModuleOp module) { return *module.getOps<func::FuncOp>().begin(); }
