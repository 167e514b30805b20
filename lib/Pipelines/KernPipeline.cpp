//===- KernPipeline.cpp - the phases of the kern level ------------------------------------------------------------===//

#include "winnow/Conversion/Passes.h"
#include "winnow/Dialect/Kern/Transforms/Passes.h"
#include "winnow/Pipelines/Pipelines.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace winnow;

static void buildConvert(OpPassManager &manager, const PipelineOptions &options) {
  ConvertFFNToKernPassOptions convert;
  convert.tokens = options.tokens;
  convert.target = options.target;
  convert.tuning = options.tuning;
  manager.addPass(createConvertFFNToKernPass(convert));
}

static void buildSchedule(OpPassManager &manager, const PipelineOptions &options) {
  kern::KernChooseSchedulePassOptions schedule;
  schedule.tokens = options.tokens;
  schedule.target = options.target;
  schedule.tuning = options.tuning;
  manager.addPass(kern::createKernChooseSchedulePass(schedule));
  manager.addPass(kern::createKernVerifyEmittablePass());
}

ArrayRef<Phase> winnow::kernPhases() {
  static const Phase phases[] = {
      {"convert-to-kern",
       "kernels are symbols with buffers in the layouts that their readers need; a program launches them",
       buildConvert},
      {"choose-schedule", "every kernel has a schedule, and CUDA can be emitted for it", buildSchedule},
  };
  return phases;
}

void winnow::buildKernPipeline(OpPassManager &manager, const PipelineOptions &options) {
  for (const Phase &phase : kernPhases())
    phase.build(manager, options);
}
