//===- Sha256.h - SHA-256 of a byte sequence ----------------------------------------------------------------------===//
//
// FIPS 180-4. Guards artifacts and cache entries against corruption and names cache entries by content.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_SHA256_H
#define WINNOW_SUPPORT_SHA256_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace winnow {

class Sha256 {
public:
  static constexpr size_t kDigestBytes = 32;
  using Digest = std::array<uint8_t, kDigestBytes>;

  void update(const void *data, size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// The digest of everything so far. The object is spent afterwards.
  Digest finish();

  static Digest hash(const void *data, size_t size);

private:
  void compress(const uint8_t *block);

  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending = {};
  uint64_t total = 0;
};

/// Lower-case hexadecimal, two digits a byte.
std::string toHex(const Sha256::Digest &digest);

} // namespace winnow

#endif // WINNOW_SUPPORT_SHA256_H
