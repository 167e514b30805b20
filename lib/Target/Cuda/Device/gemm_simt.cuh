//===- gemm_simt.cuh - matrix product on plain f32 arithmetic -----------------------------------------------------===//
//
// For shapes and types that the tensor-core kernel cannot take (a row length that is not a multiple of 16 bytes, f32
// operands). Any extents, any of the four operand orders. A CTA of 256 threads owns 64 x 64 results, a thread 4 x 4.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

template <class Config, class Epilogue> __device__ __forceinline__ void gemm_simt(const GemmArguments &arguments) {
  using Lhs = typename Config::Lhs;
  using Rhs = typename Config::Rhs;
  using Out = typename Config::Out;
  constexpr int kTile = 64, kDepth = 16;
  __shared__ float a[kDepth][kTile + 4], b[kDepth][kTile + 4];
  const auto *lhs = static_cast<const typename Lhs::Storage *>(arguments.lhs);
  const auto *rhs = static_cast<const typename Rhs::Storage *>(arguments.rhs);
  const int m = arguments.m, n = arguments.n, k = arguments.k;
  const i64 lhs_pitch = arguments.lhs_pitch ? arguments.lhs_pitch : (Config::kLhsTransposed ? m : k);
  const i64 rhs_pitch = arguments.rhs_pitch ? arguments.rhs_pitch : (Config::kRhsTransposed ? k : n);
  const int tiles_n = (n + kTile - 1) / kTile;
  const int row0 = static_cast<int>(blockIdx.x) / tiles_n * kTile,
            column0 = static_cast<int>(blockIdx.x) % tiles_n * kTile;
  const int thread = threadIdx.x, thread_row = thread / 16, thread_column = thread % 16;
  float accumulator[4][4] = {};
  for (int k0 = 0; k0 < k; k0 += kDepth) {
    for (int i = thread; i < kTile * kDepth; i += 256) {
      // The fastest index follows the operand's contiguous axis.
      const int lhs_row = Config::kLhsTransposed ? i % kTile : i / kDepth,
                lhs_k = Config::kLhsTransposed ? i / kTile : i % kDepth;
      const int row = row0 + lhs_row, depth = k0 + lhs_k;
      float value = 0.0f;
      if (row < m && depth < k)
        value = Convert<Lhs>::widen(lhs[Config::kLhsTransposed ? depth * lhs_pitch + row : row * lhs_pitch + depth]);
      a[lhs_k][lhs_row] = value;
      const int rhs_column = Config::kRhsTransposed ? i / kDepth : i % kTile,
                rhs_k = Config::kRhsTransposed ? i % kDepth : i / kTile;
      const int column = column0 + rhs_column, rhs_depth = k0 + rhs_k;
      value = 0.0f;
      if (column < n && rhs_depth < k)
        value = Convert<Rhs>::widen(
            rhs[Config::kRhsTransposed ? column * rhs_pitch + rhs_depth : rhs_depth * rhs_pitch + column]);
      b[rhs_k][rhs_column] = value;
    }
    __syncthreads();
#pragma unroll
    for (int depth = 0; depth < kDepth; ++depth) {
      float x[4], y[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        x[i] = a[depth][thread_row * 4 + i];
        y[i] = b[depth][thread_column * 4 + i];
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j)
          accumulator[i][j] = __fmaf_rn(x[i], y[j], accumulator[i][j]);
    }
    __syncthreads();
  }
  [[maybe_unused]] u32 counts[4] = {};
  constexpr bool kScaled = Config::kLhsScale != 0 || Config::kRhsScale != 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int row = row0 + thread_row * 4 + i;
    if (row >= m)
      continue;
    const float row_scale = Config::kLhsScale == 0 ? 1.0f : arguments.lhs_scale[Config::kLhsScale == 2 ? row : 0];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int column = column0 + thread_column * 4 + j;
      if (column >= n)
        continue;
      const float column_scale =
          Config::kRhsScale == 0 ? 1.0f : arguments.rhs_scale[Config::kRhsScale == 2 ? column : 0];
      float y = Epilogue::apply(kScaled ? __fmul_rn(accumulator[i][j], __fmul_rn(row_scale, column_scale))
                                        : accumulator[i][j]);
      if constexpr (Config::kCounts)
        counts[j] += Config::Counted::apply(y) != 0.0f; // NaN is not zero
      if constexpr (Config::kOutScale != 0)
        y = __fmul_rn(y, reciprocal(arguments.out_scale[Config::kOutScale == 1   ? 0
                                                        : Config::kOutScale == 2 ? row
                                                                                 : column]));
      static_cast<typename Out::Storage *>(arguments.out)[static_cast<i64>(row) * n + column] = Convert<Out>::narrow(y);
    }
  }
  if constexpr (Config::kCounts)
    for (int j = 0; j < 4; ++j)
      if (const int column = column0 + thread_column * 4 + j; column < n && counts[j] != 0)
        atomicAdd(arguments.counts + column, counts[j]);
}

} // namespace winnow
