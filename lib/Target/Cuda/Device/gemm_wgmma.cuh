//===- gemm_wgmma.cuh - matrix product on warpgroup MMA, dense or 2:4 sparse --------------------------------------===//
//
// One producer warpgroup (one thread of it) fills a ring of shared-memory stages; consumer warpgroups multiply. A stage
// is one slab, 128 bytes of K: the rows of B by one tensor copy, then A by one tensor copy (dense) or one bulk copy of
// packed blocks (sparse). Accumulators stay in registers for a whole tile; the grid is persistent
// (gemm_work.cuh).
//
// Shared memory: stages, then mbarriers (full, empty per stage) and the scalar scales of both operands (256 bytes),
// then per consumer warpgroup kTileN column scales and kTileM / kWarpgroups row scales. The launcher asks for exactly
// GemmShape::kSharedBytes.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

template <class Config> struct GemmShape {
  static constexpr int kElementBytes = Config::kElementBytes;
  using Block = PackedBlock<kElementBytes>;
  static constexpr int kSlab = kSlabBytes / kElementBytes; ///< elements of K per stage
  static constexpr int kRowsPerWarpgroup = Config::kTileM / Config::kWarpgroups;
  static constexpr int kBlocks = kRowsPerWarpgroup / 64; ///< m64 instructions per warpgroup
  static constexpr int kBlockBytes = Config::kSparse ? Block::kBytes : 64 * kSlabBytes;
  static constexpr int kLhsBytes = Config::kTileM / 64 * kBlockBytes;
  static constexpr int kRhsBytes = Config::kTileN * kSlabBytes;
  static constexpr int kCopyBytes = kLhsBytes + kRhsBytes;
  static constexpr int kStageBytes = (kCopyBytes + 1023) / 1024 * 1024; ///< the swizzle repeats every 1024 bytes
  static constexpr int kScaleWords = Config::kTileN + kRowsPerWarpgroup;
  static constexpr int kBarrierBytes = 256;
  static constexpr int kScalarOffset = 248; ///< of the scalar scales, two f32, behind the barriers
  static constexpr int kSharedBytes =
      Config::kStages * kStageBytes + kBarrierBytes + Config::kWarpgroups * kScaleWords * 4;
  static constexpr int kSteps = Config::kSparse ? 2 : 4; ///< instructions along K per stage and block
  static constexpr int kStepBytesRhs = kSlabBytes / kSteps;
  static constexpr int kThreads = (Config::kWarpgroups + 1) * 128;
  /// Arrivals with which a warpgroup gives a stage back. Metadata are read from shared memory by every thread itself.
  static constexpr int kReleases = Config::kSparse ? 128 : 1;

  static_assert(Config::kTileM == Config::kWarpgroups * kBlocks * 64,
                "tile rows must be whole m64 blocks per warpgroup");
  static_assert(Config::kTileN % 32 == 0 && Config::kTileN <= 256,
                "tile columns must be a multiple of 32, at most 256");
  static_assert(2 * 8 * Config::kStages <= kScalarOffset, "too many stages");
  static_assert(kSharedBytes <= 232448, "more shared memory than a multiprocessor has");
};

/// The producer thread: walks the CTA's tiles and slabs and fills the ring.
template <class Config>
__device__ __forceinline__ void produce(const GemmArguments &arguments, const TensorMap *lhs_map,
                                        const TensorMap *rhs_map, u32 ring, u32 barriers) {
  using Shape = GemmShape<Config>;
  const int slabs = (arguments.k + Shape::kSlab - 1) / Shape::kSlab;
  const WorkWalk<Config> walk(arguments, slabs);
  Pacer<Config> pacer(arguments, walk.tiles(), slabs);
  int stage = 0;
  u32 parity = 1; // a fresh ring is empty: the first wait on each empty barrier must pass
  for (int unit = blockIdx.x; unit < walk.count(); unit += gridDim.x) {
    const Work work = walk.locate(unit);
    const int row = work.tile_m * Config::kTileM, column = work.tile_n * Config::kTileN;
    const u8 *packed = static_cast<const u8 *>(arguments.lhs) +
                       (static_cast<i64>(work.tile_m) * slabs + work.first) * Shape::kLhsBytes;
    for (int slab = work.first; slab < work.first + work.slabs; ++slab) {
      pacer.step(work);
      const u32 full = barriers + 8 * stage, empty = barriers + 8 * (Config::kStages + stage);
      const u32 rhs = ring + stage * Shape::kStageBytes, lhs = rhs + Shape::kRhsBytes;
      ptx::mbarrier_wait(empty, parity);
      ptx::mbarrier_arrive_expect(full, Shape::kCopyBytes);
      if constexpr (Config::kRhsPermuted)
        ptx::tensor_load_5d(rhs, rhs_map, slab * Shape::kSlab, column / 32, full);
      else
        ptx::tensor_load_2d(rhs, rhs_map, slab * Shape::kSlab, column, full);
      if constexpr (Config::kSparse)
        ptx::bulk_load(lhs, packed, Shape::kLhsBytes, full);
      else
        ptx::tensor_load_2d(lhs, lhs_map, slab * Shape::kSlab, row, full);
      packed += Shape::kLhsBytes;
      if (++stage == Config::kStages) {
        stage = 0;
        parity ^= 1;
      }
    }
  }
}

