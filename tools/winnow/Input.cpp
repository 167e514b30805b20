//===- Input.cpp - the spec or artifact that a verb works on ------------------------------------------------------===//

#include "Input.h"
#include "Tool.h"

#include "winnow/Dialect/FFN/IR/FFN.h"
#include "winnow/Jit/Compiler.h"
#include "winnow/Runtime/Artifact.h"
#include "winnow/Spec/Spec.h"

#include "mlir/IR/Diagnostics.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

Input::Input() = default;
Input::~Input() = default;

std::unique_ptr<Input> Input::load(llvm::StringRef path, llvm::StringRef entryName) {
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

  DialectRegistry registry;
  jit::registerDialects(registry);
  input->mlirContext = std::make_unique<MLIRContext>(registry);
  input->mlirContext->printOpOnDiagnostic(false);
  input->sourceMgr.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
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

bool tool::hasDynamicTokens(func::FuncOp function) {
  auto isDynamic = [](Type type) {
    if (auto sparse = dyn_cast<ffn::Sparse24Type>(type))
      return ShapedType::isDynamicShape(sparse.getShape());
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && shaped.hasRank() && !shaped.hasStaticShape();
  };
  return llvm::any_of(function.getArgumentTypes(), isDynamic) || llvm::any_of(function.getResultTypes(), isDynamic);
}
