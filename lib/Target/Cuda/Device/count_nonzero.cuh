//===- count_nonzero.cuh - non-zeros of every column of a product, counted by its epilogue ------------------------===//
//
// A thread holds eight columns of every 32 of a tile, in a few rows. It counts them in halves of registers; the eight
// threads of a warp that hold the same columns add up what they have, and each adds one column's sum to memory: 32
// threads to 32 columns side by side.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// The least of the numbers of a 16-bit type, none negative, whose power is not zero in f32: bits, NaN above them all.
template <class Tag, int kPower> struct LeastNonzero {
  // 2^-75 squared is half of the least f32, and rounds to zero.
  static constexpr u32 kBits = kPower == 2 && IsSame<Tag, Bf16>::value ? 0x1A01u : 1u;
};

/// Whether what is counted, if anything, is the very value that the epilogue makes.
template <class Config> __device__ constexpr bool countsEpilogue() {
  if constexpr (Config::kCounts)
    return Config::Counted::kIdentity;
  return true;
}

/// Counts of the eight columns that a thread holds of 32: element i in the low half of word i, 4 + i in its high half.
template <class Config> class ColumnCounts {
  static_assert(GemmShape<Config>::kBlocks * 2 * 8 < 256, "sums of a warp take a byte");
  u32 word[4] = {};

public:
  /// Values of one row, which is one of the matrix if `inside`.
  __device__ __forceinline__ void take(const float (&y)[8], bool inside) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      word[i] += inside && Config::Counted::apply(y[i]) != 0.0f ? 1u : 0u; // NaN is not zero
      word[i] += inside && Config::Counted::apply(y[4 + i]) != 0.0f ? 0x10000u : 0u;
    }
  }
  /// Values of one row before they are raised to a power, none of them negative, two to a word as above.
  template <class Tag, int kPower> __device__ __forceinline__ void take_pairs(const u32 (&x)[4], bool inside) {
    constexpr u32 kToSign = (0x8000u - LeastNonzero<Tag, kPower>::kBits) * 0x10001u;
    const u32 ones = inside ? 0x00010001u : 0u;
#pragma unroll
    for (int i = 0; i < 4; ++i)
      word[i] += (x[i] + kToSign) >> 15 & ones;
  }
  /// Adds the counts of a warp, which is here with all its threads, to `counts`. `group` counts 32 columns from
  /// `column0` on.
  __device__ __forceinline__ void add(u32 *counts, int column0, int n, int group, int thread) const {
    const int lane = thread & 31;
    // Bytes of one word: elements 0, 1, 4, 5; of the other: 2, 3, 6, 7.
    const u32 first = word[0] | word[1] << 8, second = word[2] | word[3] << 8;
    u32 sums = lane & 16 ? second : first;
    sums += __shfl_xor_sync(~0u, lane & 16 ? first : second, 16);
    sums += __shfl_xor_sync(~0u, sums, 8);
    sums += __shfl_xor_sync(~0u, sums, 4);
    const int byte = lane >> 2 & 3, element = (lane & 16 ? 2 : 0) + (byte & 1) + (byte & 2) * 2;
    const u32 sum = sums >> 8 * byte & 0xFFu;
    const int column = column0 + tile_column<Config>(group, lane & 3, element);
    if (sum != 0 && column < n)
      atomicAdd(counts + column, sum);
  }
};

} // namespace winnow
