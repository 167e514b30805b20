//===- MatrixUnit.cpp - wgmma and tensor maps ---------------------------------------------------------------------===//

#include "MatrixUnit.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

using namespace emulator;

namespace {
constexpr int kRows = 64, kRowBytes = 32; // of one instruction's left operand, as stored
constexpr int kMostColumns = 256;

/// Where rows of a K-major operand lie (PTX ISA, "Matrix descriptor").
struct Descriptor {
  uint32_t start, leading, stride;
  bool swizzled;

  explicit Descriptor(uint64_t bits)
      : start((bits & 0x3FFF) << 4), leading((bits >> 16 & 0x3FFF) << 4), stride((bits >> 32 & 0x3FFF) << 4),
        swizzled(bits >> 62 == 1) {}

  /// Address of 16 bytes from byte `c` (a multiple of 16) of row `r`.
  uint32_t chunk(int r, int c) const {
    uint32_t address = start + r / 8 * stride + r % 8 * (swizzled ? 128 : 16) + (swizzled ? c : c / 16 * leading);
    return swizzled ? address ^ (address >> 7 & 7) << 4 : address;
  }
};

float ofF8(uint8_t code, int mantissaBits, int bias, bool hasInfinity) {
  int exponent = (code & 0x7F) >> mantissaBits, mantissa = code & ((1 << mantissaBits) - 1);
  float value;
  if (!hasInfinity && (code & 0x7F) == 0x7F)
    value = NAN;
  else if (hasInfinity && exponent == 31)
    value = mantissa ? NAN : INFINITY;
  else
    value = std::ldexp(static_cast<float>(mantissa + (exponent ? 1 << mantissaBits : 0)),
                       (exponent ? exponent : 1) - bias - mantissaBits);
  return code & 0x80 ? -value : value;
}

float ofF16(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float value = exponent == 31
                    ? (mantissa ? NAN : INFINITY)
                    : std::ldexp(static_cast<float>(mantissa + (exponent ? 1024 : 0)), (exponent ? exponent : 1) - 25);
  return bits & 0x8000 ? -value : value;
}

/// Widens `bytes` of elements.
class Widener {
public:
  explicit Widener(const char *type) : bytes(type[0] == 'e' ? 1 : 2), isBf16(type[0] == 'b') {
    if (bytes == 1)
      for (int code = 0; code < 256; ++code)
        table[code] = type[1] == '4' ? ofF8(static_cast<uint8_t>(code), 3, 7, false)
                                     : ofF8(static_cast<uint8_t>(code), 2, 15, true);
  }
  /// The one of a type: making it takes longer than using it.
  static const Widener &of(const char *type) {
    static const Widener e4m3("e4m3"), e5m2("e5m2"), bf16("bf16"), f16("f16");
    return type[0] == 'e' ? (type[1] == '4' ? e4m3 : e5m2) : type[0] == 'b' ? bf16 : f16;
  }
  int elementBytes() const { return bytes; }
  void widen(const char *source, int byteCount, float *result) const {
    for (int i = 0; i < byteCount / bytes; ++i) {
      if (bytes == 1) {
        result[i] = table[static_cast<uint8_t>(source[i])];
        continue;
      }
      uint16_t bits;
      std::memcpy(&bits, source + 2 * i, 2);
      uint32_t wide = static_cast<uint32_t>(bits) << 16;
      if (isBf16)
        std::memcpy(&result[i], &wide, 4);
      else
        result[i] = ofF16(bits);
    }
  }

private:
  int bytes;
  bool isBf16;
  float table[256];
};

/// The positions of the kept elements of row `row`, group of four `group`: the metadata nibble.
unsigned nibbleOf(const MatrixOperation *threads, int selector, bool f8, int row, int group) {
  const int warp = row / 16, quad = row % 8, upper = row / 8 % 2;
  if (f8) { // a word holds 32 elements of one row
    const int thread = 32 * warp + 4 * quad + 2 * (group / 8) + upper;
    return threads[thread].metadata >> (4 * (group % 8)) & 15;
  }
  // A word holds 16 elements of two rows, and the selector names the pair of threads.
  const int thread = 32 * warp + 4 * quad + 2 * selector + group / 4;
  return threads[thread].metadata >> (16 * upper + 4 * (group % 4)) & 15;
}

/// Nearly all of the time of a run. A product of two f32 is exact in f64, fused or not.
__attribute__((target_clones("avx512f", "avx2", "default"))) void addProducts(double *sums, const float *row,
                                                                              double factor, int count) {
  for (int i = 0; i < count; ++i)
    sums[i] += factor * row[i];
}
} // namespace

