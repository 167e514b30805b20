//===- EmitScalar.cpp - element-wise regions as CUDA C++ ----------------------------------------------------------===//
//
// One statement per operation. Additions and multiplications are written as intrinsics that the compiler never fuses,
// so that the result is the reference's to the bit.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "EmitDetail.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

namespace {

class ScalarEmitter {
public:
  explicit ScalarEmitter(SourceStream &stream) : stream(stream) {}

  /// Writes the statements of the region, and the return of `result`.
  LogicalResult emit(Region &region, Value result) {
    Block &block = region.front();
    names[block.getArgument(0)] = "x";
    for (Operation &op : block) {
      if (isa<kern::YieldOp>(op)) {
        stream.line("return " + name(result) + ";");
        continue;
      }
      FailureOr<std::string> expression = express(&op);
      if (failed(expression))
        return failure();
      std::string variable = "v" + std::to_string(names.size());
      bool isBool = op.getResult(0).getType().isInteger(1);
      stream.line(llvm::Twine(isBool ? "const bool " : "const float ") + variable + " = " + *expression + ";");
      names[op.getResult(0)] = variable;
    }
    return success();
  }

private:
  SourceStream &stream;
  llvm::DenseMap<Value, std::string> names;

  std::string name(Value value) { return names.lookup(value); }
  std::string call(StringRef function, Operation *op) {
    std::string text = function.str() + "(";
    for (auto [index, operand] : llvm::enumerate(op->getOperands()))
      text += (index ? ", " : "") + name(operand);
    return text + ")";
  }
  FailureOr<std::string> express(Operation *op);
  FailureOr<std::string> expressConstant(arith::ConstantOp op);
  std::string expressCompare(arith::CmpFOp op);
};

} // namespace

FailureOr<std::string> ScalarEmitter::expressConstant(arith::ConstantOp op) {
  if (op.getType().isInteger(1))
    return std::string(cast<BoolAttr>(op.getValue()).getValue() ? "true" : "false");
  auto value = dyn_cast<FloatAttr>(op.getValue());
  if (!value || !op.getType().isF32())
    return op.emitOpError() << "cannot be written as CUDA: expects an f32 or i1 constant, got " << op.getType();
  uint64_t bits = value.getValue().bitcastToAPInt().getZExtValue();
  llvm::SmallString<32> decimal;
  value.getValue().toString(decimal);
  return llvm::formatv("__uint_as_float({0}u) /* {1} */", llvm::format_hex(bits, 10), decimal).str();
}

std::string ScalarEmitter::expressCompare(arith::CmpFOp op) {
  std::string a = name(op.getLhs()), b = name(op.getRhs());
  auto binary = [&](StringRef symbol) { return a + " " + symbol.str() + " " + b; };
  switch (op.getPredicate()) {
  case arith::CmpFPredicate::AlwaysFalse:
    return "false";
  case arith::CmpFPredicate::AlwaysTrue:
    return "true";
  case arith::CmpFPredicate::OEQ:
    return binary("==");
  case arith::CmpFPredicate::OGT:
    return binary(">");
  case arith::CmpFPredicate::OGE:
    return binary(">=");
  case arith::CmpFPredicate::OLT:
    return binary("<");
  case arith::CmpFPredicate::OLE:
    return binary("<=");
  case arith::CmpFPredicate::ONE:
    return binary("<") + " || " + binary(">");
  case arith::CmpFPredicate::ORD:
    return a + " == " + a + " && " + b + " == " + b;
  case arith::CmpFPredicate::UEQ:
    return "!(" + binary("<") + " || " + binary(">") + ")";
  case arith::CmpFPredicate::UGT:
    return "!(" + binary("<=") + ")";
  case arith::CmpFPredicate::UGE:
    return "!(" + binary("<") + ")";
  case arith::CmpFPredicate::ULT:
    return "!(" + binary(">=") + ")";
  case arith::CmpFPredicate::ULE:
    return "!(" + binary(">") + ")";
  case arith::CmpFPredicate::UNE:
    return binary("!=");
  case arith::CmpFPredicate::UNO:
    return a + " != " + a + " || " + b + " != " + b;
  }
  return "false";
}

FailureOr<std::string> ScalarEmitter::express(Operation *op) {
  using Text = FailureOr<std::string>;
  return TypeSwitch<Operation *, Text>(op)
      .Case([&](arith::ConstantOp constant) { return expressConstant(constant); })
      .Case([&](arith::AddFOp) -> Text { return call("__fadd_rn", op); })
      .Case([&](arith::SubFOp) -> Text { return call("__fsub_rn", op); })
      .Case([&](arith::MulFOp) -> Text { return call("__fmul_rn", op); })
      .Case([&](arith::DivFOp) -> Text { return call("__fdiv_rn", op); })
      .Case([&](arith::NegFOp) -> Text { return "-" + name(op->getOperand(0)); })
      .Case([&](arith::MaximumFOp) -> Text { return call("winnow::maximum", op); })
      .Case([&](arith::MinimumFOp) -> Text { return call("winnow::minimum", op); })
      .Case([&](arith::CmpFOp compare) -> Text { return expressCompare(compare); })
      .Case([&](arith::SelectOp) -> Text {
        return name(op->getOperand(0)) + " ? " + name(op->getOperand(1)) + " : " + name(op->getOperand(2));
      })
      // A rounded value stays in an f32 variable; widening it again is then nothing.
      .Case([&](arith::TruncFOp truncate) -> Text {
        FailureOr<std::string> tag = getTag(op, truncate.getType());
        if (failed(tag))
          return failure();
        return call("winnow::round_to<" + *tag + ">", op);
      })
      .Case([&](arith::ExtFOp) -> Text { return name(op->getOperand(0)); })
      .Case([&](math::AbsFOp) -> Text { return call("fabsf", op); })
      .Case([&](math::ErfOp) -> Text { return call("erff", op); })
      .Case([&](math::ExpOp) -> Text { return call("expf", op); })
      .Case([&](math::SqrtOp) -> Text { return call("__fsqrt_rn", op); })
      .Case([&](math::TanhOp) -> Text { return call("tanhf", op); })
      .Default([&](Operation *) -> Text {
        return op->emitOpError() << "cannot be written as CUDA in an element-wise region";
      });
}

