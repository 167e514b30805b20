//===- store_packed.cuh - a tile's result as packed 2:4 blocks ----------------------------------------------------===//

namespace winnow {

/// Byte `i` of the result is the byte of thread i of the quad: a 4 x 4 byte transpose (two shuffles).
__device__ __forceinline__ u32 transpose_bytes_in_quad(u32 x, int quad) {
  u32 other = __shfl_xor_sync(~0u, x, 1);
  x = (quad & 1) ? __byte_perm(other, x, 0x7351) : __byte_perm(x, other, 0x6240);
  other = __shfl_xor_sync(~0u, x, 2);
  return (quad & 2) ? __byte_perm(other, x, 0x7632) : __byte_perm(x, other, 0x5410);
}

struct Unchanged {
  static __device__ __forceinline__ float apply(float x) { return x; }
};

/// Counts values of the epilogue, two at a time if they are 16-bit numbers.
template <class Config, class Epilogue>
__device__ __forceinline__ void take_values(ColumnCounts<Config, false> &counts, const float (&y)[8], bool counted) {
  if constexpr (Config::kCountedLeast > 0) {
    using In = Pairs<typename Config::CountedInput>;
    counts.take_pairs(In::of(y[0], y[4]), In::of(y[1], y[5]), In::of(y[2], y[6]), In::of(y[3], y[7]), counted);
  } else {
    counts.take(y, counted);
  }
}

/// Keeps two of every four along N and writes the tile as packed blocks: the form in which the next GEMM reads its A.
/// Every byte of the blocks that the tile covers is written, zeros where the matrix ends inside one. With `kPaired`
/// groups are selected from in pairs (select_pairs.cuh); returns false if the tile has to be written again without. What
/// is counted has been counted then.
template <class Config, class Epilogue, bool kPaired>
__device__ __forceinline__ bool store_packed(const GemmArguments &arguments, const Accumulators<Config> &accumulators,
                                             const TileScales<Config> &scales, int row0, int column0, int thread) {
  using Shape = GemmShape<Config>;
  using Out = typename Config::Out;
  using Block = PackedBlock<Out::kBytes>;
  static_assert(Config::kRhsPermuted, "a group of four must lie in one thread");
  static_assert(Config::kTileN % 64 == 0, "metadata words cover 64 columns");
  constexpr int kPanelBlocks = Config::kOutPanel / 64;
  const int quad = thread & 3, warp = thread >> 5, lane = thread & 31, row_in_block = warp * 16 + (lane >> 2);
  const int slabs = (arguments.n + Block::kSlabElements - 1) / Block::kSlabElements;
  // Panels are written to their end, and a tile that is a part of one never reaches beyond, unless it completes a
  // cluster. Without the question ptxas schedules the whole epilogue as one stretch, which is faster, but needs
  // registers that 16-bit results do not leave.
  constexpr bool kOneStretch =
      Config::kOutPanel % Config::kTileM == 0 && Out::kBytes == 1 && Config::kCluster == 1;
  const int padded_m = (arguments.m + Config::kOutPanel - 1) / Config::kOutPanel * Config::kOutPanel;
  const auto written = [&](int block) { return kOneStretch || row0 + block * 64 < padded_m; };
  const OutScale<Config> out_scale(arguments);
  [[maybe_unused]] PairRange<typename Epilogue::ReluInput, Epilogue::kReluPower> range;
  const RowFactors<Config> rows(scales, out_scale, row0, row_in_block, arguments.m);
#pragma unroll
  for (int unit = 0; unit < Config::kTileN / 64; ++unit) {
    const int column64 = column0 + unit * 64, slab = column64 / Block::kSlabElements;
    if (slab >= slabs)
      continue;
    u32 nibbles[Shape::kBlocks];                              // byte 2 * group + half: two groups of four of one row
    u8 *destination[Shape::kBlocks], *values[Shape::kBlocks]; // the block, and this thread's part of its values
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block) {
      nibbles[block] = 0;
      const int block_row = row0 / 64 + block, panel = block_row / kPanelBlocks;
      destination[block] = static_cast<u8 *>(arguments.out) + ((static_cast<i64>(panel) * slabs + slab) * kPanelBlocks +
                                                               (block_row - panel * kPanelBlocks)) *
                                                                  Block::kBytes;
      values[block] = destination[block] + Block::value_offset(row_in_block, 4 * quad * Out::kBytes);
      if constexpr (kOneStretch)
        ptx::keep(values[block]); // otherwise computed anew for every store
    }
#pragma unroll
    for (int group = 0; group < 2; ++group) {
      const int column = column64 + 32 * group + 8 * quad;
      const bool inside = column < arguments.n; // n is a multiple of 32 here
      // Of the 32 columns from here, in the values of the slab: a multiple of 16 bytes, hence a constant away.
      const int offset = Block::value_offset(0, (column64 % Block::kSlabElements + 32 * group) / 2 * Out::kBytes);
      float column_scale[8];
      scales.columns(column_scale, 2 * unit + group, quad);
      [[maybe_unused]] ColumnCounts<Config, /*kAdjacent=*/false> counts;
#pragma unroll
      for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float *const product = &accumulators.value[block][(2 * unit + group) * 16];
          float y[8];
          Kept selected[2];
          [[maybe_unused]] const bool counted = row0 + block * 64 + half * 8 + row_in_block < arguments.m;
          if constexpr (kPaired) {
            finish<Config, Unchanged>(y, product, half, rows.scale[block][half], column_scale);
            u32 x[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
              x[i] = Pairs<typename Epilogue::ReluInput>::relu(Pairs<typename Epilogue::ReluInput>::of(y[i], y[4 + i]));
              range.take(x[i]);
            }
            if constexpr (Config::kCounts)
              counts.take_pairs(x[0], x[1], x[2], x[3], counted);
            unpack<typename Epilogue::ReluInput, Epilogue::kReluPower>(
                keep_two_pairs<typename Epilogue::ReluInput>(x[0], x[1], x[2], x[3]), selected);
          } else {
            finish<Config, Epilogue>(y, product, half, rows.scale[block][half], column_scale);
            if constexpr (Config::kCounts)
              take_values<Config, Epilogue>(counts, y, counted);
            selected[0] = keep_two<Epilogue::kOrdered>(y[0], y[1], y[2], y[3]);
            selected[1] = keep_two<Epilogue::kOrdered>(y[4], y[5], y[6], y[7]);
          }
          const Kept &first = selected[0], &second = selected[1];
          const u32 pair = inside ? first.nibble | (second.nibble << 4) : 0x44u;
          nibbles[block] |= pair << (8 * (2 * group + half));
          u32 kept[Out::kBytes];
          const float multiplier = rows.multiplier[block][half];
          // A scale by column (kOutScale 3) is constant over a group only by accident: apply it at the kept position.
          narrow4<Out>(kept, out_scale.apply(first.low, multiplier, column + (first.nibble & 3)),
                       out_scale.apply(first.high, multiplier, column + (first.nibble >> 2)),
                       out_scale.apply(second.low, multiplier, column + 4 + (second.nibble & 3)),
                       out_scale.apply(second.high, multiplier, column + 4 + (second.nibble >> 2)));
          if (!written(block))
            continue;
          u8 *const place = values[block] + offset + Block::value_offset(8 * half, 0);
          if constexpr (Out::kBytes == 1)
            *reinterpret_cast<u32 *>(place) = inside ? kept[0] : 0;
          else
            *reinterpret_cast<uint2 *>(place) = inside ? make_uint2(kept[0], kept[1]) : make_uint2(0, 0);
        }
      if constexpr (Config::kCounts)
        counts.add(arguments.counts, column0, arguments.n, 2 * unit + group, thread);
    }
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block) {
      // After the transpose thread `quad` holds byte `quad` of the four threads: row half quad & 1, 32-column group
      // quad >> 1.
      const u32 word = transpose_bytes_in_quad(nibbles[block], quad);
      if (written(block))
        Block::store_metadata(destination[block], row_in_block + 8 * (quad & 1),
                              column64 % Block::kSlabElements + 32 * (quad >> 1), word);
    }
  }
  if constexpr (kPaired)
    return !__any_sync(~0u, !range.is_exact());
  return true;
}

} // namespace winnow
