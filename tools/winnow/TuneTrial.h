//===- TuneTrial.h - one product under several schedules, on a GPU ------------------------------------------------===//
//
// A product is taken out of its plan: a plan of its own whose arguments are the buffers that it reads and writes. What
// it reads lies where a run of the whole plan has left it; every schedule writes to one buffer of its own, which is
// compared with what the whole plan has computed.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_TUNETRIAL_H
#define WINNOW_TOOLS_WINNOW_TUNETRIAL_H

#include "GpuRun.h"
#include "StageCheck.h"

#include "winnow/Dialect/Kern/IR/Kern.h"
#include "winnow/Dialect/Kern/Transforms/ScheduleModel.h"

#include <functional>
#include <string>
#include <vector>

namespace winnow::tool {

/// A product as a plan of its own.
struct IsolatedProduct {
  rt::Plan plan;                     ///< inputs: what it reads; output: its result
  std::vector<size_t> sourceBuffers; ///< of the whole plan, one for each argument, the result last
};

/// Takes the product `op`, which has the schedule that `whole` was made with, out of `whole`.
Result<IsolatedProduct> isolateProduct(const rt::Plan &whole, kern::GemmOp op);

/// One schedule of a product.
struct Trial {
  kern::GemmSchedule schedule;
  std::shared_ptr<rt::Executable> executable; ///< null where `problem` says why
  std::vector<double> seconds;                ///< one for each round
  std::string problem;                        ///< why it takes no part: did not compile, computed something else

  double quantile(double fraction) const;
  double median() const { return quantile(0.5); }
};

/// What the device does around a sample.
enum class Load {
  sustained, ///< it is never idle: the power limit decides
  burst,     ///< it rests before each sample: the clock is the highest
};

struct TrialOptions {
  Load load = Load::sustained;
  double warmUpSeconds = 0.5;
  double budgetSeconds = 10; ///< for the rounds of one product
  int iterations = 41;       ///< rounds of the last heat
  uint64_t seed = 0;         ///< of the orders in which schedules take turns
  std::function<bool()> interrupted = [] { return false; };
};

/// Seconds of a turn, the least, and of the rest before it.
double turnSeconds(Load load);
double restSeconds(Load load);
/// Seconds that measuring so many schedules takes, if a launch takes `launchSeconds`.
double wantedSeconds(const TrialOptions &options, size_t schedules, double launchSeconds);

/// Rounds of the first heat, in which all schedules take part, and those who go on to the last.
inline constexpr int kFirstRounds = 9, kFinalists = 3, kLeastRounds = 5;
/// A schedule must be faster than the model's by this part in three rounds of four.
inline constexpr double kLeastGain = 0.01;

/// Weights are rotated where everything that a product touches is smaller than this, several times the L2 cache, in as
/// many copies as make them as large.
inline constexpr int64_t kRotatedBytes = int64_t(256) << 20;
inline constexpr int kMostCopies = 64;

/// Trials of one product: the first is the model's choice.
class ProductTrials {
public:
  /// Allocates what all trials share. `run` has run; `product` is any schedule's form of the product, `tolerance` what
  /// its result owes the model's.
  static Result<ProductTrials> create(const GpuRun &run, const IsolatedProduct &product, const Tolerance &tolerance);

  /// Loads a compiled form and compares its result; one that fails is kept with its `problem`.
  Status add(const kern::GemmSchedule &schedule, IsolatedProduct product);

  /// Runs all in turns, in an order drawn anew for each round; then the model's choice and the best few in turns again.
  /// Only the second heat counts: the best of many is the luckiest of many.
  Status measure(const TrialOptions &options);

  const std::vector<Trial> &trials() const { return all; }
  /// Copies of the weights that took turns, the first among them; launches of a turn.
  size_t weightCopies() const { return places.size(); }
  int launchesPerTurn() const { return launches; }
  /// The fastest of those that beat the first in three rounds of four by `kLeastGain`; 0 if none does.
  size_t winner() const;

private:
  ProductTrials() = default;
  Status copyWeights(const IsolatedProduct &product);
  Result<bool> sameBytes() const;
  Status enqueue(const Trial &trial);
  Status enqueueTurn(const Trial &trial);
  Status countLaunches(const TrialOptions &options);
  Status heat(const std::vector<size_t> &who, int rounds, double seconds, const TrialOptions &options);
  Status sustain(const std::vector<size_t> &who, int rounds, double seconds, const TrialOptions &options, bool record);
  Status burst(const std::vector<size_t> &who, int rounds, double seconds, const TrialOptions &options);

  const GpuRun *run = nullptr;
  Tolerance tolerance;
  size_t resultBuffer = 0; ///< of the whole plan
  std::vector<rt::DevicePointer> arguments;
  std::vector<std::vector<rt::DevicePointer>> places; ///< the arguments with each copy of the weights
  size_t nextPlace = 0;
  rt::DeviceBuffer result, workspace;
  std::vector<rt::DeviceBuffer> copies;
  std::vector<uint8_t> expected; ///< the bytes that the whole plan has left
  rt::OwnedStream stream;
  int launches = 1; ///< of a turn
  std::vector<Trial> all;
  std::vector<size_t> finalists;
  uint64_t draws = 0; ///< rounds that have been drawn
};

/// Whether the rounds of `candidate` beat those of `model`, which ran beside them, as `kLeastGain` says.
bool beats(const std::vector<double> &candidate, const std::vector<double> &model);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_TUNETRIAL_H
