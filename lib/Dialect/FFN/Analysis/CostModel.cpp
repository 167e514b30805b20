//===- CostModel.cpp - dense or 2:4, by predicted time ------------------------------------------------------------===//

#include "winnow/Dialect/FFN/Analysis/CostModel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <utility>

using namespace winnow;
using namespace winnow::ffn;

/// Dropping elements must buy at least this much time; a product that already is 2:4 gives nothing up.
static constexpr double kRelaxationGain = 1.02;

static std::string format(const char *text, ...) __attribute__((format(printf, 1, 2)));
static std::string format(const char *text, ...) {
  std::array<char, 512> buffer;
  va_list arguments;
  va_start(arguments, text);
  std::vsnprintf(buffer.data(), buffer.size(), text, arguments);
  va_end(arguments);
  return buffer.data();
}

const char *winnow::ffn::stringifyCause(Cause cause) {
  switch (cause) {
  case Cause::target:
    return "target";
  case Cause::elementType:
    return "element type";
  case Cause::shape:
    return "shape";
  case Cause::axis:
    return "axis";
  case Cause::notSparse:
    return "not sparse";
  case Cause::dropForbidden:
    return "drop forbidden";
  case Cause::dropTooLarge:
    return "drop too large";
  case Cause::cost:
    return "cost";
  case Cause::faster:
    return "faster";
  case Cause::given:
    return "given";
  }
  return "unknown";
}

static double elementBytes(Precision precision) {
  return precision == Precision::f8 ? 1 : precision == Precision::b16 ? 2 : 4;
}

/// Half of the values, and 4 bits of metadata per group of four.
static double compressedBytes(Precision precision) { return elementBytes(precision) / 2 + 0.125; }

static double tensorRate(const ProductProblem &problem, bool sparse, const Chip &chip) {
  const TensorRates &rates = sparse ? chip.sparse : chip.dense;
  switch (problem.precision) {
  case Precision::f8:
    return rates.f8 * 1e12;
  case Precision::b16:
    return rates.b16 * 1e12;
  case Precision::f32:
    return 0;
  }
  return 0;
}

/// The tiles of the default schedules (ScheduleModel.cpp); the product takes the one that serves it best.
struct Tile {
  double m, n;
  enum { any, dense, sparse } products = any;
  bool turns = false; ///< epilogues but the last are hidden
  double cluster = 1; ///< CTAs that fetch B together
};
static constexpr Tile kTiles[] = {{128, 192, Tile::dense, true},
                                  {256, 192},
                                  {128, 256, Tile::dense},
                                  {128, 256, Tile::sparse, false, 2},
                                  {64, 128},
                                  {128, 128},
                                  {128, 96},
                                  {64, 64}};
/// Power does not limit the clock with less than this share of the multiprocessors at work, nor in a single wave that
/// waits for device memory this share of its time.
static constexpr double kFewAtWork = 0.75, kMemoryShare = 0.5;
/// Tiles of the last wave are cut into at most so many parts.
static constexpr double kMostParts = 4, kMostPartsOfSmallTiles = 8;

static double ceilDiv(double a, double b) { return std::max<int64_t>(1, static_cast<int64_t>((a + b - 1) / b)); }

Prediction winnow::ffn::predictProduct(const ProductProblem &problem, bool sparse, const Chip &chip) {
  double m = problem.m, n = problem.n, k = problem.k;
  Prediction result;
  result.flops = 2 * m * n * k;
  double lhs = sparse ? compressedBytes(problem.precision) : elementBytes(problem.precision);
  double out = problem.outBytes;
  if (problem.compressesOut)
    out = out / 2 + 0.125;
  result.bytes = m * k * lhs + n * k * elementBytes(problem.precision) + m * n * out;
  if (chip.bytesPerSecond == 0)
    return result;

  double rate = tensorRate(problem, sparse, chip);
  // Without tensor cores: two operations per lane and clock on 128 lanes at 1.5 GHz.
  if (rate == 0)
    rate = chip.multiprocessors * 128 * 2 * 1.5e9;
  double best = HUGE_VAL;
  for (const Tile &tile : kTiles) {
    if (tile.products == (sparse ? Tile::dense : Tile::sparse))
      continue;
    // A wave of CTAs takes as long as one tile, however few of them have work, unless its tiles are cut along K.
    double tiles = ceilDiv(m, tile.m * tile.cluster) * tile.cluster * ceilDiv(n, tile.n);
    double whole = std::floor(tiles / chip.multiprocessors), tail = tiles - whole * chip.multiprocessors;
    double most = chip.sumBytesPerSecond == 0 ? 1 : tile.m == 64 ? kMostPartsOfSmallTiles : kMostParts;
    for (double parts = 1; parts <= most && (parts == 1 || tail * parts <= chip.multiprocessors); ++parts) {
      double waves = whole + (tail > 0 ? 1 / parts : 0);
      double perWave = chip.multiprocessors * tile.m * tile.n;
      double compute = 2 * waves * perWave * k / rate;
      // Memory by itself, and what every tile has to bring into shared memory; rows past the end are not fetched.
      double device = result.bytes / chip.bytesPerSecond, memory = device, rows = std::min(m, tile.m);
      if (chip.fillBytesPerSecond != 0) {
        double perTile = (rows * lhs + tile.n / tile.cluster * elementBytes(problem.precision)) * k;
        memory = std::max(memory, waves * perTile * chip.multiprocessors / chip.fillBytesPerSecond);
      }
      double working = tiles * parts / chip.multiprocessors;
      if (working < kFewAtWork || (working < 1 && device > kMemoryShare * compute))
        compute /= chip.burst;
      double slabs = k * elementBytes(problem.precision) / 128;
      double seconds =
          std::max({compute, memory, waves * slabs * (sparse ? chip.packedSlabSeconds : chip.slabSeconds)});
      if (double epilogueRate = problem.compressesOut ? chip.compressRate : chip.epilogueRate; epilogueRate != 0)
        seconds += (tile.turns ? 1 : std::ceil(waves)) * chip.multiprocessors * rows * tile.n / epilogueRate;
      if (parts > 1)
        seconds += (parts + 1) / 2 * (4 * perWave / chip.sumBytesPerSecond + chip.handOverSeconds);
      if (seconds < best) {
        best = seconds;
        result.memoryBound = memory > compute;
      }
    }
  }
  result.seconds = best + chip.launchSeconds;
  return result;
}