/// True if the value has no sign and all its NaNs have the same bits, so that bits order it (keep_two, numeric.cuh):
/// max.NaN makes the canonical NaN of every other, and what follows does the same to each.
bool cuda::isOrderedByBits(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<arith::TruncFOp, arith::ExtFOp>(op))
    return isOrderedByBits(op->getOperand(0));
  if (auto square = dyn_cast<arith::MulFOp>(op))
    return square.getLhs() == square.getRhs() && isOrderedByBits(square.getLhs());
  if (auto maximum = dyn_cast<arith::MaximumFOp>(op))
    for (Value operand : maximum->getOperands()) {
      FloatAttr bound;
      if (matchPattern(operand, m_Constant(&bound)) && !bound.getValue().isNegative() && !bound.getValue().isNaN())
        return true;
    }
  return false;
}

/// True if the value never falls as the region's argument rises, and is NaN where that is NaN.
static bool isRising(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) // the argument
    return true;
  if (isa<arith::TruncFOp, arith::ExtFOp>(op))
    return isRising(op->getOperand(0));
  if (auto square = dyn_cast<arith::MulFOp>(op))
    return square.getLhs() == square.getRhs() && isOrderedByBits(square.getLhs()) && isRising(square.getLhs());
  if (auto maximum = dyn_cast<arith::MaximumFOp>(op)) {
    if (matchPattern(maximum.getRhs(), m_Constant()))
      return isRising(maximum.getLhs());
    return matchPattern(maximum.getLhs(), m_Constant()) && isRising(maximum.getRhs());
  }
  return false;
}

ReluForm cuda::matchRelu(Value yielded, Value argument) {
  ReluForm form{1, Type()};
  Value value = yielded;
  if (auto square = value.getDefiningOp<arith::MulFOp>(); square && square.getLhs() == square.getRhs()) {
    form.power = 2;
    value = square.getLhs();
  }
  auto maximum = value.getDefiningOp<arith::MaximumFOp>();
  if (!maximum || !matchPattern(maximum.getRhs(), m_PosZeroFloat()))
    return {};
  value = maximum.getLhs();
  if (auto widened = value.getDefiningOp<arith::ExtFOp>())
    if (auto truncated = widened.getIn().getDefiningOp<arith::TruncFOp>()) {
      form.rounded = truncated.getType();
      value = truncated.getIn();
    }
  return value == argument ? form : ReluForm();
}

Type cuda::roundedType(Value value) {
  auto widened = value.getDefiningOp<arith::ExtFOp>();
  auto truncated = widened ? widened.getIn().getDefiningOp<arith::TruncFOp>() : arith::TruncFOp();
  return truncated ? truncated.getType() : Type();
}

/// The yielded value, or what it was before it was rounded to `element` and widened.
static Value beforeRounding(Value yielded, Type element) {
  auto widened = yielded.getDefiningOp<arith::ExtFOp>();
  Value rounded = widened ? widened.getIn() : yielded;
  auto truncated = rounded.getDefiningOp<arith::TruncFOp>();
  return truncated && truncated.getType() == element ? truncated.getIn() : yielded;
}

LogicalResult cuda::emitScalarFunction(SourceStream &stream, StringRef name, Region &region, Type roundedTo) {
  SourceStream::Scope structure(stream, "struct " + name + " {", "};");
  Value yielded = cast<kern::YieldOp>(region.front().getTerminator()).getValue();
  emitConstant(stream, "kOrdered", isOrderedByBits(yielded));
  emitConstant(stream, "kRising", isOrderedByBits(yielded) && isRising(yielded));
  emitConstant(stream, "kIdentity", yielded == region.getArgument(0));
  ReluForm relu = matchRelu(yielded, region.getArgument(0));
  emitConstant(stream, "kReluPower", relu.power);
  bool isPaired = relu.rounded && relu.rounded.getIntOrFloatBitWidth() == 16;
  stream.line(llvm::Twine("using ReluInput = winnow::") +
              (!isPaired               ? "F32"
               : relu.rounded.isBF16() ? "Bf16"
                                       : "F16") +
              ";");
  SourceStream::Scope function(stream, "static __device__ __forceinline__ float apply(float x) {", "}");
  return ScalarEmitter(stream).emit(region, roundedTo ? beforeRounding(yielded, roundedTo) : yielded);
}
