//===- Multiprocessor.cpp - one block of threads, run on one thread of the host -----------------------------------===//

#include "Multiprocessor.h"

#include "Faults.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <thread>
#include <ucontext.h>

using namespace emulator;

namespace {
/// How long all blocks of a launch may stand still where some poll. Nothing they wait for takes time.
constexpr std::chrono::seconds kPatience{30};
constexpr const char *kPolls = "another block";

thread_local Multiprocessor *runningHere = nullptr;

std::string nameOf(unsigned block, unsigned thread) {
  return "block " + std::to_string(block) + ", thread " + std::to_string(thread);
}
} // namespace

Multiprocessor::Multiprocessor(Launch &launch, unsigned threads, unsigned sharedBytes, unsigned gridSize)
    : launch(launch), sharedBytes(sharedBytes), stacks(threads),
      shared(static_cast<char *>(std::aligned_alloc(1024, kSharedBytes))), fibers(threads), warps((threads + 31) / 32),
      warpgroups((threads + 127) / 128) {
  if (!shared || !stacks[0]) {
    launch.fail("the host has no memory for a block of " + std::to_string(threads) + " threads");
    return;
  }
  std::memset(shared.get(), 0xA5, kSharedBytes); // what is read before it is written should not look like a zero
  for (size_t i = 0; i < fibers.size(); ++i) {
    fibers[i].stack = stacks[i];
    fibers[i].position.blockSize = threads;
    fibers[i].position.gridSize = gridSize;
  }
}

Gpu *Multiprocessor::current() { return runningHere; }

void Multiprocessor::faulted(const std::string &message) {
  if (runningHere && runningHere->running)
    runningHere->fail(message);
}

bool Multiprocessor::overflewStack(const void *address) {
  return runningHere && runningHere->stacks.overflown(address);
}

const Position &Multiprocessor::position() { return running->position; }

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
    context.uc_stack.ss_size = Stacks::kBytes;
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

void Multiprocessor::yield() { suspend(kPolls); }

/// How often other threads of the block, and copies, come first.
static constexpr int kTurnsOfOthers = 6;

void Multiprocessor::waitForLaunchesBefore() {
  if (!launch.overlaps())
    return;
  for (int i = 0; i < kTurnsOfOthers && !launch.haveEnded; ++i)
    yield();
  launch.endLaunchesBefore();
  if (launch.failed) {
    running->done = true;
    ::_longjmp(scheduler, 1);
  }
}

