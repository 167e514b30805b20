//===- DeviceMemory.cpp - memory of the emulated device -----------------------------------------------------------===//

#include "DeviceMemory.h"

#include <map>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace {
struct Allocation {
  void *mapping;
  size_t mappedBytes, bytes;
};
std::mutex mutex;
std::map<uintptr_t, Allocation> allocations; // by address
} // namespace

void *emulator::allocate(size_t bytes) {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE)), rounded = (bytes + 255) / 256 * 256;
  const size_t mapped = (rounded + page - 1) / page * page + page;
  char *mapping = static_cast<char *>(
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (mapping == MAP_FAILED)
    return nullptr;
  ::mprotect(mapping + mapped - page, page, PROT_NONE);
  char *address = mapping + mapped - page - rounded;
  std::lock_guard<std::mutex> lock(mutex);
  allocations[reinterpret_cast<uintptr_t>(address)] = {mapping, mapped, rounded};
  return address;
}

bool emulator::release(void *address) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = allocations.find(reinterpret_cast<uintptr_t>(address));
  if (found == allocations.end())
    return false;
  ::munmap(found->second.mapping, found->second.mappedBytes);
  allocations.erase(found);
  return true;
}

bool emulator::isDeviceMemory(const void *address, size_t bytes) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  std::lock_guard<std::mutex> lock(mutex);
  auto next = allocations.upper_bound(at);
  if (next == allocations.begin())
    return false;
  const auto &[start, allocation] = *--next;
  return at - start + bytes <= allocation.bytes;
}
