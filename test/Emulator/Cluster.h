//===- Cluster.h - what blocks of a launch share ------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_CLUSTER_H
#define WINNOW_TEST_EMULATOR_CLUSTER_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace emulator {

class Multiprocessor;

/// Carries out the launches that one overlaps. Returns what went wrong, or "".
using LaunchesBefore = std::function<std::string()>;

/// What all blocks of a launch share.
struct Launch {
  explicit Launch(LaunchesBefore before) : before(std::move(before)) {}

  std::atomic<uint64_t> progress = 0; ///< changes while anything happens
  std::atomic<bool> failed = false;

  bool overlaps() const { return before != nullptr; }
  /// Carries out the launches before this one, once, whoever comes first; the others wait for that.
  void endLaunchesBefore() {
    std::call_once(ended, [&] {
      std::string wrong;
      std::thread([&] { wrong = before(); }).join(); // not on the small stack of a fiber
      ++progress;
      if (!wrong.empty())
        fail(wrong);
      haveEnded = true;
    });
  }
  std::atomic<bool> haveEnded = false; ///< the launches before this one

  /// The first failure is the one that counts.
  void fail(const std::string &message) {
    std::lock_guard<std::mutex> lock(mutex);
    if (!failed.exchange(true))
      text = message;
  }
  std::string message() {
    std::lock_guard<std::mutex> lock(mutex);
    return text;
  }

private:
  const LaunchesBefore before;
  std::once_flag ended;
  std::mutex mutex;
  std::string text;
};

/// Blocks that run together and may write each other's shared memory.
class Cluster {
public:
  /// `late` is the rank of a block that begins only when no other can go on.
  Cluster(std::vector<Multiprocessor *> blocks, unsigned late)
      : blocks(std::move(blocks)), late(late), states(this->blocks.size()) {}

  const std::vector<Multiprocessor *> blocks; ///< by rank
  const unsigned late;
  std::atomic<unsigned> arrived = 0, generation = 0;
  std::mutex mutex; ///< of every block's mbarriers and shared memory where another block changes them

  /// Says that a block has begun: its shared memory may be written.
  void begin(unsigned rank) { set(rank, &State::begun); }
  void end(unsigned rank) { set(rank, &State::ended); }
  bool runs(unsigned rank) {
    std::lock_guard<std::mutex> lock(stateMutex);
    return states[rank].begun && !states[rank].ended;
  }

  /// Every block counts what it does here.
  std::atomic<uint64_t> progress = 0;
  /// A block has looked at all of its threads, since `progress` was `seen`, and found none that could run.
  void isIdle(unsigned rank, uint64_t seen) {
    std::lock_guard<std::mutex> lock(stateMutex);
    states[rank].idleAt = seen;
  }
  /// Whether no block other than `except` can go on: whoever makes another one able to counts that before it is idle
  /// again.
  bool allIdle(unsigned except) {
    std::lock_guard<std::mutex> lock(stateMutex);
    for (unsigned rank = 0; rank < states.size(); ++rank)
      if (rank != except && !states[rank].ended && states[rank].idleAt != progress)
        return false;
    return true;
  }

private:
  struct State {
    bool begun = false, ended = false;
    uint64_t idleAt = std::numeric_limits<uint64_t>::max();
  };
  void set(unsigned rank, bool State::*what) {
    std::lock_guard<std::mutex> lock(stateMutex);
    states[rank].*what = true;
    ++progress;
  }
  std::mutex stateMutex;
  std::vector<State> states;
};

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_CLUSTER_H
