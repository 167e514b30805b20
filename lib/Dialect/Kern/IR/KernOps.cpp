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
  int64_t arguments = block.getNumArguments(), inputs = getNumInputs();
  if (inputs < 0 || inputs > arguments) // KP1
    return emitOpError() << "expects between 0 and " << arguments << " inputs, got " << inputs;
  for (BlockArgument argument : block.getArguments())
    if (!isa<BufferType>(argument.getType())) // KP2
      return emitOpError() << "argument #" << argument.getArgNumber() << " expects a !kern.buffer, got "
                           << argument.getType();
  if (getNames() && static_cast<int64_t>(getNames()->size()) != arguments) // KP3
    return emitOpError() << "expects one name per argument, " << arguments << ", got " << getNames()->size();
  for (int64_t weight : getWeights().value_or(ArrayRef<int64_t>()))
    if (weight < 0 || weight >= inputs)
      return emitOpError() << "expects weights to be indices of its " << inputs << " inputs, got " << weight;
  int64_t stages = 2 * (arguments - inputs);
  if (getOutputStages() && static_cast<int64_t>(getOutputStages()->size()) != stages)
    return emitOpError() << "expects two numbers per output in output_stages, " << stages << ", got "
                         << getOutputStages()->size();
  for (Operation &inner : block)
    if (!isa<AllocOp, ConstantOp, CopyOp, FillZeroOp, LaunchOp, ReturnOp>(inner)) // KP4
      return inner.emitOpError() << "does not belong in a kern.program, which binds buffers and launches kernels";
  if (!isa<ReturnOp>(block.back()))
    return emitOpError() << "expects its body to end in kern.return";
  return success();
}

LogicalResult AllocOp::verify() {
  std::optional<ArrayRef<int64_t>> stage = getStage();
  if (stage && (stage->size() != 2 || llvm::any_of(*stage, [](int64_t number) { return number < 0; }))) // KA1
    return emitOpError() << "expects stage to be the number of an ffn.kernel and of its result, got [" << *stage << "]";
  return success();
}

LogicalResult ConstantOp::verify() {
  auto buffer = cast<BufferType>(getBuffer().getType());
  ShapedType value = getValue().getShapedType();
  bool isRowMajor = !buffer.isPacked24() && !buffer.isTransposed();
  if (!isRowMajor || buffer.getShape() != value.getShape() || buffer.getElementType() != value.getElementType()) // KC1
    return emitOpError() << "expects a row-major buffer of the shape and element type of its value, " << value
                         << ", got " << buffer;
  return success();
}

/// KP5: `operand` is a buffer that may be written, neither an input of the program nor a constant.
static LogicalResult verifyWritable(Operation *op, OpOperand &operand) {
  if (operand.get().getDefiningOp<ConstantOp>())
    return op->emitOpError() << "operand #" << operand.getOperandNumber() << " is written, but is a kern.constant";
  auto argument = dyn_cast<BlockArgument>(operand.get());
  auto program = argument ? dyn_cast<ProgramOp>(argument.getOwner()->getParentOp()) : ProgramOp();
  if (program && argument.getArgNumber() < static_cast<uint64_t>(program.getNumInputs()))
    return op->emitOpError() << "operand #" << operand.getOperandNumber() << " is written, but is input #"
                             << argument.getArgNumber() << " of the program";
  return success();
}

LogicalResult CopyOp::verify() { return verifyWritable(*this, getTargetMutable()); }
LogicalResult FillZeroOp::verify() { return verifyWritable(*this, getBufferMutable()); }

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *kernel = symbols.lookupNearestSymbolFrom(*this, getKernelAttr());
  if (!isa_and_nonnull<GemmOp, MapOp>(kernel)) // KL1
    return emitOpError() << "expects the symbol of a kern.gemm or kern.map, got " << getKernelAttr();
  SmallVector<LaunchOperand> expected = getLaunchOperands(kernel);
  auto attachKernel = [&](InFlightDiagnostic diagnostic) -> InFlightDiagnostic {
    diagnostic.attachNote(kernel->getLoc()) << "the kernel is declared here";
    return diagnostic;
  };
  if (expected.size() != getBuffers().size()) { // KL2
    InFlightDiagnostic diagnostic = emitOpError() << "expects " << expected.size() << " buffers (";
    llvm::interleaveComma(expected, diagnostic, [&](const LaunchOperand &operand) { diagnostic << operand.name; });
    diagnostic << "), got " << getBuffers().size();
    return attachKernel(std::move(diagnostic));
  }
  for (auto [index, operand] : llvm::enumerate(expected)) {
    auto type = cast<BufferType>(getBuffers()[index].getType());
    bool isCounter = !operand.type;
    bool fits = isCounter ? type.getElementType().isInteger(32) && ShapedType::getNumElements(type.getShape()) == 1
                          : type == operand.type;
    if (!fits) { // KL3
      InFlightDiagnostic diagnostic = emitOpError() << "buffer #" << index << " (" << operand.name << ") expects ";
      if (isCounter)
        diagnostic << "an i32 buffer of one element";
      else
        diagnostic << "type " << operand.type;
      return attachKernel(std::move(diagnostic << ", got " << type));
    }
    if (operand.isWritten && failed(verifyWritable(*this, getBuffersMutable()[index])))
      return failure();
  }
  return success();
}
