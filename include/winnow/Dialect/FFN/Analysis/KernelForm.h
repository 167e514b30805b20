//===- KernelForm.h - the normal form of kernel regions -----------------------------------------------------------===//
//
// The contract between the ffn passes and the kern dialect: docs/passes.md, "Kernel forms". `matchKernelForm` decides
// whether a region has one of the forms, and hands its parts to whoever lowers it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_ANALYSIS_KERNELFORM_H
#define WINNOW_DIALECT_FFN_ANALYSIS_KERNELFORM_H

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/LogicalResult.h"

namespace winnow::ffn {

/// activation* -> sparsify* -> [quantize] -> [compress], activation* -> sparsify* -> dynamic_scale, or activation* ->
/// sparsify* -> count_nonzero, of one matrix.
struct ElementwiseChain {
  mlir::Value source;                                  ///< what the first operation reads
  llvm::SmallVector<mlir::Operation *, 2> activations; ///< in order
  llvm::SmallVector<SparsifyOp, 2> selections;         ///< in order; each narrows what the one before kept
  QuantizeOp quantize;                                 ///< or null
  CompressOp compress;                                 ///< or null
  DynamicScaleOp dynamicScale;                         ///< or null
  CountNonzeroOp count;                                ///< or null

  bool empty() const {
    return activations.empty() && selections.empty() && !quantize && !compress && !dynamicScale && !count;
  }
  /// The operations, first to last.
  llvm::SmallVector<mlir::Operation *> operations() const;
  /// The dense values at the end: quantised, else selected, else activated, else the source.
  mlir::Value values() const;
  /// The mask of the last selection, or null.
  mlir::Value mask() { return selections.empty() ? mlir::Value() : selections.back().getMask(); }
};

/// The greatest number of selections in one kernel.
inline constexpr unsigned kMaxSelections = 2;

/// True for the operations that a chain is made of.
bool isElementwise(mlir::Operation *op);

/// Walks from `last` towards its operands as long as the form of a chain holds. Empty if `last` cannot end a chain:
/// a selection under the mask of something else, or a compression under a mask that is not of its own values.
ElementwiseChain traceChain(mlir::Operation *last);

/// True where `op`, under the mask of `earlier`, selects from exactly what `earlier` left: from its result, or from its
/// input where `earlier` is under no mask itself.
bool isNestedSelection(SparsifyOp op, SparsifyOp earlier);

struct KernelForm {
  enum class Kind {
    gemm,  ///< F1, F2: one matmul, then a chain with a given scale and token-wise selection only; its last value, and
           ///< perhaps counts, are the results
    map,   ///< F3: a chain of one operand; results are values, dynamic row scale, mask, compressed values
    scale, ///< F4: a chain of one operand that ends in dynamic_scale; the scale is the result
    count, ///< F5: a chain of one operand that ends in count_nonzero; the counts are the result
  } kind = Kind::map;
  MatmulOp matmul;        ///< gemm only
  ElementwiseChain chain; ///< of the matmul's result, or of a block argument
  /// gemm only, and empty if nothing is counted: activations of the matmul's result, of which those of `chain` are the
  /// first, and count_nonzero.
  ElementwiseChain counted;
};

/// The form of `kernel`. Where it has none, fails after telling `emitError` the operation and the rule that it breaks
/// and the pass that should have handled it.
llvm::FailureOr<KernelForm> matchKernelForm(KernelOp kernel,
                                            llvm::function_ref<mlir::InFlightDiagnostic(mlir::Operation *)> emitError);
/// The same, silently.
llvm::FailureOr<KernelForm> matchKernelForm(KernelOp kernel);

} // namespace winnow::ffn

#endif // WINNOW_DIALECT_FFN_ANALYSIS_KERNELFORM_H
