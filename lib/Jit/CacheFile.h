//===- CacheFile.h - one cache entry as bytes ---------------------------------------------------------------------===//

#ifndef WINNOW_LIB_JIT_CACHEFILE_H
#define WINNOW_LIB_JIT_CACHEFILE_H

#include "winnow/Jit/KernelCache.h"

namespace winnow::jit {

/// What an entry's file holds.
struct CacheFile {
  std::string digest; ///< of the key; also the file's name
  std::string label, target, compiler, build;
  CompiledImage image;
};

std::vector<uint8_t> encodeCacheFile(const CacheFile &file);

/// Rejects, saying why, what `encodeCacheFile` did not write whole, or wrote for another key than `digest`.
Result<CacheFile> decodeCacheFile(const std::vector<uint8_t> &bytes, const std::string &digest);

} // namespace winnow::jit

#endif // WINNOW_LIB_JIT_CACHEFILE_H
