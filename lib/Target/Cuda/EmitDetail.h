//===- EmitDetail.h - the parts of the emitter --------------------------------------------------------------------===//

#ifndef WINNOW_LIB_TARGET_CUDA_EMITDETAIL_H
#define WINNOW_LIB_TARGET_CUDA_EMITDETAIL_H

#include "SourceStream.h"

#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Target/Cuda/InstructionTable.h"
#include "winnow/Target/Cuda/KernelParameters.h"

namespace winnow::cuda {

/// Device library tag of an element type: "winnow::E4m3". Fails with an error at `op` for types without one.
mlir::FailureOr<std::string> getTag(mlir::Operation *op, mlir::Type element);

/// "tokens" for the dynamic extent, else the number.
std::string extentText(int64_t extent);

/// `static constexpr int NAME = VALUE;` and the like.
void emitConstant(SourceStream &stream, llvm::StringRef name, int64_t value);
void emitConstant(SourceStream &stream, llvm::StringRef name, bool value);

/// struct NAME { kOrdered, kRising, kIdentity, kReluPower, ReluInput; static … float apply(float x) }: the element-wise
/// region of a kernel (EmitScalar.cpp). kOrdered: results have no sign and all NaNs the same bits; kRising: that, and
/// they never fall as x rises; kIdentity: the result is x; kReluPower: 1 for relu, 2 for relu2, of x rounded to
/// ReluInput. Where the caller rounds the result to `roundedTo` at once, the region need not do so itself.
mlir::LogicalResult emitScalarFunction(SourceStream &stream, llvm::StringRef name, mlir::Region &region,
                                       mlir::Type roundedTo = {});

/// What Config says of the counts of a product, and in front of it struct Counted (EmitCounts.cpp).
mlir::LogicalResult emitCounted(SourceStream &stream, kern::GemmOp op);
void emitCountConfig(SourceStream &stream, kern::GemmOp op);
/// Whether what is counted can be told from the result as it is stored, so that the epilogue need not round it.
bool countsStored(kern::GemmOp op);

/// relu (power 1) or relu2 (power 2) of the argument of an element-wise region, which may first be rounded to a 16-bit
/// type (`rounded`, else null); power 0 is something else.
struct ReluForm {
  int64_t power = 0;
  mlir::Type rounded;
};
ReluForm matchRelu(mlir::Value yielded, mlir::Value argument);
/// The type that a value has just been rounded to, and widened from; null if it has not.
mlir::Type roundedType(mlir::Value value);
/// Whether a value has no sign.
bool isOrderedByBits(mlir::Value value);

/// struct Instruction: the wrapper of the one matrix instruction that a kernel issues (EmitInstruction.cpp).
void emitInstruction(SourceStream &stream, const MmaInstruction &instruction, int64_t n);

/// Opening of the entry function, up to its brace: `extern "C" __global__ void … (…) {`.
std::string entryOpening(llvm::StringRef name, llvm::StringRef attributes, llvm::ArrayRef<Parameter> parameters);

mlir::LogicalResult emitGemm(SourceStream &stream, kern::GemmOp op); // EmitGemm.cpp
mlir::LogicalResult emitMap(SourceStream &stream, kern::MapOp op);   // EmitMap.cpp

} // namespace winnow::cuda

#endif // WINNOW_LIB_TARGET_CUDA_EMITDETAIL_H