/// Metadata of one stage in registers. wgmma reads them asynchronously and the compiler does not know it: they are
/// double buffered by the caller and kept alive by `pin` until the group that reads them has retired.
template <class Config> struct Metadata {
  using Shape = GemmShape<Config>;
  u32 word[Shape::kBlocks][Shape::Block::kUnits];

  __device__ __forceinline__ void load(u32 lhs, int thread) {
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block)
      ptx::load_shared(word[block], lhs + block * Shape::kBlockBytes + Shape::Block::kValueBytes +
                                        thread * 4 * Shape::Block::kUnits);
  }
  __device__ __forceinline__ void pin() {
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
      for (int unit = 0; unit < Shape::Block::kUnits; ++unit)
        ptx::pin(word[block][unit]);
  }
};

/// Accumulators of one consumer warpgroup for one tile: block b, instruction register i.
template <class Config> struct Accumulators {
  float value[GemmShape<Config>::kBlocks][Config::kTileN / 2];
};

/// Issues the matrix instructions of one stage as one wgmma group.
template <class Config>
__device__ __forceinline__ void multiply_stage(Accumulators<Config> &accumulators, Metadata<Config> &metadata, u32 lhs,
                                               u32 rhs, int thread, bool first) {
  using Shape = GemmShape<Config>;
  if constexpr (Config::kSparse)
    metadata.load(lhs, thread);
  ptx::wgmma_fence();
#pragma unroll
  for (int step = 0; step < Shape::kSteps; ++step) {
    const u64 b = ptx::descriptor_swizzled(rhs + step * Shape::kStepBytesRhs);
    const int accumulate = !(first && step == 0);
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block) {
      const u32 a = lhs + block * Shape::kBlockBytes;
      if constexpr (!Config::kSparse) {
        Config::Instruction::issue(accumulators.value[block], ptx::descriptor_swizzled(a + step * Shape::kStepBytesRhs),
                                   b, accumulate);
      } else if constexpr (Shape::kElementBytes == 1) { // one metadata word per 64 elements, all threads hold one
        Config::Instruction::template issue<0>(accumulators.value[block], ptx::descriptor_packed(a + step * 2048), b,
                                               metadata.word[block][step], accumulate);
      } else if (step ==
                 0) { // 16-bit: an instruction takes 32 elements; its words are with one pair of threads of a quad
        Config::Instruction::template issue<0>(accumulators.value[block], ptx::descriptor_packed(a), b,
                                               metadata.word[block][0], accumulate);
      } else {
        Config::Instruction::template issue<1>(accumulators.value[block], ptx::descriptor_packed(a + 2048), b,
                                               metadata.word[block][0], accumulate);
      }
    }
  }
  ptx::wgmma_commit();
}

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
  u32 base;    ///< kTileN column scales, then kRowsPerWarpgroup row scales
  u32 scalars; ///< of the left and the right operand
  float lhs_scalar = 1.0f, rhs_scalar = 1.0f;

public:
  __device__ __forceinline__ TileScales(u32 barriers, int warpgroup)
      : base(barriers + Shape::kBarrierBytes + warpgroup * Shape::kScaleWords * 4),
        scalars(barriers + Shape::kScalarOffset) {}
  /// Called by one thread of the CTA.
  static __device__ __forceinline__ void store_scalars(const GemmArguments &arguments, u32 barriers) {
    ptx::store_shared(barriers + Shape::kScalarOffset, Config::kLhsScale == 1 ? *arguments.lhs_scale : 1.0f);
    ptx::store_shared(barriers + Shape::kScalarOffset + 4, Config::kRhsScale == 1 ? *arguments.rhs_scale : 1.0f);
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
    lhs_scalar = ptx::load_shared(scalars);
    rhs_scalar = ptx::load_shared(scalars + 4);
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

/// Writes the tile row-major.
template <class Config, class Epilogue>
__device__ __forceinline__ void store_rows(const GemmArguments &arguments, const Accumulators<Config> &accumulators,
                                           const TileScales<Config> &scales, int row0, int column0, int thread) {
  using Shape = GemmShape<Config>;
  using Out = typename Config::Out;
  const int quad = thread & 3, row_in_block = (thread >> 5) * 16 + ((thread & 31) >> 2);
  const OutScale<Config> out_scale(arguments);
  u8 *const out = static_cast<u8 *>(arguments.out);
  float row_scale[Shape::kBlocks][2], row_multiplier[Shape::kBlocks][2];
#pragma unroll
  for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      row_scale[block][half] = scales.row(block * 64 + half * 8 + row_in_block);
      row_multiplier[block][half] = out_scale.row(row0 + block * 64 + half * 8 + row_in_block, arguments.m);
    }
#pragma unroll
  for (int group = 0; group < Config::kTileN / 32; ++group) {
    float column_scale[8];
    scales.columns(column_scale, group, quad);
#pragma unroll
    for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = row0 + block * 64 + half * 8 + row_in_block;
        float y[8];
        finish<Config, Epilogue>(y, &accumulators.value[block][group * 16], half, row_scale[block][half], column_scale);
#pragma unroll
        for (int e = 0; e < 8; ++e)
          y[e] = out_scale.apply(y[e], row_multiplier[block][half], column0 + tile_column<Config>(group, quad, e));
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
  }
}

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

