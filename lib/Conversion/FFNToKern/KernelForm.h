//===- KernelForm.h - what an ffn.kernel body computes ------------------------------------------------------------===//
//
// Reads the body of an ffn.kernel in normal form (docs/passes.md, "Kernel form") into its parts. A body is a chain: a
// matrix product or a stored matrix, activations, selections, quantisation, compression.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_LIB_CONVERSION_FFNTOKERN_KERNELFORM_H
#define WINNOW_LIB_CONVERSION_FFNTOKERN_KERNELFORM_H

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace winnow::ffn {

/// Apart from the analysis of the same name, which is linked into the same programs.
inline namespace lowering {

struct KernelForm {
  KernelOp kernel;
  MatmulOp matmul;   ///< null in a map or scale kernel
  mlir::Value input; ///< outer value of the matrix that a map or scale kernel reads
  llvm::SmallVector<ActivationOpInterface> activations;
  llvm::SmallVector<SparsifyOp> selections;
  QuantizeOp quantize;      ///< null if none
  CompressOp compress;      ///< null if none
  DynamicScaleOp scaleOnly; ///< null unless the kernel computes a scale alone
  CountNonzeroOp count;     ///< null if nothing is counted; in a kernel without product it is all that is computed
  llvm::SmallVector<ActivationOpInterface> countedActivations; ///< product: from `activated` to what is counted

  mlir::Value chainEnd; ///< last matrix of the chain inside the body: what `values` outputs hold

  bool isGemm() const { return static_cast<bool>(const_cast<KernelForm *>(this)->matmul); }

  /// The value outside the kernel that a block argument stands for, or `value` itself if it is a constant of the body.
  mlir::Value outerValue(mlir::Value value) const;
  /// The kernel result that yields `value`, or null.
  mlir::Value resultOf(mlir::Value value) const;
  /// The matrix before selection and quantisation.
  mlir::Value activated() const;
};

/// Reads `kernel`; emits an error at the offending operation if it is not in normal form.
mlir::FailureOr<KernelForm> readKernelForm(KernelOp kernel);

} // namespace lowering
} // namespace winnow::ffn

#endif // WINNOW_LIB_CONVERSION_FFNTOKERN_KERNELFORM_H
