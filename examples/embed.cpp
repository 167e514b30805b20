// Embeds the compiler in a program: reads a spec, computes it with the reference interpreter, compiles it for a GPU that
// need not be there, and writes the artifact that the runtime loads.
//
// usage: embed SPEC.mlir ARTIFACT.wnw
#include "winnow/Interpreter/Interpreter.h"
#include "winnow/Jit/Compiler.h"
#include "winnow/Runtime/Artifact.h"
#include "winnow/Spec/Spec.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  if (argc != 3) {
    llvm::errs() << "usage: embed SPEC.mlir ARTIFACT.wnw\n";
    return 2;
  }
  auto text = llvm::MemoryBuffer::getFile(argv[1]);
  if (!text) {
    llvm::errs() << "error: could not read '" << argv[1] << "': " << text.getError().message() << "\n";
    return 1;
  }

  // Parse. Errors are printed by the context's diagnostic handler.
  mlir::DialectRegistry registry;
  winnow::jit::registerDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::OwningOpRef<mlir::ModuleOp> module = winnow::parseSpec((*text)->getBuffer(), argv[1], &context);
  if (!module)
    return 1;
  winnow::Result<mlir::func::FuncOp> function = winnow::findEntry(*module, "");
  if (!function) {
    llvm::errs() << "error: " << function.message() << "\n";
    return 1;
  }
  winnow::keepOnly(*module, *function);

  // Interpret, with ones for inputs and three tokens where the count is dynamic.
  std::vector<winnow::interp::Tensor> inputs;
  for (mlir::Type type : function->getArgumentTypes()) {
    auto tensorType = mlir::cast<mlir::RankedTensorType>(type);
    std::vector<int64_t> shape;
    for (int64_t extent : tensorType.getShape())
      shape.push_back(mlir::ShapedType::isDynamic(extent) ? 3 : extent);
    inputs.emplace_back(*winnow::interp::elementTypeFor(tensorType.getElementType()), shape);
    for (int64_t i = 0; i < inputs.back().count(); ++i)
      inputs.back().set(i, 1.0f);
  }
  auto results = winnow::interp::interpret(*function, inputs);
  if (!results) {
    llvm::errs() << "error: " << llvm::toString(results.takeError()) << "\n";
    return 1;
  }
  for (const winnow::interp::Tensor &result : *results)
    llvm::outs() << winnow::interp::typeText(result) << ", first element " << result.get(0) << "\n";

  // Compile and store.
  auto program = winnow::jit::compile(*module, winnow::jit::CompileOptions());
  if (mlir::failed(program))
    return 1;
  if (winnow::Status status = winnow::rt::writeArtifact(*program, argv[2]); !status) {
    llvm::errs() << "error: " << status.message() << "\n";
    return 1;
  }
  const winnow::rt::Plan &plan = program->defaultPlan();
  llvm::outs() << plan.kernels.size() << " kernels for " << plan.target << " in " << argv[2] << "\n";
  return 0;
}
