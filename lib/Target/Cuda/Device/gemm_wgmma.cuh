//===- gemm_wgmma.cuh - matrix product on warpgroup MMA, dense or 2:4 sparse --------------------------------------===//
//
// One producer warpgroup (one thread of it, gemm_produce.cuh) fills a ring of shared-memory stages; consumer warpgroups
// multiply. A stage is one slab, 128 bytes of K: the rows of B by one tensor copy, then A by one tensor copy (dense) or
// one bulk copy of packed blocks (sparse). Accumulators stay in registers for a whole tile; the grid is persistent
// (gemm_work.cuh).
//
// The consumer warpgroups share a tile, each a part of its rows, or take turns (Config::kTurns): then one multiplies a
// tile while the other is still busy with the results of the tile before.
//
// Shared memory: stages, then mbarriers (per stage full, empty and, in a cluster, room in the other CTAs' stages; two
// that pass turns on; 256 bytes), then per consumer warpgroup kTileN column scales, the scales of its rows of a tile and
// the scalar scales of both operands. The launcher asks for exactly GemmShape::kSharedBytes.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

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

/// A consumer warpgroup: waits for stages, multiplies, releases them; then the epilogue of the tile.
template <class Config, class Epilogue>
__device__ __forceinline__ void consume(const GemmArguments &arguments, const TensorMap *out_map,
                                        const WorkWalk<Config> &walk, u32 ring, u32 barriers, int warpgroup,
                                        int thread) {
  using Shape = GemmShape<Config>;
  ptx::wait_for_launches_before();
  TileScales<Config> scales(barriers, warpgroup);
  if (thread == 0)
    scales.store_scalars(arguments);
  constexpr bool kSharedScales = Config::kLhsScale == 2 || Config::kRhsScale == 2;
  Accumulators<Config> accumulators;
  Metadata<Config> metadata[2];
  [[maybe_unused]] BorrowedStages<Config> borrowed;
  RingPosition<Config> at(0);
  // The matrix instructions of a retired group have read all they read.
  const auto release = [&](int index) {
    if (thread % (128 / Shape::kReleases) == 0)
      ptx::mbarrier_arrive(barriers + 8 * (Config::kStages + index));
  };
  const int part = Config::kTurns ? 0 : warpgroup; // of the tile's rows
  [[maybe_unused]] Turns<Config> turns(barriers, warpgroup);
  for (int unit = walk.first(); unit < walk.count(); unit += walk.step()) {
    const Work work = walk.locate(unit);
    const int slabs = work.slabs;
    if constexpr (Config::kTurns) {
      if (!turns.take()) {
        at.skip(stages_of<Config>(work));
        continue;
      }
      turns.begin();
    }
    const int row0 = work.tile_m * Config::kTileM + part * Shape::kRowsPerWarpgroup;
    const int column0 = work.tile_n * Config::kTileN;
    if constexpr (kSharedScales)
      scales.fetch(arguments, row0, column0, thread);
    int previous = -1;
    // One stage: issue its group, then retire the group before it, whose stage and metadata are free from then on.
    const auto step = [&](Metadata<Config> &current, Metadata<Config> &last, bool first) {
      ptx::mbarrier_wait(barriers + 8 * at.stage, at.parity);
      const u32 rhs = ring + at.stage * Shape::kStageBytes;
      const u32 lhs = rhs + Shape::kRhsBytes + part * Shape::kBlocks * Shape::kBlockBytes;
      multiply_stage<Config>(accumulators, current, lhs, rhs, thread, first);
      ptx::wgmma_wait<1>();
      if constexpr (Config::kSparse)
        if (!first)
          last.pin();
      if (previous >= 0)
        release(previous);
      if constexpr (Config::kStaged)
        if (first)
          borrowed.give_back(barriers, thread);
      previous = at.stage;
      at.advance();
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
    if constexpr (Config::kTurns)
      if (stages_of<Config>(work) == slabs)
        turns.pass(thread);
    ptx::wgmma_wait<0>();
    if constexpr (Config::kSparse) {
      metadata[0].pin();
      metadata[1].pin();
    }
    release(previous);
    scales.settle(warpgroup);
    if constexpr (Config::kSplit > 1)
      if (work.parts > 1) {
        if (!work.finishes()) {
          store_sums<Config>(arguments, work, accumulators, warpgroup, thread);
          continue;
        }
        add_sums<Config>(work, accumulators, ring, barriers, warpgroup, thread, at);
        if constexpr (Config::kTurns)
          turns.pass(thread);
      }
    if constexpr (Config::kCompress) {
      if constexpr (Epilogue::kReluPower > 0 && Epilogue::ReluInput::kBytes == 2 && allowsPairs<Config>()) {
        if (!store_packed<Config, Epilogue, true>(arguments, accumulators, scales, row0, column0, thread))
          store_packed_slowly<Config, Epilogue>(arguments, accumulators, scales, row0, column0, thread);
      } else {
        store_packed<Config, Epilogue, false>(arguments, accumulators, scales, row0, column0, thread);
      }
    } else if constexpr (Config::kStaged)
      store_staged<Config, Epilogue>(arguments, out_map, accumulators, scales, borrowed, ring, barriers, row0, column0,
                                     warpgroup, thread, at);
    else
      store_rows<Config, Epilogue>(arguments, accumulators, scales, row0, column0, thread);
    if constexpr (kSharedScales)
      ptx::named_barrier(warpgroup + 1, 128); // all have read the scales before the next tile's arrive
  }
  if constexpr (Config::kStaged)
    borrowed.finish(thread);
}

/// All threads of the cluster. Those of a warp may come one by one.
__device__ __forceinline__ void meet_cluster() {
  __syncwarp();
  ptx::cluster_arrive();
  ptx::cluster_wait();
}

/// Shared memory does not go while another CTA may reach for it. Called in both branches: behind them ptxas has the
/// registers of neither.
template <class Config> __device__ __forceinline__ void leave() {
  if constexpr (Config::kCluster > 1)
    meet_cluster();
}

/// The kernel body. `lhs_map` is null for a packed A, `out_map` for a result that is not staged.
template <class Config, class Epilogue>
__device__ __forceinline__ void gemm_wgmma(const GemmArguments &arguments, const TensorMap *lhs_map,
                                           const TensorMap *rhs_map, const TensorMap *out_map = nullptr) {
  using Shape = GemmShape<Config>;
  extern __shared__ __align__(1024) u8 shared[];
  const u32 ring = ptx::shared_address(shared), barriers = ring + Config::kStages * Shape::kStageBytes;
  const int warpgroup = __shfl_sync(~0u, static_cast<int>(threadIdx.x) / 128, 0), thread = threadIdx.x % 128;
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < Config::kStages; ++stage) {
      ptx::mbarrier_init(barriers + 8 * stage, 1);
      ptx::mbarrier_init(barriers + 8 * (Config::kStages + stage), Shape::kSharing * Shape::kReleases);
      if constexpr (Config::kCluster > 1)
        ptx::mbarrier_init(barriers + 8 * (2 * Config::kStages + stage), Config::kCluster - 1);
    }
    if constexpr (Config::kTurns)
      for (int warpgroup = 0; warpgroup < 2; ++warpgroup)
        ptx::mbarrier_init(barriers + Shape::kTurnOffset + 8 * warpgroup, 1);
    ptx::mbarrier_init_fence();
    ptx::async_proxy_fence();
  }
  if constexpr (Config::kCluster > 1)
    meet_cluster();
  else
    __syncthreads();
  // The register file: 65,536 over all threads, and of them as many as the launch takes, 168 each of 384 threads. The
  // producer of a cluster needs more. setmaxnreg counts only as branches of one if (PTX ISA, "setmaxnreg").
  constexpr int kMore = Config::kCluster == 1 ? 0 : Shape::kBlocks * Config::kTileN > 256 ? 8 : 24;
  constexpr int kConsumerRegisters = Config::kWarpgroups == 1 ? 256 : Config::kWarpgroups == 2 ? 240 - kMore : 160;
  constexpr int kProducerRegisters = Config::kWarpgroups == 3 ? 32 : 24 + 2 * kMore;
  const int slabs = (arguments.k + Shape::kSlab - 1) / Shape::kSlab;
  const WorkWalk<Config> walk(arguments, slabs);
  if (warpgroup == Config::kWarpgroups) {
    if constexpr (Config::kWarpgroups > 1)
      ptx::register_decrease<kProducerRegisters>();
    if (thread == 0)
      produce<Config, StoreShape<Config>::kStoreStages>(arguments, lhs_map, rhs_map, walk, slabs, ring, barriers);
    leave<Config>();
  } else {
    if constexpr (Config::kWarpgroups > 1)
      ptx::register_increase<kConsumerRegisters>();
    consume<Config, Epilogue>(arguments, out_map, walk, ring, barriers, warpgroup, thread);
    leave<Config>();
  }
}

} // namespace winnow
