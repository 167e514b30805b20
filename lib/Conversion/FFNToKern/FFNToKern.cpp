//===- FFNToKern.cpp - functions of kernels to programs of launches -----------------------------------------------===//

#include "BufferNeeds.h"
#include "ScalarRegion.h"

#include "winnow/Conversion/Passes.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace winnow;
using kern::BufferType;

namespace winnow {
#define GEN_PASS_DEF_CONVERTFFNTOKERNPASS
#include "winnow/Conversion/Passes.h.inc"
} // namespace winnow

namespace {

constexpr size_t kMaxOutputs = 3; ///< of one map kernel

/// Up to here a forward waits for memory, of which some is idle wherever one launch ends and the next begins. With more
/// tokens launches that overlap are slower, row kernels by a third (docs/benchmarks.md, "Launches that overlap").
constexpr int64_t kMostOverlapTokens = 128;

/// One form in which a map kernel writes its result.
struct MapOutput {
  Value buffer;
  BufferType type() const { return cast<BufferType>(buffer.getType()); }
  bool isMask() const { return type().getElementType().isInteger(1); }
  /// Family `row` writes whole rows as they lie.
  bool isRowWise() const {
    auto packed = dyn_cast_or_null<kern::Packed24Attr>(type().getLayout());
    return !type().isTransposed() && !(packed && packed.getAxis() == 0);
  }
};

class FunctionConverter {
public:
  FunctionConverter(func::FuncOp function, FunctionPlan plan, bool overlaps)
      : function(function), plan(std::move(plan)), overlaps(overlaps), symbols(function.getContext()) {
    symbols.setInsertionPoint(function);
  }
  void convert();

private:
  func::FuncOp function;
  FunctionPlan plan;
  bool overlaps;                    ///< launches overlap
  OpBuilder symbols;                ///< where kernels go
  std::optional<OpBuilder> program; ///< where launches go
  llvm::StringSet<> names;
  llvm::DenseMap<Value, Value> rowMajor, transposed, packed; ///< buffers of values
  llvm::DenseMap<Value, Value> outputs;                      ///< program argument that receives a kernel result
  llvm::DenseMap<Attribute, Value> constants;

  MLIRContext *context() { return function.getContext(); }
  kern::ProgramOp createProgram();
  std::string kernelName(int64_t stage, StringRef role);
  BufferType bufferType(Type type, Attribute layout = {});
  Value allocate(BufferType type, std::optional<std::pair<int64_t, int64_t>> stage = std::nullopt);
  Value createRowMajor(Value result, int64_t stage);
  Value getRowMajor(Value value);
  void materialize(Value value, std::string name);
  void launch(Location loc, StringRef kernel, ArrayRef<Value> buffers);

