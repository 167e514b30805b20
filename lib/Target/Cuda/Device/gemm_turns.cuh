//===- gemm_turns.cuh - warpgroups that take tiles in turns -------------------------------------------------------===//

namespace winnow {

/// Whose turn it is where warpgroups take tiles in turns. A phase of a stage's barrier can be told from the one before
/// and from no other: who waits for a stage must know that its use before is over. So a warpgroup begins when the other
/// has waited for the last stage of its own tile; of that one the matrix instructions are still under way.
template <class Config> class Turns {
  using Shape = GemmShape<Config>;
  u32 mine, others; ///< mbarriers
  u32 parity;
  int warpgroup, next = 0;

public:
  __device__ __forceinline__ Turns(u32 barriers, int warpgroup)
      : mine(barriers + Shape::kTurnOffset + 8 * warpgroup), others(barriers + Shape::kTurnOffset + 8 * (1 - warpgroup)),
        parity(warpgroup == 0), warpgroup(warpgroup) {}
  /// Whether the next unit of the CTA is this warpgroup's.
  __device__ __forceinline__ bool take() {
    const bool taken = next == warpgroup;
    next ^= 1;
    return taken;
  }
  __device__ __forceinline__ void begin() {
    ptx::mbarrier_wait(mine, parity);
    parity ^= 1;
  }
  __device__ __forceinline__ void pass(int thread) const {
    if (thread == 0)
      ptx::mbarrier_arrive(others);
  }
};

/// Stages that the producer sends for a unit of work.
template <class Config> __device__ __forceinline__ int stages_of(const Work &work) {
  int stages = work.slabs + (work.finishes() ? StoreShape<Config>::kStoreStages : 0);
  if constexpr (Config::kSplit > 1)
    if (work.finishes())
      stages += (work.parts - 1) * SplitShape<Config>::kPieces;
  return stages;
}

} // namespace winnow
