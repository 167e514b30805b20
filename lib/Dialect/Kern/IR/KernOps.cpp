//===- KernOps.cpp - verifiers of the kern dialect ----------------------------------------------------------------===//

#include "winnow/Dialect/Kern/IR/Kern.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace winnow::kern;

#define GET_OP_CLASSES
#include "winnow/Dialect/Kern/IR/KernOps.cpp.inc"

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> inputs, outputs;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseArgumentList(inputs, OpAsmParser::Delimiter::Paren, /*allowType=*/true) || parser.parseArrow() ||
      parser.parseArgumentList(outputs, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  result.addAttribute(getNumInputsAttrName(result.name), parser.getBuilder().getI64IntegerAttr(inputs.size()));
  llvm::append_range(inputs, outputs);
  return parser.parseRegion(*result.addRegion(), inputs);
}

void ProgramOp::print(OpAsmPrinter &printer) {
  auto printArguments = [&](Block::BlockArgListType arguments) {
    printer << "(";
    llvm::interleaveComma(arguments, printer, [&](BlockArgument argument) { printer.printRegionArgument(argument); });
    printer << ")";
  };
  Block::BlockArgListType arguments = getBody().front().getArguments();
  printer << " ";
  printer.printSymbolName(getSymName());
  printArguments(arguments.take_front(getNumInputs()));
  printer << " -> ";
  printArguments(arguments.drop_front(getNumInputs()));
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {getSymNameAttrName(), getNumInputsAttrName()});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult ProgramOp::verify() {
  Block &block = getBody().front();
  if (getNumInputs() > block.getNumArguments())
    return emitOpError() << "expects at most " << block.getNumArguments() << " inputs, got " << getNumInputs();
  for (BlockArgument argument : block.getArguments())
    if (!isa<BufferType>(argument.getType()))
      return emitOpError() << "argument #" << argument.getArgNumber() << " expects a !kern.buffer, got "
                           << argument.getType();
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *kernel = symbols.lookupNearestSymbolFrom(*this, getKernelAttr());
  if (!isa_and_nonnull<GemmOp, MapOp>(kernel))
    return emitOpError() << "expects the symbol of a kern.gemm or kern.map, got " << getKernelAttr();
  return success();
}

/// The element-wise region of a kernel maps one f32 to one f32 with arith and math operations only.
static LogicalResult verifyScalarRegion(Operation *op, Region &region) {
  Block &block = region.front();
  if (block.getNumArguments() != 1 || !block.getArgument(0).getType().isF32())
    return op->emitOpError() << "expects an element-wise region with one f32 argument";
  for (Operation &inner : block) {
    StringRef dialect = inner.getName().getDialectNamespace();
    if (!isa<YieldOp>(inner) && dialect != "arith" && dialect != "math")
      return op->emitOpError() << "expects only arith and math operations in its region, got " << inner.getName();
  }
  return success();
}

/// Granularities that a scale attribute may name.
static bool isGranularity(StringRef name) { return name == "tensor" || name == "row" || name == "column"; }

LogicalResult GemmOp::verify() {
  if (getOutScale().has_value() != getOutGranularity().has_value())
    return emitOpError() << "expects out_granularity exactly where there is an out_scale, got "
                         << (getOutScale() ? "an out_scale alone" : "an out_granularity alone");
  if (getOutGranularity() && !isGranularity(*getOutGranularity()))
    return emitOpError() << "expects out_granularity tensor, row or column, got " << *getOutGranularity();
  return verifyScalarRegion(*this, getEpilogue());
}

LogicalResult MapOp::verify() {
  for (int64_t axis : getSelect())
    if (axis != 0 && axis != 1)
      return emitOpError() << "expects selection axes 0 or 1, got " << axis;
  if (!isGranularity(getGranularity()))
    return emitOpError() << "expects granularity tensor, row or column, got " << getGranularity();
  if (getScaleMode() != "none" && getScaleMode() != "given" && getScaleMode() != "dynamic" && getScaleMode() != "scale_only")
    return emitOpError() << "expects scale_mode none, given, dynamic or scale_only, got " << getScaleMode();
  return verifyScalarRegion(*this, getBody());
}
