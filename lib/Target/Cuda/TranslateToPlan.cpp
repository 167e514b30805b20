//===- TranslateToPlan.cpp - the kern level as a launch plan ------------------------------------------------------===//

#include "winnow/Target/Cuda/TranslateToPlan.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Runtime/PlanVerifier.h"
#include "winnow/Target/Cuda/Emit.h"
#include "winnow/Target/Cuda/InstructionTable.h"
#include "winnow/Target/Cuda/KernelParameters.h"
#include "winnow/Target/Cuda/LaunchShape.h"
#include "winnow/Target/Cuda/Layout.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

namespace {

/// Kernels index rows, columns and tiles with 32-bit integers, rounded up to at most a tile.
constexpr int64_t kGreatestIndex = INT32_MAX;
constexpr int64_t kGreatestPadding = 256;
/// Sizes in bytes that the runtime accepts (PlanVerifier.h).
constexpr int64_t kGreatestBytes = int64_t(1) << 45;

class PlanBuilder {
public:
  PlanBuilder(ModuleOp module, kern::ProgramOp program) : symbols(module), program(program) {}
  FailureOr<rt::Plan> build();

private:
  SymbolTable symbols;
  kern::ProgramOp program;
  rt::Plan plan;
  llvm::DenseMap<Value, uint32_t> bufferIndex;
  llvm::DenseMap<Operation *, uint32_t> kernelIndex;
  llvm::DenseMap<Operation *, uint32_t> counterIndex; ///< by launch

  FailureOr<rt::Buffer> describeBuffer(Operation *op, kern::BufferType type);
  LogicalResult addArguments();
  LogicalResult addBuffer(Value value, rt::BufferKind kind);
  FailureOr<uint32_t> getKernel(Operation *kernel, const LaunchShape &shape);
  LogicalResult addLaunch(kern::LaunchOp launch);
  template <typename Op> LogicalResult addKernelLaunch(kern::LaunchOp launch, Op kernel);
  uint32_t addBytes(const std::string &name, rt::Extent bytes);
  LogicalResult addCounters();
  void limitTokens();
};

} // namespace

FailureOr<rt::Buffer> PlanBuilder::describeBuffer(Operation *op, kern::BufferType type) {
  std::optional<rt::ElementType> element = kern::getElementType(type.getElementType());
  std::optional<rt::Extent> bytes = kern::getBytes(type);
  if (!element || !bytes)
    return op->emitOpError() << "has a buffer that a plan cannot describe, " << type
                             << " (kern-verify-emittable should have rejected it)";
  rt::Buffer buffer;
  buffer.element = *element;
  buffer.bytes = *bytes;
  for (int64_t extent : type.getShape())
    buffer.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  if (auto packed = dyn_cast_or_null<kern::Packed24Attr>(type.getLayout())) {
    buffer.layout = rt::Layout::packed24;
    buffer.sparseAxis = static_cast<uint8_t>(packed.getAxis());
    buffer.panel = static_cast<uint32_t>(packed.getPanel());
  } else if (type.isTransposed()) {
    buffer.layout = rt::Layout::transposed;
  }
  return buffer;
}

LogicalResult PlanBuilder::addArguments() {
  std::optional<ArrayRef<int64_t>> weights = program.getWeights(), stages = program.getOutputStages();
  std::optional<ArrayAttr> names = program.getNames();
  int64_t numInputs = program.getNumInputs();
  for (BlockArgument argument : program.getBody().front().getArguments()) {
    int64_t index = argument.getArgNumber();
    FailureOr<rt::Buffer> buffer = describeBuffer(program, cast<kern::BufferType>(argument.getType()));
    if (failed(buffer))
      return failure();
    bool input = index < numInputs;
    buffer->kind = input ? rt::BufferKind::input : rt::BufferKind::output;
    if (names)
      buffer->name = cast<StringAttr>((*names)[index]).getValue().str();
    else
      buffer->name = input ? "arg" + std::to_string(index) : "result" + std::to_string(index - numInputs);
    buffer->isWeight = input && weights && llvm::is_contained(*weights, index);
    if (!input && stages && (*stages)[2 * (index - numInputs)] >= 0) {
      buffer->stage = static_cast<int32_t>((*stages)[2 * (index - numInputs)]);
      buffer->stageResult = static_cast<uint32_t>((*stages)[2 * (index - numInputs) + 1]);
    }
    bufferIndex[argument] = plan.buffers.size();
    plan.buffers.push_back(std::move(*buffer));
  }
  return success();
}

