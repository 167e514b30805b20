//===- ScalarRegion.h - the element-wise part of a kernel on scalars ----------------------------------------------===//

#ifndef WINNOW_LIB_CONVERSION_FFNTOKERN_SCALARREGION_H
#define WINNOW_LIB_CONVERSION_FFNTOKERN_SCALARREGION_H

#include "KernelForm.h"

namespace winnow {

/// Builds in `region` one block that applies the activations of `form` to one f32, with every rounding that the types
/// of the chain ask for (arith.truncf followed by arith.extf). With `product`, the rounding of the product's result to
/// its element type comes first.
void buildScalarRegion(mlir::Region &region, const ffn::KernelForm &form, bool product);

/// Builds in `region` what leads from the epilogue's value to the one that is counted.
void buildCountedRegion(mlir::Region &region, const ffn::KernelForm &form);

/// As above for the identity.
void buildIdentityRegion(mlir::Region &region, mlir::Location loc);

} // namespace winnow

#endif // WINNOW_LIB_CONVERSION_FFNTOKERN_SCALARREGION_H
