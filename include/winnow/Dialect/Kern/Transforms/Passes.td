//===- Passes.td - passes of the kern dialect ---------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_TRANSFORMS_PASSES_TD
#define WINNOW_DIALECT_KERN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def KernChooseSchedulePass : Pass<"kern-choose-schedule", "::mlir::ModuleOp"> {
  let summary = "give every kernel a schedule";
  let description = [{
    Input: `kern.gemm` and `kern.map`, with or without `schedule`. Output: the same, all with one. A schedule that is
    already there wins: somebody has written it.

    Products take the schedule of the first legal entry for their problem, at the expected token count, in the databases
    of tuned schedules: the one that `tuning` names, then the shipped one. Where there is none they ask the schedule model
    (ScheduleModel.h): tiles that are legal for the problem, the fewest predicted clocks. An entry that is not legal is a
    missed remark, and is not used.
    Maps take family `row` where whole rows suffice (no selection along axis 0, no transposed or axis-0 output, no scale
    kernel), else `patch`. Each choice is a remark (`schedule`) with the alternatives and why they lost.

    Numeric effect: none beyond the order in which a product is summed.

    Declines with an error: a product that no schedule can compute; a database that cannot be read.

    ```mlir
    kern.gemm @g attributes {lhs = !kern.buffer<?x4096xf8E4M3FN>, …} { … }
    ```
    becomes
    ```mlir
    kern.gemm @g attributes {lhs = !kern.buffer<?x4096xf8E4M3FN>, …,
      schedule = #kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 4, raster = 12, pacing = 8>} { … }
    ```
  }];
  let options = [Option<"tokens", "tokens", "int64_t", "0",
                        "expected token count at which alternatives are compared; 0: unknown">,
                 Option<"target", "target", "std::string", "\"sm_90a\"", "chip whose tuned schedules are consulted">,
                 Option<"tuning", "tuning", "std::string", "",
                        "database of tuned schedules to ask before the shipped one; none: neither (docs/tuning.md)">];
}

def KernVerifyEmittablePass : Pass<"kern-verify-emittable", "::mlir::ModuleOp"> {
  let summary = "check that CUDA can be emitted for every kernel (the gate behind the kern passes)";
  let description = [{
    Input and output: the kern level, unchanged. Passes if and only if:
    1. the module holds nothing but `kern.program`, `kern.gemm` and `kern.map`;
    2. every kernel has a schedule, of a family that its kind has;
    3. a product's schedule is legal: an instruction of the table exists for its types, its operands can be read by
       tensor copies, tile, accumulators, stages and shared memory are within limits, panels match (ScheduleModel.h);
    4. a map's family can do its work: dynamic scales by row in family `row`; transposed outputs, outputs and selections
       of axis 0 in family `patch`; at most three outputs;
    5. an element-wise region holds only operations that the emitter writes;
    6. every buffer of a program has a size that is linear in the token count.

    Numeric effect: none. The error names the rule and the pass that should have handled it.
  }];
}

#endif // WINNOW_DIALECT_KERN_TRANSFORMS_PASSES_TD
