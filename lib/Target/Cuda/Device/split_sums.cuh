//===- split_sums.cuh - sums of a tile whose K is cut into parts --------------------------------------------------===//
//
// Slots of arguments.partials, one per cut tile and part but the last: the f32 accumulators of the tile as the threads
// hold them, in pieces that fit a stage of the ring: [piece][warpgroup][four accumulators][thread], 16 bytes per
// thread. A counter per cut tile says how many warpgroups have written theirs; the launcher zeroes them. Behind the
// last slab of the tile the producer waits for the count and sends the pieces through the ring like slabs, so that many
// bytes are under way.
//
// PTX ISA, "Memory consistency model": what all threads wrote before the barrier is ordered before the arrival by its
// fence. Written by ordinary stores and read by bulk copies, it needs a proxy fence on both sides ("Async proxy").
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// The greatest divisor of `quads` that is at most `room`.
__device__ constexpr int greatest_divisor(int quads, int room) {
  int divisor = room < quads ? room : quads;
  while (quads % divisor != 0)
    --divisor;
  return divisor;
}

template <class Config> struct SplitShape {
  using Shape = GemmShape<Config>;
  static constexpr int kQuads = Shape::kBlocks * Config::kTileN / 8; ///< fours of accumulators of a thread
  static constexpr int kQuadBytes = 128 * 16;                        ///< of all threads of a warpgroup
  static constexpr int kPieceQuads = greatest_divisor(kQuads, Shape::kStageBytes / (Shape::kSharing * kQuadBytes));
  static constexpr int kPieces = kQuads / kPieceQuads;
  static constexpr int kPieceBytes = Shape::kSharing * kPieceQuads * kQuadBytes;
  static constexpr i64 kSlotBytes = static_cast<i64>(kPieces) * kPieceBytes;

  /// Where the warpgroup's quads of a piece begin.
  static __device__ __forceinline__ int offset(int warpgroup) {
    return Config::kTurns ? 0 : warpgroup * (kPieceQuads * kQuadBytes);
  }
  static __device__ __forceinline__ u8 *slot(const GemmArguments &arguments, const Work &work, int part) {
    return static_cast<u8 *>(arguments.partials) + (static_cast<i64>(work.tail) * (work.parts - 1) + part) * kSlotBytes;
  }
};

/// Writes the sums of a part that does not finish its tile. Called by all threads of the warpgroup.
template <class Config>
__device__ __forceinline__ void store_sums(const GemmArguments &arguments, const Work &work,
                                           const Accumulators<Config> &accumulators, int warpgroup, int thread) {
  using Split = SplitShape<Config>;
  u8 *place =
      Split::slot(arguments, work, work.part) + Split::offset(warpgroup) + thread * 16;
#pragma unroll
  for (int quad = 0; quad < Split::kQuads; ++quad) {
    constexpr int kPerBlock = Config::kTileN / 8;
    const float *value = &accumulators.value[quad / kPerBlock][quad % kPerBlock * 4];
    ptx::store_global(place + quad / Split::kPieceQuads * Split::kPieceBytes +
                          quad % Split::kPieceQuads * Split::kQuadBytes,
                      value[0], value[1], value[2], value[3]);
  }
  ptx::async_proxy_fence();
  ptx::named_barrier(warpgroup + 1, 128);
  if (thread == 0)
    ptx::release_arrival(arguments.progress + work.tail);
}

/// Sends the sums of all other parts through the ring, the first part first. Called by the producer thread.
template <class Config>
__device__ __forceinline__ void produce_sums(const GemmArguments &arguments, const Work &work, u32 ring, u32 barriers,
                                             RingPosition<Config> &at) {
  using Shape = GemmShape<Config>;
  using Split = SplitShape<Config>;
  const u32 *counter = arguments.progress + work.tail;
  while (ptx::load_acquire(counter) < static_cast<u32>((work.parts - 1) * Shape::kSharing)) {
  }
  ptx::async_proxy_fence();
  const u8 *source = Split::slot(arguments, work, 0);
#pragma unroll 1
  for (int piece = 0; piece < (work.parts - 1) * Split::kPieces; ++piece) {
    const u32 full = barriers + 8 * at.stage, empty = barriers + 8 * (Config::kStages + at.stage);
    ptx::mbarrier_wait(empty, at.parity);
    ptx::mbarrier_arrive_expect(full, Split::kPieceBytes);
    ptx::bulk_load(ring + at.stage * Shape::kStageBytes, source, Split::kPieceBytes, full);
    source += Split::kPieceBytes;
    at.advance();
  }
}

/// Adds the sums of all other parts. Called by all threads of the warpgroup, behind a barrier behind the wait for its
/// own.
template <class Config>
__device__ __forceinline__ void add_sums(const Work &work, Accumulators<Config> &accumulators, u32 ring, u32 barriers,
                                         int warpgroup, int thread, RingPosition<Config> &at) {
  using Shape = GemmShape<Config>;
  using Split = SplitShape<Config>;
  for (int part = 0; part + 1 < work.parts; ++part)
#pragma unroll
    for (int piece = 0; piece < Split::kPieces; ++piece) {
      ptx::mbarrier_wait(barriers + 8 * at.stage, at.parity);
      const u32 place =
          ring + at.stage * Shape::kStageBytes + Split::offset(warpgroup) + thread * 16;
#pragma unroll
      for (int i = 0; i < Split::kPieceQuads; ++i) {
        constexpr int kPerBlock = Config::kTileN / 8;
        const int quad = piece * Split::kPieceQuads + i;
        float *value = &accumulators.value[quad / kPerBlock][quad % kPerBlock * 4];
        float sum[4];
        ptx::load_shared(sum, place + i * Split::kQuadBytes);
#pragma unroll
        for (int e = 0; e < 4; ++e)
          value[e] = __fadd_rn(value[e], sum[e]);
      }
      ptx::named_barrier(warpgroup + 1, 128); // all have read
      if (thread == 0)
        ptx::mbarrier_arrive(barriers + 8 * (Config::kStages + at.stage), Shape::kReleases);
      at.advance();
    }
}

} // namespace winnow