Prediction winnow::ffn::predictMap(double elements, double bytes, const Chip &chip) {
  Prediction result;
  result.bytes = bytes;
  if (chip.bytesPerSecond == 0)
    return result;
  double memory = bytes / chip.bytesPerSecond, compute = chip.mapRate == 0 ? 0 : elements / chip.mapRate;
  result.memoryBound = memory > compute;
  result.seconds = std::max(memory, compute) + chip.launchSeconds;
  return result;
}

Prediction winnow::ffn::predictPreparation(const ProductProblem &problem, bool sparse, const Chip &chip) {
  if (problem.lhsStored && !sparse)
    return {};
  double written = sparse ? compressedBytes(problem.precision) : elementBytes(problem.precision);
  double elements = static_cast<double>(problem.m) * problem.k;
  return predictMap(elements, elements * (problem.sourceBytes + written), chip);
}

static Prediction operator+(const Prediction &a, const Prediction &b) {
  return {a.seconds + b.seconds, a.bytes + b.bytes, a.flops + b.flops, a.memoryBound && b.memoryBound};
}

ProductDecision winnow::ffn::decideProduct(const ProductProblem &problem, const Chip &chip) {
  ProductDecision decision;
  auto decide = [&](Cause cause, std::string reason) {
    decision.cause = cause;
    decision.sparse = cause == Cause::faster;
    decision.reason = std::move(reason);
    return decision;
  };
  if (problem.m <= 0 || problem.n <= 0 || problem.k <= 0)
    return decide(Cause::shape,
                  format("expected positive extents, got %lld x %lld x %lld", static_cast<long long>(problem.m),
                         static_cast<long long>(problem.n), static_cast<long long>(problem.k)));
  Prediction denseProduct = predictProduct(problem, false, chip);
  decision.dense = predictPreparation(problem, false, chip) + denseProduct;
  decision.sparseTotal = predictPreparation(problem, true, chip) + predictProduct(problem, true, chip);

  if (!chip.wgmma)
    return decide(Cause::target, format("target %s has no 2:4 product", std::string(chip.name).c_str()));
  if (tensorRate(problem, true, chip) == 0)
    return decide(Cause::elementType, "there is no 2:4 instruction for operands of f32");
  if (!problem.kIsDynamic && problem.k % 4 != 0)
    return decide(Cause::shape,
                  format("the reduction extent, %lld, is not a multiple of 4", static_cast<long long>(problem.k)));
  if (!problem.selected) {
    if (problem.density >= 1.0)
      return decide(Cause::notSparse, "the left operand is not sparse: expected density 1");
    if (problem.maxDrop <= 0.0)
      return decide(Cause::dropForbidden,
                    format("2:4 would lose %.2f %% of the non-zeros at density %.3g, and max_drop allows none",
                           100 * problem.drop, problem.density));
    if (problem.drop > problem.maxDrop)
      return decide(Cause::dropTooLarge,
                    format("2:4 would lose %.2f %% of the non-zeros at density %.3g, more than max_drop = %.2f %%",
                           100 * problem.drop, problem.density, 100 * problem.maxDrop));
  }

  double gain = decision.dense.seconds / decision.sparseTotal.seconds;
  std::string times = format("%.1f us against %.1f us dense (%.2fx)", 1e6 * decision.sparseTotal.seconds,
                             1e6 * decision.dense.seconds, gain);
  if (gain < (problem.selected ? 1.0 : kRelaxationGain))
    return decide(Cause::cost,
                  "2:4 is not predicted to pay: " + times + (denseProduct.memoryBound ? ", memory bounds both" : ""));
  std::string loss =
      problem.selected ? "already 2:4"
                       : format("expected drop %.2f %% of at most %.2f %%", 100 * problem.drop, 100 * problem.maxDrop);
  return decide(Cause::faster, "2:4 is predicted to take " + times + "; " + loss);
}

double winnow::ffn::expectedDrop(double density) { return density * density * (1 - density / 2); }

/// Expected number of non-zeros beyond two in a group of independent elements.
static double expectedExcess(const std::array<double, 4> &densities) {
  std::array<double, 5> probability = {1, 0, 0, 0, 0}; // of so many non-zeros so far
  for (double p : densities)
    for (int count = 4; count >= 0; --count)
      probability[count] = probability[count] * (1 - p) + (count ? probability[count - 1] * p : 0);
  return probability[3] + 2 * probability[4];
}

double winnow::ffn::expectedDrop(const std::vector<double> &profile, bool alongFeatures) {
  double excess = 0, nonZeros = 0;
  for (double p : profile)
    nonZeros += p;
  if (nonZeros == 0)
    return 0;
  if (alongFeatures) {
    for (size_t i = 0; i < profile.size(); i += 4) {
      std::array<double, 4> group = {0, 0, 0, 0};
      for (size_t j = i; j < std::min(i + 4, profile.size()); ++j)
        group[j - i] = profile[j];
      excess += expectedExcess(group);
    }
    return excess / nonZeros;
  }
  for (double p : profile)
    excess += expectedExcess({p, p, p, p}) / 4;
  return excess / nonZeros;
}
