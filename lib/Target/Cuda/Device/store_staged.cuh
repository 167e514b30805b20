//===- store_staged.cuh - results that leave through shared memory, while the next product runs -------------------===//
//
// The ring has all shared memory, so the result borrows stages of it: behind the last slab of a tile the producer hands
// over kStoreStages stages without filling them. Each warpgroup writes its rows there and one of its threads starts
// tensor copies to memory (PTX ISA, "cp.async.bulk.tensor", "Async proxy"). The stages go back to the producer when
// these copies have read them, which the warpgroup asks for behind the first slab of its next tile; until then the
// other stages feed it.
//
// A warpgroup's part of a stage is kBatch chunks. A chunk is 32 columns of all its rows, 64 bytes per row, rows one
// after the other: eight threads that store 16 bytes each at a time, two rows of a quad each, hit every bank once. If
// the tile has more chunks than the borrowed stages hold, the first stage is used again once it has been read.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

template <class Config> struct StoreShape {
  static constexpr bool kStaged = Config::kStaged;
  static constexpr int kChunks = Config::kTileN / 32;
  static constexpr int kRows = Config::kTileM / Config::kWarpgroups;
  static constexpr int kChunkBytes = kRows * 64;
  static constexpr int kRoom = GemmShape<Config>::kStageBytes / Config::kWarpgroups / kChunkBytes;
  static constexpr int kBatch = kRoom < kChunks ? kRoom : kChunks; ///< chunks of a warpgroup in one stage
  static constexpr int kBatches = kStaged ? (kChunks + kBatch - 1) / kBatch : 0;
  static constexpr int kStoreStages = kBatches < 2 ? kBatches : 2;

  static_assert(!kStaged || (Config::kRhsPermuted && !Config::kCompress && Config::Out::kBytes == 2),
                "staged results are 16-bit, row-major, and eight columns of a thread lie side by side");
  static_assert(!kStaged || kBatch >= 1, "a stage has no room for 32 columns of the result");
  static_assert(!kStaged || Config::kStages - kStoreStages >= 2, "too few stages are left to the product");
};

/// Stages that a warpgroup has borrowed and not given back.
template <class Config> class BorrowedStages {
  using Shape = GemmShape<Config>;
  using Store = StoreShape<Config>;
  int first = 0;
  bool owed = false;

  static __device__ __forceinline__ int next(int stage) { return stage + 1 == Config::kStages ? 0 : stage + 1; }

public:
  /// The warpgroup's part of the stage that batch `batch` goes through, once it may be written. `at` moves on with every
  /// stage that is borrowed.
  __device__ __forceinline__ u32 borrow(int batch, u32 ring, u32 barriers, int warpgroup, int thread,
                                        RingPosition<Config> &at) {
    int index = at.stage;
    if (batch < Store::kStoreStages) {
      ptx::mbarrier_wait(barriers + 8 * at.stage, at.parity); // the matrix instructions of all warpgroups have read it
      if (batch == 0)
        first = at.stage;
      at.advance();
    } else {
      if (thread == 0)
        ptx::bulk_wait_read<Store::kStoreStages - 1>();
      ptx::named_barrier(warpgroup + 1, 128);
      index = batch % Store::kStoreStages == 0 ? first : next(first);
    }
    owed = true;
    return ring + index * Shape::kStageBytes + warpgroup * (Store::kBatch * Store::kChunkBytes);
  }
  /// Gives the stages back when all copies have read them.
  __device__ __forceinline__ void give_back(u32 barriers, int thread) {
    if (owed && thread == 0) {
      ptx::bulk_wait_read<0>();
      int stage = first;
#pragma unroll
      for (int i = 0; i < Store::kStoreStages; ++i) {
        ptx::mbarrier_arrive(barriers + 8 * (Config::kStages + stage), Shape::kReleases);
        stage = next(stage);
      }
    }
    owed = false;
  }
  /// Before the thread ends: its shared memory is read no more, and everything is written.
  __device__ __forceinline__ void finish(int thread) const {
    if (owed && thread == 0)
      ptx::bulk_wait_all();
  }
};

/// Writes a warpgroup's part of the tile, row-major, through borrowed stages.
template <class Config, class Epilogue>
__device__ __forceinline__ void store_staged(const GemmArguments &arguments, const TensorMap *out_map,
                                             const Accumulators<Config> &accumulators, const TileScales<Config> &scales,
                                             BorrowedStages<Config> &borrowed, u32 ring, u32 barriers, int row0,
                                             int column0, int warpgroup, int thread, RingPosition<Config> &at) {
  using Shape = GemmShape<Config>;
  using Store = StoreShape<Config>;
  using Out = typename Config::Out;
  const int quad = thread & 3, row_in_block = (thread >> 5) * 16 + ((thread & 31) >> 2);
  const OutScale<Config> out_scale(arguments);
  const RowFactors<Config> rows(scales, out_scale, row0, row_in_block, arguments.m);
#pragma unroll
  for (int batch = 0; batch < Store::kBatches; ++batch) {
    const u32 part = borrowed.borrow(batch, ring, barriers, warpgroup, thread, at);
    const u32 place = part + row_in_block * 64 + quad * 16;
#pragma unroll
    for (int chunk = 0; chunk < Store::kBatch; ++chunk) {
      const int group = batch * Store::kBatch + chunk;
      if (group >= Store::kChunks)
        break;
      float column_scale[8];
      scales.columns(column_scale, group, quad);
      [[maybe_unused]] ColumnCounts<Config, /*kAdjacent=*/true> counts;
#pragma unroll
      for (int block = 0; block < Shape::kBlocks; ++block)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float y[8];
          finish<Config, Epilogue>(y, &accumulators.value[block][group * 16], half, rows.scale[block][half],
                                   column_scale);
          [[maybe_unused]] const bool counted = row0 + block * 64 + half * 8 + row_in_block < arguments.m;
          if constexpr (Config::kCounts && !countsStored<Config>())
            counts.take(y, counted);
#pragma unroll
          for (int e = 0; e < 8; ++e)
            y[e] = out_scale.apply(y[e], rows.multiplier[block][half], column0 + 32 * group + 8 * quad + e);
          u32 low[Out::kBytes], high[Out::kBytes];
          narrow4<Out>(low, y[0], y[1], y[2], y[3]);
          narrow4<Out>(high, y[4], y[5], y[6], y[7]);
          if constexpr (countsStored<Config>())
            counts.take_pairs(low[0], low[1], high[0], high[1], counted);
          ptx::store_shared(place + chunk * Store::kChunkBytes + (block * 64 + half * 8) * 64, low[0], low[1], high[0],
                            high[1]);
        }
      if constexpr (Config::kCounts)
        counts.add(arguments.counts, column0, arguments.n, group, thread);
    }
    ptx::async_proxy_fence_shared(); // by every thread that wrote, before the copies may read
    ptx::named_barrier(warpgroup + 1, 128);
    if (thread == 0) {
#pragma unroll
      for (int chunk = 0; chunk < Store::kBatch; ++chunk) {
        const int group = batch * Store::kBatch + chunk;
        if (group < Store::kChunks && row0 < arguments.m && column0 + 32 * group < arguments.n)
          ptx::tensor_store_2d(out_map, column0 + 32 * group, row0, part + chunk * Store::kChunkBytes);
      }
      ptx::bulk_commit();
    }
  }
}

} // namespace winnow
