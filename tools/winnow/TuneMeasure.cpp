//===- TuneMeasure.cpp - schedules of a product take turns on a GPU -----------------------------------------------===//
//
// Under sustained load the stream is never empty: a round is enqueued while the one before it runs, and the events of a
// round are read once the next is enqueued. A turn ends where the next begins, so that one event lies between two.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TuneTrial.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

using namespace winnow;
using namespace winnow::tool;

/// Launches of a turn at most, however short.
static constexpr double kMostLaunches = 1000;

double tool::turnSeconds(Load load) { return load == Load::sustained ? 5e-3 : 1e-3; }
double tool::restSeconds(Load load) { return load == Load::sustained ? 0 : 20e-3; }

double tool::wantedSeconds(const TrialOptions &options, size_t schedules, double launchSeconds) {
  double turn = std::max(turnSeconds(options.load), launchSeconds) + restSeconds(options.load);
  double turns = static_cast<double>(schedules) * kFirstRounds +
                 static_cast<double>(std::min<size_t>(schedules, kFinalists + 1)) * options.iterations;
  return options.warmUpSeconds + turn * turns;
}

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// `who` in the order of round `round`: the same for the same seed, on every machine.
static std::vector<size_t> drawOrder(std::vector<size_t> who, uint64_t seed, uint64_t round) {
  std::mt19937_64 draw(seed * 0x9e3779b97f4a7c15 + round);
  for (size_t left = who.size(); left > 1; --left)
    std::swap(who[left - 1], who[draw() % left]);
  return who;
}

Status ProductTrials::enqueue(const Trial &trial) {
  const std::vector<rt::DevicePointer> &place = places[nextPlace++ % places.size()];
  return trial.executable->execute(stream.get(), run->tokens(), place, workspace.address(), workspace.bytes());
}

Status ProductTrials::enqueueTurn(const Trial &trial) {
  Status status;
  for (int i = 0; i < launches && status; ++i)
    status = enqueue(trial);
  return status;
}

namespace {
/// The events around the turns of one round, which are read later.
struct Round {
  std::vector<size_t> order;
  std::vector<rt::Event> events; ///< one more than turns
};
} // namespace

static Status createEvents(std::vector<rt::Event> &events, size_t count, const GpuRun &run) {
  while (events.size() < count) {
    Result<rt::Event> event = rt::Event::create(run.owningDevice());
    if (!event)
      return event.error();
    events.push_back(std::move(*event));
  }
  return {};
}

static Result<double> secondsBetween(const rt::Event &start, const rt::Event &end) {
  if (Status status = end.synchronize(); !status)
    return status.error();
  Result<float> milliseconds = end.millisecondsSince(start);
  if (!milliseconds)
    return milliseconds.error();
  return *milliseconds * 1e-3;
}

/// How often the model's choice is launched in a turn; the others as often.
Status ProductTrials::countLaunches(const TrialOptions &options) {
  constexpr int kProbes = 3;
  std::vector<rt::Event> events;
  Status status = createEvents(events, 2, *run);
  if (status)
    status = enqueue(all.front()); // The first launch also loads the kernel.
  if (status)
    status = events[0].record(stream.get());
  for (int i = 0; i < kProbes && status; ++i)
    status = enqueue(all.front());
  if (status)
    status = events[1].record(stream.get());
  if (!status)
    return status;
  Result<double> seconds = secondsBetween(events[0], events[1]);
  if (!seconds)
    return seconds.error();
  double each = std::max(*seconds / kProbes, 1e-7);
  launches = static_cast<int>(std::clamp(std::ceil(turnSeconds(options.load) / each), 1.0, kMostLaunches));
  return {};
}

Status ProductTrials::sustain(const std::vector<size_t> &who, int rounds, double seconds, const TrialOptions &options,
                              bool record) {
  Round pair[2];
  for (Round &each : pair)
    if (Status status = createEvents(each.events, who.size() + 1, *run); !status)
      return status;
  auto read = [&](Round &done) -> Status {
    for (size_t i = 0; i < done.order.size(); ++i) {
      Result<double> turn = secondsBetween(done.events[i], done.events[i + 1]);
      if (!turn)
        return turn.error();
      if (record)
        all[done.order[i]].seconds.push_back(*turn / launches);
    }
    done.order.clear();
    return {};
  };
  double begin = now();
  int least = record ? kLeastRounds : 1, round = 0;
  for (; round < rounds && (round < least || now() - begin < seconds); ++round) {
    Round &current = pair[round % 2];
    current.order = drawOrder(who, options.seed, draws++);
    Status status = current.events[0].record(stream.get());
    for (size_t i = 0; i < current.order.size() && status; ++i) {
      if (options.interrupted())
        return Error{"interrupted"};
      status = enqueueTurn(all[current.order[i]]);
      if (status)
        status = current.events[i + 1].record(stream.get());
    }
    if (status && round > 0)
      status = read(pair[(round + 1) % 2]);
    if (!status)
      return status;
  }
  return round > 0 ? read(pair[(round + 1) % 2]) : Status();
}

Status ProductTrials::burst(const std::vector<size_t> &who, int rounds, double seconds, const TrialOptions &options) {
  std::vector<rt::Event> events;
  if (Status status = createEvents(events, 2, *run); !status)
    return status;
  double begin = now();
  for (int round = 0; round < rounds && (round < kLeastRounds || now() - begin < seconds); ++round)
    for (size_t index : drawOrder(who, options.seed, draws++)) {
      if (options.interrupted())
        return Error{"interrupted"};
      std::this_thread::sleep_for(std::chrono::duration<double>(restSeconds(options.load)));
      Status status = events[0].record(stream.get());
      if (status)
        status = enqueueTurn(all[index]);
      if (status)
        status = events[1].record(stream.get());
      if (!status)
        return status;
      Result<double> turn = secondsBetween(events[0], events[1]);
      if (!turn)
        return turn.error();
      all[index].seconds.push_back(*turn / launches);
    }
  return {};
}

Status ProductTrials::heat(const std::vector<size_t> &who, int rounds, double seconds, const TrialOptions &options) {
  for (size_t index : who)
    all[index].seconds.clear();
  return options.load == Load::sustained ? sustain(who, rounds, seconds, options, /*record=*/true)
                                         : burst(who, rounds, seconds, options);
}

Status ProductTrials::measure(const TrialOptions &options) {
  std::vector<size_t> who;
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].executable)
      who.push_back(i);
  if (who.empty() || who.front() != 0)
    return {};
  Status status = countLaunches(options);
  if (status && options.warmUpSeconds > 0)
    status = sustain(who, std::numeric_limits<int>::max(), options.warmUpSeconds, options, /*record=*/false);
  if (status)
    status = heat(who, kFirstRounds, options.budgetSeconds * 0.4, options);
  if (!status)
    return status;
  std::vector<size_t> rivals(who.begin() + 1, who.end());
  llvm::sort(rivals, [&](size_t a, size_t b) { return all[a].median() < all[b].median(); });
  rivals.resize(std::min<size_t>(rivals.size(), kFinalists));
  // What is known of the others stays: their medians of the first heat are shown, but cannot win.
  finalists = rivals;
  if (finalists.empty())
    return {};
  rivals.insert(rivals.begin(), 0);
  return heat(rivals, options.iterations, options.budgetSeconds * 0.6, options);
}
