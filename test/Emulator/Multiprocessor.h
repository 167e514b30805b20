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

#include "Cluster.h"
#include "Gpu.h"
#include "Stacks.h"

#include <chrono>
#include <csetjmp>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace emulator {

struct TensorMap;

constexpr uint32_t kSharedBytes = 232448;
/// Shared addresses: dynamic memory from the first, static memory around the second.
constexpr uint32_t kDynamicBase = 1024, kStaticBase = 0x40000000;
constexpr int kStaticReach = 1 << 20;

class Multiprocessor final : public Gpu {
public:
  Multiprocessor(Launch &launch, unsigned threads, unsigned sharedBytes, unsigned gridSize);

  /// Runs one block to its end; false if the launch failed. Shared memory keeps what the block before left.
  bool run(const Kernel &kernel, void **parameters, unsigned block, unsigned rank, Cluster &cluster, uint64_t seed);

  /// The multiprocessor that the calling thread of the host runs.
  static Gpu *current();
  /// Ends the launch with a message if the calling thread of the host runs a kernel; returns if it does not.
  static void faulted(const std::string &message);
  /// Whether `address` lies behind the end of a stack of the block that the calling thread of the host runs.
  static bool overflewStack(const void *address);

  const Position &position() override;
  void enter(char *anchor) override;
  char *dynamicShared() override { return shared.get(); }
  uint32_t sharedAddress(const void *pointer) override;
  void *sharedPointer(uint32_t address, uint32_t bytes) override;
  const uint32_t *exchange(uint32_t mask, uint32_t value) override;
  void namedBarrier(int index, int threads) override;
  void clusterArrive(bool relaxed) override;
  void clusterWait() override;
  void storeCluster(uint32_t address, int rank, uint32_t value) override;
  void barrierInit(uint32_t barrier, uint32_t arrivals) override;
  void barrierArrive(uint32_t barrier, uint32_t expectedBytes) override;
  void barrierArriveCluster(uint32_t barrier, int rank) override;
  void barrierWait(uint32_t barrier, uint32_t parity) override;
  void waitForLaunchesBefore() override;
  void bulkLoad(uint32_t destination, const void *source, uint32_t bytes, uint32_t barrier) override;
  void tensorLoad(uint32_t destination, const void *map, const int (&coordinates)[5], uint32_t barrier) override;
  void tensorMulticast(uint32_t destination, const void *map, const int (&coordinates)[5], uint32_t barrier,
                       uint16_t mask) override;
  void tensorStore(const void *map, const int (&coordinates)[5], uint32_t source) override;
  void bulkCommit() override;
  void bulkWait(int pending) override;
  void sharedWritten(uint32_t address) override;
  void proxyFence() override;
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
    uint32_t terms = 0; ///< what the first to come named: all must name the same
  };
  struct Warp {
    Meeting meeting;
    uint32_t values[2][32];
  };
  /// 128 threads whose matrix instructions are one.
  struct Warpgroup {
    Meeting meeting;
    std::deque<std::vector<MatrixOperation>> threads[128]; ///< committed, not executed
    std::vector<MatrixOperation> open[128];                ///< issued, not committed
    unsigned committed = 0, executed = 0, awaited = 0;
  };
  struct Fiber {
    char *stack = nullptr; ///< its lowest byte
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
    /// Bulk stores under way, by group, and those of no group yet. They read shared memory at any time.
    std::deque<std::vector<std::function<void()>>> stores;
    std::vector<std::function<void()>> openStores;
    std::vector<uint32_t> unfenced; ///< 16 bytes each that bulk stores may not see yet
    struct RemoteStore {
      char *place;
      uint32_t value;
    };
    std::vector<RemoteStore> remoteStores; ///< into other blocks, not published by an arrival
  };
  struct Copy {
    std::function<void()> land;
    uint32_t barrier, bytes;
    unsigned target; ///< rank of the block whose shared memory it writes
  };

  [[noreturn]] void fail(const std::string &message);
  void start(unsigned block, unsigned rank, std::vector<Fiber *> &order);
  bool runOnce(std::vector<Fiber *> &order, bool &polls);
  bool isStuck(bool polls, uint64_t seen);
  std::string leftOver() const;
  static void startFiber();
  void resume(Fiber &fiber);
  void suspend(const char *what);
  bool isBlocked(const Fiber &fiber);
  void meet(Meeting &meeting, unsigned count, uint32_t terms, const char *what, const std::function<void()> &last);
  char *resolve(uint32_t address) const;
  struct BarrierState;
  BarrierState &barrierState(uint32_t barrier);
  void arriveAt(Multiprocessor &block, uint32_t barrier, uint32_t expectedBytes);
  void complete(BarrierState &state);
  bool phaseIsUnderWay(uint32_t barrier, uint32_t parity);
  void land(uint32_t barrier, uint32_t bytes);
  void landOneCopy();
  Multiprocessor &other(int target, const char *what);
  std::string whyNoTensorCopy(const TensorMap &map, uint32_t address);
  void execute(Warpgroup &group, unsigned upTo);
  std::string describe() const;

  Launch &launch;
  const unsigned sharedBytes;
  const Stacks stacks;
  struct Freed {
    void operator()(char *memory) const { std::free(memory); }
  };
  const std::unique_ptr<char, Freed> shared;
  char *staticShared = nullptr;
  Cluster *cluster = nullptr;
  unsigned rank = 0;
  const Kernel *kernel = nullptr;
  void **parameters = nullptr;
  std::vector<Fiber> fibers;
  Fiber *running = nullptr;
  jmp_buf scheduler;
  std::vector<Warp> warps;
  std::vector<Warpgroup> warpgroups;
  Meeting named[16];
  std::vector<Copy> copies;
  std::chrono::steady_clock::time_point quietSince; ///< of the whole launch
  uint64_t launchProgress = 0;
  std::mt19937_64 random;
};

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_MULTIPROCESSOR_H
