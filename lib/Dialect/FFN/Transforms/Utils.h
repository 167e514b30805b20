//===- Utils.h - shared by the passes on the ffn dialect ----------------------------------------------------------===//

#ifndef WINNOW_LIB_DIALECT_FFN_TRANSFORMS_UTILS_H
#define WINNOW_LIB_DIALECT_FFN_TRANSFORMS_UTILS_H

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

namespace winnow::ffn {

/// Name, pass and function of a remark. The strings must outlive it.
inline mlir::remark::RemarkOpts remarkOptions(llvm::StringRef name, llvm::StringRef pass, mlir::func::FuncOp function) {
  return mlir::remark::RemarkOpts::name(name).category(pass).function(function.getName());
}

/// The annotation of `value`, or null.
SparsityAttr lookupSparsity(mlir::Value value);

/// Expected fraction of the non-zeros that keeping two of four along `axis` loses; with its profile if it has one. A
/// null `sparsity` stands for a full matrix.
double expectedDrop(SparsityAttr sparsity, int64_t axis);

/// What is expected of the zeros once two of four are kept along `axis`: density to four decimals, no permission to
/// drop.
SparsityAttr selectedSparsity(mlir::MLIRContext *context, SparsityAttr input, int64_t axis);

/// True where the operation stays outside every kernel.
bool staysOutside(mlir::Operation *op);

/// Builds, at the builder's insertion point, a kernel that holds clones of `body` (in order) and yields what `yielded`
/// (results of `body`) became. Its operands are the values that `body` reads from outside, each once.
KernelOp buildKernel(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Operation *> body,
                     llvm::ArrayRef<mlir::Value> yielded);

/// A selection under the mask of an earlier one of the same matrix becomes one of what that one left, so that chains of
/// selections are seen whole. Those outside kernels only.
void unnestSelections(mlir::func::FuncOp function);

/// Erases operations of `function` whose results nobody uses, last first.
void eraseUnused(mlir::func::FuncOp function);

} // namespace winnow::ffn

#endif // WINNOW_LIB_DIALECT_FFN_TRANSFORMS_UTILS_H
