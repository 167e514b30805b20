//===- Multiprocessor.cpp - one block of threads, run on one thread of the host -----------------------------------===//

#include "Multiprocessor.h"

#include "DeviceMemory.h"
#include "MatrixUnit.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <ucontext.h>

using namespace emulator;

namespace {
constexpr size_t kStackBytes = 128 << 10;
/// Shared addresses: dynamic memory from the first, static memory around the second.
constexpr uint32_t kDynamicBase = 1024, kStaticBase = 0x40000000;
constexpr int kStaticReach = 1 << 20;
/// How long all blocks of a launch may stand still. Nothing they wait for takes time.
constexpr std::chrono::seconds kPatience{30};

thread_local Multiprocessor *runningHere = nullptr;
} // namespace

struct Multiprocessor::BarrierState {
  int32_t bytes;             ///< announced and not landed, or the other way round
  int16_t pending;           ///< arrivals that are missing
  uint16_t expected : 15;    ///< arrivals per phase
  uint16_t phase : 1;        ///< of the phase that is under way
};

Multiprocessor::Multiprocessor(Launch &launch, unsigned threads, unsigned sharedBytes, unsigned gridSize)
    : launch(launch), sharedBytes(sharedBytes), fibers(threads), warps((threads + 31) / 32),
      warpgroups((threads + 127) / 128) {
  static_assert(sizeof(BarrierState) == 8);
  shared = static_cast<char *>(std::aligned_alloc(1024, kSharedBytes));
  std::memset(shared, 0xA5, kSharedBytes); // as much NaN as anything
  for (Fiber &fiber : fibers) {
    fiber.stack = static_cast<char *>(
        ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    fiber.position.blockSize = threads;
    fiber.position.gridSize = gridSize;
  }
}

Multiprocessor::~Multiprocessor() {
  std::free(shared);
  for (Fiber &fiber : fibers)
    ::munmap(fiber.stack, kStackBytes);
}

Gpu *Multiprocessor::current() { return runningHere; }

//===--------------------------------------------------------------------------------------------------------------===//
// Fibers
//===--------------------------------------------------------------------------------------------------------------===//

void Multiprocessor::startFiber() {
  Multiprocessor &self = *runningHere;
  self.kernel->run(self.parameters);
  self.running->done = true;
  ::_longjmp(self.scheduler, 1);
}

void Multiprocessor::resume(Fiber &fiber) {
  running = &fiber;
  if (::_setjmp(scheduler) == 0) {
    if (fiber.started)
      ::_longjmp(fiber.context, 1);
    fiber.started = true;
    ucontext_t context;
    ::getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack;
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    ::makecontext(&context, startFiber, 0);
    ::setcontext(&context);
  }
  running = nullptr;
}

void Multiprocessor::suspend(const char *what) {
  running->what = what;
  if (::_setjmp(running->context) == 0)
    ::_longjmp(scheduler, 1);
}

void Multiprocessor::fail(const std::string &message) {
  launch.fail("block " + std::to_string(running->position.block) + ", thread " +
              std::to_string(running->position.thread) + ": " + message);
  running->done = true;
  ::_longjmp(scheduler, 1);
}

bool Multiprocessor::isBlocked(const Fiber &fiber) {
  if (fiber.waitingFor)
    return *fiber.waitingFor == fiber.seen;
  if (fiber.otherBlocks)
    return fiber.otherBlocks->load() == fiber.seen;
  if (fiber.waitsForBarrier) {
    std::lock_guard<std::mutex> lock(cluster->mutex);
    return barrierState(fiber.barrier).phase == fiber.parity;
  }
  return false;
}

std::string Multiprocessor::describe() const {
  std::string text;
  for (size_t i = 0; i < fibers.size(); ++i) {
    if (fibers[i].done || (i > 0 && i % 32 != 0 && fibers[i].what == fibers[i - 1].what && !fibers[i - 1].done))
      continue;
    text += "\n  thread " + std::to_string(i) + " waits for " + fibers[i].what;
    if (fibers[i].waitsForBarrier)
      text += " at " + std::to_string(fibers[i].barrier - kDynamicBase) + ", parity " +
              std::to_string(fibers[i].parity);
  }
  return text;
}

bool Multiprocessor::run(const Kernel &toRun, void **arguments, unsigned block, unsigned rank, Cluster &peers,
                         uint64_t seed) {
  kernel = &toRun;
  parameters = arguments;
  cluster = &peers;
  random.seed(seed);
  runningHere = this;
  copies.clear();
  warps.assign(warps.size(), {});
  warpgroups.assign(warpgroups.size(), {});
  std::fill(std::begin(named), std::end(named), Meeting());
  std::vector<Fiber *> order;
  for (size_t i = 0; i < fibers.size(); ++i) {
    Fiber &fiber = fibers[i];
    Fiber fresh;
    fresh.stack = fiber.stack;
    fresh.position = fiber.position;
    fresh.position.thread = static_cast<unsigned>(i);
    fresh.position.block = block;
    fresh.position.clusterRank = rank;
    fiber = fresh;
    order.push_back(&fiber);
  }

  auto quietSince = std::chrono::steady_clock::now();
  uint64_t seen = launch.progress;
  while (!order.empty() && !launch.failed) {
    std::shuffle(order.begin(), order.end(), random);
    bool progress = false, mayYetGoOn = false;
    for (Fiber *fiber : order) {
      if (isBlocked(*fiber)) {
        mayYetGoOn |= fiber->otherBlocks != nullptr || (fiber->waitsForBarrier && peers.blocks.size() > 1);
        continue;
      }
      fiber->waitingFor = nullptr;
      fiber->otherBlocks = nullptr;
      fiber->waitsForBarrier = false;
      resume(*fiber);
      bool polls = !fiber->done && fiber->what == std::string_view("another block");
      progress |= !polls;
      mayYetGoOn |= polls;
    }
    order.erase(std::remove_if(order.begin(), order.end(), [](Fiber *fiber) { return fiber->done; }), order.end());
    if (!copies.empty() && (!progress || random() % 2 == 0))
      progress |= landOneCopy();
    if (progress) {
      ++launch.progress;
      continue;
    }
    if (order.empty())
      break;
    if (!mayYetGoOn) {
      launch.fail("block " + std::to_string(block) + " cannot go on:" + describe());
      break;
    }
    std::this_thread::yield();
    auto now = std::chrono::steady_clock::now();
    if (uint64_t latest = launch.progress; latest != seen) {
      seen = latest;
      quietSince = now;
    } else if (now - quietSince > kPatience) {
      launch.fail("no block can go on; block " + std::to_string(block) + ":" + describe());
    }
  }
  if (!launch.failed && !copies.empty())
    launch.fail("block " + std::to_string(block) + " ended while copies into its shared memory were under way");
  runningHere = nullptr;
  return !launch.failed;
}

const Position &Multiprocessor::position() { return running->position; }

void Multiprocessor::yield() { suspend("another block"); }

void Multiprocessor::meet(Meeting &meeting, unsigned count, const char *what, const std::function<void()> &last) {
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

//===--------------------------------------------------------------------------------------------------------------===//
// Shared memory
//===--------------------------------------------------------------------------------------------------------------===//

uint32_t Multiprocessor::sharedAddress(const void *pointer) {
  const char *place = static_cast<const char *>(pointer);
  if (place >= shared && place < shared + kSharedBytes)
    return kDynamicBase + static_cast<uint32_t>(place - shared);
  if (place < staticShared - kStaticReach || place >= staticShared + kStaticReach)
    fail("a pointer that is not to shared memory was taken for one");
  return kStaticBase + static_cast<uint32_t>(place - staticShared);
}

void *Multiprocessor::sharedPointer(uint32_t address, uint32_t bytes) {
  if (address >= kStaticBase - kStaticReach)
    return staticShared + static_cast<int32_t>(address - kStaticBase);
  if (address < kDynamicBase || address - kDynamicBase + bytes > sharedBytes)
    fail("shared memory of " + std::to_string(sharedBytes) + " bytes was accessed at " +
         std::to_string(static_cast<int64_t>(address) - kDynamicBase));
  if (uint32_t aligned = std::min(bytes, 16u); (aligned & (aligned - 1)) == 0 && address % aligned != 0)
    fail("an access of " + std::to_string(bytes) + " bytes of shared memory is not aligned");
  return shared + (address - kDynamicBase);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Collectives
//===--------------------------------------------------------------------------------------------------------------===//

const uint32_t *Multiprocessor::exchange(uint32_t mask, uint32_t value) {
  const unsigned lane = running->position.thread % 32;
  Warp &warp = warps[running->position.thread / 32];
  if (!(mask >> lane & 1))
    fail("a lane outside the mask takes part in a collective of its warp");
  uint32_t *values = warp.values[warp.meeting.generation & 1];
  values[lane] = value;
  meet(warp.meeting, static_cast<unsigned>(__builtin_popcount(mask)), "the other lanes of its warp", {});
  return values;
}

void Multiprocessor::namedBarrier(int index, int threads) {
  if (index < 0 || index > 15 || threads % 32 != 0)
    fail("bar.sync needs a barrier of 0 to 15 and whole warps");
  meet(named[index], static_cast<unsigned>(threads), "bar.sync", {});
}

void Multiprocessor::clusterArrive() {
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

void Multiprocessor::storeCluster(uint32_t address, int rank, uint32_t value) {
  if (rank < 0 || rank >= static_cast<int>(cluster->blocks.size()))
    fail("no block of rank " + std::to_string(rank) + " in the cluster");
  Multiprocessor &other = *cluster->blocks[rank];
  char *here = static_cast<char *>(sharedPointer(address, 4));
  char *there = address >= kStaticBase - kStaticReach ? other.staticShared + (here - staticShared)
                                                      : other.shared + (here - shared);
  std::lock_guard<std::mutex> lock(cluster->mutex);
  std::memcpy(there, &value, 4);
}

//===--------------------------------------------------------------------------------------------------------------===//
// mbarrier
//===--------------------------------------------------------------------------------------------------------------===//

Multiprocessor::BarrierState &Multiprocessor::barrierState(uint32_t barrier) {
  return *reinterpret_cast<BarrierState *>(shared + (barrier - kDynamicBase));
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
  sharedPointer(barrier, 8);
  std::unique_lock<std::mutex> lock(cluster->mutex);
  BarrierState &state = barrierState(barrier);
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

//===--------------------------------------------------------------------------------------------------------------===//
// Copies
//===--------------------------------------------------------------------------------------------------------------===//

bool Multiprocessor::landOneCopy() {
  size_t index = random() % copies.size();
  Copy copy = std::move(copies[index]);
  copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(index));
  copy.land();
  std::lock_guard<std::mutex> lock(cluster->mutex);
  BarrierState &state = barrierState(copy.barrier);
  state.bytes -= static_cast<int32_t>(copy.bytes);
  complete(state);
  return true;
}

void Multiprocessor::bulkLoad(uint32_t destination, const void *source, uint32_t bytes, uint32_t barrier) {
  if (bytes % 16 != 0 || reinterpret_cast<uintptr_t>(source) % 16 != 0 || destination % 16 != 0)
    fail("a bulk copy is of whole 16 bytes between multiples of 16");
  if (!isDeviceMemory(source, bytes))
    fail("a bulk copy reads outside of all allocations");
  char *place = static_cast<char *>(sharedPointer(destination, 16));
  sharedPointer(destination + bytes - 16, 16);
  sharedPointer(barrier, 8);
  copies.push_back({[=] { std::memcpy(place, source, bytes); }, barrier, bytes});
}

void Multiprocessor::tensorLoad(uint32_t destination, const void *encoded, const int (&coordinates)[5],
                                uint32_t barrier) {
  TensorMap map;
  std::memcpy(&map, encoded, sizeof(map));
  if (map.valid != 1)
    fail("a tensor copy without a tensor map");
  const uint32_t bytes = boxBytes(map);
  if (destination % (map.swizzled ? 1024 : 128) != 0)
    fail("the destination of a tensor copy is not aligned");
  char *place = static_cast<char *>(sharedPointer(destination, 16));
  sharedPointer(destination + bytes - 16, 16);
  sharedPointer(barrier, 8);
  std::vector<int> at(coordinates, coordinates + 5);
  copies.push_back({[=] {
                      int where[5];
                      std::copy(at.begin(), at.end(), where);
                      loadBox(map, where, place, destination);
                    },
                    barrier, bytes});
}

void Multiprocessor::copyWord(uint32_t destination, const void *source) {
  sharedPointer(destination, 4);
  if (!isDeviceMemory(source, 4))
    fail("cp.async reads outside of all allocations");
  running->words.emplace_back(destination, source);
}

void Multiprocessor::copyWordsWait() {
  for (auto [destination, source] : running->words)
    std::memcpy(sharedPointer(destination, 4), source, 4);
  running->words.clear();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Matrix instructions
//===--------------------------------------------------------------------------------------------------------------===//

void Multiprocessor::matrixOperation(const MatrixOperation &operation) {
  const unsigned thread = running->position.thread;
  warpgroups[thread / 128].open[thread % 128].push_back(operation);
}

void Multiprocessor::execute(Warpgroup &group, unsigned upTo) {
  for (; group.executed < upTo; ++group.executed) {
    const size_t count = group.threads[0].front().size();
    for (auto &thread : group.threads)
      if (thread.front().size() != count)
        fail("the threads of a warpgroup issued different numbers of matrix instructions");
    for (size_t i = 0; i < count; ++i) {
      MatrixOperation operations[128];
      for (unsigned thread = 0; thread < 128; ++thread) {
        operations[thread] = group.threads[thread].front()[i];
        if (operations[thread].a != operations[0].a || operations[thread].b != operations[0].b ||
            operations[thread].accumulate != operations[0].accumulate)
          fail("the threads of a warpgroup issued different matrix instructions");
      }
      std::string wrong = multiply(operations, [this](uint32_t address, uint32_t bytes) {
        return static_cast<const char *>(sharedPointer(address, bytes));
      });
      if (!wrong.empty())
        fail(wrong);
    }
    for (auto &thread : group.threads)
      thread.erase(thread.begin());
  }
}

void Multiprocessor::matrixCommit() {
  const unsigned thread = running->position.thread;
  Warpgroup &group = warpgroups[thread / 128];
  group.threads[thread % 128].push_back(std::move(group.open[thread % 128]));
  group.open[thread % 128].clear();
  meet(group.meeting, 128, "the other threads of its warpgroup (wgmma.commit_group)", [&] {
    ++group.committed;
    if (random() % 2 == 0)
      execute(group, group.committed);
  });
}

void Multiprocessor::matrixWait(int pending) {
  Warpgroup &group = warpgroups[running->position.thread / 128];
  meet(group.meeting, 128, "the other threads of its warpgroup (wgmma.wait_group)", [&] {
    if (group.committed > static_cast<unsigned>(pending))
      execute(group, group.committed - static_cast<unsigned>(pending));
  });
}
