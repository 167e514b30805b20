//===- Sha256Instructions.cpp - one block of SHA-256 by the instructions of x86-64 --------------------------------===//

#include "Sha256Compress.h"

using namespace winnow;

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

bool sha256::hasInstructions() {
  static const bool has = [] {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    bool sse41 = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx >> 19 & 1) && (ecx >> 9 & 1);
    return sse41 && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx >> 29 & 1);
  }();
  return has;
}

/// The instructions hold the state as two vectors, highest lane first: a, b, e, f and c, d, g, h.
__attribute__((target("sha,sse4.1,ssse3"))) void sha256::compressByInstructions(State &state, const uint8_t *block) {
  const __m128i bigEndian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  __m128i words[16]; // four of the 64 words each
  for (int i = 0; i < 4; ++i)
    words[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(block + 16 * i)), bigEndian);
  for (int i = 4; i < 16; ++i) {
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(words[i - 4], words[i - 3]),
                                _mm_alignr_epi8(words[i - 1], words[i - 2], 4)); // words 7 before
    words[i] = _mm_sha256msg2_epu32(sum, words[i - 1]);
  }
  auto word = [&](int index) { return static_cast<int>(state[index]); };
  __m128i abef = _mm_set_epi32(word(0), word(1), word(4), word(5));
  __m128i cdgh = _mm_set_epi32(word(2), word(3), word(6), word(7));
  for (int i = 0; i < 16; ++i) {
    __m128i input = _mm_add_epi32(words[i], _mm_loadu_si128(reinterpret_cast<const __m128i *>(kRound + 4 * i)));
    // Two rounds make a, b, e, f anew; what these were is c, d, g, h then.
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, input);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(input, 0x0E));
  }
  alignas(16) uint32_t high[4], low[4];
  _mm_store_si128(reinterpret_cast<__m128i *>(high), abef);
  _mm_store_si128(reinterpret_cast<__m128i *>(low), cdgh);
  const uint32_t sums[8] = {high[3], high[2], low[3], low[2], high[1], high[0], low[1], low[0]};
  for (int i = 0; i < 8; ++i)
    state[i] += sums[i];
}

#else

bool sha256::hasInstructions() { return false; }
void sha256::compressByInstructions(State &state, const uint8_t *block) { compressPortably(state, block); }

#endif
