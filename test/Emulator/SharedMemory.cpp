//===- SharedMemory.cpp - shared memory, barriers and what threads do together ------------------------------------===//

#include "Multiprocessor.h"

#include <algorithm>
#include <cstring>

using namespace emulator;

struct Multiprocessor::BarrierState {
  int32_t bytes;          ///< announced and not landed, or the other way round
  int16_t pending;        ///< arrivals that are missing
  uint16_t expected : 15; ///< arrivals per phase
  uint16_t phase : 1;     ///< of the phase that is under way
};

//===--------------------------------------------------------------------------------------------------------------===//
// Shared memory
//===--------------------------------------------------------------------------------------------------------------===//

void Multiprocessor::enter(char *anchor) {
  if (staticShared)
    return;
  staticShared = anchor;
  cluster->begin(rank);
}

uint32_t Multiprocessor::sharedAddress(const void *pointer) {
  const char *place = static_cast<const char *>(pointer);
  if (place >= shared.get() && place < shared.get() + kSharedBytes)
    return kDynamicBase + static_cast<uint32_t>(place - shared.get());
  if (place < staticShared - kStaticReach || place >= staticShared + kStaticReach)
    fail("a pointer that is not to shared memory was taken for one");
  return kStaticBase + static_cast<uint32_t>(place - staticShared);
}

/// Of an address that is known to be one.
char *Multiprocessor::resolve(uint32_t address) const {
  return address >= kStaticBase - kStaticReach ? staticShared + static_cast<int32_t>(address - kStaticBase)
                                               : shared.get() + (address - kDynamicBase);
}

