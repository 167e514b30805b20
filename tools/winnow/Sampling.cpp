//===- Sampling.cpp - the reference on some rows only -------------------------------------------------------------===//

#include "Sampling.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <thread>

using namespace mlir;
using namespace winnow;
using namespace winnow::tool;

std::string RowSample::text() const {
  if (whole())
    return total == 1 ? "its only row" : "all " + std::to_string(total) + " rows";
  return std::to_string(rows.size()) + " of " + std::to_string(total) + " rows";
}

RowSample tool::sampleRows(int64_t total, int64_t limit) {
  RowSample sample;
  sample.total = total;
  limit = std::max<int64_t>(limit, 1);
  std::set<int64_t> chosen;
  if (limit >= total) {
    for (int64_t row = 0; row < total; ++row)
      chosen.insert(chosen.end(), row);
  } else {
    chosen.insert(0);
    if (limit > 1)
      chosen.insert(total - 1);
    std::mt19937_64 random(0x57494e4e4f57);
    while (static_cast<int64_t>(chosen.size()) < limit)
      chosen.insert(static_cast<int64_t>(random() % static_cast<uint64_t>(total)));
  }
  sample.rows.assign(chosen.begin(), chosen.end());
  return sample;
}

interp::Tensor tool::takeRows(const interp::Tensor &tensor, const RowSample &sample, int axis) {
  if (sample.whole() || tensor.shape().empty())
    return tensor;
  std::vector<int64_t> shape = tensor.shape();
  shape[axis] = static_cast<int64_t>(sample.rows.size());
  int64_t size = interp::elementBytes(tensor.element());
  int64_t columns = shape.size() == 1 ? 1 : tensor.shape()[1];
  interp::Tensor taken(tensor.element(), shape);
  taken.sparseAxis = tensor.sparseAxis;
  taken.keepMask.resize(tensor.keepMask.empty() ? 0 : taken.count());

  auto copy = [&](int64_t to, int64_t from, int64_t count) {
    std::memcpy(&taken.bytes()[to * size], &tensor.bytes()[from * size], count * size);
    if (!tensor.keepMask.empty())
      std::memcpy(&taken.keepMask[to], &tensor.keepMask[from], count);
  };
  int64_t count = static_cast<int64_t>(sample.rows.size());
  if (axis == 0)
    for (int64_t i = 0; i < count; ++i)
      copy(i * columns, sample.rows[i] * columns, columns);
  else
    for (int64_t row = 0; row < shape[0]; ++row)
      for (int64_t i = 0; i < count; ++i)
        copy(row * count + i, row * columns + sample.rows[i], 1);
  return taken;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Cost
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr double kReferenceRate = 4e9;

double tool::countMultiplyAdds(Operation *op, int64_t tokens) {
  double sum = 0;
  op->walk([&](ffn::MatmulOp matmul) {
    auto extent = [&](int64_t value) { return static_cast<double>(ShapedType::isDynamic(value) ? tokens : value); };
    sum += extent(matmul.getM()) * extent(matmul.getN()) * extent(matmul.getK());
  });
  return sum;
}

/// Multiply-adds per second of the reference on this machine: a cautious figure, to plan with.
static double referenceRate() { return kReferenceRate * std::max(1u, std::thread::hardware_concurrency()); }

double tool::estimateReferenceSeconds(Operation *op, int64_t tokens) {
  return countMultiplyAdds(op, tokens) / referenceRate();
}

static llvm::ArrayRef<int64_t> shapeOf(Type type) {
  if (auto sparse = dyn_cast<ffn::Sparse24Type>(type))
    return sparse.getShape();
  return cast<ShapedType>(type).getShape();
}

static double bytesOf(Type type, int64_t tokens) {
  auto sparse = dyn_cast<ffn::Sparse24Type>(type);
  if (!sparse && !isa<RankedTensorType>(type))
    return 0;
  Type element = sparse ? sparse.getElementType() : cast<RankedTensorType>(type).getElementType();
  double bytes = std::max(8u, element.getIntOrFloatBitWidth()) / 8.0 + (sparse ? 1 : 0);
  for (int64_t extent : shapeOf(type))
    bytes *= static_cast<double>(ShapedType::isDynamic(extent) ? tokens : extent);
  return bytes;
}

double tool::estimateArgumentBytes(func::FuncOp function, int64_t tokens) {
  double bytes = 0;
  for (Type type : function.getArgumentTypes())
    bytes += bytesOf(type, tokens);
  return bytes;
}

double tool::estimateReferenceBytes(func::FuncOp function, int64_t tokens) {
  double bytes = estimateArgumentBytes(function, tokens);
  function.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      bytes += bytesOf(type, tokens);
  });
  return bytes;
}

