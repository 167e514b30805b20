//===- FFNPipeline.cpp - the phases of the ffn level --------------------------------------------------------------===//

#include "winnow/Dialect/FFN/Transforms/Passes.h"
#include "winnow/Pipelines/Pipelines.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace winnow;

static void buildSpec(OpPassManager &manager, const PipelineOptions &options) {
  ffn::VerifySpecPassOptions spec;
  spec.entry = options.entry;
  manager.addPass(ffn::createVerifySpecPass(spec));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

static void buildLayout(OpPassManager &manager, const PipelineOptions &options) {
  ffn::SelectLayoutPassOptions layout;
  layout.target = options.target;
  layout.tokens = options.tokens;
  manager.addPass(ffn::createSelectLayoutPass(layout));
  // Products that chose the same layout share their selection and compression.
  manager.addPass(createCSEPass());
}

template <std::unique_ptr<Pass> (*create)()> static void buildOne(OpPassManager &manager, const PipelineOptions &) {
  manager.addPass(create());
}

ArrayRef<Phase> winnow::ffnPhases() {
  static const Phase phases[] = {
      {"spec", "the specification is legal, and simplified", buildSpec},
      {"infer-sparsity", "every matrix says what is expected of its zeros", buildOne<ffn::createInferSparsityPass>},
      {"select-layout", "every product is dense, 2:4 token-wise or 2:4 feature-wise", buildLayout},
      {"split-dynamic-scale", "scales that need a kernel of their own are separate",
       buildOne<ffn::createSplitDynamicScalePass>},
      {"fuse-activation", "activation, selection, quantisation and compression of a matrix are one kernel",
       buildOne<ffn::createFuseActivationPass>},
      {"fuse-epilogue", "kernels that one tile of a product suffices for are in its epilogue",
       buildOne<ffn::createFuseEpiloguePass>},
      {"form-kernels", "every operation is in exactly one kernel",
       [](OpPassManager &manager, const PipelineOptions &) {
         manager.addPass(ffn::createFormKernelsPass());
         manager.addPass(ffn::createVerifyKernelFormPass());
       }},
  };
  return phases;
}

void winnow::buildKernelPipeline(OpPassManager &manager, const PipelineOptions &options) {
  for (const Phase &phase : ffnPhases())
    phase.build(manager, options);
}

namespace {
/// The same options as text.
struct TextOptions : PassPipelineOptions<TextOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("chip to compile for"), llvm::cl::init("sm_90a")};
  Option<int64_t> tokens{*this, "tokens", llvm::cl::desc("token count to decide for where it is dynamic"),
                         llvm::cl::init(8192)};
  Option<std::string> entry{*this, "entry", llvm::cl::desc("function that must be there"), llvm::cl::init("")};
  Option<std::string> tuning{*this, "tuning", llvm::cl::desc("database of tuned schedules; none: the model alone"),
                             llvm::cl::init("")};

  PipelineOptions get() const { return {target, tokens, entry, tuning}; }
};
} // namespace

void winnow::registerPipelines() {
  PassPipelineRegistration<TextOptions>(
      "ffn-to-kernels", "From a specification to kernels of the ffn dialect",
      [](OpPassManager &manager, const TextOptions &text) { buildKernelPipeline(manager, text.get()); });
  PassPipelineRegistration<TextOptions>(
      "kernels-to-kern", "From kernels of the ffn dialect to the kern dialect",
      [](OpPassManager &manager, const TextOptions &text) { buildKernPipeline(manager, text.get()); });
}
