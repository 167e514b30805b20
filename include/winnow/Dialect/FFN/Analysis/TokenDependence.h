//===- TokenDependence.h - whether tokens are computed by themselves ----------------------------------------------===//

#ifndef WINNOW_DIALECT_FFN_ANALYSIS_TOKENDEPENDENCE_H
#define WINNOW_DIALECT_FFN_ANALYSIS_TOKENDEPENDENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace winnow::ffn {

/// Whether every result of `function` has a token per row, or does not depend on tokens at all, and no row depends on
/// another token's. Calls may then be split and merged along the tokens without a change of any value. The token count
/// is the dynamic extent of the inputs. False where it is not known, as for functions in the form of kernels.
bool isTokenWise(mlir::func::FuncOp function);

/// Whether some extent of the function's arguments or results is the token count.
bool hasDynamicTokens(mlir::func::FuncOp function);

} // namespace winnow::ffn

#endif // WINNOW_DIALECT_FFN_ANALYSIS_TOKENDEPENDENCE_H
