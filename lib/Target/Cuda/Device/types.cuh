//===- types.cuh - element types, outputs and kernel arguments ----------------------------------------------------===//
//
// Device library of Winnow. Emitted kernels are this text followed by generated constants and one entry function; NVRTC
// compiles it without any header.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using i64 = long long;

/// A CUtensorMap, opaque here; passed as a __grid_constant__ parameter.
struct alignas(64) TensorMap {
  u64 opaque[16];
};

/// Element types as tags: storage type, size, widening to f32 and rounding from f32 (numeric.cuh has the conversions).
struct F32 {
  using Storage = float;
  static constexpr int kBytes = 4;
};
struct Bf16 {
  using Storage = u16;
  static constexpr int kBytes = 2;
};
struct F16 {
  using Storage = u16;
  static constexpr int kBytes = 2;
};
struct E4m3 {
  using Storage = u8;
  static constexpr int kBytes = 1;
};
struct E5m2 {
  using Storage = u8;
  static constexpr int kBytes = 1;
};

template <class A, class B> struct IsSame {
  static constexpr bool value = false;
};
template <class A> struct IsSame<A, A> {
  static constexpr bool value = true;
};

/// What a map kernel writes: see the layouts in docs/kernels.md.
enum OutputKind { kNoOutput, kRowMajor, kTransposed, kPacked24Axis1, kPacked24Axis0, kMask };

template <OutputKind Kind, class ElementTag, int Panel> struct Output {
  static constexpr OutputKind kKind = Kind;
  using Element = ElementTag;
  static constexpr int kPanel = Panel;
};
using NoOutput = Output<kNoOutput, E4m3, 0>;

/// Operands of a matrix product. Pointers that a configuration does not use stay null.
struct GemmArguments {
  const void *lhs = nullptr;        ///< packed24 A (wgmma) or A (simt)
  const void *rhs = nullptr;        ///< B (simt)
  const float *lhs_scale = nullptr; ///< 1 or m numbers
  const float *rhs_scale = nullptr; ///< 1 or n numbers
  const float *out_scale = nullptr; ///< 1, m or n numbers; the result is divided by it (multiplied by the reciprocal)
  void *out = nullptr;
  u32 *counts = nullptr;    ///< n numbers, to which non-zeros of the columns are added (Config::kCounts)
  u32 *progress = nullptr;  ///< zeroed counters: of parts of tiles (Config::kSplitCounters), then one per pacing chunk
  void *partials = nullptr; ///< sums of parts of tiles (split_sums.cuh)
  int m = 0, n = 0, k = 0;
  int lhs_pitch = 0, rhs_pitch = 0; ///< simt: leading dimension in elements; 0 is the natural one
};

/// Bytes of K (before compression) that one pipeline stage holds.
constexpr int kSlabBytes = 128;

/// One 64-row block of a packed 2:4 operand: kept values, then metadata (docs/kernels.md, "Packed 2:4 blocks").
template <int kElementBytes> struct PackedBlock {
  static constexpr int kSlabElements = kSlabBytes / kElementBytes;
  static constexpr int kUnits = kSlabElements / 64; ///< runs of 64 elements of K, one metadata word each per thread
  static constexpr int kValueBytes = 4096;
  static constexpr int kBytes = kValueBytes + 512 * kUnits;

  /// Offset of byte `c` (0..63) of the kept values of row `r` (0..63): 8 x 16-byte core matrices, as an unswizzled
  /// wgmma descriptor with a leading offset of 1024 and a stride offset of 128 reads them (PTX ISA, "Shared memory
  /// matrix layout").
  static __device__ __forceinline__ int value_offset(int r, int c) {
    return (c >> 4) * 1024 + (r >> 3) * 128 + (r & 7) * 16 + (c & 15);
  }
  /// Stores the positions of 32 elements of row `r` from element `k` (0, 32, ...) of the slab; nibble j of `word`
  /// belongs to elements k + 4j..k + 4j + 3. Which thread's register holds which part is fixed by the instruction (PTX
  /// ISA, "Sparse wgmma: metadata"): row 16w + i of warp w is with the quad i % 8. f8: thread 2 * half + i / 8 of the
  /// quad holds the whole word of 32-element half `half`. 16-bit: instruction `half` reads the pair of threads 2 * half
  /// + {0, 1}; each holds 16 elements of both rows, i / 8 choosing the 16 bits.
  static __device__ __forceinline__ void store_metadata(u8 *block, int r, int k, u32 word) {
    store_metadata(block + metadata_offset(r, k), word);
  }
  /// Offset in the block of what `store_metadata` writes.
  static __device__ __forceinline__ int metadata_offset(int r, int k) {
    const int first = (r >> 4) * 32 + (r & 7) * 4 + ((k >> 5) & 1) * 2, upper = (r >> 3) & 1;
    if constexpr (kElementBytes == 1)
      return kValueBytes + (first + upper) * 4 * kUnits + 4 * (k >> 6);
    return kValueBytes + first * 4 + 2 * upper;
  }
  static __device__ __forceinline__ void store_metadata(u8 *place, u32 word) {
    if constexpr (kElementBytes == 1) {
      *reinterpret_cast<u32 *>(place) = word;
    } else {
      *reinterpret_cast<u16 *>(place) = static_cast<u16>(word);
      *reinterpret_cast<u16 *>(place + 4) = static_cast<u16>(word >> 16);
    }
  }
};

} // namespace winnow