LogicalResult PlanBuilder::addBuffer(Value value, rt::BufferKind kind) {
  Operation *op = value.getDefiningOp();
  FailureOr<rt::Buffer> buffer = describeBuffer(op, cast<kern::BufferType>(value.getType()));
  if (failed(buffer))
    return failure();
  buffer->kind = kind;
  buffer->name = (kind == rt::BufferKind::constant ? "constant" : "workspace") + std::to_string(plan.buffers.size());
  if (auto alloc = dyn_cast<kern::AllocOp>(op); alloc && alloc.getStage()) {
    buffer->stage = static_cast<int32_t>((*alloc.getStage())[0]);
    buffer->stageResult = static_cast<uint32_t>((*alloc.getStage())[1]);
  }
  if (auto constant = dyn_cast<kern::ConstantOp>(op)) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!elements)
      return constant.emitOpError() << "expects a dense constant, got " << constant.getValue();
    size_t size = buffer->bytes.evaluate(0);
    if (elements.getElementType().isInteger(1)) { // One byte per element in memory, one bit in the attribute.
      for (bool bit : elements.getValues<bool>())
        buffer->contents.push_back(bit);
    } else if (ArrayRef<char> raw = elements.getRawData(); !raw.empty()) {
      while (buffer->contents.size() < size) // A splat is stored once.
        buffer->contents.insert(buffer->contents.end(), raw.begin(), raw.end());
    }
  }
  bufferIndex[value] = plan.buffers.size();
  plan.buffers.push_back(std::move(*buffer));
  return success();
}

FailureOr<uint32_t> PlanBuilder::getKernel(Operation *kernel, const LaunchShape &shape) {
  auto [entry, isNew] = kernelIndex.try_emplace(kernel, plan.kernels.size());
  if (!isNew)
    return entry->second;
  FailureOr<std::string> source = emitSource(kernel);
  if (failed(source))
    return failure();
  std::string name = SymbolTable::getSymbolName(kernel).str();
  rt::Image image;
  image.name = name;
  image.source = std::move(*source);
  plan.kernels.push_back({name, static_cast<uint32_t>(plan.images.size()), shape.threads, shape.sharedBytes});
  plan.images.push_back(std::move(image));
  return entry->second;
}

uint32_t PlanBuilder::addBytes(const std::string &name, rt::Extent bytes) {
  rt::Buffer buffer;
  buffer.name = name;
  buffer.element = rt::ElementType::u8;
  buffer.bytes = bytes;
  plan.buffers.push_back(std::move(buffer));
  return static_cast<uint32_t>(plan.buffers.size() - 1);
}

/// Adds the counters of all products, side by side, so that the runtime can zero them all at once.
LogicalResult PlanBuilder::addCounters() {
  for (auto launch : program.getBody().front().getOps<kern::LaunchOp>()) {
    auto gemm = dyn_cast_or_null<kern::GemmOp>(symbols.lookup(launch.getKernel()));
    if (!gemm || !gemm.getSchedule() || llvm::none_of(getParameters(gemm), [](const Parameter &parameter) {
          return parameter.kind == Parameter::Kind::progress;
        }))
      continue;
    FailureOr<rt::Extent> bytes = getCounterBytes(gemm);
    if (failed(bytes))
      return failure();
    counterIndex[launch] = addBytes("progress of " + gemm.getSymName().str(), *bytes);
  }
  return success();
}

template <typename Op> LogicalResult PlanBuilder::addKernelLaunch(kern::LaunchOp launch, Op kernel) {
  FailureOr<LaunchShape> shape = getLaunchShape(kernel);
  if (failed(shape))
    return failure();
  FailureOr<uint32_t> index = getKernel(kernel, *shape);
  if (failed(index))
    return failure();
  rt::Launch result;
  result.kernel = *index;
  result.tiles = shape->tiles;
  result.persistent = shape->persistent;
  result.cluster = shape->cluster;
  result.overlaps = launch.getOverlaps();
  for (const Parameter &parameter : getParameters(kernel)) {
    rt::Argument argument;
    auto operand = [&] { return bufferIndex.lookup(launch.getBuffers()[parameter.operand]); };
    switch (parameter.kind) {
    case Parameter::Kind::lhsMap:
    case Parameter::Kind::rhsMap:
    case Parameter::Kind::outMap:
      if constexpr (std::is_same_v<Op, kern::GemmOp>) {
        rt::TensorMap map = parameter.kind == Parameter::Kind::lhsMap   ? getLhsMap(kernel)
                            : parameter.kind == Parameter::Kind::rhsMap ? getRhsMap(kernel)
                                                                        : getOutMap(kernel);
        map.buffer = operand();
        argument.kind = rt::Argument::Kind::tensorMap;
        argument.index = static_cast<uint32_t>(result.tensorMaps.size());
        result.tensorMaps.push_back(std::move(map));
      }
      break;
    case Parameter::Kind::buffer:
      argument.index = operand();
      break;
    case Parameter::Kind::progress:
      argument.index = counterIndex.lookup(launch);
      plan.launches.emplace_back();
      plan.launches.back().kind = rt::Launch::Kind::fillZero;
      plan.launches.back().buffer = argument.index;
      break;
    case Parameter::Kind::partials:
      if constexpr (std::is_same_v<Op, kern::GemmOp>)
        argument.index =
            addBytes("partial sums of " + kernel.getSymName().str(), rt::Extent::constant(getPartialBytes(kernel)));
      break;
    case Parameter::Kind::tokens:
      argument.kind = rt::Argument::Kind::extent;
      argument.extent = rt::Extent::tokens();
      break;
    }
    result.arguments.push_back(argument);
  }
  plan.launches.push_back(std::move(result));
  return success();
}