/// Keeps two of every four along N and writes the tile as packed blocks: the form in which the next GEMM reads its A.
/// Every byte of the blocks that the tile covers is written, zeros where the matrix ends inside one. With `kPaired`
/// groups are selected from in pairs (select_pairs.cuh); returns false if the tile has to be written again without.
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
  // Panels are written to their end, and a tile that is a part of one never reaches beyond. Without the question ptxas
  // schedules the whole epilogue as one stretch, which is faster, but needs registers that 16-bit results do not leave.
  constexpr bool kOneStretch = Config::kOutPanel % Config::kTileM == 0 && Out::kBytes == 1;
  const int padded_m = (arguments.m + Config::kOutPanel - 1) / Config::kOutPanel * Config::kOutPanel;
  const auto written = [&](int block) { return kOneStretch || row0 + block * 64 < padded_m; };
  const OutScale<Config> out_scale(arguments);
  [[maybe_unused]] PairRange<typename Epilogue::ReluInput, Epilogue::kReluPower> range;
  float row_scale[Shape::kBlocks][2], row_multiplier[Shape::kBlocks][2];
#pragma unroll
  for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      row_scale[block][half] = scales.row(block * 64 + half * 8 + row_in_block);
      row_multiplier[block][half] = out_scale.row(row0 + block * 64 + half * 8 + row_in_block, arguments.m);
    }
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
#pragma unroll
      for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float *const product = &accumulators.value[block][(2 * unit + group) * 16];
          float y[8];
          Kept selected[2];
          if constexpr (kPaired) {
            finish<Config, Unchanged>(y, product, half, row_scale[block][half], column_scale);
            u32 x[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
              x[i] = Pairs<typename Epilogue::ReluInput>::relu(Pairs<typename Epilogue::ReluInput>::of(y[i], y[4 + i]));
              range.take(x[i]);
            }
            unpack<typename Epilogue::ReluInput, Epilogue::kReluPower>(
                keep_two_pairs<typename Epilogue::ReluInput>(x[0], x[1], x[2], x[3]), selected);
          } else {
            finish<Config, Epilogue>(y, product, half, row_scale[block][half], column_scale);
            selected[0] = keep_two<Epilogue::kOrdered>(y[0], y[1], y[2], y[3]);
            selected[1] = keep_two<Epilogue::kOrdered>(y[4], y[5], y[6], y[7]);
          }
          const Kept &first = selected[0], &second = selected[1];
          const u32 pair = inside ? first.nibble | (second.nibble << 4) : 0x44u;
          nibbles[block] |= pair << (8 * (2 * group + half));
          u32 kept[Out::kBytes];
          const float multiplier = row_multiplier[block][half];
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

