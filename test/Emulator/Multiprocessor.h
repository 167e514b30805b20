//===- Multiprocessor.h - one block of threads, run on one thread of the host -------------------------------------===//
//
// Every thread of the block is a fiber with a stack of its own. They take turns in random order and switch only where
// they wait. What is asynchronous on the chip happens at a random later time here, as late as its completion allows:
// copies land in any order, and a group of matrix instructions reads its operands either when it is committed or only
// when it is waited for. A stage that is given back too early, or read too early, shows as a wrong result.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_MULTIPROCESSOR_H
#define WINNOW_TEST_EMULATOR_MULTIPROCESSOR_H

#include "Gpu.h"

#include <atomic>
#include <csetjmp>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace emulator {

constexpr uint32_t kSharedBytes = 232448;

class Multiprocessor;

/// What all blocks of a launch share.
struct Launch {
  std::atomic<uint64_t> progress = 0; ///< changes while anything happens
  std::atomic<bool> failed = false;

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
  std::mutex mutex;
  std::string text;
};

/// Blocks that run together and may write each other's shared memory.
struct Cluster {
  std::vector<Multiprocessor *> blocks; ///< by rank
  std::atomic<unsigned> arrived = 0, generation = 0;
  std::mutex mutex; ///< of every block's mbarriers and shared memory where another block changes them
};

class Multiprocessor final : public Gpu {
public:
  Multiprocessor(Launch &launch, unsigned threads, unsigned sharedBytes, unsigned gridSize);
  ~Multiprocessor() override;

  /// Runs one block to its end; false if the launch failed. Shared memory keeps what the block before left.
  bool run(const Kernel &kernel, void **parameters, unsigned block, unsigned rank, Cluster &cluster, uint64_t seed);

  /// The multiprocessor that the calling thread of the host runs.
  static Gpu *current();

  const Position &position() override;
  void enter(char *anchor) override { staticShared = anchor; }
  char *dynamicShared() override { return shared; }
  uint32_t sharedAddress(const void *pointer) override;
  void *sharedPointer(uint32_t address, uint32_t bytes) override;
  const uint32_t *exchange(uint32_t mask, uint32_t value) override;
  void namedBarrier(int index, int threads) override;
  void clusterArrive() override;
  void clusterWait() override;
  void storeCluster(uint32_t address, int rank, uint32_t value) override;
  void barrierInit(uint32_t barrier, uint32_t arrivals) override;
  void barrierArrive(uint32_t barrier, uint32_t expectedBytes) override;
  void barrierWait(uint32_t barrier, uint32_t parity) override;
  void bulkLoad(uint32_t destination, const void *source, uint32_t bytes, uint32_t barrier) override;
  void tensorLoad(uint32_t destination, const void *map, const int (&coordinates)[5], uint32_t barrier) override;
  void copyWord(uint32_t destination, const void *source) override;
  void copyWordsWait() override;
  void matrixOperation(const MatrixOperation &operation) override;
  void matrixCommit() override;
  void matrixWait(int pending) override;
  void yield() override;

private:
  /// Threads that meet: the last to come lets all go on.
  struct Meeting {
    unsigned arrived = 0, generation = 0;
  };
  struct Warp {
    Meeting meeting;
    uint32_t values[2][32];
  };
  /// 128 threads whose matrix instructions are one.
  struct Warpgroup {
    Meeting meeting;
    std::vector<std::vector<MatrixOperation>> groups; ///< committed, not executed: of thread 0
    std::vector<std::vector<MatrixOperation>> threads[128];
    std::vector<MatrixOperation> open[128]; ///< issued, not committed
    unsigned committed = 0, executed = 0;
  };
  struct Fiber {
    char *stack = nullptr;
    jmp_buf context;
    bool started = false, done = false;
    Position position;
    /// What it waits for: `*waitingFor` to differ from `seen`, or a phase of an mbarrier to end.
    const std::atomic<unsigned> *otherBlocks = nullptr;
    const unsigned *waitingFor = nullptr;
    unsigned seen = 0;
    uint32_t barrier = 0, parity = 0;
    bool waitsForBarrier = false;
    const char *what = "";
    unsigned clusterArrivals = 0;
    std::vector<std::pair<uint32_t, const void *>> words; ///< copies of single words under way
  };
  struct Barrier {
    uint16_t expected, phase;
    int16_t pending;
    int16_t poison;
  };
  struct Copy {
    std::function<void()> land;
    uint32_t barrier, bytes;
  };

  [[noreturn]] void fail(const std::string &message);
  static void startFiber();
  void resume(Fiber &fiber);
  void suspend(const char *what);
  bool isBlocked(const Fiber &fiber);
  void meet(Meeting &meeting, unsigned count, const char *what, const std::function<void()> &last);
  struct BarrierState;
  BarrierState &barrierState(uint32_t barrier);
  void complete(BarrierState &state);
  bool landOneCopy();
  void execute(Warpgroup &group, unsigned upTo);
  std::string describe() const;

  Launch &launch;
  unsigned sharedBytes;
  char *shared = nullptr, *staticShared = nullptr;
  Cluster *cluster = nullptr;
  const Kernel *kernel = nullptr;
  void **parameters = nullptr;
  std::vector<Fiber> fibers;
  Fiber *running = nullptr;
  jmp_buf scheduler;
  std::vector<Warp> warps;
  std::vector<Warpgroup> warpgroups;
  Meeting named[16];
  std::vector<Copy> copies;
  std::mt19937_64 random;
};

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_MULTIPROCESSOR_H
