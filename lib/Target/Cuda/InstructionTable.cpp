//===- InstructionTable.cpp - the warpgroup MMA instructions that kernels may use ---------------------------------===//

#include "winnow/Target/Cuda/InstructionTable.h"

using namespace winnow;
using namespace winnow::cuda;

using rt::ElementType;

static constexpr MmaInstruction kInstructions[] = {
    // sparse  lhs                  rhs                  PTX names       k  N step, max  selector transposes
    {false, ElementType::f8e4m3, ElementType::f8e4m3, "e4m3", "e4m3", 32, 8, 256, SelectorRule::none, false},
    {false, ElementType::f8e4m3, ElementType::f8e5m2, "e4m3", "e5m2", 32, 8, 256, SelectorRule::none, false},
    {false, ElementType::f8e5m2, ElementType::f8e4m3, "e5m2", "e4m3", 32, 8, 256, SelectorRule::none, false},
    {false, ElementType::f8e5m2, ElementType::f8e5m2, "e5m2", "e5m2", 32, 8, 256, SelectorRule::none, false},
    {false, ElementType::bf16, ElementType::bf16, "bf16", "bf16", 16, 8, 256, SelectorRule::none, true},
    {false, ElementType::f16, ElementType::f16, "f16", "f16", 16, 8, 256, SelectorRule::none, true},
    {true, ElementType::f8e4m3, ElementType::f8e4m3, "e4m3", "e4m3", 64, 8, 256, SelectorRule::zero, false},
    {true, ElementType::f8e4m3, ElementType::f8e5m2, "e4m3", "e5m2", 64, 8, 256, SelectorRule::zero, false},
    {true, ElementType::f8e5m2, ElementType::f8e4m3, "e5m2", "e4m3", 64, 8, 256, SelectorRule::zero, false},
    {true, ElementType::f8e5m2, ElementType::f8e5m2, "e5m2", "e5m2", 64, 8, 256, SelectorRule::zero, false},
    {true, ElementType::bf16, ElementType::bf16, "bf16", "bf16", 32, 8, 256, SelectorRule::alternate, true},
    {true, ElementType::f16, ElementType::f16, "f16", "f16", 32, 8, 256, SelectorRule::alternate, true},
};

const MmaInstruction *cuda::findInstruction(bool sparse, ElementType lhs, ElementType rhs) {
  for (const MmaInstruction &row : kInstructions)
    if (row.sparse == sparse && row.lhs == lhs && row.rhs == rhs)
      return &row;
  return nullptr;
}

std::string cuda::mnemonic(const MmaInstruction &instruction, int64_t n) {
  return std::string("wgmma.mma_async") + (instruction.sparse ? ".sp" : "") + ".sync.aligned.m64n" + std::to_string(n) +
         "k" + std::to_string(instruction.k) + ".f32." + instruction.ptxLhs + "." + instruction.ptxRhs;
}
