//===- Ptx.h - what the functions of ptx.cuh do, on the emulated multiprocessor -----------------------------------===//

namespace winnow::ptx {

using emulator::gpu;

inline u32 shared_address(const void *pointer) { return gpu().sharedAddress(pointer); }

//===- Arithmetic and conversions ---------------------------------------------------------------------------------===//

inline constexpr u32 kCanonicalNan = 0x7FFFFFFF;

inline float maximum(float a, float b) {
  if (__builtin_isnan(a) || __builtin_isnan(b))
    return __uint_as_float(kCanonicalNan);
  return a > b || (a == b && __builtin_signbit(b)) ? a : b;
}
inline float minimum(float a, float b) {
  if (__builtin_isnan(a) || __builtin_isnan(b))
    return __uint_as_float(kCanonicalNan);
  return a < b || (a == b && __builtin_signbit(a)) ? a : b;
}

/// Rounds to nearest even to a format of `mantissa` bits whose least exponent of a normal number is `least`; what is
/// beyond `largest` becomes infinity. NaN stays.
inline double round_to_format(double value, int mantissa, int least, double largest) {
  if (!__builtin_isfinite(value) || value == 0)
    return value;
  int exponent = max(__builtin_ilogb(value), least);
  double unit = __builtin_ldexp(1.0, exponent - mantissa);
  double rounded = __builtin_nearbyint(value / unit) * unit;
  return __builtin_fabs(rounded) > largest ? __builtin_copysign(__builtin_inff(), value) : rounded;
}
/// The bits of a finite number that the format holds exactly.
inline u32 bits_in_format(double value, int mantissa, int least, int bits) {
  u32 sign = __builtin_signbit(value) ? 1u << (bits - 1) : 0u;
  value = __builtin_fabs(value);
  if (value == 0)
    return sign;
  int exponent = max(__builtin_ilogb(value), least);
  u32 units = static_cast<u32>(value / __builtin_ldexp(1.0, exponent - mantissa));
  return sign + ((static_cast<u32>(exponent - least) << mantissa) + units);
}

inline u16 bf16_of(float value) {
  if (__builtin_isnan(value))
    return 0x7FFF;
  u32 bits = __float_as_uint(value);
  return static_cast<u16>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
inline u32 bf16x2_of(float low, float high) { return bf16_of(low) | static_cast<u32>(bf16_of(high)) << 16; }
inline u16 f16_of(float value) {
  if (__builtin_isnan(value))
    return 0x7FFF;
  double rounded = round_to_format(value, 10, -14, 65504);
  if (__builtin_isinf(rounded))
    return __builtin_signbit(rounded) ? 0xFC00 : 0x7C00;
  return static_cast<u16>(bits_in_format(rounded, 10, -14, 16));
}
inline float of_f16(u16 bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float value = exponent == 31 ? (mantissa ? __builtin_nanf("") : __builtin_inff())
                               : __builtin_ldexp(static_cast<float>(exponent ? 1024 + mantissa : mantissa),
                                                 (exponent ? exponent : 1) - 25);
  return bits & 0x8000 ? -value : value;
}
/// The larger half of each pair; the canonical NaN where either is NaN.
template <class Widen> u32 maximum_of_halves(u32 a, u32 b, Widen widen) {
  u32 result = 0;
  for (int shift = 0; shift < 32; shift += 16) {
    const u16 x = static_cast<u16>(a >> shift), y = static_cast<u16>(b >> shift);
    const float larger = maximum(widen(x), widen(y));
    result |= static_cast<u32>(__builtin_isnan(larger)                                ? 0x7FFF
                               : __float_as_uint(larger) == __float_as_uint(widen(x)) ? x
                                                                                      : y)
              << shift;
  }
  return result;
}
inline u32 maximum_bf16x2(u32 a, u32 b) {
  return maximum_of_halves(a, b, [](u16 bits) { return __uint_as_float(static_cast<u32>(bits) << 16); });
}
inline u32 maximum_f16x2(u32 a, u32 b) { return maximum_of_halves(a, b, of_f16); }
inline u32 minimum_u16x2(u32 a, u32 b) { return min(a & 0xFFFF, b & 0xFFFF) | min(a >> 16, b >> 16) << 16; }
inline u32 add_u16x2(u32 a, u32 b) { return ((a + b) & 0xFFFF) | ((a >> 16) + (b >> 16)) << 16; }
/// `choose` of both halves as signed numbers.
template <class Choice> u32 of_signed_halves(u32 a, u32 b, Choice choose) {
  const auto half = [&](int shift) {
    return static_cast<u32>(static_cast<u16>(choose(static_cast<short>(a >> shift), static_cast<short>(b >> shift))));
  };
  return half(0) | half(16) << 16;
}
inline u32 maximum_s16x2(u32 a, u32 b) {
  return of_signed_halves(a, b, [](short x, short y) { return x > y ? x : y; });
}
inline u32 minimum_relu_s16x2(u32 a, u32 b) {
  return of_signed_halves(a, b, [](short x, short y) -> short { return x < y ? (x > 0 ? x : 0) : (y > 0 ? y : 0); });
}
/// 0xFFFF in each half where the relation holds.
template <class Relation> u32 mask_of_halves(u32 a, u32 b, Relation holds) {
  return (holds(static_cast<u16>(a), static_cast<u16>(b)) ? 0xFFFFu : 0u) |
         (holds(static_cast<u16>(a >> 16), static_cast<u16>(b >> 16)) ? 0xFFFF0000u : 0u);
}
inline float of_bf16(u16 bits) { return __uint_as_float(static_cast<u32>(bits) << 16); }
inline u32 at_least_bf16x2(u32 a, u32 b) {
  return mask_of_halves(a, b, [](u16 x, u16 y) { return of_bf16(x) >= of_bf16(y); });
}
inline u32 above_bf16x2(u32 a, u32 b) {
  return mask_of_halves(a, b, [](u16 x, u16 y) { return of_bf16(x) > of_bf16(y); });
}
inline u32 at_least_f16x2(u32 a, u32 b) {
  return mask_of_halves(a, b, [](u16 x, u16 y) { return of_f16(x) >= of_f16(y); });
}
inline u32 above_f16x2(u32 a, u32 b) {
  return mask_of_halves(a, b, [](u16 x, u16 y) { return of_f16(x) > of_f16(y); });
}
inline u32 f16x2_of(float low, float high) { return f16_of(low) | static_cast<u32>(f16_of(high)) << 16; }
inline u32 maximum_u16x2(u32 a, u32 b) { return max(a & 0xFFFF, b & 0xFFFF) | max(a >> 16, b >> 16) << 16; }
inline u16 e4m3_of(float value) {
  if (__builtin_isnan(value))
    return 0x7F;
  double rounded = round_to_format(value, 3, -6, 448);
  return static_cast<u16>(
      bits_in_format(__builtin_isinf(rounded) ? __builtin_copysign(448, rounded) : rounded, 3, -6, 8));
}
inline u16 e5m2_of(float value) {
  if (__builtin_isnan(value))
    return 0x7F;
  double rounded = round_to_format(value, 2, -14, 57344);
  return static_cast<u16>(
      bits_in_format(__builtin_isinf(rounded) ? __builtin_copysign(57344, rounded) : rounded, 2, -14, 8));
}
inline u16 e4m3x2_of(float low, float high) { return static_cast<u16>(e4m3_of(low) | e4m3_of(high) << 8); }
inline u16 e5m2x2_of(float low, float high) { return static_cast<u16>(e5m2_of(low) | e5m2_of(high) << 8); }
inline u32 f16x2_of_e4m3x2(u16 bits) {
  u32 result = 0;
  for (int i = 0; i < 2; ++i) {
    u32 code = bits >> (8 * i) & 0xFF;
    int exponent = code >> 3 & 15, mantissa = code & 7;
    float value = (code & 0x7F) == 0x7F ? __builtin_nanf("")
                                        : __builtin_ldexp(static_cast<float>(exponent ? 8 + mantissa : mantissa),
                                                          (exponent ? exponent : 1) - 10);
    result |= static_cast<u32>(f16_of(code & 0x80 ? -value : value)) << (16 * i);
  }
  return result;
}
template <class Pointee> void keep(Pointee *&) {}
inline void keep(u32 &) {}
inline void pin(u32) {}

//===- mbarrier ---------------------------------------------------------------------------------------------------===//

inline void mbarrier_init(u32 barrier, u32 arrivals) { gpu().barrierInit(barrier, arrivals); }
inline void mbarrier_init_fence() {}
inline void async_proxy_fence() { gpu().proxyFence(); }
inline void async_proxy_fence_shared() { gpu().proxyFence(); }
inline void mbarrier_wait(u32 barrier, u32 parity) { gpu().barrierWait(barrier, parity); }
inline void mbarrier_arrive(u32 barrier) { gpu().barrierArrive(barrier, 0); }
inline void mbarrier_arrive(u32 barrier, u32 count) {
  for (u32 i = 0; i < count; ++i)
    gpu().barrierArrive(barrier, 0);
}
inline void mbarrier_arrive_cluster(u32 barrier, int rank) { gpu().barrierArriveCluster(barrier, rank); }
inline void mbarrier_arrive_expect(u32 barrier, u32 bytes) { gpu().barrierArrive(barrier, bytes); }

//===- Bulk copies ------------------------------------------------------------------------------------------------===//

inline void bulk_load(u32 destination, const void *source, u32 bytes, u32 barrier) {
  gpu().bulkLoad(destination, source, bytes, barrier);
}
inline void tensor_load_2d(u32 destination, const TensorMap *map, int x, int y, u32 barrier) {
  gpu().tensorLoad(destination, map, {x, y, 0, 0, 0}, barrier);
}
inline void tensor_load_5d(u32 destination, const TensorMap *map, int x, int group, u32 barrier) {
  gpu().tensorLoad(destination, map, {x, 0, 0, 0, group}, barrier);
}
inline void tensor_multicast_2d(u32 destination, const TensorMap *map, int x, int y, u32 barrier, u16 mask) {
  gpu().tensorMulticast(destination, map, {x, y, 0, 0, 0}, barrier, mask);
}
inline void tensor_multicast_5d(u32 destination, const TensorMap *map, int x, int group, u32 barrier, u16 mask) {
  gpu().tensorMulticast(destination, map, {x, 0, 0, 0, group}, barrier, mask);
}
inline void tensor_store_2d(const TensorMap *map, int x, int y, u32 source) {
  gpu().tensorStore(map, {x, y, 0, 0, 0}, source);
}
inline void bulk_commit() { gpu().bulkCommit(); }
template <int kPending> void bulk_wait_read() { gpu().bulkWait(kPending); }
inline void bulk_wait_all() { gpu().bulkWait(0); }

//===- wgmma ------------------------------------------------------------------------------------------------------===//

inline void wgmma_fence() {}
inline void wgmma_commit() { gpu().matrixCommit(); }
template <int kPending> void wgmma_wait() { gpu().matrixWait(kPending); }
inline u64 descriptor_swizzled(u32 address) {
  return static_cast<u64>((address & 0x3FFFF) >> 4) | (1ull << 16) | (static_cast<u64>(1024 >> 4) << 32) | (1ull << 62);
}
inline u64 descriptor_packed(u32 address) {
  return static_cast<u64>((address & 0x3FFFF) >> 4) | (static_cast<u64>(1024 >> 4) << 16) |
         (static_cast<u64>(128 >> 4) << 32);
}
template <int kCount> void register_increase() {}
template <int kCount> void register_decrease() {}

//===- Shared and global memory -----------------------------------------------------------------------------------===//

inline float load_shared(u32 address) { return *static_cast<float *>(gpu().sharedPointer(address, 4)); }
inline void load_shared(float (&value)[4], u32 address) {
  __builtin_memcpy(value, gpu().sharedPointer(address, 16), 16);
}
inline void load_shared(u32 (&value)[2], u32 address) { __builtin_memcpy(value, gpu().sharedPointer(address, 8), 8); }
inline void load_shared(u32 (&value)[1], u32 address) { __builtin_memcpy(value, gpu().sharedPointer(address, 4), 4); }
inline void store_shared(u32 address, float value) { *static_cast<float *>(gpu().sharedPointer(address, 4)) = value; }
inline void store_shared(u32 address, u32 a, u32 b, u32 c, u32 d) {
  *static_cast<uint4 *>(gpu().sharedPointer(address, 16)) = uint4(a, b, c, d);
  gpu().sharedWritten(address);
}
inline void copy_word_async(u32 destination, const void *source) { gpu().copyWord(destination, source); }
inline void copy_async_wait() { gpu().copyWordsWait(); }
inline void store_streaming(void *pointer, u32 a, u32 b, u32 c, u32 d) {
  *static_cast<uint4 *>(pointer) = make_uint4(a, b, c, d);
}
inline void store_streaming(void *pointer, u32 a, u32 b) { *static_cast<uint2 *>(pointer) = make_uint2(a, b); }
inline void count_arrival(u32 *counter) { __atomic_fetch_add(counter, 1u, __ATOMIC_SEQ_CST); }
inline u32 load_relaxed(const u32 *counter) {
  gpu().yield();
  return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}
inline void release_arrival(u32 *counter) { count_arrival(counter); }
inline u32 load_acquire(const u32 *counter) { return load_relaxed(counter); }
inline void store_global(void *pointer, float a, float b, float c, float d) {
  *static_cast<float4 *>(pointer) = float4(a, b, c, d);
}
inline void load_global(float (&value)[4], const void *pointer) {
  const float4 loaded = *static_cast<const float4 *>(pointer);
  value[0] = loaded.x, value[1] = loaded.y, value[2] = loaded.z, value[3] = loaded.w;
}

inline void cluster_arrive() { gpu().clusterArrive(false); }
inline void cluster_arrive_relaxed() { gpu().clusterArrive(true); }
inline void cluster_wait() { gpu().clusterWait(); }
inline void store_cluster(u32 address, int rank, u32 value) { gpu().storeCluster(address, rank, value); }
inline void wait_for_launches_before() { gpu().waitForLaunchesBefore(); }
inline void let_next_launch_begin() {} // the emulator lets it begin even before this one has
inline void named_barrier(int index, int threads) { gpu().namedBarrier(index, threads); }

} // namespace winnow::ptx
