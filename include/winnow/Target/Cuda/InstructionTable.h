//===- InstructionTable.h - the warpgroup MMA instructions that kernels may use -----------------------------------===//
//
// One row per family of legal wgmma.mma_async instructions with f32 accumulators and both operands in shared memory
// (PTX ISA, "Asynchronous Warpgroup Level Matrix Multiply-Accumulate Instructions"). Legality is decided here, before
// any text is printed; the emitter reads the row it is given. Knows nothing of MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TARGET_CUDA_INSTRUCTIONTABLE_H
#define WINNOW_TARGET_CUDA_INSTRUCTIONTABLE_H

#include "winnow/Runtime/Plan.h"

#include <string>

namespace winnow::cuda {

/// Which of a group's metadata threads an instruction reads: the "sparsity selector" operand.
enum class SelectorRule : uint8_t {
  none,      ///< a dense instruction has none
  zero,      ///< always 0: all four threads of a quad contribute
  alternate, ///< k-step modulo 2: the low, then the high pair of threads of a quad
};

struct MmaInstruction {
  bool sparse; ///< .sp: the left operand holds 2 of every 4
  rt::ElementType lhs, rhs;
  const char *ptxLhs, *ptxRhs; ///< PTX names of the element types
  int64_t k;                   ///< elements of the reduction axis per instruction, zeros counted
  int64_t nStep, nMax;         ///< N is a multiple of nStep, at most nMax
  SelectorRule selector;
  bool transposeImmediates; ///< 16-bit forms end in two transpose immediates (here always 0)
};

/// The row for these operand types, or null: then only the `simt` family can compute the product.
const MmaInstruction *findInstruction(bool sparse, rt::ElementType lhs, rt::ElementType rhs);

/// The mnemonic with extent N filled in, for example
/// "wgmma.mma_async.sp.sync.aligned.m64n192k64.f32.e4m3.e4m3".
std::string mnemonic(const MmaInstruction &instruction, int64_t n);

using rt::elementBytes;

} // namespace winnow::cuda

#endif // WINNOW_TARGET_CUDA_INSTRUCTIONTABLE_H
