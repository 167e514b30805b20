//===- Gpu.h - what an emulated kernel asks of its multiprocessor -------------------------------------------------===//
//
// The interface between kernels, compiled for the host by the stand-in for NVRTC, and the stand-in for the driver,
// which runs them. Addresses of shared memory are the 32-bit numbers that PTX uses.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TEST_EMULATOR_GPU_H
#define WINNOW_TEST_EMULATOR_GPU_H

#include <cstdint>

namespace emulator {

/// Where the calling thread is. One-dimensional grids and blocks are all that kernels use.
struct Position {
  unsigned thread, block, blockSize, gridSize, clusterRank;
};

/// One wgmma.mma_async of one thread.
struct MatrixOperation {
  float *accumulators; ///< n / 2 numbers
  uint64_t a, b;       ///< descriptors
  uint32_t metadata;
  int selector; ///< -1: dense
  int n;
  const char *lhs, *rhs; ///< element types: "e4m3", "e5m2", "bf16", "f16"
  bool accumulate;
};

/// The services of the multiprocessor that runs the calling thread. An error (an address outside, a wrong alignment, a
/// collective that not all take part in) ends the launch with a message; the call does not return then.
class Gpu {
public:
  virtual ~Gpu() = default;

  virtual const Position &position() = 0;

  /// `anchor` lies in the calling kernel's static shared memory, at the same place in every block.
  virtual void enter(char *anchor) = 0;
  virtual char *dynamicShared() = 0;
  virtual uint32_t sharedAddress(const void *pointer) = 0;
  virtual void *sharedPointer(uint32_t address, uint32_t bytes) = 0;

  /// The values of all `mask` lanes of the warp, by lane, once all have come.
  virtual const uint32_t *exchange(uint32_t mask, uint32_t value) = 0;
  virtual void namedBarrier(int index, int threads) = 0;
  /// What the thread stored in other blocks before is theirs once all have arrived, unless the arrival is relaxed.
  virtual void clusterArrive(bool relaxed) = 0;
  virtual void clusterWait() = 0;
  virtual void storeCluster(uint32_t address, int rank, uint32_t value) = 0;

  virtual void barrierInit(uint32_t barrier, uint32_t arrivals) = 0;
  virtual void barrierArrive(uint32_t barrier, uint32_t expectedBytes) = 0;
  /// At the barrier of another block of the cluster.
  virtual void barrierArriveCluster(uint32_t barrier, int rank) = 0;
  virtual void barrierWait(uint32_t barrier, uint32_t parity) = 0;

  /// Until the launches that this one overlaps have ended.
  virtual void waitForLaunchesBefore() = 0;

  /// Asynchronous: they land at any time from now on, in any order.
  virtual void bulkLoad(uint32_t destination, const void *source, uint32_t bytes, uint32_t barrier) = 0;
  virtual void tensorLoad(uint32_t destination, const void *map, const int (&coordinates)[5], uint32_t barrier) = 0;
  /// Into the shared memory of all blocks of the cluster whose rank is in `mask`.
  virtual void tensorMulticast(uint32_t destination, const void *map, const int (&coordinates)[5], uint32_t barrier,
                               uint16_t mask) = 0;
  /// Groups of the calling thread's stores; they read shared memory at any time up to the wait for them.
  virtual void tensorStore(const void *map, const int (&coordinates)[5], uint32_t source) = 0;
  virtual void bulkCommit() = 0;
  virtual void bulkWait(int pending) = 0;
  /// The calling thread wrote 16 bytes of shared memory; its fence makes what it wrote visible to bulk stores.
  virtual void sharedWritten(uint32_t address) = 0;
  virtual void proxyFence() = 0;
  virtual void copyWord(uint32_t destination, const void *source) = 0;
  virtual void copyWordsWait() = 0;

  virtual void matrixOperation(const MatrixOperation &operation) = 0;
  virtual void matrixCommit() = 0;
  virtual void matrixWait(int pending) = 0;

  /// Another thread may have to run for the caller to get on.
  virtual void yield() = 0;
};

/// What a compiled kernel library exports under the name NAME_emulated.
struct Kernel {
  void (*run)(void **parameters); ///< one thread
  int parameterCount;
  const int *parameterBytes;
};

/// What it exports under the name emulator_bind: to be called before any kernel.
using Bind = void(Gpu *(*current)());

} // namespace emulator

#endif // WINNOW_TEST_EMULATOR_GPU_H
