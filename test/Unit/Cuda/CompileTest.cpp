//===- CompileTest.cpp - NVRTC accepts what the emitter writes ----------------------------------------------------===//
//
// Kernels of the examples are compiled for sm_90a. Spills and serialised matrix instructions fail the test: ptxas
// reports them with success. Without NVRTC the tests are skipped.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Jit/Compiler.h"
#include "winnow/Jit/Nvrtc.h"
#include "winnow/Spec/Spec.h"
#include "winnow/Target/Cuda/Emit.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SourceMgr.h"

#include <gtest/gtest.h>

using namespace winnow;

namespace {

std::shared_ptr<const jit::Nvrtc> loadNvrtc() {
  Result<std::shared_ptr<const jit::Nvrtc>> nvrtc = jit::Nvrtc::load();
  return nvrtc ? *nvrtc : nullptr;
}

/// The plan of one function of an example, sources only.
std::optional<rt::Plan> makePlan(const std::string &example, const std::string &entry, int64_t tokens) {
  mlir::DialectRegistry registry;
  jit::registerDialects(registry);
  mlir::MLIRContext context(registry);
  llvm::SourceMgr sources;
  auto file = llvm::MemoryBuffer::getFile(std::string(WINNOW_EXAMPLES) + "/" + example);
  if (!file)
    return std::nullopt;
  sources.AddNewSourceBuffer(std::move(*file), llvm::SMLoc());
  mlir::OwningOpRef<mlir::ModuleOp> module = parseSpec(sources, &context);
  jit::CompileOptions options;
  options.entry = entry;
  options.tokens = tokens;
  if (!module || failed(jit::lowerToKernels(*module, options)) || failed(jit::lowerToKern(*module, options)))
    return std::nullopt;
  mlir::FailureOr<rt::Plan> plan = jit::translateToPlan(*module, options);
  if (failed(plan))
    return std::nullopt;
  return std::move(*plan);
}

/// Compiles one source; spills and serialised matrix instructions are failures.
void expectClean(const jit::Nvrtc &nvrtc, const std::string &source, const std::string &name, std::string &ptx) {
  Result<jit::CompiledImage> compiled = nvrtc.compile(source, name + ".cu", "sm_90a");
  ASSERT_TRUE(compiled.ok()) << name << ": " << compiled.message();
  jit::CompileReport report = jit::readLog(compiled->log);
  EXPECT_EQ(report.kernels.size(), 1u) << compiled->log;
  for (const jit::KernelResources &kernel : report.kernels)
    EXPECT_FALSE(kernel.spills()) << compiled->log;
  EXPECT_TRUE(report.serialisations.empty()) << compiled->log;
  EXPECT_FALSE(compiled->cubin.empty());
  ptx = compiled->ptx;
}

struct Case {
  const char *example, *entry;
  int64_t tokens;
  const char *instructions; ///< one that must appear in the PTX of some kernel
};

class CompileTest : public ::testing::TestWithParam<Case> {};

TEST_P(CompileTest, EveryKernelCompilesWithoutSpillsOrSerialisation) {
  std::shared_ptr<const jit::Nvrtc> nvrtc = loadNvrtc();
  if (!nvrtc)
    GTEST_SKIP() << "NVRTC is not on this machine";
  std::optional<rt::Plan> plan = makePlan(GetParam().example, GetParam().entry, GetParam().tokens);
  ASSERT_TRUE(plan.has_value());
  bool found = false;
  for (const rt::Image &image : plan->images) {
    std::string ptx;
    expectClean(*nvrtc, image.source, image.name, ptx);
    found |= llvm::StringRef(ptx).contains(GetParam().instructions);
  }
  EXPECT_TRUE(found) << "no kernel holds " << GetParam().instructions;
}

std::string caseName(const ::testing::TestParamInfo<Case> &info) {
  std::string name = std::string(info.param.example) + "_" + info.param.entry + "_" + std::to_string(info.param.tokens);
  for (char &c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)))
      c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Examples, CompileTest,
    ::testing::Values(
        Case{"nemotron-4-15b.mlir", "forward", 8192, "wgmma.mma_async.sp.sync.aligned.m64n192k64.f32.e4m3.e4m3"},
        Case{"nemotron-4-15b.mlir", "forward_static", 8192, "wgmma.mma_async.sync.aligned.m64n192k32.f32.e4m3.e4m3"},
        Case{"nemotron-4-15b.mlir", "forward_bf16", 8192, "wgmma.mma_async.sp.sync.aligned.m64n192k32.f32.bf16.bf16"},
        // Last waves that are cut, with the epilogue that compresses, too.
        Case{"nemotron-4-15b.mlir", "forward_static", 2048, "fence.acq_rel.gpu"},
        Case{"nemotron-4-15b.mlir", "forward_bf16", 2048, "fence.acq_rel.gpu"},
        Case{"nemotron-nano-9b-v2.mlir", "forward", 64, "wgmma.mma_async.sync.aligned.m64n64k32.f32.e4m3.e4m3"},
        Case{"minitron-8b.mlir", "forward", 4096, ".multicast::cluster"},
        Case{"training-products.mlir", "training_products", 8192,
             "wgmma.mma_async.sp.sync.aligned.m64n192k64.f32.e4m3.e5m2"}),
    caseName);

/// test/Target/Cuda/forms.mlir: one kernel of every form, whose text FileCheck pins.
TEST(CompileForms, EveryFormCompilesWithoutSpillsOrSerialisation) {
  std::shared_ptr<const jit::Nvrtc> nvrtc = loadNvrtc();
  if (!nvrtc)
    GTEST_SKIP() << "NVRTC is not on this machine";
  mlir::DialectRegistry registry;
  jit::registerDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(WINNOW_FORMS, &context);
  ASSERT_TRUE(module);
  unsigned count = 0;
  for (mlir::Operation &op : *module->getBody()) {
    mlir::FailureOr<std::string> source = cuda::emitSource(&op);
    ASSERT_TRUE(succeeded(source));
    std::string name = mlir::SymbolTable::getSymbolName(&op).str(), ptx;
    SCOPED_TRACE(name);
    expectClean(*nvrtc, *source, name, ptx);
    EXPECT_TRUE(llvm::StringRef(ptx).contains(".visible .entry " + name + "("));
    ++count;
  }
  EXPECT_GE(count, 14u);
}

} // namespace
