//===- split_sums.cuh - sums of a tile whose K is cut into parts --------------------------------------------------===//
//
// Slots of arguments.partials, one per cut tile and part but the last: the f32 accumulators of the tile as the threads
// hold them, [warpgroup][four accumulators][thread], 16 bytes per thread. A counter per cut tile and warpgroup says how
// many parts are there; the launcher zeroes them. PTX ISA, "Memory consistency model": what all threads wrote before the
// barrier is ordered before the arrival by its fence, and what they read behind the barrier after the wait.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

template <class Config> class SplitSums {
  static constexpr int kPerBlock = Config::kTileN / 2, kBlocks = Config::kTileM / Config::kWarpgroups / 64;
  static constexpr i64 kWarpgroupBytes = 4 * 128 * kPerBlock * kBlocks;
  u8 *sums;
  u32 *arrivals;
  int warpgroup, thread;

  __device__ __forceinline__ u8 *slot(const Work &work, int part) const {
    return sums + (static_cast<i64>(work.tail * (work.parts - 1) + part) * Config::kWarpgroups + warpgroup) *
                      kWarpgroupBytes + thread * 16;
  }
  __device__ __forceinline__ u32 *counter(const Work &work) const {
    return arrivals + work.tail * Config::kWarpgroups + warpgroup;
  }

public:
  __device__ __forceinline__ SplitSums(const GemmArguments &arguments, int warpgroup, int thread)
      : sums(static_cast<u8 *>(arguments.partials)), arrivals(arguments.progress), warpgroup(warpgroup),
        thread(thread) {}

  /// Of a part that does not finish its tile. Called by all threads of the warpgroup.
  __device__ __forceinline__ void store(const Work &work, const float (&value)[kBlocks][kPerBlock]) const {
    u8 *place = slot(work, work.part);
#pragma unroll
    for (int block = 0; block < kBlocks; ++block)
#pragma unroll
      for (int i = 0; i < kPerBlock; i += 4) {
        ptx::store_global(place, value[block][i], value[block][i + 1], value[block][i + 2], value[block][i + 3]);
        place += 128 * 16;
      }
    ptx::named_barrier(warpgroup + 1, 128);
    if (thread == 0)
      ptx::release_arrival(counter(work));
  }

  /// Waits for the other parts and adds them, the first one first. Called by all threads of the warpgroup.
  __device__ __forceinline__ void add(const Work &work, float (&value)[kBlocks][kPerBlock]) const {
    if (thread == 0)
      while (ptx::load_acquire(counter(work)) + 1 < static_cast<u32>(work.parts)) {
      }
    ptx::named_barrier(warpgroup + 1, 128);
    for (int part = 0; part + 1 < work.parts; ++part) {
      const u8 *place = slot(work, part);
#pragma unroll
      for (int block = 0; block < kBlocks; ++block)
#pragma unroll
        for (int i = 0; i < kPerBlock; i += 4) {
          float sum[4];
          ptx::load_global(sum, place);
          place += 128 * 16;
#pragma unroll
          for (int e = 0; e < 4; ++e)
            value[block][i + e] = __fadd_rn(value[block][i + e], sum[e]);
        }
    }
  }
};

} // namespace winnow
