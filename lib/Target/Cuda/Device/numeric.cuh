//===- numeric.cuh - conversions, scales and the top-2-of-4 selection ---------------------------------------------===//
//
// The arithmetic of docs/ffn-spec.md, to the bit.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

//===- Arithmetic that generated bodies call --------------------------------------------------------------------===//

/// The larger of two numbers; NaN if either is; +0.0 above -0.0 (arith.maximumf).
__device__ __forceinline__ float maximum(float a, float b) { return ptx::maximum(a, b); }
/// The smaller of two numbers; NaN if either is (arith.minimumf).
__device__ __forceinline__ float minimum(float a, float b) { return ptx::minimum(a, b); }

//===- Element types ----------------------------------------------------------------------------------------------===//

template <class Tag> struct Convert;

template <> struct Convert<F32> {
  static __device__ __forceinline__ float widen(float bits) { return bits; }
  static __device__ __forceinline__ float narrow(float value) { return value; }
};
template <> struct Convert<Bf16> {
  static __device__ __forceinline__ float widen(u16 bits) { return __uint_as_float(static_cast<u32>(bits) << 16); }
  static __device__ __forceinline__ u16 narrow(float value) { return ptx::bf16_of(value); }
};
template <> struct Convert<F16> {
  static __device__ __forceinline__ float widen(u16 bits) { return ptx::of_f16(bits); }
  static __device__ __forceinline__ u16 narrow(float value) { return ptx::f16_of(value); }
};

/// Two f8 codes, `low` in the low byte, round to nearest even, saturating; NaN becomes the canonical NaN.
template <class Tag> __device__ __forceinline__ u16 narrow_pair(float low, float high) {
  if constexpr (IsSame<Tag, E4m3>::value)
    return ptx::e4m3x2_of(low, high);
  else
    return ptx::e5m2x2_of(low, high);
}
template <> struct Convert<E4m3> {
  static __device__ __forceinline__ float widen(u8 bits) {
    return Convert<F16>::widen(static_cast<u16>(ptx::f16x2_of_e4m3x2(bits)));
  }
  static __device__ __forceinline__ u8 narrow(float value) { return static_cast<u8>(narrow_pair<E4m3>(value, 0.0f)); }
};
template <> struct Convert<E5m2> {
  static __device__ __forceinline__ float widen(u8 bits) {
    return Convert<F16>::widen(static_cast<u16>(static_cast<u32>(bits) << 8));
  }
  static __device__ __forceinline__ u8 narrow(float value) { return static_cast<u8>(narrow_pair<E5m2>(value, 0.0f)); }
};

/// `value` rounded to the element type and back.
template <class Tag> __device__ __forceinline__ float round_to(float value) {
  if constexpr (IsSame<Tag, Bf16>::value) // the upper half of a pair is where f32 has it: no shift
    return __uint_as_float(ptx::bf16x2_of(0.0f, value));
  else
    return Convert<Tag>::widen(Convert<Tag>::narrow(value));
}

/// Four values in storage form, for one vector store; fills 4 * kBytes bytes as words.
template <class Tag>
__device__ __forceinline__ void narrow4(u32 (&words)[Tag::kBytes], float a, float b, float c, float d) {
  if constexpr (Tag::kBytes == 1) {
    words[0] = static_cast<u32>(narrow_pair<Tag>(a, b)) | (static_cast<u32>(narrow_pair<Tag>(c, d)) << 16);
  } else if constexpr (IsSame<Tag, Bf16>::value) {
    words[0] = ptx::bf16x2_of(a, b);
    words[1] = ptx::bf16x2_of(c, d);
  } else if constexpr (Tag::kBytes == 2) {
    words[0] = static_cast<u32>(Convert<Tag>::narrow(a)) | (static_cast<u32>(Convert<Tag>::narrow(b)) << 16);
    words[1] = static_cast<u32>(Convert<Tag>::narrow(c)) | (static_cast<u32>(Convert<Tag>::narrow(d)) << 16);
  } else {
    words[0] = __float_as_uint(a);
    words[1] = __float_as_uint(b);
    words[2] = __float_as_uint(c);
    words[3] = __float_as_uint(d);
  }
}

//===- Scales -----------------------------------------------------------------------------------------------------===//

/// Bits of |x| as an ordered integer; every NaN is the same and above infinity.
__device__ __forceinline__ u32 magnitude(float x) { return min(__float_as_uint(x) & 0x7FFFFFFFu, 0x7F800001u); }

/// The magnitude as a number again: NaN for the NaN magnitude.
__device__ __forceinline__ float from_magnitude(u32 bits) { return __uint_as_float(bits); }

template <class Tag> __device__ __forceinline__ float scale_of(u32 amax_magnitude) {
  constexpr float kLargest = IsSame<Tag, E4m3>::value ? 448.0f : 57344.0f;
  const float amax = from_magnitude(amax_magnitude);
  return amax_magnitude == 0 ? 1.0f : maximum(__fdiv_rn(amax, kLargest), 1.17549435e-38f);
}

__device__ __forceinline__ float reciprocal(float scale) { return __fdiv_rn(1.0f, scale); }

//===- Selection --------------------------------------------------------------------------------------------------===//

/// The two largest magnitudes of four, lowest index first among equals. `first` < `second` are the kept positions.
struct Kept {
  float low, high; ///< kept values, in order of index
  u32 nibble;      ///< first | second << 2: the metadata of wgmma.sp and mma.sp
};
/// `kOrdered` says of the values that none has a sign and that all NaNs have the same bits: then these are their order.
template <bool kOrdered> __device__ __forceinline__ Kept keep_two(float x0, float x1, float x2, float x3) {
  const auto key = [](float x) { return kOrdered ? __float_as_uint(x) : magnitude(x); };
  const u32 k0 = key(x0), k1 = key(x1), k2 = key(x2), k3 = key(x3);
  const bool first_of_low = k0 >= k1, first_of_high = k2 >= k3;
  const bool both_low = min(k0, k1) >= max(k2, k3), both_high = min(k2, k3) > max(k0, k1);
  Kept kept;
  kept.low = both_high ? x2 : ((both_low || first_of_low) ? x0 : x1);
  kept.high = both_low ? x1 : ((both_high || !first_of_high) ? x3 : x2);
  // One of each pair: 8 | first | (second - 2) << 2.
  const u32 one_each = (first_of_low ? 8u : 9u) + (first_of_high ? 0u : 4u);
  kept.nibble = both_low ? 4u : both_high ? 14u : one_each;
  ptx::keep(kept.nibble); // otherwise the fused epilogue of a 256 x 192 tile of bf16 spills
  return kept;
}
/// Whether position `index` is one of the two kept.
__device__ __forceinline__ bool is_kept(const Kept &kept, u32 index) {
  return (kept.nibble & 3u) == index || (kept.nibble >> 2) == index;
}

} // namespace winnow
