//===- gemm_produce.cuh - the producer thread ---------------------------------------------------------------------===//
//
// Fills the ring with the slabs of the CTA's tiles. The CTAs of a cluster (Config::kCluster) need the same rows of B: each
// fetches a share and sends it to all. A stage may be filled from there once all of them have room in it: each producer
// tells the others when its own has become empty.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// All of B's rows that the tile needs.
template <class Config>
__device__ __forceinline__ void load_rhs(u32 rhs, const TensorMap *rhs_map, int k, int column, u32 full) {
  if constexpr (Config::kRhsPermuted)
    ptx::tensor_load_5d(rhs, rhs_map, k, column / 32, full);
  else
    ptx::tensor_load_2d(rhs, rhs_map, k, column, full);
}

/// This CTA's share of them, for all CTAs of the cluster: it lands in the same place of each, and counts there.
template <class Config>
__device__ __forceinline__ void share_rhs(u32 rhs, const TensorMap *rhs_map, int k, int column, u32 full, int rank) {
  constexpr int kShare = GemmShape<Config>::kRhsShare;
  constexpr u16 kAll = (1 << Config::kCluster) - 1;
  const u32 place = rhs + rank * kShare * kSlabBytes;
  if constexpr (Config::kRhsPermuted)
    ptx::tensor_multicast_5d(place, rhs_map, k, (column + rank * kShare) / 32, full, kAll);
  else
    ptx::tensor_multicast_2d(place, rhs_map, k, column + rank * kShare, full, kAll);
}

/// That this CTA has room in the stage that `room` belongs to.
template <class Config> __device__ __forceinline__ void tell_others(u32 room, int rank) {
#pragma unroll
  for (int other = 1; other < Config::kCluster; ++other)
    ptx::mbarrier_arrive_cluster(room, rank ^ other);
}

/// The producer thread: walks the CTA's tiles and slabs and fills the ring; behind a tile it lends kLent stages.
template <class Config, int kLent>
__device__ __forceinline__ void produce(const GemmArguments &arguments, const TensorMap *lhs_map,
                                        const TensorMap *rhs_map, const WorkWalk<Config> &walk, int slabs,
                                        u32 ring, u32 barriers) {
  using Shape = GemmShape<Config>;
  ptx::wait_for_launches_before();
  Pacer<Config> pacer(arguments, walk.tiles(), slabs);
  RingPosition<Config> at(1);
  [[maybe_unused]] u32 room_parities = 0; // bit s: of stage s. Not all uses of a stage are the whole cluster's
  for (int unit = walk.first(); unit < walk.count(); unit += walk.step()) {
    const Work work = walk.locate(unit);
    const int row = work.tile_m * Config::kTileM, column = work.tile_n * Config::kTileN;
    const u8 *packed = static_cast<const u8 *>(arguments.lhs) +
                       (static_cast<i64>(walk.readable(work)) * slabs + work.first) * Shape::kLhsBytes;
    for (int slab = work.first; slab < work.first + work.slabs; ++slab) {
      pacer.step(work);
      const u32 full = barriers + 8 * at.stage, empty = barriers + 8 * (Config::kStages + at.stage);
      const u32 rhs = ring + at.stage * Shape::kStageBytes, lhs = rhs + Shape::kRhsBytes;
      ptx::mbarrier_wait(empty, at.parity);
      ptx::mbarrier_arrive_expect(full, Shape::kCopyBytes);
      const u32 room = barriers + 8 * (2 * Config::kStages + at.stage);
      if constexpr (Config::kCluster > 1)
        tell_others<Config>(room, walk.rank());
      else
        load_rhs<Config>(rhs, rhs_map, slab * Shape::kSlab, column, full);
      if constexpr (Config::kSparse)
        ptx::bulk_load(lhs, packed, Shape::kLhsBytes, full);
      else
        ptx::tensor_load_2d(lhs, lhs_map, slab * Shape::kSlab, row, full);
      packed += Shape::kLhsBytes;
      if constexpr (Config::kCluster > 1) {
        ptx::mbarrier_wait(room, room_parities >> at.stage & 1);
        room_parities ^= 1u << at.stage;
        share_rhs<Config>(rhs, rhs_map, slab * Shape::kSlab, column, full, walk.rank());
      }
      at.advance();
    }
    if constexpr (Config::kSplit > 1)
      if (work.parts > 1 && work.finishes())
        produce_sums<Config>(arguments, work, ring, barriers, at);
    if (work.finishes())
      for (int lent = 0; lent < kLent; ++lent) { // store_staged.cuh
        ptx::mbarrier_wait(barriers + 8 * (Config::kStages + at.stage), at.parity);
        ptx::mbarrier_arrive(barriers + 8 * at.stage);
        at.advance();
      }
  }
}

} // namespace winnow