LogicalResult PlanBuilder::addLaunch(kern::LaunchOp launch) {
  Operation *kernel = symbols.lookup(launch.getKernel());
  if (auto gemm = dyn_cast_or_null<kern::GemmOp>(kernel))
    return gemm.getSchedule() ? addKernelLaunch(launch, gemm)
                              : gemm.emitOpError("expects a schedule (kern-choose-schedule should have set it)");
  if (auto map = dyn_cast_or_null<kern::MapOp>(kernel))
    return map.getSchedule() ? addKernelLaunch(launch, map)
                             : map.emitOpError("expects a schedule (kern-choose-schedule should have set it)");
  return launch.emitOpError() << "expects the symbol of a kern.gemm or kern.map, got " << launch.getKernelAttr();
}

/// The greatest token count at which no grid, index or size overflows.
void PlanBuilder::limitTokens() {
  int64_t limit = kGreatestIndex - kGreatestPadding;
  auto restrict = [&](const rt::Extent &extent, int64_t greatest) {
    if (!extent.isConstant() && extent.factor > 0)
      limit = std::min(limit, std::max<int64_t>(1, (greatest - extent.addend) / extent.factor * extent.divisor));
  };
  for (const rt::Launch &launch : plan.launches)
    restrict(launch.tiles, kGreatestIndex);
  for (const rt::Buffer &buffer : plan.buffers)
    restrict(buffer.bytes, kGreatestBytes);
  plan.maxTokens = limit;
}

FailureOr<rt::Plan> PlanBuilder::build() {
  plan.name = program.getSymName().str();
  if (failed(addArguments()) || failed(addCounters()))
    return failure();
  for (Operation &op : program.getBody().front()) {
    LogicalResult result = success();
    if (auto alloc = dyn_cast<kern::AllocOp>(op)) {
      result = addBuffer(alloc.getBuffer(), rt::BufferKind::workspace);
    } else if (auto constant = dyn_cast<kern::ConstantOp>(op)) {
      result = addBuffer(constant.getBuffer(), rt::BufferKind::constant);
    } else if (auto fill = dyn_cast<kern::FillZeroOp>(op)) {
      rt::Launch launch;
      launch.kind = rt::Launch::Kind::fillZero;
      launch.buffer = bufferIndex.lookup(fill.getBuffer());
      plan.launches.push_back(std::move(launch));
    } else if (auto copy = dyn_cast<kern::CopyOp>(op)) {
      rt::Launch launch;
      launch.kind = rt::Launch::Kind::copy;
      launch.buffer = bufferIndex.lookup(copy.getTarget());
      launch.source = bufferIndex.lookup(copy.getSource());
      plan.launches.push_back(std::move(launch));
    } else if (auto launch = dyn_cast<kern::LaunchOp>(op)) {
      result = addLaunch(launch);
    }
    if (failed(result))
      return failure();
  }
  limitTokens();
  plan.target = "sm_90a";
  if (Status status = rt::verify(plan); !status)
    return program.emitOpError() << "has a plan that the runtime would reject: " << status.message();
  return std::move(plan);
}

FailureOr<rt::Plan> cuda::translateToPlan(ModuleOp module, StringRef entry) {
  kern::ProgramOp found;
  std::string names;
  for (auto program : module.getOps<kern::ProgramOp>()) {
    names += (names.empty() ? "@" : ", @") + program.getSymName().str();
    if (entry.empty() && found)
      return module.emitError() << "expects one program, or the name of the one to use; there are several: " << names
                                << ", …";
    if (entry.empty() || program.getSymName() == entry)
      found = program;
  }
  if (found)
    return PlanBuilder(module, found).build();
  if (entry.empty())
    return module.emitError() << "expects a kern.program, got none (convert-ffn-to-kern makes one of every function)";
  return module.emitError() << "has no program @" << entry << "; there "
                            << (names.empty() ? "are none" : "is " + names);
}
