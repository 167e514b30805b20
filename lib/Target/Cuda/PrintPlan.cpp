//===- PrintPlan.cpp - a plan as text -----------------------------------------------------------------------------===//

#include "winnow/Target/Cuda/TranslateToPlan.h"

#include "llvm/ADT/StringExtras.h"

using namespace winnow;
using namespace winnow::cuda;

static std::string text(const rt::Extent &extent) {
  if (extent.isConstant())
    return std::to_string(extent.addend);
  std::string result = extent.divisor == 1 ? "T" : "ceil(T / " + std::to_string(extent.divisor) + ")";
  if (extent.factor != 1)
    result += " * " + std::to_string(extent.factor);
  return extent.addend == 0 ? result : result + " + " + std::to_string(extent.addend);
}

static llvm::StringRef text(rt::ElementType element) {
  static constexpr llvm::StringLiteral kNames[] = {"f32", "bf16", "f16", "f8E4M3FN", "f8E5M2", "i1", "i32", "u8"};
  return kNames[static_cast<unsigned>(element)];
}

static llvm::StringRef text(rt::BufferKind kind) {
  static constexpr llvm::StringLiteral kNames[] = {"input", "output", "workspace", "constant"};
  return kNames[static_cast<unsigned>(kind)];
}

template <typename Range> static void printExtents(llvm::raw_ostream &stream, const Range &extents) {
  llvm::interleaveComma(extents, stream, [&](const rt::Extent &extent) { stream << text(extent); });
}

static void printBuffer(const rt::Buffer &buffer, size_t index, llvm::raw_ostream &stream) {
  stream << "buffer " << index << ": " << text(buffer.kind) << " '" << buffer.name << "' ";
  for (int64_t extent : buffer.shape)
    stream << (extent < 0 ? "?" : std::to_string(extent)) << "x";
  stream << text(buffer.element);
  if (buffer.layout == rt::Layout::transposed)
    stream << " transposed";
  else if (buffer.layout == rt::Layout::packed24)
    stream << " packed24 axis " << static_cast<unsigned>(buffer.sparseAxis) << " panel " << buffer.panel;
  stream << ", " << text(buffer.bytes) << " bytes";
  if (buffer.isWeight)
    stream << ", weight";
  if (buffer.stage >= 0)
    stream << ", stage " << buffer.stage << " result " << buffer.stageResult;
  stream << "\n";
}

static void printArgument(const rt::Argument &argument, llvm::raw_ostream &stream) {
  switch (argument.kind) {
  case rt::Argument::Kind::pointer:
    stream << "buffer " << argument.index;
    break;
  case rt::Argument::Kind::tensorMap:
    stream << "map " << argument.index;
    break;
  case rt::Argument::Kind::extent:
    stream << text(argument.extent);
    break;
  }
}

static void printLaunch(const rt::Plan &plan, const rt::Launch &launch, size_t index, llvm::raw_ostream &stream) {
  stream << "launch " << index << ": ";
  if (launch.kind == rt::Launch::Kind::fillZero) {
    stream << "fill_zero buffer " << launch.buffer << "\n";
    return;
  }
  if (launch.kind == rt::Launch::Kind::copy) {
    stream << "copy buffer " << launch.source << " to buffer " << launch.buffer << "\n";
    return;
  }
  stream << plan.kernels[launch.kernel].name << "(";
  llvm::interleaveComma(launch.arguments, stream,
                        [&](const rt::Argument &argument) { printArgument(argument, stream); });
  stream << "), tiles " << text(launch.tiles) << (launch.persistent ? ", persistent" : "");
  if (launch.cluster > 1)
    stream << ", cluster " << launch.cluster;
  stream << (launch.overlaps ? ", overlaps\n" : "\n");
  for (auto [number, map] : llvm::enumerate(launch.tensorMaps)) {
    stream << "  map " << number << ": buffer " << map.buffer << " " << text(map.element) << " extents [";
    printExtents(stream, map.extents);
    stream << "] strides [";
    printExtents(stream, map.strides);
    stream << "] box [";
    llvm::interleaveComma(map.box, stream);
    stream << "]" << (map.swizzle128 ? " swizzle 128" : "") << "\n";
  }
}

void cuda::printPlan(const rt::Plan &plan, llvm::raw_ostream &stream) {
  stream << "plan '" << plan.name << "' for " << plan.target << ", at most " << plan.maxTokens << " tokens\n";
  for (auto [index, buffer] : llvm::enumerate(plan.buffers))
    printBuffer(buffer, index, stream);
  for (auto [index, kernel] : llvm::enumerate(plan.kernels))
    stream << "kernel " << index << ": " << kernel.name << ", " << kernel.threads << " threads, " << kernel.sharedBytes
           << " bytes shared\n";
  for (auto [index, launch] : llvm::enumerate(plan.launches))
    printLaunch(plan, launch, index, stream);
}
