//===- DeviceMemory.cpp - memory of the emulated device -----------------------------------------------------------===//

#include "DeviceMemory.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <tuple>
#include <unistd.h>

namespace {
struct Allocation {
  char *mapping; ///< a page that nobody may touch, then `front` bytes that nobody should
  size_t mappedBytes, front, bytes, back;
};
constexpr char kFill = static_cast<char>(0xFF);
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
  std::memset(mapping + page, kFill, mapped - 2 * page);
  std::lock_guard<std::mutex> lock(mutex);
  allocations[reinterpret_cast<uintptr_t>(address)] = {mapping, mapped, static_cast<size_t>(address - mapping) - page,
                                                       bytes, rounded - bytes};
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
    if (at >= end && at < end + allocation.back + page)
      std::snprintf(text, sizeof(text), "%#" PRIxPTR ", %zu bytes behind the end of an allocation of %zu bytes", at,
                    static_cast<size_t>(at - end), allocation.bytes);
    else if (at < start && at >= reinterpret_cast<uintptr_t>(allocation.mapping))
      std::snprintf(text, sizeof(text), "%#" PRIxPTR ", %zu bytes in front of an allocation of %zu bytes", at,
                    static_cast<size_t>(start - at), allocation.bytes);
  }
  return text;
}

std::string emulator::findDamage() {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto &[start, allocation] : allocations) {
    char *begin = reinterpret_cast<char *>(start), *end = begin + allocation.bytes;
    const auto isChanged = [](char byte) { return byte != kFill; };
    for (auto [from, to, where] : {std::tuple(begin - allocation.front, begin, "in front of"),
                                   std::tuple(end, end + allocation.back, "behind the end of")})
      if (char *changed = std::find_if(from, to, isChanged); changed != to) {
        std::fill(from, to, kFill);
        const char *edge = from == end ? end : begin;
        return "memory was written " + std::to_string(std::abs(changed - edge)) + " bytes " + where +
               " an allocation of " + std::to_string(allocation.bytes) + " bytes";
      }
  }
  return "";
}