  kern::MapOp createMap(Location loc, StringRef name, Value input, ArrayRef<int64_t> select, Value scale,
                        StringRef granularity, StringRef mode, Type scaleElement, ArrayRef<Type> outs);
  void emitGemm(const PlannedKernel &planned);
  void emitMap(const PlannedKernel &planned, Value input, bool identityBody);
  void emitCount(const PlannedKernel &planned, Value input);
  void emitScale(const PlannedKernel &planned, Value input, Value scale, ffn::Granularity granularity, Type element,
                 bool identityBody);
  void emitMapKernel(const PlannedKernel &planned, Value input, ArrayRef<MapOutput> outputs, StringRef mode,
                     Value scale, bool identityBody);
  void emitReturns();
};

std::string FunctionConverter::kernelName(int64_t stage, StringRef role) {
  std::string base;
  for (char c : function.getSymName())
    base += llvm::isAlnum(c) ? c : '_';
  if (!llvm::isAlpha(base.front()))
    base = "f_" + base;
  base += (stage < 0 ? "" : "_" + std::to_string(stage)) + "_" + role.str();
  std::string name = base;
  for (int suffix = 1; !names.insert(name).second; ++suffix)
    name = base + "_" + std::to_string(suffix);
  return name;
}

BufferType FunctionConverter::bufferType(Type type, Attribute layout) {
  if (auto sparse = dyn_cast<ffn::Sparse24Type>(type))
    return BufferType::get(context(), sparse.getShape(), sparse.getElementType(), layout);
  auto tensor = cast<RankedTensorType>(type);
  return BufferType::get(context(), tensor.getShape(), tensor.getElementType(), layout);
}

Value FunctionConverter::allocate(BufferType type, std::optional<std::pair<int64_t, int64_t>> stage) {
  DenseI64ArrayAttr attribute;
  if (stage)
    attribute = symbols.getDenseI64ArrayAttr({stage->first, stage->second});
  return kern::AllocOp::create(*program, function.getLoc(), type, attribute);
}

/// The row-major buffer of a kernel result: an output of the program where the function returns it, else workspace.
Value FunctionConverter::createRowMajor(Value result, int64_t stage) {
  auto output = outputs.find(result);
  Value buffer =
      output != outputs.end()
          ? output->second
          : allocate(bufferType(result.getType()), std::pair(stage, int64_t(cast<OpResult>(result).getResultNumber())));
  return rowMajor[result] = buffer;
}

/// The row-major buffer of any value: argument, kernel result, or constant of the function or of a kernel body.
Value FunctionConverter::getRowMajor(Value value) {
  if (Value buffer = rowMajor.lookup(value))
    return buffer;
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  Value &buffer = constants[constant.getValue()];
  if (!buffer)
    buffer = kern::ConstantOp::create(*program, constant.getLoc(), bufferType(constant.getType()),
                                      cast<ElementsAttr>(constant.getValue()));
  return buffer;
}

void FunctionConverter::launch(Location loc, StringRef kernel, ArrayRef<Value> buffers) {
  kern::LaunchOp::create(*program, loc, FlatSymbolRefAttr::get(context(), kernel), buffers,
                         overlaps ? symbols.getUnitAttr() : UnitAttr());
}

static TypeAttr typeAttr(Value value) { return value ? TypeAttr::get(value.getType()) : TypeAttr(); }

kern::MapOp FunctionConverter::createMap(Location loc, StringRef name, Value input, ArrayRef<int64_t> select,
                                         Value scale, StringRef granularity, StringRef mode, Type scaleElement,
                                         ArrayRef<Type> outs) {
  return kern::MapOp::create(symbols, loc, symbols.getStringAttr(name), typeAttr(input),
                             symbols.getDenseI64ArrayAttr(select), typeAttr(scale), symbols.getStringAttr(granularity),
                             symbols.getStringAttr(mode), scaleElement ? TypeAttr::get(scaleElement) : TypeAttr(),
                             symbols.getTypeArrayAttr(outs), /*schedule=*/kern::ScheduleAttr());
}

/// Writes the transposed form of a value that lies row-major, if a reader needs it and nothing has written it.
void FunctionConverter::materialize(Value value, std::string name) {
  if (!plan.needs.lookup(value).transposed || transposed.count(value))
    return;
  Value source = getRowMajor(value);
  Value target = allocate(bufferType(value.getType(), kern::TransposedAttr::get(context())));
  kern::MapOp map = createMap(value.getLoc(), name, source, /*select=*/{}, /*scale=*/Value(), "tensor", "none",
                              /*scaleElement=*/Type(), {target.getType()});
  buildIdentityRegion(map.getBody(), value.getLoc());
  launch(value.getLoc(), name, {source, target});
  transposed[value] = target;
}

kern::ProgramOp FunctionConverter::createProgram() {
  Location loc = function.getLoc();
  int64_t numInputs = function.getNumArguments();
  SmallVector<Attribute> argumentNames;
  SmallVector<int64_t> weights, outputStages;
  auto op = kern::ProgramOp::create(symbols, loc, function.getSymName(), numInputs, /*names=*/ArrayAttr(),
                                    /*weights=*/DenseI64ArrayAttr(), /*output_stages=*/DenseI64ArrayAttr());
  Block &block = op.getBody().emplaceBlock();
  for (BlockArgument argument : function.getArguments()) {
    int64_t index = argument.getArgNumber();
    rowMajor[argument] = block.addArgument(bufferType(argument.getType()), argument.getLoc());
    auto name = dyn_cast<NameLoc>(argument.getLoc());
    argumentNames.push_back(name ? name.getName() : symbols.getStringAttr("arg" + std::to_string(index)));
    if (function.getArgAttr(index, ffn::kWeightAttrName))
      weights.push_back(index);
  }
  Operation *ret = function.getBody().front().getTerminator();
  llvm::DenseMap<Operation *, int64_t> stages;
  for (const PlannedKernel &planned : plan.kernels)
    stages[ffn::KernelOp(planned.form.kernel).getOperation()] = planned.stage;
  for (auto [index, value] : llvm::enumerate(ret->getOperands())) {
    Value output = block.addArgument(bufferType(value.getType()), value.getLoc());
    argumentNames.push_back(symbols.getStringAttr("result" + std::to_string(index)));
    auto result = dyn_cast<OpResult>(value);
    bool fromKernel = result && isa<ffn::KernelOp>(result.getOwner()) && outputs.try_emplace(value, output).second;
    outputStages.push_back(fromKernel ? stages.lookup(result.getOwner()) : -1);
    outputStages.push_back(fromKernel ? result.getResultNumber() : 0);
  }
  op.setNamesAttr(symbols.getArrayAttr(argumentNames));
  if (!weights.empty())
    op.setWeights(weights);
  op.setOutputStages(outputStages);
  program = OpBuilder::atBlockEnd(&block);
  return op;
}

void FunctionConverter::emitGemm(const PlannedKernel &planned) {
  const ffn::KernelForm &form = planned.form;
  ffn::MatmulOp matmul = form.matmul;
  Location loc = matmul.getLoc();
  Value result = ffn::KernelOp(form.kernel)->getResult(0);
  bool compressed = form.compress && !planned.splitSelection;

  Value lhsValue = form.outerValue(matmul.getLhs()), rhsValue = form.outerValue(matmul.getRhs());
  bool simt = planned.schedule.family == kern::Family::Simt;
  Value lhs = matmul.isSparse()                   ? packed.lookup(lhsValue)
              : matmul.getTransposeLhs() && !simt ? transposed.lookup(lhsValue)
                                                  : getRowMajor(lhsValue);
  Value rhs = !matmul.getTransposeRhs() && !simt ? transposed.lookup(rhsValue) : getRowMajor(rhsValue);
  Value lhsScale = matmul.getLhsScale() ? getRowMajor(form.outerValue(matmul.getLhsScale())) : Value();
  Value rhsScale = matmul.getRhsScale() ? getRowMajor(form.outerValue(matmul.getRhsScale())) : Value();
  ffn::QuantizeOp quantize = planned.splitSelection ? ffn::QuantizeOp() : form.quantize;
  Value outScale = quantize ? getRowMajor(form.outerValue(quantize.getGivenScale())) : Value();

  Value out;
  if (compressed) {
    Attribute layout = kern::Packed24Attr::get(context(), 1, plan.needs.lookup(result).panel);
    out = packed[result] = allocate(bufferType(result.getType(), layout), std::pair(planned.stage, int64_t(0)));
  } else if (planned.splitSelection) {
    out = allocate(bufferType(form.activated().getType()));
  } else {
    out = createRowMajor(result, planned.stage);
  }

  Value counts;
  if (form.count)
    if (Value counted = form.resultOf(ffn::CountNonzeroOp(form.count).getCounts()); plan.needs.lookup(counted).any())
      counts = createRowMajor(counted, planned.stage);

  std::string name = kernelName(planned.stage, "gemm");
  auto gemm = kern::GemmOp::create(
      symbols, loc, symbols.getStringAttr(name), typeAttr(lhs), typeAttr(rhs), typeAttr(out), typeAttr(lhsScale),
      typeAttr(rhsScale), typeAttr(outScale),
      quantize ? symbols.getStringAttr(stringifyGranularity(quantize.getGranularity())) : StringAttr(),
      typeAttr(counts), matmul.getTransposeLhsAttr(), matmul.getTransposeRhsAttr(), /*schedule=*/kern::ScheduleAttr());
  buildScalarRegion(gemm.getEpilogue(), form, /*product=*/true);
  SmallVector<Value> operands{lhs, rhs};
  for (Value scale : {lhsScale, rhsScale, outScale})
    if (scale)
      operands.push_back(scale);
  operands.push_back(out);
  if (counts) {
    buildCountedRegion(gemm.getCounted(), form);
    kern::FillZeroOp::create(*program, loc, counts);
    operands.push_back(counts);
  }
  launch(loc, name, operands);
  if (planned.splitSelection)
    emitMap(planned, out, /*identityBody=*/true);
}

void FunctionConverter::emitMapKernel(const PlannedKernel &planned, Value input, ArrayRef<MapOutput> outs,
                                      StringRef mode, Value scale, bool identityBody) {
  const ffn::KernelForm &form = planned.form;
  Location loc = ffn::KernelOp(form.kernel).getLoc();
  SmallVector<int64_t> select;
  for (ffn::SparsifyOp sparsify : form.selections)
    select.push_back(sparsify.getAxis());
  SmallVector<Type> types;
  SmallVector<Value> operands{input};
  if (scale)
    operands.push_back(scale);
  for (const MapOutput &out : outs) {
    types.push_back(out.type());
    operands.push_back(out.buffer);
  }
  ffn::QuantizeOp quantize = form.quantize;
  StringRef granularity = scale ? stringifyGranularity(quantize.getGranularity()) : "tensor";
  std::string name = kernelName(planned.stage, "map");
  kern::MapOp map = createMap(loc, name, input, select, scale, granularity, mode, /*scaleElement=*/Type(), types);
  if (identityBody)
    buildIdentityRegion(map.getBody(), loc);
  else
    buildScalarRegion(map.getBody(), form, /*product=*/false);
  launch(loc, name, operands);
}

void FunctionConverter::emitCount(const PlannedKernel &planned, Value input) {
  const ffn::KernelForm &form = planned.form;
  Location loc = ffn::KernelOp(form.kernel).getLoc();
  Value counts = createRowMajor(form.resultOf(ffn::CountNonzeroOp(form.count).getCounts()), planned.stage);
  kern::FillZeroOp::create(*program, loc, counts);
  SmallVector<int64_t> select;
  for (ffn::SparsifyOp sparsify : form.selections)
    select.push_back(sparsify.getAxis());
  std::string name = kernelName(planned.stage, "count");
  kern::MapOp map = createMap(loc, name, input, select, /*scale=*/Value(), "column", "count_only",
                              /*scaleElement=*/Type(), {counts.getType()});
  buildScalarRegion(map.getBody(), form, /*product=*/false);
  launch(loc, name, {input, counts});
}

void FunctionConverter::emitScale(const PlannedKernel &planned, Value input, Value scale, ffn::Granularity granularity,
                                  Type element, bool identityBody) {
  const ffn::KernelForm &form = planned.form;
  Location loc = ffn::KernelOp(form.kernel).getLoc();
  SmallVector<int64_t> select;
  for (ffn::SparsifyOp sparsify : form.selections)
    select.push_back(sparsify.getAxis());
  Value counter = allocate(BufferType::get(context(), {1}, symbols.getI32Type(), Attribute()));
  kern::FillZeroOp::create(*program, loc, scale);
  kern::FillZeroOp::create(*program, loc, counter);
  std::string name = kernelName(planned.stage, "scale");
  kern::MapOp map = createMap(loc, name, input, select, /*scale=*/Value(), stringifyGranularity(granularity),
                              "scale_only", element, {scale.getType()});
  if (identityBody)
    buildIdentityRegion(map.getBody(), loc);
  else
    buildScalarRegion(map.getBody(), form, /*product=*/false);
  launch(loc, name, {input, scale, counter});
}

void FunctionConverter::emitMap(const PlannedKernel &planned, Value input, bool identityBody) {
  const ffn::KernelForm &form = planned.form;
  int64_t stage = planned.stage;
  if (ffn::DynamicScaleOp dynamic = form.scaleOnly) {
    Value result = form.resultOf(dynamic.getScale());
    emitScale(planned, input, createRowMajor(result, stage), dynamic.getGranularity(), dynamic.getElement(),
              identityBody);
    return;
  }
  if (form.count && !form.isGemm())
    return emitCount(planned, input);
  if (cast<BufferType>(input.getType()).getElementType().isInteger(32)) { // no map reads counts, but for a copy
    ffn::KernelOp kernel = form.kernel;
    kern::CopyOp::create(*program, kernel.getLoc(), input, createRowMajor(kernel->getResult(0), stage));
    return;
  }

  // Every form of every result that somebody reads; a result yielded twice is written twice.
  SmallVector<MapOutput> outs;
  ffn::KernelOp kernel = form.kernel;
  Operation *yield = kernel.getBody().front().getTerminator();
  ffn::QuantizeOp quantize = form.quantize;
  bool dynamic = quantize && quantize.isDynamic();
  Value scale, dynamicScale;
  if (quantize && !dynamic)
    scale = getRowMajor(form.outerValue(quantize.getGivenScale()));
  for (auto [index, yielded] : llvm::enumerate(yield->getOperands())) {
    Value result = kernel->getResult(index);
    const BufferNeeds needs = plan.needs.lookup(result);
    std::pair<int64_t, int64_t> origin(stage, index);
    if (dynamic && yielded == quantize.getScale()) {
      if (needs.any() && dynamicScale)
        kern::CopyOp::create(*program, kernel.getLoc(), dynamicScale, createRowMajor(result, stage));
      else if (needs.any())
        dynamicScale = createRowMajor(result, stage);
      continue;
    }
    if (form.count && yielded == ffn::CountNonzeroOp(form.count).getCounts()) // the product has written them
      continue;
    if (needs.rowMajor)
      outs.push_back({createRowMajor(result, stage)});
    if (needs.transposed)
      outs.push_back(
          {transposed[result] = allocate(bufferType(result.getType(), kern::TransposedAttr::get(context())), origin)});
    if (needs.panel != 0) {
      int64_t axis = cast<ffn::Sparse24Type>(result.getType()).getAxis();
      Attribute layout = kern::Packed24Attr::get(context(), axis, needs.panel);
      outs.push_back({packed[result] = allocate(bufferType(result.getType(), layout), origin)});
    }
  }

  StringRef mode = quantize ? "given" : "none";
  if (dynamic) {
    if (!dynamicScale) // Nobody reads it, but the values are divided by it.
      dynamicScale = allocate(bufferType(quantize.getScale().getType()));
    scale = dynamicScale;
    bool alongRows = llvm::all_of(form.selections, [](ffn::SparsifyOp op) { return op.getAxis() == 1; }) &&
                     form.selections.size() <= 1;
    // The launch that finds the scale also writes what it can: quantised values, whose element type the scale is for,
    // then masks.
    SmallVector<MapOutput> withScale, rest;
    for (bool masks : {false, true})
      for (const MapOutput &out : outs)
        if (out.isMask() == masks) {
          bool fits = alongRows && out.isRowWise() && withScale.size() < kMaxOutputs && (!masks || !withScale.empty());
          (fits ? withScale : rest).push_back(out);
        }
    if (!withScale.empty()) {
      emitMapKernel(planned, input, withScale, "dynamic", scale, identityBody);
    } else {
      Type element = cast<RankedTensorType>(quantize.getValues().getType()).getElementType();
      emitScale(planned, input, scale, quantize.getGranularity(), element, identityBody);
    }
    outs = std::move(rest);
  }
  for (ArrayRef<MapOutput> rest = outs; !rest.empty(); rest = rest.drop_front(std::min(kMaxOutputs, rest.size())))
    emitMapKernel(planned, input, rest.take_front(kMaxOutputs), mode, scale, identityBody);
}

void FunctionConverter::emitReturns() {
  Operation *ret = function.getBody().front().getTerminator();
  Block &block = *program->getInsertionBlock();
  for (auto [index, value] : llvm::enumerate(ret->getOperands())) {
    Value output = block.getArgument(function.getNumArguments() + index);
    if (outputs.lookup(value) != output)
      kern::CopyOp::create(*program, ret->getLoc(), getRowMajor(value), output);
  }
  kern::ReturnOp::create(*program, ret->getLoc());
}

void FunctionConverter::convert() {
  createProgram();
  for (BlockArgument argument : function.getArguments())
    materialize(argument, kernelName(-1, "transpose_arg" + std::to_string(argument.getArgNumber())));
  for (auto constant : function.getOps<arith::ConstantOp>())
    materialize(constant.getResult(), kernelName(-1, "transpose_constant"));
  for (const PlannedKernel &planned : plan.kernels) {
    ffn::KernelOp kernel = planned.form.kernel;
    if (llvm::none_of(kernel->getResults(), [&](Value result) { return plan.needs.lookup(result).any(); }))
      continue;
    if (planned.form.isGemm())
      emitGemm(planned);
    else
      emitMap(planned, getRowMajor(planned.form.input), /*identityBody=*/false);
    for (Value result : kernel->getResults())
      if (plan.needs.lookup(result).transposed && !transposed.count(result))
        materialize(result, kernelName(planned.stage, "transpose"));
  }
  emitReturns();
  function.erase();
}

struct ConvertFFNToKernPass : winnow::impl::ConvertFFNToKernPassBase<ConvertFFNToKernPass> {
  using Base::Base;

  void runOnOperation() override {
    Result<kern::Tuning> opened = kern::Tuning::open(tuning);
    if (!opened) {
      getOperation().emitError() << opened.message();
      return signalPassFailure();
    }
    ScheduleContext context{tokens > 0 ? tokens : kern::kNominalTokens, target, std::move(*opened)};
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      FailureOr<FunctionPlan> plan = planFunction(function, context);
      if (failed(plan))
        return signalPassFailure();
      bool overlaps = context.expectedTokens <= kMostOverlapTokens;
      FunctionConverter(function, std::move(*plan), overlaps).convert();
    }
  }
};

} // namespace