void Multiprocessor::fail(const std::string &message) {
  launch.fail(nameOf(running->position.block, running->position.thread) + ": " + message);
  running->done = true;
  ::_longjmp(scheduler, 1);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Taking turns
//===--------------------------------------------------------------------------------------------------------------===//

bool Multiprocessor::isBlocked(const Fiber &fiber) {
  if (fiber.waitingFor)
    return *fiber.waitingFor == fiber.seen;
  if (fiber.otherBlocks)
    return fiber.otherBlocks->load() == fiber.seen;
  return fiber.waitsForBarrier && phaseIsUnderWay(fiber.barrier, fiber.parity);
}

/// Every thread that can run runs to where it waits; then a copy may land. False if nothing of that happened.
bool Multiprocessor::runOnce(std::vector<Fiber *> &order, bool &polls) {
  std::shuffle(order.begin(), order.end(), random);
  bool progress = false;
  polls = false;
  for (Fiber *fiber : order) {
    if (isBlocked(*fiber))
      continue;
    fiber->waitingFor = nullptr;
    fiber->otherBlocks = nullptr;
    fiber->waitsForBarrier = false;
    resume(*fiber);
    const bool onlyPolled = !fiber->done && fiber->what == std::string_view(kPolls);
    progress |= !onlyPolled;
    polls |= onlyPolled;
    if (launch.failed)
      return false;
  }
  order.erase(std::remove_if(order.begin(), order.end(), [](Fiber *fiber) { return fiber->done; }), order.end());
  if (!order.empty() && !copies.empty() && (!progress || random() % 2 == 0)) {
    landOneCopy();
    progress = true;
  }
  if (progress) {
    ++launch.progress;
    ++cluster->progress;
  }
  return progress;
}

/// Called where nothing can run: whether that stays so. `seen` is the cluster's progress before all were looked at.
bool Multiprocessor::isStuck(bool polls, uint64_t seen) {
  const auto now = std::chrono::steady_clock::now();
  if (!polls) {
    cluster->isIdle(rank, seen);
    // Only blocks of the cluster can wake each other; one that polls is never idle.
    if (cluster->allIdle(static_cast<unsigned>(cluster->blocks.size())))
      return true;
  }
  if (uint64_t latest = launch.progress; latest != launchProgress) {
    launchProgress = latest;
    quietSince = now;
  }
  return now - quietSince > kPatience;
}

std::string Multiprocessor::describe() const {
  std::string text;
  for (size_t i = 0; i < fibers.size(); ++i) {
    if (fibers[i].done || (i > 0 && i % 32 != 0 && fibers[i].what == fibers[i - 1].what && !fibers[i - 1].done))
      continue;
    text += "\n  thread " + std::to_string(i) + " waits for " + fibers[i].what;
    if (fibers[i].waitsForBarrier)
      text +=
          " at " + std::to_string(fibers[i].barrier - kDynamicBase) + ", parity " + std::to_string(fibers[i].parity);
  }
  return text;
}

/// What a block has begun and not ended when all its threads are done; "" if nothing.
std::string Multiprocessor::leftOver() const {
  if (!copies.empty())
    return "ended while copies into its shared memory were under way";
  for (const Warpgroup &group : warpgroups) {
    if (group.awaited != group.committed)
      return "ended with matrix instructions that nobody waited for";
    for (const auto &open : group.open)
      if (!open.empty())
        return "ended with matrix instructions that were not committed";
  }
  for (const Fiber &fiber : fibers) {
    if (!fiber.words.empty())
      return "ended with cp.async that nobody waited for";
    if (!fiber.stores.empty() || !fiber.openStores.empty())
      return "ended with bulk stores that nobody waited for";
    if (!fiber.remoteStores.empty())
      return "ended with stores to other blocks that no arrival published";
  }
  return "";
}

void Multiprocessor::start(unsigned block, unsigned rankInCluster, std::vector<Fiber *> &order) {
  rank = rankInCluster;
  running = nullptr;
  staticShared = nullptr;
  copies.clear();
  warps.assign(warps.size(), {});
  warpgroups.assign(warpgroups.size(), {});
  std::fill(std::begin(named), std::end(named), Meeting());
  for (size_t i = 0; i < fibers.size(); ++i) {
    Fiber &fiber = fibers[i];
    Fiber fresh;
    fresh.stack = fiber.stack;
    fresh.position = fiber.position;
    fresh.position.thread = static_cast<unsigned>(i);
    fresh.position.block = block;
    fresh.position.clusterRank = rank;
    fiber = std::move(fresh);
    order.push_back(&fiber);
  }
  quietSince = std::chrono::steady_clock::now();
  launchProgress = launch.progress;
}

bool Multiprocessor::run(const Kernel &toRun, void **arguments, unsigned block, unsigned rankInCluster, Cluster &peers,
                         uint64_t seed) {
  if (launch.failed)
    return false;
  kernel = &toRun;
  parameters = arguments;
  cluster = &peers;
  random.seed(seed);
  std::vector<Fiber *> order;
  start(block, rankInCluster, order);
  const FaultGuard guard;
  runningHere = this;
  // A kernel that writes to a block that may not have begun is wrong; the late block shows it.
  if (rank == cluster->late)
    while (!launch.failed && !cluster->allIdle(rank) && !isStuck(true, 0))
      std::this_thread::yield();

  while (!order.empty() && !launch.failed) {
    const uint64_t seen = cluster->progress;
    bool polls = false;
    if (runOnce(order, polls) || order.empty())
      continue;
    if (!launch.failed && isStuck(polls, seen))
      launch.fail("block " + std::to_string(block) + " cannot go on:" + describe());
    std::this_thread::yield();
  }
  if (std::string left = leftOver(); !launch.failed && !left.empty())
    launch.fail("block " + std::to_string(block) + " " + left);
  cluster->end(rank);
  runningHere = nullptr;
  return !launch.failed;
}
