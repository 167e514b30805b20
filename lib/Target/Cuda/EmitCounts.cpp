//===- EmitCounts.cpp - what a product's epilogue counts, as CUDA C++ ---------------------------------------------===//
//
// Non-zeros of 16-bit numbers are counted two at a time (Device/count_nonzero.cuh): of the epilogue's value where it is
// rounded to such a type, or of what relu and relu2 are of. What is counted then is zero up to some number and for no
// number above it, which is searched for here.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "EmitDetail.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

namespace {
/// Which numbers are counted.
struct CountedForm {
  Type input;           ///< a 16-bit type; null if pairs do not tell
  int64_t least = 0;    ///< bits of the least positive number of this type that is counted, with all above it
  int64_t sign = 0;     ///< CountedSign of count_nonzero.cuh
  bool inPairs = false; ///< input is what the epilogue's relu is of, else what the epilogue makes
};
} // namespace

static bool is16Bit(Type type) { return type && type.getIntOrFloatBitWidth() == 16; }

/// Whether the bits, of a positive number of type `input`, to the power and rounded to `rounded` (or null) are zero.
static bool isZeroPower(uint64_t bits, FloatType input, int64_t power, Type rounded) {
  constexpr auto kRounding = llvm::APFloat::rmNearestTiesToEven;
  llvm::APFloat value(input.getFloatSemantics(), llvm::APInt(16, bits));
  bool inexact = false;
  value.convert(llvm::APFloat::IEEEsingle(), kRounding, &inexact);
  llvm::APFloat result = value;
  if (power == 2)
    result.multiply(value, kRounding);
  if (rounded)
    result.convert(cast<FloatType>(rounded).getFloatSemantics(), kRounding, &inexact);
  return result.isZero();
}

/// Bits of the least number of `input` whose power is not zero. There is one: powers rise, and that of 1 is 1.
static int64_t leastNonzero(Type input, int64_t power, Type rounded) {
  auto type = cast<FloatType>(input);
  uint64_t zero = 0, counted = input.isBF16() ? 0x3F80 : 0x3C00;
  while (counted - zero > 1) {
    uint64_t middle = (zero + counted) / 2;
    (isZeroPower(middle, type, power, rounded) ? zero : counted) = middle;
  }
  return static_cast<int64_t>(counted);
}

static Value yieldedBy(Region &region) { return cast<kern::YieldOp>(region.front().getTerminator()).getValue(); }

static CountedForm findForm(kern::GemmOp op) {
  enum { kNoSign, kNegativeIsZero, kEitherSign };
  Value made = yieldedBy(op.getEpilogue()), counted = yieldedBy(op.getCounted());
  BlockArgument argument = op.getCounted().getArgument(0);
  bool isIdentity = counted == argument;
  ReluForm epilogue = matchRelu(made, op.getEpilogue().getArgument(0));
  // An epilogue that selects from what relu is of does not know what else there is to count.
  if (isIdentity && epilogue.power > 0 && is16Bit(epilogue.rounded))
    return {epilogue.rounded, leastNonzero(epilogue.rounded, epilogue.power, Type()), kNoSign, true};
  Type input = roundedType(made);
  if (!is16Bit(input))
    return {};
  if (isIdentity)
    return {input, 1, isOrderedByBits(made) ? kNoSign : kEitherSign, false};
  Type rounded = roundedType(counted);
  Value power =
      rounded ? counted.getDefiningOp<arith::ExtFOp>().getIn().getDefiningOp<arith::TruncFOp>().getIn() : counted;
  ReluForm relu = matchRelu(power, argument);
  if (relu.power == 0 || relu.rounded)
    return {};
  return {input, leastNonzero(input, relu.power, rounded), kNegativeIsZero, false};
}

LogicalResult cuda::emitCounted(SourceStream &stream, kern::GemmOp op) {
  if (!op.getCounts())
    return success();
  if (failed(emitScalarFunction(stream, "Counted", op.getCounted())))
    return failure();
  stream.line();
  return success();
}

void cuda::emitCountConfig(SourceStream &stream, kern::GemmOp op) {
  emitConstant(stream, "kCounts", op.getCounts().has_value());
  if (!op.getCounts())
    return;
  CountedForm form = findForm(op);
  stream.line("using Counted = ::Counted;");
  stream.line(llvm::Twine("using CountedInput = winnow::") +
              (!form.input           ? "F32"
               : form.input.isBF16() ? "Bf16"
                                     : "F16") +
              ";");
  emitConstant(stream, "kCountedLeast", form.least);
  emitConstant(stream, "kCountedSign", form.sign);
  emitConstant(stream, "kCountedInPairs", form.inPairs);
}

bool cuda::countsStored(kern::GemmOp op) {
  CountedForm form = findForm(op);
  return form.least > 0 && !form.inPairs && op.getSchedule()->getFamily() == kern::Family::Wgmma &&
         form.input == cast<kern::BufferType>(op.getOut()).getElementType();
}
