//===- select_pairs.cuh - top 2 of 4 of two groups at once --------------------------------------------------------===//
//
// relu and relu2 of 16-bit numbers order a group as the numbers themselves do, so that groups are compared, two at a
// time, in the halves of registers, and only what is kept is widened and squared. That is exact where different numbers
// have different squares: not where a square of f32 underflows or overflows. `PairRange` says after the fact whether
// such numbers, or NaN, have been among those selected from; then the selection has to be done again by `keep_two`.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// Instructions on pairs of Bf16 or F16.
template <class Tag> struct Pairs {
  static constexpr bool kBf16 = IsSame<Tag, Bf16>::value;

  static __device__ __forceinline__ u32 of(float low, float high) {
    return kBf16 ? ptx::bf16x2_of(low, high) : ptx::f16x2_of(low, high);
  }
  static __device__ __forceinline__ u32 maximum(u32 a, u32 b) {
    return kBf16 ? ptx::maximum_bf16x2(a, b) : ptx::maximum_f16x2(a, b);
  }
  /// +0.0 instead of what is negative; NaN stays.
  static __device__ __forceinline__ u32 relu(u32 x) { return maximum(x, 0); }
  static __device__ __forceinline__ u32 at_least(u32 a, u32 b) {
    return kBf16 ? ptx::at_least_bf16x2(a, b) : ptx::at_least_f16x2(a, b);
  }
  static __device__ __forceinline__ u32 above(u32 a, u32 b) {
    return kBf16 ? ptx::above_bf16x2(a, b) : ptx::above_f16x2(a, b);
  }
  static __device__ __forceinline__ float low(u32 x) { return Convert<Tag>::widen(static_cast<u16>(x)); }
  static __device__ __forceinline__ float high(u32 x) { return Convert<Tag>::widen(static_cast<u16>(x >> 16)); }
};

/// The range of the numbers, none of which is negative, that selections have been made from.
template <class Tag, int kPower> class PairRange {
  // bf16: squares of 2^-63 and above are normal, those below 2^64 finite. f16: all are. Beyond infinity is NaN.
  static constexpr bool kSquaresOfBf16 = kPower == 2 && IsSame<Tag, Bf16>::value;
  static constexpr u32 kLeast = kSquaresOfBf16 ? 0x2000u : 1u;
  static constexpr u32 kBeyond = kSquaresOfBf16 ? 0x5F80u : IsSame<Tag, Bf16>::value ? 0x7F81u : 0x7C01u;
  u32 most = 0, least_less_one = 0xFFFFFFFFu; // of zeros nothing is said: less one they are the greatest number

public:
  __device__ __forceinline__ void take(u32 pair) {
    most = ptx::maximum_u16x2(most, pair);
    if constexpr (kLeast > 1)
      least_less_one = ptx::minimum_u16x2(least_less_one, ptx::add_u16x2(pair, 0xFFFFFFFFu));
  }
  /// Whether selections from these numbers are those of their squares.
  __device__ __forceinline__ bool is_exact() const {
    return max(most & 0xFFFFu, most >> 16) < kBeyond &&
           min(least_less_one & 0xFFFFu, least_less_one >> 16) >= kLeast - 1;
  }
};

/// Two of every four, of two groups: element i of one is in the low half of x_i, of the other in the high half.
struct KeptPairs {
  u32 low, high; ///< kept numbers, in order of index
  u32 nibbles;   ///< Kept::nibble, one in each half
};
template <class Tag> __device__ __forceinline__ KeptPairs keep_two_pairs(u32 x0, u32 x1, u32 x2, u32 x3) {
  const u32 larger_low = ptx::maximum_u16x2(x0, x1), smaller_low = ptx::minimum_u16x2(x0, x1);
  const u32 larger_high = ptx::maximum_u16x2(x2, x3), smaller_high = ptx::minimum_u16x2(x2, x3);
  const u32 first_of_low = Pairs<Tag>::at_least(x0, x1), first_of_high = Pairs<Tag>::at_least(x2, x3);
  const u32 both_low = Pairs<Tag>::at_least(smaller_low, larger_high);
  const u32 both_high = Pairs<Tag>::above(smaller_high, larger_low);
  const auto choose = [](u32 mask, u32 yes, u32 no) { return (mask & yes) | (~mask & no); };
  KeptPairs kept;
  kept.low = choose(both_high, x2, choose(both_low, x0, larger_low));
  kept.high = choose(both_low, x1, choose(both_high, x3, larger_high));
  // One of each pair: 8 | first | (second - 2) << 2.
  const u32 one_each = 0x00080008u | (~first_of_low & 0x00010001u) | (~first_of_high & 0x00040004u);
  kept.nibbles = choose(both_high, 0x000E000Eu, choose(both_low, 0x00040004u, one_each));
  return kept;
}

/// The two selections as `keep_two` gives them: values to the power kPower.
template <class Tag, int kPower> __device__ __forceinline__ void unpack(const KeptPairs &pairs, Kept (&kept)[2]) {
  const auto power = [](float x) { return kPower == 2 ? __fmul_rn(x, x) : x; };
  kept[0] = {power(Pairs<Tag>::low(pairs.low)), power(Pairs<Tag>::low(pairs.high)), pairs.nibbles & 15u};
  kept[1] = {power(Pairs<Tag>::high(pairs.low)), power(Pairs<Tag>::high(pairs.high)), pairs.nibbles >> 16};
}

} // namespace winnow
