//===- Stacks.cpp - stacks of fibers ------------------------------------------------------------------------------===//

#include "Stacks.h"

#include <map>
#include <mutex>
#include <sys/mman.h>

using namespace emulator;

namespace {
constexpr size_t kGuardBytes = 4096, kPitch = kGuardBytes + Stacks::kBytes;
/// Each guard page makes two areas of memory of which Linux allows 65530.
constexpr size_t kMostGuards = 16384;
std::mutex mutex;
size_t guards = 0;
std::multimap<size_t, char *> unused; ///< by count
} // namespace

Stacks::Stacks(size_t count) : count(count), memory(nullptr) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (auto found = unused.find(count); found != unused.end()) {
      memory = found->second;
      unused.erase(found);
      return;
    }
  }
  void *mapped = ::mmap(nullptr, count * kPitch, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED)
    return;
  memory = static_cast<char *>(mapped);
  std::lock_guard<std::mutex> lock(mutex);
  for (size_t i = 0; i < count && guards < kMostGuards; ++i, ++guards)
    ::mprotect(memory + i * kPitch, kGuardBytes, PROT_NONE);
}

Stacks::~Stacks() {
  std::lock_guard<std::mutex> lock(mutex);
  if (memory)
    unused.emplace(count, memory);
}

char *Stacks::operator[](size_t index) const { return memory ? memory + index * kPitch + kGuardBytes : nullptr; }

bool Stacks::overflown(const void *address) const {
  const char *place = static_cast<const char *>(address);
  return memory && place >= memory && place < memory + count * kPitch &&
         static_cast<size_t>(place - memory) % kPitch < kGuardBytes;
}
