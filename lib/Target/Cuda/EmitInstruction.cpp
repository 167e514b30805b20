//===- EmitInstruction.cpp - the wrapper of a matrix instruction --------------------------------------------------===//

#include "EmitDetail.h"

#include "llvm/ADT/StringExtras.h"

using namespace winnow;
using namespace winnow::cuda;

void cuda::emitInstruction(SourceStream &stream, const MmaInstruction &instruction, int64_t n) {
  // Inline assembly operands: the accumulators, then a, b, [metadata, selector,] scale_d.
  int64_t accumulators = n / 2, next = accumulators;
  auto operand = [&] { return "%" + std::to_string(next++); };
  std::string a = operand(), b = operand();
  std::string metadata = instruction.sparse ? operand() : "", selector = instruction.sparse ? operand() : "";
  std::string scaleD = operand();

  SourceStream::Scope structure(stream, "struct Instruction {", "};");
  emitConstant(stream, "kN", n);
  emitConstant(stream, "kSparse", instruction.sparse);
  if (instruction.sparse)
    stream.line("template <int kSelector>");
  SourceStream::Scope function(stream,
                               llvm::Twine("static __device__ __forceinline__ void issue(float (&d)[") +
                                   std::to_string(accumulators) + "], unsigned long long a, unsigned long long b, " +
                                   (instruction.sparse ? "unsigned metadata, " : "") + "int scale_d) {",
                               "}");
  stream.line("asm volatile(\"{ .reg .pred p; setp.ne.b32 p, " + scaleD + ", 0; \"");
  stream.line("             \"" + mnemonic(instruction, n) + " {\"");
  constexpr int64_t kPerLine = 16;
  for (int64_t i = 0; i < accumulators; i += kPerLine) {
    std::string registers;
    for (int64_t j = i; j < std::min(i + kPerLine, accumulators); ++j)
      registers += "%" + std::to_string(j) + (j + 1 < accumulators ? ", " : "");
    stream.line("             \"" + registers + "\"");
  }
  stream.line("             \"}, " + a + ", " + b + (instruction.sparse ? ", " + metadata + ", " + selector : "") +
              ", p, 1, 1" + (instruction.transposeImmediates ? ", 0, 0" : "") + "; }\"");
  for (int64_t i = 0; i < accumulators; i += kPerLine / 2) {
    std::string outputs;
    for (int64_t j = i; j < std::min(i + kPerLine / 2, accumulators); ++j)
      outputs += (j == i ? "" : " ") + ("\"+f\"(d[" + std::to_string(j) + "])") + (j + 1 < accumulators ? "," : "");
    stream.line((i == 0 ? "             : " : "               ") + outputs);
  }
  stream.line(llvm::Twine("             : \"l\"(a), \"l\"(b), ") +
              (instruction.sparse ? "\"r\"(metadata), \"n\"(kSelector), " : "") + "\"r\"(scale_d));");
}
