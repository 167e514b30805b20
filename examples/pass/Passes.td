//===- Passes.td - a pass of one's own ----------------------------------------------------------------------------===//

include "mlir/Pass/PassBase.td"

def AssumeDensityPass : Pass<"example-assume-density", "::mlir::ModuleOp"> {
  let summary = "annotate every sparse activation with an assumed density";
  let description = [{
    Answers "what would the compiler choose if this network were that sparse?" before anything is measured.

    Input: a specification. Output: the same, in which every activation that produces zeros and carries no
    `ffn.sparsity` has one. Numeric effect: none by itself; a `max-drop` above 0 allows `ffn-select-layout` to drop
    values. Declines: annotated activations keep what they have.
  }];
  let options = [
    Option<"density", "density", "double", "0.1", "expected fraction of elements that are not zero">,
    Option<"maxDrop", "max-drop", "double", "0.05", "greatest fraction of the non-zero elements that may be dropped">,
  ];
  let statistics = [Statistic<"annotated", "annotated", "activations that were annotated">];
  let dependentDialects = ["::winnow::ffn::FFNDialect"];
}
