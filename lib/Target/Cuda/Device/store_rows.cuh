//===- store_rows.cuh - a tile's result straight to memory, row-major ---------------------------------------------===//

namespace winnow {

/// Writes the tile row-major.
template <class Config, class Epilogue>
__device__ __forceinline__ void store_rows(const GemmArguments &arguments, const Accumulators<Config> &accumulators,
                                           const TileScales<Config> &scales, int row0, int column0, int thread) {
  using Shape = GemmShape<Config>;
  using Out = typename Config::Out;
  const int quad = thread & 3, row_in_block = (thread >> 5) * 16 + ((thread & 31) >> 2);
  const OutScale<Config> out_scale(arguments);
  u8 *const out = static_cast<u8 *>(arguments.out);
  const RowFactors<Config> rows(scales, out_scale, row0, row_in_block, arguments.m);
#pragma unroll
  for (int group = 0; group < Config::kTileN / 32; ++group) {
    float column_scale[8];
    scales.columns(column_scale, group, quad);
    [[maybe_unused]] ColumnCounts<Config, /*kAdjacent=*/true> counts;
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = row0 + block * 64 + half * 8 + row_in_block;
        float y[8];
        finish<Config, Epilogue>(y, &accumulators.value[block][group * 16], half, rows.scale[block][half],
                                 column_scale);
        if constexpr (Config::kCounts && !countsStored<Config>())
          counts.take(y, row < arguments.m);
#pragma unroll
        for (int e = 0; e < 8; ++e)
          y[e] = out_scale.apply(y[e], rows.multiplier[block][half], column0 + tile_column<Config>(group, quad, e));
        if constexpr (countsStored<Config>()) {
          u32 low[2], high[2];
          narrow4<Out>(low, y[0], y[1], y[2], y[3]);
          narrow4<Out>(high, y[4], y[5], y[6], y[7]);
          counts.take_pairs(low[0], low[1], high[0], high[1], row < arguments.m);
        }
        if (row >= arguments.m)
          continue;
        if constexpr (Config::kRhsPermuted) { // n is a multiple of 32: the eight columns are all inside or all outside
          const int column = column0 + 32 * group + 8 * quad;
          if (column < arguments.n) {
            u8 *const destination = out + (static_cast<i64>(row) * arguments.n + column) * Out::kBytes;
            u32 low[Out::kBytes], high[Out::kBytes];
            narrow4<Out>(low, y[0], y[1], y[2], y[3]);
            narrow4<Out>(high, y[4], y[5], y[6], y[7]);
            if constexpr (Out::kBytes == 1) {
              ptx::store_streaming(destination, low[0], high[0]);
            } else if constexpr (Out::kBytes == 2) {
              ptx::store_streaming(destination, low[0], low[1], high[0], high[1]);
            } else {
              ptx::store_streaming(destination, low[0], low[1], low[2], low[3]);
              ptx::store_streaming(destination + 16, high[0], high[1], high[2], high[3]);
            }
          }
        } else {
#pragma unroll
          for (int e = 0; e < 8; ++e) {
            const int column = column0 + tile_column<Config>(group, quad, e);
            if (column < arguments.n)
              reinterpret_cast<typename Out::Storage *>(out)[static_cast<i64>(row) * arguments.n + column] =
                  Convert<Out>::narrow(y[e]);
          }
        }
      }
    if constexpr (Config::kCounts)
      counts.add(arguments.counts, column0, arguments.n, group, thread);
  }
}

} // namespace winnow
