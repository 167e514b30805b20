//===- Passes.td - conversions between Winnow's dialects ----------------------------------------------------------===//

#ifndef WINNOW_CONVERSION_PASSES_TD
#define WINNOW_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertFFNToKernPass : Pass<"convert-ffn-to-kern", "::mlir::ModuleOp"> {
  let summary = "turn functions of ffn.kernel operations into GPU kernels and a program of launches";
  let description = [{
    Input: functions whose operations are `ffn.kernel` in normal form, `arith.constant` and `func.return`. Output: per
    `ffn.kernel` one or more `kern.gemm` and `kern.map`, and per function one `kern.program` of its name. Schedules are
    left open.

    Every value becomes one buffer per layout that its readers need, and no other:
    - row-major for map kernels, function results, `simt` products, and operands whose rows run along the reduction axis;
    - `transposed` for dense operands whose columns run along it. A map kernel writes that form directly; for function
      arguments and products an identity `kern.map` is inserted;
    - `packed24` for compressed operands, with the panel that the schedule model wants for the (first) product that reads
      them.

    A kernel is split where one launch cannot do its work: a dynamic row scale beside a transposed or feature-wise output
    (a scale kernel, then the rest with the scale given), more than three outputs, and selection behind a product that
    no tensor-core schedule can compute.

    Numeric effect: none.

    Declines with an error: a compressed matrix as argument or result of the function; a kernel out of normal form; a
    sparse product without a legal schedule.

    ```mlir
    func.func @f(%x: tensor<?x64xbf16>) -> tensor<?x64xf32> {
      %y = ffn.kernel(%x) : (tensor<?x64xbf16>) -> tensor<?x64xf32> {
      ^bb0(%a: tensor<?x64xbf16>):
        %0 = ffn.relu2 %a : tensor<?x64xbf16> -> tensor<?x64xf32>
        ffn.yield %0 : tensor<?x64xf32>
      }
      return %y : tensor<?x64xf32>
    }
    ```
    becomes
    ```mlir
    kern.map @f_0_map attributes {…} {
    ^bb0(%x: f32):
      %zero = arith.constant 0.0 : f32
      %r = arith.maximumf %x, %zero : f32
      %y = arith.mulf %r, %r : f32
      kern.yield %y : f32
    }
    kern.program @f(%x: !kern.buffer<?x64xbf16>) -> (%out: !kern.buffer<?x64xf32>) {
      kern.launch @f_0_map(%x, %out) : !kern.buffer<?x64xbf16>, !kern.buffer<?x64xf32>
      kern.return
    }
    ```
  }];
  let options = [Option<"tokens", "tokens", "int64_t", "0",
                        "expected token count at which alternatives are compared; 0: unknown">,
                 Option<"target", "target", "std::string", "\"sm_90a\"", "chip whose tuned schedules are consulted">,
                 Option<"tuning", "tuning", "std::string", "",
                        "database of tuned schedules to ask before the shipped one; none: neither (docs/tuning.md)">];
  let dependentDialects = ["::winnow::kern::KernDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif // WINNOW_CONVERSION_PASSES_TD
