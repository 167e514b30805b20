//===- Sha256Compress.h - one block of SHA-256 --------------------------------------------------------------------===//

#ifndef WINNOW_LIB_SUPPORT_SHA256COMPRESS_H
#define WINNOW_LIB_SUPPORT_SHA256COMPRESS_H

#include <array>
#include <cstdint>

namespace winnow::sha256 {

using State = std::array<uint32_t, 8>;

/// The round constants of FIPS 180-4.
extern const uint32_t kRound[64];

/// Takes a block of 64 bytes into the state, on any machine.
void compressPortably(State &state, const uint8_t *block);

/// Whether this machine has instructions for it.
bool hasInstructions();
/// The same by these instructions; several times as fast. Only where there are some.
void compressByInstructions(State &state, const uint8_t *block);

} // namespace winnow::sha256

#endif // WINNOW_LIB_SUPPORT_SHA256COMPRESS_H
