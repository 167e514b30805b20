//===- Asynchronous.cpp - copies and matrix instructions, which end later than they begin -------------------------===//

#include "DeviceMemory.h"
#include "MatrixUnit.h"
#include "Multiprocessor.h"

#include <algorithm>
#include <cstring>

using namespace emulator;

/// What threads of a warpgroup agree on where they do not wait for groups.
static constexpr uint32_t kCommit = ~0u;

//===--------------------------------------------------------------------------------------------------------------===//
// Copies
//===--------------------------------------------------------------------------------------------------------------===//

void Multiprocessor::landOneCopy() {
  const size_t index = random() % copies.size();
  const Copy copy = std::move(copies[index]);
  copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(index));
  if (!cluster->runs(copy.target)) {
    launch.fail("a copy lands in the shared memory of the cluster's block " + std::to_string(copy.target) +
                ", which has ended");
    return;
  }
  copy.land();
  cluster->blocks[copy.target]->land(copy.barrier, copy.bytes);
}

void Multiprocessor::bulkLoad(uint32_t destination, const void *source, uint32_t bytes, uint32_t barrier) {
  if (bytes % 16 != 0 || reinterpret_cast<uintptr_t>(source) % 16 != 0 || destination % 16 != 0)
    fail("a bulk copy is of whole 16 bytes between multiples of 16");
  if (!isDeviceMemory(source, bytes))
    fail("a bulk copy reads outside of all allocations");
  char *place = static_cast<char *>(sharedPointer(destination, 16));
  sharedPointer(destination + bytes - 16, 16);
  sharedPointer(barrier, 8);
  copies.push_back({[=] { std::memcpy(place, source, bytes); }, barrier, bytes, rank});
}

/// A tensor map that a copy is made with, whose box lies in shared memory.
static TensorMap takeMap(const void *encoded) {
  TensorMap map;
  std::memcpy(&map, encoded, sizeof(map));
  return map;
}

std::string Multiprocessor::whyNoTensorCopy(const TensorMap &map, uint32_t address) {
  if (map.valid != 1)
    return "a tensor copy without a tensor map";
  if (!isDeviceMemory(reinterpret_cast<const void *>(map.address), spanBytes(map)))
    return "a tensor copy whose map reaches outside of all allocations";
  if (address % (map.swizzled ? 1024 : 128) != 0)
    return "the shared memory of a tensor copy is not aligned";
  sharedPointer(address + boxBytes(map) - 16, 16);
  return "";
}

void Multiprocessor::tensorLoad(uint32_t destination, const void *encoded, const int (&coordinates)[5],
                                uint32_t barrier) {
  tensorMulticast(destination, encoded, coordinates, barrier, static_cast<uint16_t>(1u << rank));
}

void Multiprocessor::tensorMulticast(uint32_t destination, const void *encoded, const int (&coordinates)[5],
                                     uint32_t barrier, uint16_t mask) {
  const TensorMap map = takeMap(encoded);
  if (std::string why = whyNoTensorCopy(map, destination); !why.empty())
    fail(why);
  sharedPointer(barrier, 8);
  std::vector<int> at(coordinates, coordinates + 5);
  for (unsigned target = 0; target < 16; ++target) {
    if (!(mask >> target & 1))
      continue;
    char *place = other(static_cast<int>(target), "a copy to").resolve(destination);
    copies.push_back({[=] {
                        int where[5];
                        std::copy(at.begin(), at.end(), where);
                        loadBox(map, where, place, destination);
                      },
                      barrier, boxBytes(map), target});
  }
}

void Multiprocessor::tensorStore(const void *encoded, const int (&coordinates)[5], uint32_t source) {
  const TensorMap map = takeMap(encoded);
  if (std::string why = whyNoTensorCopy(map, source); !why.empty())
    fail(why);
  for (const Fiber &fiber : fibers)
    for (uint32_t written : fiber.unfenced)
      if (written + 16 > source && written < source + boxBytes(map))
        fail("a tensor store reads what a thread wrote and did not fence");
  const char *place = static_cast<const char *>(sharedPointer(source, 16));
  std::vector<int> at(coordinates, coordinates + 5);
  running->openStores.push_back([=] {
    int where[5];
    std::copy(at.begin(), at.end(), where);
    storeBox(map, where, place, source);
  });
}

void Multiprocessor::sharedWritten(uint32_t address) { running->unfenced.push_back(address); }
void Multiprocessor::proxyFence() { running->unfenced.clear(); }

void Multiprocessor::bulkCommit() {
  running->stores.push_back(std::move(running->openStores));
  running->openStores.clear();
  if (random() % 2 == 0)
    bulkWait(0);
}

void Multiprocessor::bulkWait(int pending) {
  for (; running->stores.size() > static_cast<size_t>(pending); running->stores.pop_front())
    for (const auto &store : running->stores.front())
      store();
}

void Multiprocessor::copyWord(uint32_t destination, const void *source) {
  sharedPointer(destination, 4);
  if (!isDeviceMemory(source, 4))
    fail("cp.async reads outside of all allocations");
  if (random() % 2 == 0)
    running->words.emplace_back(destination, source);
  else
    std::memcpy(resolve(destination), source, 4);
}

void Multiprocessor::copyWordsWait() {
  for (auto [destination, source] : running->words)
    std::memcpy(resolve(destination), source, 4);
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
        const MatrixOperation &own = operations[thread], &first = operations[0];
        if (own.a != first.a || own.b != first.b || own.accumulate != first.accumulate ||
            own.selector != first.selector || own.n != first.n)
          fail("the threads of a warpgroup issued different matrix instructions");
      }
      std::string wrong = multiply(operations, [this](uint32_t address, uint32_t bytes) {
        return static_cast<const char *>(sharedPointer(address, bytes));
      });
      if (!wrong.empty())
        fail(wrong);
    }
    for (auto &thread : group.threads)
      thread.pop_front();
  }
}

void Multiprocessor::matrixCommit() {
  if (fibers.size() % 128 != 0)
    fail("matrix instructions need whole warpgroups, got a block of " + std::to_string(fibers.size()) + " threads");
  const unsigned thread = running->position.thread;
  Warpgroup &group = warpgroups[thread / 128];
  group.threads[thread % 128].push_back(std::move(group.open[thread % 128]));
  group.open[thread % 128].clear();
  meet(group.meeting, 128, kCommit, "the other threads of its warpgroup (wgmma.commit_group)", [&] {
    ++group.committed;
    if (random() % 2 == 0)
      execute(group, group.committed);
  });
}

void Multiprocessor::matrixWait(int pending) {
  Warpgroup &group = warpgroups[running->position.thread / 128];
  meet(group.meeting, 128, static_cast<uint32_t>(pending), "the other threads of its warpgroup (wgmma.wait_group)",
       [&] {
         if (group.committed > static_cast<unsigned>(pending)) {
           group.awaited = std::max(group.awaited, group.committed - static_cast<unsigned>(pending));
           execute(group, group.awaited);
         }
       });
}