std::string emulator::multiply(const MatrixOperation *threads,
                               const std::function<const char *(uint32_t, uint32_t)> &read) {
  const MatrixOperation &first = threads[0];
  const bool sparse = first.selector >= 0;
  const Descriptor a(first.a), b(first.b);
  const Widener &left = Widener::of(first.lhs), &right = Widener::of(first.rhs);
  const int stored = kRowBytes / left.elementBytes(), k = stored * (sparse ? 2 : 1), n = first.n;
  if ((b.swizzled && (b.leading != 16 || b.stride != 1024)) || (a.swizzled && (a.leading != 16 || a.stride != 1024)))
    return "a swizzled operand is not in the form that the kernels use";
  if (n < 8 || n > kMostColumns || n % 8 != 0)
    return "a matrix instruction of " + std::to_string(n) + " columns";

  // Of every row the elements that are stored, and their places along K.
  std::vector<float> lhs(kRows * stored), rhs(k * n); // rhs: by k, then column
  std::vector<int> places(kRows * stored);
  for (int row = 0; row < kRows; ++row) {
    for (int chunk = 0; chunk < kRowBytes; chunk += 16)
      left.widen(read(a.chunk(row, chunk), 16), 16, &lhs[row * stored + chunk / left.elementBytes()]);
    for (int i = 0; i < stored; ++i) {
      int &place = places[row * stored + i] = i;
      if (!sparse)
        continue;
      const unsigned nibble = nibbleOf(threads, first.selector, left.elementBytes() == 1, row, i / 2);
      const unsigned low = nibble & 3, high = nibble >> 2;
      if (low >= high)
        return "metadata name positions " + std::to_string(low) + " and " + std::to_string(high) +
               " of a group; they must ascend";
      place = 4 * (i / 2) + static_cast<int>(i % 2 ? high : low);
    }
  }
  for (int column = 0; column < n; ++column)
    for (int chunk = 0; chunk < k * right.elementBytes(); chunk += 16) {
      float elements[16];
      const int first = chunk / right.elementBytes(), count = 16 / right.elementBytes();
      right.widen(read(b.chunk(column, chunk), 16), 16, elements);
      for (int i = 0; i < count; ++i)
        rhs[(first + i) * n + column] = elements[i];
    }

  for (int row = 0; row < kRows; ++row) {
    // Thread and register of an element (PTX ISA, "Register fragments for wgmma").
    float *registers[4];
    for (int quad = 0; quad < 4; ++quad)
      registers[quad] = threads[32 * (row / 16) + 4 * (row % 8) + quad].accumulators + 2 * (row / 8 % 2);
    double sums[kMostColumns];
    for (int column = 0; column < n; ++column)
      sums[column] = first.accumulate ? registers[column % 8 / 2][4 * (column / 8) + column % 2] : 0.0;
    for (int i = 0; i < stored; ++i)
      addProducts(sums, &rhs[places[row * stored + i] * n], lhs[row * stored + i], n);
    for (int column = 0; column < n; ++column)
      registers[column % 8 / 2][4 * (column / 8) + column % 2] = static_cast<float>(sums[column]);
  }
  return "";
}

uint32_t emulator::boxBytes(const TensorMap &map) {
  uint32_t bytes = map.elementBytes;
  for (int i = 0; i < map.rank; ++i)
    bytes *= map.box[i];
  return bytes;
}

uint64_t emulator::spanBytes(const TensorMap &map) {
  uint64_t bytes = map.extents[0] * map.elementBytes;
  for (int i = 1; i < map.rank; ++i)
    bytes += (map.extents[i] - 1) * map.strides[i - 1];
  return bytes;
}

/// Calls `move(offset, place, from, to)` for every 16 bytes of a box: bytes `from` to `to` of those at `offset` of the
/// copy in shared memory, which lies at `address`, are those at `place` of the tensor; the others are outside of it.
template <class Move>
static void walkBox(const TensorMap &map, const int (&coordinates)[5], uint32_t address, Move move) {
  constexpr int64_t kChunk = 16; // what the swizzle moves as one
  const int64_t rowBytes = int64_t{map.box[0]} * map.elementBytes, begin = int64_t{coordinates[0]} * map.elementBytes,
                extent = static_cast<int64_t>(map.extents[0]) * map.elementBytes;
  uint32_t rows = 1;
  for (int i = 1; i < map.rank; ++i)
    rows *= map.box[i];
  for (uint32_t row = 0; row < rows; ++row) {
    uint64_t place = map.address;
    bool inside = true;
    uint32_t rest = row;
    for (int i = 1; i < map.rank; ++i) {
      const int64_t at = coordinates[i] + static_cast<int64_t>(rest % map.box[i]);
      rest /= map.box[i];
      inside &= at >= 0 && at < static_cast<int64_t>(map.extents[i]);
      place += static_cast<uint64_t>(at) * map.strides[i - 1];
    }
    for (int64_t chunk = 0; chunk < rowBytes; chunk += kChunk) {
      uint32_t offset = static_cast<uint32_t>(row * rowBytes + chunk);
      if (map.swizzled)
        offset = ((address + offset) ^ ((address + offset) >> 7 & 7) << 4) - address;
      const int64_t first = begin + chunk, from = std::clamp<int64_t>(-first, 0, kChunk),
                    to = inside ? std::clamp<int64_t>(extent - first, from, kChunk) : from;
      move(offset, reinterpret_cast<char *>(place) + first, from, to);
    }
  }
}

void emulator::loadBox(const TensorMap &map, const int (&coordinates)[5], char *destination, uint32_t address) {
  walkBox(map, coordinates, address, [&](uint32_t offset, const char *place, int64_t from, int64_t to) {
    std::memset(destination + offset, 0, 16);
    std::memcpy(destination + offset + from, place + from, static_cast<size_t>(to - from));
  });
}

void emulator::storeBox(const TensorMap &map, const int (&coordinates)[5], const char *source, uint32_t address) {
  walkBox(map, coordinates, address, [&](uint32_t offset, char *place, int64_t from, int64_t to) {
    std::memcpy(place + from, source + offset + from, static_cast<size_t>(to - from));
  });
}