int64_t tool::affordableRows(double multiplyAdds, int64_t total, double seconds) {
  double fraction = seconds * referenceRate() / std::max(multiplyAdds, 1.0);
  return fraction >= 1 ? total : std::max<int64_t>(1, static_cast<int64_t>(fraction * static_cast<double>(total)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Independence of rows
//===--------------------------------------------------------------------------------------------------------------===//

static bool isDynamic(Value value) { return value && ShapedType::isDynamicShape(shapeOf(value.getType())); }

bool tool::hasIndependentTokens(func::FuncOp function) {
  auto onlyRowsAreTokens = [](Value value) {
    return !isDynamic(value) || !ShapedType::isDynamicShape(shapeOf(value.getType()).drop_front());
  };
  if (!llvm::all_of(function.getArguments(), onlyRowsAreTokens))
    return false;
  return !function
              .walk([&](Operation *op) {
                bool independent =
                    llvm::TypeSwitch<Operation *, bool>(op)
                        .Case([](ffn::MatmulOp matmul) {
                          return !isDynamic(matmul.getRhs()) && !isDynamic(matmul.getRhsScale()) &&
                                 (!isDynamic(matmul.getLhs()) || !matmul.getTransposeLhs());
                        })
                        .Case([](ffn::QuantizeOp quantize) {
                          return !quantize.isDynamic() || !isDynamic(quantize.getInput()) ||
                                 quantize.getGranularity() == ffn::Granularity::Row;
                        })
                        .Case([](ffn::DynamicScaleOp scale) {
                          return !isDynamic(scale.getInput()) || scale.getGranularity() == ffn::Granularity::Row;
                        })
                        .Case([](ffn::SparsifyOp sparsify) {
                          return !isDynamic(sparsify.getInput()) || sparsify.getAxis() == 1;
                        })
                        .Default([](Operation *) { return true; });
                independent &= llvm::all_of(op->getResults(), [&](Value value) {
                  return !isa<ShapedType, ffn::Sparse24Type>(value.getType()) || onlyRowsAreTokens(value);
                });
                return independent ? WalkResult::advance() : WalkResult::interrupt();
              })
              .wasInterrupted();
}

/// How the use of a value cuts it, when the rows of the user's results are cut.
static std::optional<Cut> cutOfUse(OpOperand &use) {
  Value value = use.get();
  return llvm::TypeSwitch<Operation *, std::optional<Cut>>(use.getOwner())
      .Case([&](ffn::MatmulOp matmul) {
        if (value == matmul.getRhs() || value == matmul.getRhsScale())
          return Cut::none;
        if (value == matmul.getLhs())
          return matmul.getTransposeLhs() ? Cut::columns : Cut::rows;
        return shapeOf(value.getType()).empty() ? Cut::none : Cut::rows;
      })
      .Case([&](ffn::QuantizeOp quantize) -> std::optional<Cut> {
        if (quantize.isDynamic() && quantize.getGranularity() != ffn::Granularity::Row)
          return std::nullopt;
        if (value == quantize.getInput())
          return Cut::rows;
        return quantize.getGranularity() == ffn::Granularity::Row ? Cut::rows : Cut::none;
      })
      .Case([&](ffn::DynamicScaleOp scale) -> std::optional<Cut> {
        return scale.getGranularity() == ffn::Granularity::Row ? std::optional(Cut::rows) : std::nullopt;
      })
      .Case([&](ffn::SparsifyOp sparsify) -> std::optional<Cut> {
        return sparsify.getAxis() == 1 ? std::optional(Cut::rows) : std::nullopt;
      })
      .Default([](Operation *) { return Cut::rows; });
}

std::optional<std::vector<Cut>> tool::cutsForRows(ffn::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  for (Operation &op : body)
    for (OpOperand &operand : op.getOpOperands())
      if (!operand.get().getDefiningOp<arith::ConstantOp>() && !isa<BlockArgument>(operand.get())) {
        std::optional<Cut> cut = cutOfUse(operand);
        if (!cut || *cut != Cut::rows)
          return std::nullopt; // an intermediate value of which other rows are needed
      }
  std::vector<Cut> cuts;
  for (BlockArgument argument : body.getArguments()) {
    std::optional<Cut> cut = Cut::none;
    for (OpOperand &use : argument.getUses()) {
      std::optional<Cut> wanted = cutOfUse(use);
      if (!wanted || (cut != Cut::none && *wanted != cut) || (&use != &*argument.use_begin() && *wanted != cut))
        return std::nullopt;
      cut = wanted;
    }
    cuts.push_back(*cut);
  }
  return cuts;
}

static Type withRows(Type type, int64_t rows, int axis) {
  llvm::SmallVector<int64_t> shape(shapeOf(type));
  if (shape.empty())
    return type;
  shape[axis] = rows;
  if (auto sparse = dyn_cast<ffn::Sparse24Type>(type))
    return ffn::Sparse24Type::get(type.getContext(), shape, sparse.getElementType(), sparse.getAxis());
  return cast<RankedTensorType>(type).clone(shape);
}

OwningOpRef<ModuleOp> tool::isolateKernel(ffn::KernelOp kernel, std::optional<int64_t> rows) {
  OpBuilder builder(kernel.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, kernel.getLoc());
  builder.setInsertionPointToEnd(module->getBody());
  Block &body = kernel.getBody().front();
  std::optional<std::vector<Cut>> cuts = rows ? cutsForRows(kernel) : std::nullopt;

  llvm::SmallVector<Type> inputs, results;
  for (BlockArgument argument : body.getArguments()) {
    Cut cut = cuts ? (*cuts)[argument.getArgNumber()] : Cut::none;
    inputs.push_back(cut == Cut::none ? argument.getType()
                                      : withRows(argument.getType(), *rows, cut == Cut::columns ? 1 : 0));
  }
  auto hasRows = [](Value value) { return !value.getDefiningOp<ffn::CountNonzeroOp>(); };
  for (Value value : body.getTerminator()->getOperands())
    results.push_back(cuts && hasRows(value) ? withRows(value.getType(), *rows, 0) : value.getType());

  auto function = func::FuncOp::create(builder, kernel.getLoc(), "stage", builder.getFunctionType(inputs, results));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  IRMapping mapping;
  mapping.map(body.getArguments(), entry->getArguments());
  for (Operation &op : body.without_terminator()) {
    Operation *copy = builder.clone(op, mapping);
    if (cuts && !isa<arith::ConstantOp>(op))
      for (Value result : llvm::make_filter_range(copy->getResults(), hasRows))
        result.setType(withRows(result.getType(), *rows, 0));
  }
  llvm::SmallVector<Value> values;
  for (Value value : body.getTerminator()->getOperands())
    values.push_back(mapping.lookupOrDefault(value));
  func::ReturnOp::create(builder, kernel.getLoc(), values);
  return module;
}
