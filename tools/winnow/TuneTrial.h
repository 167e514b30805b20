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

  double median() const;
};

struct TrialOptions {
  double warmUpSeconds = 0.5;
  double budgetSeconds = 10; ///< for measuring one product
  int iterations = 41;       ///< rounds of the last heat
  std::function<bool()> interrupted = [] { return false; };
};

/// Rounds of the first heat, in which all schedules take part, and those who go on to the last.
inline constexpr int kFirstRounds = 9, kFinalists = 3, kLeastRounds = 5;
/// A schedule must be faster than the model's by this part in three rounds of four.
inline constexpr double kLeastGain = 0.01;

/// Trials of one product: the first is the model's choice.
class ProductTrials {
public:
  /// Allocates what all trials share. `run` has run; `product` is any schedule's form of the product, `tolerance` what
  /// its result owes the model's.
  static Result<ProductTrials> create(const GpuRun &run, const IsolatedProduct &product, const Tolerance &tolerance);

  /// Loads a compiled form and compares its result; one that fails is kept with its `problem`.
  Status add(const kern::GemmSchedule &schedule, IsolatedProduct product);

  /// Runs all in turns; then the model's choice and the best few in turns again. Only the second heat counts: the best
  /// of many is the luckiest of many.
  Status measure(const TrialOptions &options);

  const std::vector<Trial> &trials() const { return all; }
  /// The fastest of those that beat the first in three rounds of four by `kLeastGain`; 0 if none does.
  size_t winner() const;

private:
  ProductTrials() = default;
  Status time(Trial &trial);
  Status heat(const std::vector<size_t> &who, int rounds, double seconds, const TrialOptions &options);

  const GpuRun *run = nullptr;
  Tolerance tolerance;
  size_t resultBuffer = 0; ///< of the whole plan
  std::vector<rt::DevicePointer> arguments;
  rt::DeviceBuffer result, workspace, eviction;
  interp::TensorRef expected;
  rt::OwnedStream stream;
  rt::Event start, end;
  std::vector<Trial> all;
  std::vector<size_t> finalists;
};

/// Whether the rounds of `candidate` beat those of `model`, which ran beside them, as `kLeastGain` says.
bool beats(const std::vector<double> &candidate, const std::vector<double> &model);

} // namespace winnow::tool

#endif // WINNOW_TOOLS_WINNOW_TUNETRIAL_H
