//===- tile_scales.cuh - scales of a tile, and results from accumulators ------------------------------------------===//

namespace winnow {

/// Column of the tile that element `e` (0..7) of 32-column group `group` of this thread belongs to. Instruction
/// register 4 * n8 + e holds column 8 * n8 + 2 * quad + e (PTX ISA, "Register fragments for wgmma"); with permuted B
/// rows a thread owns eight consecutive columns of every 32.
template <class Config> __device__ __forceinline__ int tile_column(int group, int quad, int e) {
  return Config::kRhsPermuted ? 32 * group + 8 * quad + e : 32 * group + 8 * (e >> 1) + 2 * quad + (e & 1);
}

/// Scales of the tile at hand, read from shared memory behind a barrier that follows the wait for the accumulators,
/// scalars and the 1 of an operand without scale included. That is no detour: ptxas 13.0 moves arithmetic on
/// accumulators above `wgmma.wait_group` where it depends on nothing else, and a factor that is read behind the wait is
/// such a dependence (test/Target/Cuda/accumulators.test looks at the machine code).
template <class Config> class TileScales {
  using Shape = GemmShape<Config>;
  /// kTileN column scales, kRowsPerWarpgroup row scales, then the scalars of the left and the right operand.
  u32 base;
  static constexpr int kScalarOffset = (Config::kTileN + Shape::kRowsPerWarpgroup) * 4;
  float lhs_scalar = 1.0f, rhs_scalar = 1.0f;

public:
  __device__ __forceinline__ TileScales(u32 barriers, int warpgroup)
      : base(barriers + Shape::kBarrierBytes + warpgroup * Shape::kScaleWords * 4) {}
  /// Called by one thread of the warpgroup, once.
  __device__ __forceinline__ void store_scalars(const GemmArguments &arguments) const {
    if constexpr (Config::kLhsScale != 2)
      ptx::store_shared(base + kScalarOffset, Config::kLhsScale == 1 ? *arguments.lhs_scale : 1.0f);
    if constexpr (Config::kRhsScale != 2)
      ptx::store_shared(base + kScalarOffset + 4, Config::kRhsScale == 1 ? *arguments.rhs_scale : 1.0f);
  }
  /// Vectors, on their way while the product runs.
  __device__ __forceinline__ void fetch(const GemmArguments &arguments, int row, int column, int thread) const {
    if constexpr (Config::kRhsScale == 2)
      for (int i = thread; i < Config::kTileN; i += 128)
        ptx::copy_word_async(base + i * 4, arguments.rhs_scale + min(column + i, arguments.n - 1));
    if constexpr (Config::kLhsScale == 2)
      for (int i = thread; i < Shape::kRowsPerWarpgroup; i += 128)
        ptx::copy_word_async(base + (Config::kTileN + i) * 4, arguments.lhs_scale + min(row + i, arguments.m - 1));
  }
  /// Waits until every thread of the warpgroup has its accumulators and all scales are there.
  __device__ __forceinline__ void settle(int warpgroup) {
    if constexpr (Config::kLhsScale == 2 || Config::kRhsScale == 2)
      ptx::copy_async_wait();
    ptx::named_barrier(warpgroup + 1, 128);
    if constexpr (Config::kLhsScale != 2)
      lhs_scalar = ptx::load_shared(base + kScalarOffset);
    if constexpr (Config::kRhsScale != 2)
      rhs_scalar = ptx::load_shared(base + kScalarOffset + 4);
  }
  /// Of row `i` of the warpgroup's part of the tile.
  __device__ __forceinline__ float row(int i) const {
    if constexpr (Config::kLhsScale == 2)
      return ptx::load_shared(base + (Config::kTileN + i) * 4);
    return lhs_scalar;
  }
  /// Of the eight columns that this thread holds of 32-column group `group`.
  __device__ __forceinline__ void columns(float (&scale)[8], int group, int quad) const {
    if constexpr (Config::kRhsScale == 2 && Config::kRhsPermuted) {
      float part[4];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        ptx::load_shared(part, base + (32 * group + 8 * quad + 4 * half) * 4);
#pragma unroll
        for (int i = 0; i < 4; ++i)
          scale[4 * half + i] = part[i];
      }
    } else {
#pragma unroll
      for (int e = 0; e < 8; ++e)
        scale[e] =
            Config::kRhsScale == 2 ? ptx::load_shared(base + tile_column<Config>(group, quad, e) * 4) : rhs_scalar;
    }
  }
};

/// Eight results of one row: product scaled, epilogue applied, output scale applied.
template <class Config, class Epilogue>
__device__ __forceinline__ void finish(float (&y)[8], const float *registers, int row_half, float row_scale,
                                       const float (&column_scale)[8]) {
#pragma unroll
  for (int e = 0; e < 8; ++e) {
    const float product = registers[4 * (e >> 1) + 2 * row_half + (e & 1)];
    y[e] = Epilogue::apply(__fmul_rn(product, __fmul_rn(row_scale, column_scale[e])));
  }
}

/// Multiplier 1 / out_scale of an element; columns past the end get an arbitrary one.
template <class Config> struct OutScale {
  const float *scale;
  int n;
  float scalar = 1.0f;
  __device__ __forceinline__ explicit OutScale(const GemmArguments &arguments)
      : scale(arguments.out_scale), n(arguments.n) {
    if constexpr (Config::kOutScale == 1)
      scalar = reciprocal(*scale);
  }
  __device__ __forceinline__ float row(int row, int m) const {
    if constexpr (Config::kOutScale == 2)
      return reciprocal(scale[min(row, m - 1)]);
    return scalar;
  }
  __device__ __forceinline__ float apply(float y, float row_multiplier, int column) const {
    if constexpr (Config::kOutScale == 0)
      return y;
    if constexpr (Config::kOutScale == 3)
      return __fmul_rn(y, reciprocal(scale[min(column, n - 1)]));
    return __fmul_rn(y, row_multiplier);
  }
};

/// What a thread multiplies its rows with, before and after the epilogue: block b, row half.
template <class Config> struct RowFactors {
  using Shape = GemmShape<Config>;
  float scale[Shape::kBlocks][2], multiplier[Shape::kBlocks][2];

  __device__ __forceinline__ RowFactors(const TileScales<Config> &scales, const OutScale<Config> &out_scale, int row0,
                                        int row_in_block, int m) {
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        scale[block][half] = scales.row(block * 64 + half * 8 + row_in_block);
        multiplier[block][half] = out_scale.row(row0 + block * 64 + half * 8 + row_in_block, m);
      }
  }
};

} // namespace winnow
