//===- LaunchShape.cpp - grids, shared memory and tensor maps of kernels ------------------------------------------===//

#include "winnow/Target/Cuda/LaunchShape.h"

#include "winnow/Dialect/Kern/Transforms/KernelAnalysis.h"
#include "winnow/Target/Cuda/InstructionTable.h"
#include "winnow/Target/Cuda/KernelParameters.h"
#include "winnow/Target/Cuda/Layout.h"

#include <numeric>

using namespace mlir;
using namespace winnow;
using namespace winnow::cuda;

/// The multiprocessors that the kernel's own bound on pacing counters is written for (Pacer, gemm_wgmma.cuh).
static constexpr int64_t kPacingMultiprocessors = 132;

/// ceil(roundUp(extent, padding) / tile).
static Count tileCount(int64_t extent, int64_t padding, int64_t tile) {
  int64_t step = std::lcm(padding, tile);
  return {extent, step, step / tile};
}

static FailureOr<rt::Extent> linear(Operation *op, std::optional<rt::Extent> extent, StringRef what) {
  if (extent)
    return *extent;
  return op->emitOpError() << what
                           << " is not linear in the token count (kern-verify-emittable should have rejected it)";
}

static rt::Extent scaled(rt::Extent extent, int64_t factor) {
  return {extent.divisor, extent.factor * factor, extent.addend * factor};
}

/// Tiles along M and N, with those that only complete a packed result.
static std::pair<Count, Count> gemmTiles(kern::GemmOp op, const kern::GemmProblem &problem) {
  int64_t padM = 1, padN = 1;
  if (problem.compress) {
    padM = problem.outPanel;
    padN = slabElements(elementBytes(problem.out));
  }
  kern::GemmSchedule schedule = kern::toSchedule(*op.getSchedule());
  int64_t cluster = kern::clusterSize(schedule);
  // Padding matters only where it reaches into a further tile: a tile that is a multiple of it already covers it.
  auto count = [](int64_t extent, int64_t padding, int64_t tile, int64_t together) {
    if (extent != kTokens)
      return Count{roundUp(ceilDiv(roundUp(extent, padding), tile), together)};
    Count stacks = tileCount(extent, padding, tile * together);
    stacks.factor *= together;
    return stacks;
  };
  return {count(problem.m, padM, schedule.tileM, cluster), count(problem.n, padN, schedule.tileN, 1)};
}

FailureOr<LaunchShape> cuda::getLaunchShape(kern::GemmOp op) {
  FailureOr<kern::GemmProblem> problem = kern::describe(op);
  if (failed(problem))
    return failure();
  auto [tilesM, tilesN] = gemmTiles(op, *problem);
  FailureOr<rt::Extent> tiles = linear(op, product(tilesM, tilesN), "the number of tiles");
  if (failed(tiles))
    return failure();
  kern::GemmSchedule schedule = kern::toSchedule(*op.getSchedule());
  LaunchShape shape;
  // Where fewer tiles than multiprocessors are cut along K, further CTAs have work.
  shape.tiles = scaled(*tiles, std::max<int64_t>(1, schedule.split));
  if (schedule.family == kern::Family::Wgmma) {
    shape.threads = (schedule.warpgroups + 1) * 128;
    shape.sharedBytes = kern::sharedMemoryBytes(*problem, schedule);
    shape.persistent = true;
    shape.cluster = static_cast<uint32_t>(kern::clusterSize(schedule));
  }
  return shape;
}

FailureOr<LaunchShape> cuda::getLaunchShape(kern::MapOp op) {
  int64_t padRows = 1, padColumns = 1;
  for (Attribute output : op.getOutputs()) {
    auto type = cast<kern::BufferType>(cast<TypeAttr>(output).getValue());
    if (auto packed = dyn_cast_or_null<kern::Packed24Attr>(type.getLayout())) {
      int64_t slab = slabElements(elementBytes(*kern::getElementType(type.getElementType())));
      padRows = std::lcm(padRows, packed.getAxis() == 1 ? packed.getPanel() : slab);
      padColumns = std::lcm(padColumns, packed.getAxis() == 1 ? slab : packed.getPanel());
    } else if (type.isTransposed()) {
      padRows = std::lcm(padRows, kPitchStep);
    }
  }
  kern::MatrixExtents extents = kern::getExtents(cast<kern::BufferType>(op.getInput()));
  kern::ScheduleAttr schedule = *op.getSchedule();
  Count rows = tileCount(extents.rows, padRows, schedule.getTileM());
  std::optional<kern::RowSlices> slices = kern::getRowSlices(op);
  Count columns = slices ? Count{slices->count}
                  : schedule.getFamily() == kern::Family::Row
                      ? Count{1}
                      : tileCount(extents.columns, padColumns, schedule.getTileN());
  FailureOr<rt::Extent> tiles = linear(op, product(rows, columns), "the number of tiles");
  if (failed(tiles))
    return failure();
  LaunchShape shape;
  shape.tiles = *tiles;
  shape.threads = kern::getMapThreads(op);
  if (slices)
    shape.cluster = static_cast<uint32_t>(slices->count);
  return shape;
}

int64_t cuda::getPartialBytes(kern::GemmOp op) {
  kern::GemmSchedule schedule = kern::toSchedule(*op.getSchedule());
  return kern::splitSlots(schedule) * schedule.tileM * schedule.tileN * 4;
}

