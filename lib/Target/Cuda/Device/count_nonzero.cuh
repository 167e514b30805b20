//===- count_nonzero.cuh - non-zeros of every column of a product, counted by its epilogue ------------------------===//
//
// A thread holds eight columns of every 32 of a tile, in a few rows. It counts them in bytes of two registers; the eight
// threads of a warp that hold the same columns add up what they have, and each adds one column's sum to memory: 32
// threads to 32 columns side by side.
//
// 16-bit numbers are counted two at a time, where what is counted is zero below one of them and nowhere else
// (Config::kCountedLeast, of which the emitter knows: EmitCounts.cpp).
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// How counted numbers of 16 bits come: none is negative; negative ones are not counted; the sign does not matter.
enum CountedSign { kNoSign, kNegativeIsZero, kEitherSign };

/// Whether an epilogue that selects from pairs (select_pairs.cuh) knows from them what is counted.
template <class Config> __device__ constexpr bool allowsPairs() {
  if constexpr (Config::kCounts)
    return Config::kCountedInPairs;
  return true;
}

/// Whether the epilogue's value is counted as it is stored: two 16-bit numbers to a word.
template <class Config> __device__ constexpr bool countsStored() {
  if constexpr (Config::kCounts)
    return Config::kCountedLeast > 0 && !Config::kCountedInPairs && Config::kOutScale == 0 &&
           Config::Out::kBytes == 2 && IsSame<typename Config::Out, typename Config::CountedInput>::value;
  return false;
}

/// Counts of the eight columns that a thread holds of 32. They come as four pairs: with `kAdjacent` pair i is elements
/// 2i and 2i + 1, else i and 4 + i.
template <class Config, bool kAdjacent> class ColumnCounts {
  static_assert(GemmShape<Config>::kBlocks * 2 * 8 < 256, "sums of a warp take a byte");
  u32 word[2] = {}; ///< of pairs 0 and 1, 2 and 3: the even pair in bytes 0 and 2, the odd one in bytes 1 and 3

  static __device__ __forceinline__ int element(int pair, int half) {
    return kAdjacent ? 2 * pair + half : pair + 4 * half;
  }

public:
  /// Values of one row, which is one of the matrix if `inside`.
  __device__ __forceinline__ void take(const float (&y)[8], bool inside) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const u32 low = 1u << 8 * (i & 1), high = low << 16;
      word[i / 2] += inside && Config::Counted::apply(y[element(i, 0)]) != 0.0f ? low : 0u; // NaN is not zero
      word[i / 2] += inside && Config::Counted::apply(y[element(i, 1)]) != 0.0f ? high : 0u;
    }
  }
  /// The same of 16-bit numbers, NaN above them all.
  __device__ __forceinline__ void take_pairs(u32 a, u32 b, u32 c, u32 d, bool inside) {
    u32 x[4] = {a, b, c, d};
    const u32 one = inside ? 0x00010001u : 0u;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (Config::kCountedSign == kEitherSign)
        x[i] &= 0x7FFF7FFFu;
      if constexpr (Config::kCountedLeast > 1) {
        if constexpr (Config::kCountedSign == kNegativeIsZero)
          x[i] = ptx::maximum_s16x2(x[i], 0);
        x[i] = ptx::add_u16x2(x[i], (0x10001u - Config::kCountedLeast) * 0x10001u);
      }
      word[i / 2] += ptx::minimum_relu_s16x2(x[i], one) << 8 * (i & 1);
    }
  }
  /// Adds the counts of a warp, which is here with all its threads, to `counts`. `group` counts 32 columns from
  /// `column0` on.
  __device__ __forceinline__ void add(u32 *counts, int column0, int n, int group, int thread) const {
    const int lane = thread & 31;
    u32 sums = lane & 16 ? word[1] : word[0];
    sums += __shfl_xor_sync(~0u, lane & 16 ? word[0] : word[1], 16);
    sums += __shfl_xor_sync(~0u, sums, 8);
    sums += __shfl_xor_sync(~0u, sums, 4);
    const int byte = lane >> 2 & 3;
    const u32 sum = sums >> 8 * byte & 0xFFu;
    const int column =
        column0 + tile_column<Config>(group, lane & 3, element((lane & 16 ? 2 : 0) + (byte & 1), byte >> 1));
    if (sum != 0 && column < n)
      atomicAdd(counts + column, sum);
  }
};

} // namespace winnow
