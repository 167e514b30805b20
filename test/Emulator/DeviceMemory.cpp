//===- DeviceMemory.cpp - memory of the emulated device -----------------------------------------------------------===//

#include "DeviceMemory.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
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
  const size_t mapped = page + (rounded + page - 1) / page * page + page;
  char *mapping = static_cast<char *>(
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (mapping == MAP_FAILED)
    return nullptr;
  ::mprotect(mapping, page, PROT_NONE);
  ::mprotect(mapping + mapped - page, page, PROT_NONE);
  char *address = mapping + mapped - page - rounded;
  std::memset(address, 0xFF, rounded);
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
  return bytes <= allocation.bytes && at - start <= allocation.bytes - bytes;
}

std::string emulator::describeAddress(const void *pointer) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(pointer);
  char text[128];
  std::snprintf(text, sizeof(text), "%#" PRIxPTR, at);
  std::lock_guard<std::mutex> lock(mutex);
  for (const auto &[start, allocation] : allocations) {
    const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE)), end = start + allocation.bytes;
    if (at >= end && at < end + page)
      std::snprintf(text, sizeof(text), "%#" PRIxPTR ", %zu bytes behind the end of an allocation of %zu bytes", at,
                    static_cast<size_t>(at - end), allocation.bytes);
    else if (at < start && at >= reinterpret_cast<uintptr_t>(allocation.mapping))
      std::snprintf(text, sizeof(text), "%#" PRIxPTR ", %zu bytes in front of an allocation of %zu bytes", at,
                    static_cast<size_t>(start - at), allocation.bytes);
  }
  return text;
}
