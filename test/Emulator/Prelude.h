//===- Prelude.h - the words of CUDA C++ that the device library uses, for the host -------------------------------===//
//
// Stands in front of the source of every emulated kernel; Ptx.h takes the place of the device library's ptx.cuh.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Gpu.h"

// Nothing of the C++ library: reading it would take longer than compiling the kernel.

namespace emulator {
inline Gpu *(*currentGpu)();
inline Gpu &gpu() { return *currentGpu(); }

struct Index {
  unsigned x;
};

/// Static shared memory is that of the host's thread which runs the block.
inline thread_local char anchor;

template <class... Parameters> struct Entry {
  static constexpr int kBytes[] = {static_cast<int>(sizeof(Parameters))..., 0};
  /// The parameters in the order in which they stand.
  template <void (*kFunction)(Parameters...)> static void call(void **parameters) {
    Call<kFunction, Parameters...>::call(parameters);
  }

private:
  template <void (*kFunction)(Parameters...), class... Rest> struct Call;
  template <void (*kFunction)(Parameters...)> struct Call<kFunction> {
    template <class... Values> static void call(void **, Values &...values) { kFunction(values...); }
  };
  template <void (*kFunction)(Parameters...), class First, class... Rest> struct Call<kFunction, First, Rest...> {
    template <class... Values> static void call(void **parameters, Values &...values) {
      Call<kFunction, Rest...>::call(parameters + 1, values..., *static_cast<First *>(*parameters));
    }
  };
};
template <auto kFunction> struct KernelOf;
template <class... Parameters, void (*kFunction)(Parameters...)> struct KernelOf<kFunction> {
  static void run(void **parameters) {
    gpu().enter(&anchor);
    Entry<Parameters...>::template call<kFunction>(parameters);
  }
  static constexpr Kernel kernel = {run, sizeof...(Parameters), Entry<Parameters...>::kBytes};
};
} // namespace emulator

extern "C" void emulator_bind(emulator::Gpu *(*current)()) { emulator::currentGpu = current; }

#define __device__
#define __global__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __align__(bytes) alignas(bytes)
#define __shared__ static thread_local
#define threadIdx (emulator::Index{emulator::gpu().position().thread})
#define blockIdx (emulator::Index{emulator::gpu().position().block})
#define blockDim (emulator::Index{emulator::gpu().position().blockSize})
#define gridDim (emulator::Index{emulator::gpu().position().gridSize})

template <class T> constexpr T max(T a, T b) { return a < b ? b : a; }
template <class T> constexpr T min(T a, T b) { return b < a ? b : a; }
inline unsigned min(unsigned a, int b) { return min(a, static_cast<unsigned>(b)); }
extern "C" { // of the C library
float erff(float);
float expf(float);
float fabsf(float);
float tanhf(float);
}

// Copied by functions of their own: only there does the compiler check the alignment of what is copied.
struct alignas(8) uint2 {
  unsigned x, y;
  uint2() = default;
  uint2(unsigned x, unsigned y) : x(x), y(y) {}
  uint2(const uint2 &other) : x(other.x), y(other.y) {}
  uint2 &operator=(const uint2 &other) { return x = other.x, y = other.y, *this; }
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
  uint4() = default;
  uint4(unsigned x, unsigned y, unsigned z, unsigned w) : x(x), y(y), z(z), w(w) {}
  uint4(const uint4 &other) : x(other.x), y(other.y), z(other.z), w(other.w) {}
  uint4 &operator=(const uint4 &other) { return x = other.x, y = other.y, z = other.z, w = other.w, *this; }
};
struct alignas(16) float4 {
  float x, y, z, w;
  float4() = default;
  float4(float x, float y, float z, float w) : x(x), y(y), z(z), w(w) {}
  float4(const float4 &other) : x(other.x), y(other.y), z(other.z), w(other.w) {}
  float4 &operator=(const float4 &other) { return x = other.x, y = other.y, z = other.z, w = other.w, *this; }
};
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline unsigned __float_as_uint(float value) { return __builtin_bit_cast(unsigned, value); }
inline float __uint_as_float(unsigned bits) { return __builtin_bit_cast(float, bits); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const uint64_t bytes = a | static_cast<uint64_t>(b) << 32;
  unsigned result = 0;
  for (int i = 0; i < 4; ++i)
    result |= static_cast<unsigned>(bytes >> (8 * (selector >> (4 * i) & 7)) & 0xFF) << (8 * i);
  return result;
}

inline void __syncwarp(unsigned mask = ~0u) { emulator::gpu().exchange(mask, 0); }
inline void __syncthreads() { emulator::gpu().namedBarrier(0, static_cast<int>(blockDim.x)); }
inline void __threadfence() {}
template <class T> T __shfl_sync(unsigned mask, T value, int lane) {
  static_assert(sizeof(T) == 4);
  return __builtin_bit_cast(T, emulator::gpu().exchange(mask, __builtin_bit_cast(uint32_t, value))[lane & 31]);
}
inline int __any_sync(unsigned mask, int predicate) {
  const uint32_t *values = emulator::gpu().exchange(mask, predicate != 0);
  unsigned any = 0;
  for (int lane = 0; lane < 32; ++lane)
    any |= mask >> lane & 1 & values[lane];
  return static_cast<int>(any);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int other) {
  static_assert(sizeof(T) == 4);
  const int lane = static_cast<int>(threadIdx.x % 32);
  return __builtin_bit_cast(T, emulator::gpu().exchange(mask, __builtin_bit_cast(uint32_t, value))[lane ^ other]);
}

inline unsigned atomicAdd(unsigned *place, unsigned value) {
  return __atomic_fetch_add(place, value, __ATOMIC_SEQ_CST);
}
inline unsigned atomicMax(unsigned *place, unsigned value) {
  unsigned old = __atomic_load_n(place, __ATOMIC_SEQ_CST);
  while (old < value && !__atomic_compare_exchange_n(place, &old, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  return old;
}