/// A consumer warpgroup: waits for stages, multiplies, releases them; then the epilogue of the tile.
template <class Config, class Epilogue>
__device__ __forceinline__ void consume(const GemmArguments &arguments, u32 ring, u32 barriers, int warpgroup,
                                        int thread) {
  using Shape = GemmShape<Config>;
  const WorkWalk<Config> walk(arguments, (arguments.k + Shape::kSlab - 1) / Shape::kSlab);
  TileScales<Config> scales(barriers, warpgroup);
  constexpr bool kSharedScales = Config::kLhsScale == 2 || Config::kRhsScale == 2;
  Accumulators<Config> accumulators;
  Metadata<Config> metadata[2];
  int stage = 0;
  u32 parity = 0;
  // The matrix instructions of a retired group have read all they read.
  const auto release = [&](int index) {
    if (thread % (128 / Shape::kReleases) == 0)
      ptx::mbarrier_arrive(barriers + 8 * (Config::kStages + index));
  };
  for (int unit = blockIdx.x; unit < walk.count(); unit += gridDim.x) {
    const Work work = walk.locate(unit);
    const int slabs = work.slabs;
    const int row0 = work.tile_m * Config::kTileM + warpgroup * Shape::kRowsPerWarpgroup;
    const int column0 = work.tile_n * Config::kTileN;
    if constexpr (kSharedScales)
      scales.fetch(arguments, row0, column0, thread);
    int previous = -1;
    // One stage: issue its group, then retire the group before it, whose stage and metadata are free from then on.
    const auto step = [&](Metadata<Config> &current, Metadata<Config> &last, bool first) {
      ptx::mbarrier_wait(barriers + 8 * stage, parity);
      const u32 rhs = ring + stage * Shape::kStageBytes;
      const u32 lhs = rhs + Shape::kRhsBytes + warpgroup * Shape::kBlocks * Shape::kBlockBytes;
      multiply_stage<Config>(accumulators, current, lhs, rhs, thread, first);
      ptx::wgmma_wait<1>();
      if constexpr (Config::kSparse)
        if (!first)
          last.pin();
      if (previous >= 0)
        release(previous);
      previous = stage;
      if (++stage == Config::kStages) {
        stage = 0;
        parity ^= 1;
      }
    };
    if constexpr (Config::kSparse) {
      // Pairs, so that the metadata buffers are named at compile time. An odd count leaves the loop from its middle: a
      // separate last stage would make ptxas serialise all groups (C7513) where it knows the count.
      for (int slab = 0;; slab += 2) {
        step(metadata[0], metadata[1], slab == 0);
        if (slab + 1 == slabs)
          break;
        step(metadata[1], metadata[0], false);
        if (slab + 2 == slabs)
          break;
      }
    } else {
      for (int slab = 0; slab < slabs; ++slab)
        step(metadata[0], metadata[0], slab == 0);
    }
    ptx::wgmma_wait<0>();
    if constexpr (Config::kSparse) {
      metadata[0].pin();
      metadata[1].pin();
    }
    release(previous);
    scales.settle(warpgroup);
    if constexpr (Config::kSplit > 1)
      if (work.parts > 1) {
        const SplitSums<Config> sums(arguments, warpgroup, thread);
        if (!work.finishes()) {
          sums.store(work, accumulators.value);
          continue;
        }
        sums.add(work, accumulators.value);
      }
    if constexpr (Config::kCompress) {
      bool done = false;
      if constexpr (Epilogue::kReluPower > 0 && Epilogue::ReluInput::kBytes == 2)
        done = store_packed<Config, Epilogue, true>(arguments, accumulators, scales, row0, column0, thread);
      if (!done)
        store_packed<Config, Epilogue, false>(arguments, accumulators, scales, row0, column0, thread);
    } else
      store_rows<Config, Epilogue>(arguments, accumulators, scales, row0, column0, thread);
    if constexpr (kSharedScales)
      ptx::named_barrier(warpgroup + 1, 128); // all have read the scales before the next tile's arrive
  }
}

/// The kernel body. `lhs_map` is null for a packed A.
template <class Config, class Epilogue>
__device__ __forceinline__ void gemm_wgmma(const GemmArguments &arguments, const TensorMap *lhs_map,
                                           const TensorMap *rhs_map) {
  using Shape = GemmShape<Config>;
  extern __shared__ __align__(1024) u8 shared[];
  const u32 ring = ptx::shared_address(shared), barriers = ring + Config::kStages * Shape::kStageBytes;
  const int warpgroup = __shfl_sync(~0u, static_cast<int>(threadIdx.x) / 128, 0), thread = threadIdx.x % 128;
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < Config::kStages; ++stage) {
      ptx::mbarrier_init(barriers + 8 * stage, 1);
      ptx::mbarrier_init(barriers + 8 * (Config::kStages + stage), Config::kWarpgroups * Shape::kReleases);
    }
    ptx::mbarrier_init_fence();
    ptx::async_proxy_fence();
    TileScales<Config>::store_scalars(arguments, barriers);
  }
  __syncthreads();
  // The register file: 65,536 over all threads. setmaxnreg counts only as branches of one if (PTX ISA, "setmaxnreg").
  constexpr int kConsumerRegisters = Config::kWarpgroups == 1 ? 256 : Config::kWarpgroups == 2 ? 240 : 160;
  constexpr int kProducerRegisters = Config::kWarpgroups == 3 ? 32 : 24;
  if (warpgroup == Config::kWarpgroups) {
    if constexpr (Config::kWarpgroups > 1)
      ptx::register_decrease<kProducerRegisters>();
    if (thread == 0)
      produce<Config>(arguments, lhs_map, rhs_map, ring, barriers);
  } else {
    if constexpr (Config::kWarpgroups > 1)
      ptx::register_increase<kConsumerRegisters>();
    consume<Config, Epilogue>(arguments, ring, barriers, warpgroup, thread);
  }
}

} // namespace winnow
