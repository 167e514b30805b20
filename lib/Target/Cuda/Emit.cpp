//===- Emit.cpp - CUDA C++ for kernels ----------------------------------------------------------------------------===//

#include "winnow/Target/Cuda/Emit.h"

#include "EmitDetail.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Target/Cuda/DeviceLibrary.h"
#include "winnow/Target/Cuda/Layout.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

FailureOr<std::string> cuda::getTag(Operation *op, Type element) {
  std::optional<rt::ElementType> type = kern::getElementType(element);
  if (type == rt::ElementType::f32)
    return std::string("winnow::F32");
  if (type == rt::ElementType::bf16)
    return std::string("winnow::Bf16");
  if (type == rt::ElementType::f16)
    return std::string("winnow::F16");
  if (type == rt::ElementType::f8e4m3)
    return std::string("winnow::E4m3");
  if (type == rt::ElementType::f8e5m2)
    return std::string("winnow::E5m2");
  return op->emitOpError() << "cannot be written as CUDA: expects f32, bf16, f16, f8E4M3FN or f8E5M2, got " << element;
}

std::string cuda::extentText(int64_t extent) { return extent == kTokens ? "tokens" : std::to_string(extent); }

void cuda::emitConstant(SourceStream &stream, StringRef name, int64_t value) {
  stream.line("static constexpr int " + name + " = " + std::to_string(value) + ";");
}
void cuda::emitConstant(SourceStream &stream, StringRef name, bool value) {
  stream.line("static constexpr bool " + name + " = " + (value ? "true" : "false") + ";");
}

std::string cuda::entryOpening(StringRef name, StringRef attributes, ArrayRef<Parameter> parameters) {
  std::string text = ("extern \"C\" __global__ void " + attributes + " " + name + "(").str();
  for (auto [index, parameter] : llvm::enumerate(parameters))
    text += std::string(index ? ", " : "") + parameter.type + parameter.name;
  return text + ") {";
}

/// Appends device library files; an error at `kernel` if one is not in this build.
static LogicalResult appendFiles(Operation *kernel, ArrayRef<StringRef> names, std::string &text) {
  ArrayRef<EmbeddedFile> files(kDeviceFiles, kDeviceFileCount);
  for (StringRef name : names) {
    const auto *file = llvm::find_if(files, [&](const EmbeddedFile &candidate) { return candidate.name == name; });
    if (file == files.end())
      return kernel->emitOpError() << "needs '" << name
                                   << "' of the device library, which this build lacks; build Winnow anew";
    text += file->text;
    text += "\n";
  }
  return success();
}

FailureOr<std::string> cuda::emitGenerated(Operation *kernel) {
  SourceStream stream;
  LogicalResult result = failure();
  auto gemm = dyn_cast<kern::GemmOp>(kernel);
  auto map = dyn_cast<kern::MapOp>(kernel);
  if (!gemm && !map)
    return kernel->emitOpError() << "is not a kernel: CUDA is emitted for kern.gemm and kern.map";
  if (gemm ? !gemm.getSchedule() : !map.getSchedule())
    return kernel->emitOpError() << "expects a schedule (kern-choose-schedule should have set it)";
  result = gemm ? emitGemm(stream, gemm) : emitMap(stream, map);
  if (failed(result))
    return failure();
  return stream.take();
}

FailureOr<std::string> cuda::emitSource(Operation *kernel) {
  FailureOr<std::string> generated = emitGenerated(kernel);
  if (failed(generated))
    return failure();
  auto gemm = dyn_cast<kern::GemmOp>(kernel);
  kern::Family family = gemm ? gemm.getSchedule()->getFamily() : cast<kern::MapOp>(kernel).getSchedule()->getFamily();
  StringRef body = family == kern::Family::Wgmma  ? "gemm_wgmma.cuh"
                   : family == kern::Family::Simt ? "gemm_simt.cuh"
                   : family == kern::Family::Row  ? "map_row.cuh"
                                                  : "map_patch.cuh";
  SmallVector<StringRef> files = {"types.cuh", "ptx.cuh", "numeric.cuh", "select_pairs.cuh"};
  if (family == kern::Family::Wgmma)
    files.append({"gemm_shape.cuh", "gemm_ring.cuh", "gemm_work.cuh", "split_sums.cuh", "gemm_produce.cuh",
                  "tile_scales.cuh", "count_nonzero.cuh", "store_rows.cuh", "store_packed.cuh",
                  "store_packed_slowly.cuh", "store_staged.cuh", "gemm_turns.cuh"});
  files.push_back(body);
  if (auto map = dyn_cast<kern::MapOp>(kernel); map && kern::getRowSlices(map))
    files.push_back("map_row_cluster.cuh");
  std::string text;
  if (failed(appendFiles(kernel, files, text)))
    return failure();
  return text + *generated;
}
