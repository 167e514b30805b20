//===- SplitPreparation.h - what depends on weights alone, as a function of its own -------------------------------===//

#ifndef WINNOW_DIALECT_FFN_TRANSFORMS_SPLITPREPARATION_H
#define WINNOW_DIALECT_FFN_TRANSFORMS_SPLITPREPARATION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/SmallVector.h"

namespace winnow::ffn {

/// What `splitPreparation` made of a function.
struct Preparation {
  mlir::func::FuncOp function;          ///< @NAME_prepare(weights…) -> prepared tensors; null: nothing to prepare
  llvm::SmallVector<unsigned> weights;  ///< per argument of it: the argument that it was of the function as written
  llvm::SmallVector<unsigned> prepared; ///< per result of it: the argument of the rest that takes it
  llvm::SmallVector<unsigned> kept;     ///< per other argument of the rest: the argument that it was
};

/// Moves everything that `function` computes from its weights (`ffn.weight`) and constants alone into a new function
/// @NAME_prepare before it, and gives `function` the results as weights; docs/passes.md, "Preparing weights", and the
/// description of the pass `ffn-split-preparation` have the rules. Fails, with a diagnostic, where the name is taken.
mlir::FailureOr<Preparation> splitPreparation(mlir::func::FuncOp function);

} // namespace winnow::ffn

#endif // WINNOW_DIALECT_FFN_TRANSFORMS_SPLITPREPARATION_H
