//===- EmitMap.cpp - element-wise maps as CUDA C++ ----------------------------------------------------------------===//

#include "EmitDetail.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

/// "winnow::Output<winnow::kRowMajor, winnow::E4m3, 0>".
static FailureOr<std::string> outputText(kern::MapOp op, kern::BufferType type) {
  if (type.getElementType().isInteger(1)) // One byte per element, whatever the tag says.
    return std::string("winnow::Output<winnow::kMask, winnow::E4m3, 0>");
  FailureOr<std::string> tag = getTag(op, type.getElementType());
  if (failed(tag))
    return failure();
  std::string kind = type.isTransposed() ? "kTransposed" : "kRowMajor";
  int64_t panel = 0;
  if (auto packed = dyn_cast_or_null<kern::Packed24Attr>(type.getLayout())) {
    kind = packed.getAxis() == 1 ? "kPacked24Axis1" : "kPacked24Axis0";
    panel = packed.getPanel();
  }
  return "winnow::Output<winnow::" + kind + ", " + *tag + ", " + std::to_string(panel) + ">";
}

static LogicalResult emitConfig(SourceStream &stream, kern::MapOp op) {
  FailureOr<std::string> in = getTag(op, cast<kern::BufferType>(op.getInput()).getElementType());
  if (failed(in))
    return failure();
  SourceStream::Scope structure(stream, "struct Config {", "};");
  stream.line("using In = " + *in + ";");
  ArrayRef<int64_t> select = op.getSelect();
  emitConstant(stream, "kSelect0", select.empty() ? int64_t(-1) : select[0]);
  emitConstant(stream, "kSelect1", select.size() < 2 ? int64_t(-1) : select[1]);
  StringRef granularity = op.getGranularity(), mode = op.getScaleMode();
  emitConstant(stream, "kGranularity", int64_t(granularity == "tensor" ? 0 : granularity == "row" ? 1 : 2));
  if (mode == "scale_only") {
    FailureOr<std::string> element = getTag(op, *op.getScaleElement());
    if (failed(element))
      return failure();
    stream.line("using Element = " + *element + ";");
    return success();
  }
  if (mode == "count_only")
    return success();
  emitConstant(stream, "kScaleMode", int64_t(mode == "none" ? 0 : mode == "given" ? 1 : 2));
  if (std::optional<kern::RowSlices> slices = kern::getRowSlices(op)) {
    emitConstant(stream, "kColumns", kern::getExtents(cast<kern::BufferType>(op.getInput())).columns);
    emitConstant(stream, "kSlice", slices->columns);
    emitConstant(stream, "kCluster", slices->count);
    emitConstant(stream, "kThreads", kern::getMapThreads(op));
  }
  for (unsigned i = 0; i < 3; ++i) {
    std::string text = "winnow::NoOutput";
    if (i < op.getOutputs().size()) {
      FailureOr<std::string> output =
          outputText(op, cast<kern::BufferType>(cast<TypeAttr>(op.getOutputs()[i]).getValue()));
      if (failed(output))
        return failure();
      text = *output;
    }
    stream.line("using Out" + std::to_string(i) + " = " + text + ";");
  }
  return success();
}

LogicalResult cuda::emitMap(SourceStream &stream, kern::MapOp op) {
  if (failed(emitConfig(stream, op)))
    return failure();
  stream.line();
  if (failed(emitScalarFunction(stream, "Body", op.getBody())))
    return failure();
  stream.line();
  std::optional<kern::RowSlices> slices = kern::getRowSlices(op);
  std::string attributes = "__launch_bounds__(" + std::to_string(kern::getMapThreads(op)) + ")";
  if (slices && slices->count > 1)
    attributes = "__cluster_dims__(" + std::to_string(slices->count) + ", 1, 1) " + attributes;
  SourceStream::Scope function(stream, entryOpening(op.getSymName(), attributes, getParameters(op)), "}");
  stream.line("winnow::ptx::let_next_launch_begin();");
  stream.line("winnow::ptx::wait_for_launches_before();");
  kern::MatrixExtents extents = kern::getExtents(cast<kern::BufferType>(op.getInput()));
  std::string shape = extentText(extents.rows) + ", " + extentText(extents.columns) + ");";
  if (op.getScaleMode() == "scale_only") {
    stream.line("winnow::scale_patch<Config, Body>(input, scale, counter, " + shape);
    return success();
  }
  if (op.getScaleMode() == "count_only") {
    stream.line("winnow::count_patch<Config, Body>(input, counts, " + shape);
    return success();
  }
  std::string call = slices                                               ? "map_row_cluster"
                     : op.getSchedule()->getFamily() == kern::Family::Row ? "map_row"
                                                                          : "map_patch";
  std::string arguments = std::string("input, ") + (op.getScale() ? "scale" : "nullptr");
  for (unsigned i = 0; i < 3; ++i)
    arguments += i < op.getOutputs().size() ? ", out" + std::to_string(i) : ", nullptr";
  if (slices)
    shape = extentText(extents.rows) + ");";
  stream.line("winnow::" + call + "<Config, Body>(" + arguments + ", " + shape);
  return success();
}
