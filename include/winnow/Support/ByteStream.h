//===- ByteStream.h - numbers and sequences as little-endian bytes ------------------------------------------------===//

#ifndef WINNOW_SUPPORT_BYTESTREAM_H
#define WINNOW_SUPPORT_BYTESTREAM_H

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace winnow {

/// Appends to a byte vector.
class ByteWriter {
public:
  template <typename T> void number(T value) {
    static_assert(std::is_integral_v<T>, "enumerators are cast by the caller");
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (size_t i = 0; i < sizeof(T); ++i)
      bytes.push_back(static_cast<uint8_t>(bits >> (8 * i)));
  }
  void flag(bool value) { number(uint8_t(value)); }
  void blob(const void *data, size_t size) {
    number(uint64_t(size));
    append(data, size);
  }
  void text(const std::string &value) { blob(value.data(), value.size()); }
  void append(const void *data, size_t size) {
    const uint8_t *begin = static_cast<const uint8_t *>(data);
    bytes.insert(bytes.end(), begin, begin + size);
  }

  std::vector<uint8_t> bytes;
};

/// Reads what ByteWriter wrote. After the first length or value that does not fit, `failed()` stays true and every read
/// yields zero or nothing, so that a caller may check once.
class ByteReader {
public:
  ByteReader(const uint8_t *data, size_t size) : next(data), left(size) {}

  bool failed() const { return bad; }
  void fail() { bad = true; }
  size_t remaining() const { return left; }

  template <typename T> T number() {
    std::make_unsigned_t<T> bits = 0;
    if (!take(sizeof(T)))
      return 0;
    for (size_t i = 0; i < sizeof(T); ++i)
      bits |= static_cast<std::make_unsigned_t<T>>(static_cast<std::make_unsigned_t<T>>(next[i]) << (8 * i));
    next += sizeof(T);
    return static_cast<T>(bits);
  }
  bool flag() {
    uint8_t value = number<uint8_t>();
    if (value > 1)
      bad = true;
    return value == 1;
  }
  /// An enumerator that is at most `last`.
  template <typename Enum> Enum enumerator(Enum last) {
    auto value = number<std::underlying_type_t<Enum>>();
    if (value > static_cast<std::underlying_type_t<Enum>>(last)) {
      bad = true;
      return Enum();
    }
    return static_cast<Enum>(value);
  }
  /// How many elements follow, each at least `elementBytes` long: never more than the rest of the data can hold.
  size_t count(size_t elementBytes) {
    uint64_t value = number<uint64_t>();
    if (value > left / elementBytes) {
      bad = true;
      return 0;
    }
    return static_cast<size_t>(value);
  }
  std::vector<uint8_t> blob() {
    size_t size = count(1);
    const uint8_t *begin = next;
    if (!take(size))
      return {};
    next += size;
    return std::vector<uint8_t>(begin, next);
  }
  std::string text() {
    std::vector<uint8_t> bytes = blob();
    return std::string(bytes.begin(), bytes.end());
  }

private:
  bool take(size_t size) {
    if (bad || size > left) {
      bad = true;
      return false;
    }
    left -= size;
    return true;
  }

  const uint8_t *next;
  size_t left;
  bool bad = false;
};

} // namespace winnow

#endif // WINNOW_SUPPORT_BYTESTREAM_H