void *Multiprocessor::sharedPointer(uint32_t address, uint32_t bytes) {
  const bool isStatic = address >= kStaticBase - kStaticReach && address < kStaticBase + kStaticReach;
  if (!isStatic && (address < kDynamicBase || address - kDynamicBase + uint64_t{bytes} > sharedBytes))
    fail("shared memory of " + std::to_string(sharedBytes) + " bytes was accessed at " +
         std::to_string(static_cast<int64_t>(address) - kDynamicBase));
  if (uint32_t aligned = std::min(bytes, 16u); (aligned & (aligned - 1)) == 0 && address % aligned != 0)
    fail("an access of " + std::to_string(bytes) + " bytes of shared memory is not aligned");
  return resolve(address);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Collectives
//===--------------------------------------------------------------------------------------------------------------===//

void Multiprocessor::meet(Meeting &meeting, unsigned count, uint32_t terms, const char *what,
                          const std::function<void()> &last) {
  if (meeting.arrived > 0 && meeting.terms != terms)
    fail("threads that wait for each other (" + std::string(what) +
         ") named different partners: " + std::to_string(meeting.terms) + " and " + std::to_string(terms));
  meeting.terms = terms;
  if (++meeting.arrived >= count) {
    if (last)
      last();
    meeting.arrived = 0;
    ++meeting.generation;
    return;
  }
  running->waitingFor = &meeting.generation;
  running->seen = meeting.generation;
  suspend(what);
}

const uint32_t *Multiprocessor::exchange(uint32_t mask, uint32_t value) {
  const unsigned lane = running->position.thread % 32;
  Warp &warp = warps[running->position.thread / 32];
  if (!(mask >> lane & 1))
    fail("a lane outside the mask takes part in a collective of its warp");
  uint32_t *values = warp.values[warp.meeting.generation & 1];
  values[lane] = value;
  meet(warp.meeting, static_cast<unsigned>(__builtin_popcount(mask)), mask, "the other lanes of its warp", {});
  return values;
}

void Multiprocessor::namedBarrier(int index, int threads) {
  if (index < 0 || index > 15 || threads <= 0 || threads % 32 != 0 || threads > static_cast<int>(fibers.size()))
    fail("bar.sync needs a barrier of 0 to 15 and whole warps of the block, got barrier " + std::to_string(index) +
         " of " + std::to_string(threads) + " threads");
  meet(named[index], static_cast<unsigned>(threads), static_cast<uint32_t>(threads), "bar.sync", {});
}

void Multiprocessor::clusterArrive(bool relaxed) {
  std::lock_guard<std::mutex> lock(cluster->mutex);
  if (!relaxed) {
    for (const Fiber::RemoteStore &store : running->remoteStores)
      std::memcpy(store.place, &store.value, sizeof(store.value));
    running->remoteStores.clear();
  }
  ++running->clusterArrivals;
  if (++cluster->arrived == cluster->blocks.size() * fibers.size()) {
    cluster->arrived = 0;
    ++cluster->generation;
  }
}

void Multiprocessor::clusterWait() {
  if (cluster->generation >= running->clusterArrivals)
    return;
  running->otherBlocks = &cluster->generation;
  running->seen = running->clusterArrivals - 1;
  suspend("its cluster");
}

/// A block of the cluster, which must have begun and not have ended, for `what` in its shared memory.
Multiprocessor &Multiprocessor::other(int target, const char *what) {
  if (target < 0 || target >= static_cast<int>(cluster->blocks.size()))
    fail("no block of rank " + std::to_string(target) + " in the cluster");
  if (!cluster->runs(static_cast<unsigned>(target)))
    fail(what + (" the shared memory of the cluster's block " + std::to_string(target)) +
         ", which has not begun or has ended");
  return *cluster->blocks[target];
}

void Multiprocessor::storeCluster(uint32_t address, int target, uint32_t value) {
  sharedPointer(address, 4);
  running->remoteStores.push_back({other(target, "a store to").resolve(address), value});
}

//===--------------------------------------------------------------------------------------------------------------===//
// mbarrier
//===--------------------------------------------------------------------------------------------------------------===//

Multiprocessor::BarrierState &Multiprocessor::barrierState(uint32_t barrier) {
  static_assert(sizeof(BarrierState) == 8);
  return *reinterpret_cast<BarrierState *>(resolve(barrier));
}

bool Multiprocessor::phaseIsUnderWay(uint32_t barrier, uint32_t parity) {
  std::lock_guard<std::mutex> lock(cluster->mutex);
  return barrierState(barrier).phase == parity;
}

void Multiprocessor::land(uint32_t barrier, uint32_t bytes) {
  std::lock_guard<std::mutex> lock(cluster->mutex);
  BarrierState &state = barrierState(barrier);
  state.bytes -= static_cast<int32_t>(bytes);
  complete(state);
}

void Multiprocessor::complete(BarrierState &state) {
  if (state.pending != 0 || state.bytes != 0)
    return;
  state.phase ^= 1;
  state.pending = static_cast<int16_t>(state.expected);
}

void Multiprocessor::barrierInit(uint32_t barrier, uint32_t arrivals) {
  sharedPointer(barrier, 8);
  BarrierState &state = barrierState(barrier);
  state.bytes = 0;
  state.pending = static_cast<int16_t>(arrivals);
  state.expected = static_cast<uint16_t>(arrivals) & 0x7FFF;
  state.phase = 0;
}

void Multiprocessor::barrierArrive(uint32_t barrier, uint32_t expectedBytes) {
  arriveAt(*this, barrier, expectedBytes);
}

void Multiprocessor::barrierArriveCluster(uint32_t barrier, int target) {
  arriveAt(other(target, "an arrival in"), barrier, 0);
}

void Multiprocessor::arriveAt(Multiprocessor &block, uint32_t barrier, uint32_t expectedBytes) {
  sharedPointer(barrier, 8);
  std::unique_lock<std::mutex> lock(cluster->mutex);
  BarrierState &state = block.barrierState(barrier);
  state.bytes += static_cast<int32_t>(expectedBytes);
  if (state.pending <= 0) {
    lock.unlock();
    fail("an mbarrier got more arrivals than its phase expects");
  }
  --state.pending;
  complete(state);
}

void Multiprocessor::barrierWait(uint32_t barrier, uint32_t parity) {
  sharedPointer(barrier, 8);
  running->waitsForBarrier = true;
  running->barrier = barrier;
  running->parity = parity;
  if (!isBlocked(*running)) {
    running->waitsForBarrier = false;
    return;
  }
  suspend("an mbarrier");
}
