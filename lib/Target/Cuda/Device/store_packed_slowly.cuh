//===- store_packed_slowly.cuh - what store_packed does, in little code -------------------------------------------===//
//
// For the tiles that pairs cannot select from, which are few: one row of 32 columns after the other, in a loop, instead
// of code for each of them. That would be half of what there is to compile of such a kernel. Counts are not its
// business: pairs have counted the tile already.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// The thread's eight products of a row: `which` counts groups of 32 columns, then blocks, then halves of a block's rows.
template <class Config>
__device__ __forceinline__ void pick_row(float (&product)[8], const Accumulators<Config> &accumulators, int which) {
  constexpr int kHalves = 2 * GemmShape<Config>::kBlocks;
#pragma unroll
  for (int candidate = 0; candidate < Config::kTileN / 32 * kHalves; ++candidate)
    if (which == candidate) {
      const int group = candidate / kHalves, block = candidate % kHalves / 2, half = candidate % 2;
#pragma unroll
      for (int e = 0; e < 8; ++e)
        product[e] = accumulators.value[block][group * 16 + 4 * (e >> 1) + 2 * half + (e & 1)];
    }
}

template <class Config, class Epilogue>
__device__ __forceinline__ void store_packed_slowly(const GemmArguments &arguments,
                                                    const Accumulators<Config> &accumulators,
                                                    const TileScales<Config> &scales, int row0, int column0,
                                                    int thread) {
  using Shape = GemmShape<Config>;
  using Out = typename Config::Out;
  using Block = PackedBlock<Out::kBytes>;
  constexpr int kPanelBlocks = Config::kOutPanel / 64;
  const int quad = thread & 3, row_in_block = (thread >> 5) * 16 + ((thread & 31) >> 2);
  const int slabs = (arguments.n + Block::kSlabElements - 1) / Block::kSlabElements;
  const int padded_m = (arguments.m + Config::kOutPanel - 1) / Config::kOutPanel * Config::kOutPanel;
  const OutScale<Config> out_scale(arguments);
#pragma unroll 1
  for (int piece = 0; piece < Config::kTileN / 64 * Shape::kBlocks; ++piece) { // 64 columns of a block
    const int unit = piece / Shape::kBlocks, block = piece % Shape::kBlocks;
    const int column64 = column0 + unit * 64, slab = column64 / Block::kSlabElements;
    const bool written = slab < slabs && row0 + block * 64 < padded_m;
    const int block_row = row0 / 64 + block, panel = block_row / kPanelBlocks;
    u8 *const destination =
        static_cast<u8 *>(arguments.out) +
        ((static_cast<i64>(panel) * slabs + slab) * kPanelBlocks + (block_row - panel * kPanelBlocks)) * Block::kBytes;
    u32 nibbles = 0; // byte 2 * group + half: two groups of four of one row
#pragma unroll 1
    for (int part = 0; part < 4; ++part) {
      const int group = part >> 1, half = part & 1, row = block * 64 + half * 8 + row_in_block;
      const int column = column64 + 32 * group + 8 * quad;
      const bool inside = column < arguments.n;
      float product[8], column_scale[8], y[8];
      pick_row<Config>(product, accumulators, ((2 * unit + group) * Shape::kBlocks + block) * 2 + half);
      scales.columns(column_scale, 2 * unit + group, quad);
      const float row_scale = scales.row(row);
#pragma unroll
      for (int e = 0; e < 8; ++e)
        y[e] = Epilogue::apply(__fmul_rn(product[e], __fmul_rn(row_scale, column_scale[e])));
      const Kept first = keep_two<Epilogue::kOrdered>(y[0], y[1], y[2], y[3]);
      const Kept second = keep_two<Epilogue::kOrdered>(y[4], y[5], y[6], y[7]);
      nibbles |= (inside ? first.nibble | (second.nibble << 4) : 0x44u) << (8 * part);
      u32 kept[Out::kBytes];
      const float multiplier = out_scale.row(row0 + row, arguments.m);
      narrow4<Out>(kept, out_scale.apply(first.low, multiplier, column + (first.nibble & 3)),
                   out_scale.apply(first.high, multiplier, column + (first.nibble >> 2)),
                   out_scale.apply(second.low, multiplier, column + 4 + (second.nibble & 3)),
                   out_scale.apply(second.high, multiplier, column + 4 + (second.nibble >> 2)));
      if (!written)
        continue;
      const int chunk = (column64 % Block::kSlabElements + 32 * group) / 2 * Out::kBytes;
      u8 *const place = destination + Block::value_offset(row_in_block + 8 * half, chunk + 4 * quad * Out::kBytes);
      if constexpr (Out::kBytes == 1)
        *reinterpret_cast<u32 *>(place) = inside ? kept[0] : 0;
      else
        *reinterpret_cast<uint2 *>(place) = inside ? make_uint2(kept[0], kept[1]) : make_uint2(0, 0);
    }
    const u32 word = transpose_bytes_in_quad(nibbles, quad); // as store_packed does
    if (written)
      Block::store_metadata(destination, row_in_block + 8 * (quad & 1),
                            column64 % Block::kSlabElements + 32 * (quad >> 1), word);
  }
}

} // namespace winnow