FailureOr<rt::Extent> cuda::getCounterBytes(kern::GemmOp op) {
  FailureOr<kern::GemmProblem> problem = kern::describe(op);
  if (failed(problem))
    return failure();
  int64_t splitBytes = 4 * kern::splitCounters(kern::toSchedule(*op.getSchedule()));
  if (op.getSchedule()->getPacing() == 0)
    return rt::Extent::constant(splitBytes);
  auto [tilesM, tilesN] = gemmTiles(op, *problem);
  int64_t slab = slabElements(elementBytes(problem->lhs));
  // ceil(a * b / 132) is at most a * ceil(b / 132), and only the dynamic factor has to stay one.
  if (tilesN.isDynamic())
    std::swap(tilesM, tilesN);
  int64_t others = tilesN.evaluate(0);
  Count chunks{problem->k, slab * op.getSchedule()->getPacing()};
  if (tilesM.isDynamic()) {
    int64_t perChunk = 4 * (chunks.evaluate(0) + 1);
    tilesM.factor *= ceilDiv(others, kPacingMultiprocessors) * perChunk;
    rt::Extent bytes = tilesM.toExtent();
    bytes.addend += perChunk + splitBytes;
    return bytes;
  }
  int64_t perWave = 4 * (ceilDiv(tilesM.evaluate(0) * others, kPacingMultiprocessors) + 1);
  rt::Extent bytes = Count{chunks.extent, chunks.divisor, perWave}.toExtent();
  bytes.addend += perWave + splitBytes;
  return bytes;
}

/// Bytes from one row along K to the next.
static rt::Extent rowBytes(kern::BufferType type, int64_t k, int64_t size) {
  if (type.isTransposed())
    return Count{k, kPitchStep, kPitchStep * size}.toExtent();
  return Count{k, 1, size}.toExtent();
}

/// Element type for the driver: f8 travels as bytes.
static rt::ElementType mapElement(rt::ElementType type) { return elementBytes(type) == 1 ? rt::ElementType::u8 : type; }

/// Extent along K: a padded row may be read to its end.
static rt::Extent extentAlongK(kern::BufferType type, int64_t k) {
  return type.isTransposed() ? Count{k, kPitchStep, kPitchStep}.toExtent() : Count{k}.toExtent();
}

rt::TensorMap cuda::getLhsMap(kern::GemmOp op) {
  auto type = cast<kern::BufferType>(op.getLhs());
  kern::MatrixExtents extents = kern::getExtents(type);
  int64_t m = op.getTransposeLhs() ? extents.columns : extents.rows,
          k = op.getTransposeLhs() ? extents.rows : extents.columns;
  rt::ElementType element = *kern::getElementType(type.getElementType());
  int64_t size = elementBytes(element);
  rt::TensorMap map;
  map.element = mapElement(element);
  map.extents = {extentAlongK(type, k), Count{m}.toExtent()};
  map.strides = {rowBytes(type, k, size)};
  map.box = {static_cast<uint32_t>(slabElements(size)),
             static_cast<uint32_t>(std::min<int64_t>(op.getSchedule()->getTileM(), 256))};
  return map;
}

rt::TensorMap cuda::getOutMap(kern::GemmOp op) {
  auto type = cast<kern::BufferType>(op.getOut());
  kern::MatrixExtents extents = kern::getExtents(type);
  rt::TensorMap map;
  map.element = *kern::getElementType(type.getElementType());
  map.extents = {Count{extents.columns}.toExtent(), Count{extents.rows}.toExtent()};
  map.strides = {Count{extents.columns, 1, elementBytes(map.element)}.toExtent()};
  kern::ScheduleAttr schedule = *op.getSchedule();
  map.box = {32, static_cast<uint32_t>(schedule.getTileM() / schedule.getWarpgroups())};
  map.swizzle128 = false;
  return map;
}

rt::TensorMap cuda::getRhsMap(kern::GemmOp op) {
  auto type = cast<kern::BufferType>(op.getRhs());
  kern::MatrixExtents extents = kern::getExtents(type);
  int64_t n = op.getTransposeRhs() ? extents.rows : extents.columns,
          k = op.getTransposeRhs() ? extents.columns : extents.rows;
  rt::ElementType element = *kern::getElementType(type.getElementType());
  int64_t size = elementBytes(element);
  kern::GemmSchedule schedule = kern::toSchedule(*op.getSchedule());
  uint32_t slab = static_cast<uint32_t>(slabElements(size)),
           fetched = static_cast<uint32_t>(schedule.tileN / kern::clusterSize(schedule));
  rt::Extent row = rowBytes(type, k, size), along = extentAlongK(type, k);
  rt::TensorMap map;
  map.element = mapElement(element);
  if (!isRhsPermuted(op)) {
    map.extents = {along, Count{n}.toExtent()};
    map.strides = {row};
    map.box = {slab, fetched};
    return map;
  }
  // Row 32g + 8q + 2b + e of the operand is fetched as row 32g + 8b + 2q + e of the tile.
  map.extents = {along, rt::Extent::constant(2), rt::Extent::constant(4), rt::Extent::constant(4),
                 rt::Extent::constant(n / 32)};
  map.strides = {row, scaled(row, 8), scaled(row, 2), scaled(row, 32)};
  map.box = {slab, 2, 4, 4, fetched / 32};
  return map;
}
