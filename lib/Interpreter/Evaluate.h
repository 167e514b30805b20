//===- Evaluate.h - one evaluation function per operation ---------------------------------------------------------===//

#ifndef WINNOW_LIB_INTERPRETER_EVALUATE_H
#define WINNOW_LIB_INTERPRETER_EVALUATE_H

#include "winnow/Interpreter/Interpreter.h"

namespace winnow::interp {

using Operands = llvm::ArrayRef<TensorRef>;
using Results = llvm::Expected<llvm::SmallVector<TensorRef>>;

/// Each takes the operands that `op` has, in order, and gives its results; shapes are checked, result types by the
/// caller.
Results evaluate(ffn::MatmulOp op, Operands operands);
Results evaluate(ffn::ActivationOpInterface op, Operands operands);
Results evaluate(ffn::QuantizeOp op, Operands operands);
Results evaluate(ffn::DynamicScaleOp op, Operands operands);
Results evaluate(ffn::SparsifyOp op, Operands operands);
Results evaluate(ffn::CompressOp op, Operands operands);
Results evaluate(ffn::DecompressOp op, Operands operands);
Results evaluate(ffn::CountNonzeroOp op, Operands operands);

} // namespace winnow::interp

#endif // WINNOW_LIB_INTERPRETER_EVALUATE_H
